package socket_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel/slack/slacktest"
	"github.com/bellbuoy/bellbuoy/internal/channel/slack/socket"
)

const within = 20 * time.Second

func workspace(t *testing.T, o slacktest.Options) *slacktest.Server {
	t.Helper()
	s, err := slacktest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// opening asks the workspace for addresses.
func opening(s *slacktest.Server) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.APIURL()+"apps.connections.open", bytes.NewReader(nil))
		if err != nil {
			return "", err
		}
		r.Header.Set("Authorization", "Bearer "+slacktest.AppToken)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			return "", err
		}
		defer func() { _ = response.Body.Close() }()
		var a struct{ URL, Error string }
		if err := json.NewDecoder(response.Body).Decode(&a); err != nil {
			return "", err
		}
		if a.Error != "" {
			return "", errors.New(a.Error)
		}
		return a.URL, nil
	}
}

// kept is a client that runs, and what it heard.
type kept struct {
	mu    sync.Mutex
	heard []string
}

func (k *kept) hear(_ context.Context, e socket.Envelope, settle socket.Settle) {
	k.mu.Lock()
	k.heard = append(k.heard, e.Type)
	k.mu.Unlock()
	_ = settle(true)
}

func run(t *testing.T, s *slacktest.Server, c socket.Client) {
	t.Helper()
	if c.Open == nil {
		c.Open = opening(s)
	}
	c.Pause = func(int) time.Duration { return time.Millisecond }
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	until(t, s, func() bool { return s.Connections() == socket.Connections })
}

func until(t *testing.T, s *slacktest.Server, cond func() bool) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), within)
	defer stop()
	if err := s.Until(ctx, cond); err != nil {
		t.Fatal(err)
	}
}

func await[T any](t *testing.T, c <-chan T, what string) {
	t.Helper()
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case <-c:
	case <-late.C:
		t.Fatalf("waited in vain for %s", what)
	}
}

func TestWhatComesIsAcknowledged(t *testing.T) {
	s := workspace(t, slacktest.Options{})
	k := &kept{}
	run(t, s, socket.Client{Handle: k.hear})
	for range 10 {
		_, told, err := s.Say(slacktest.Anna, slacktest.Ops, "why?", "")
		if err != nil {
			t.Fatal(err)
		}
		if err := told[0].Acked(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if p := s.Problems(); len(p) > 0 || len(k.heard) != 10 {
		t.Errorf("heard %d of 10; problems %q", len(k.heard), p)
	}
}

func TestWhatIsNotAcknowledgedComesAgain(t *testing.T) {
	s := workspace(t, slacktest.Options{AckWithin: time.Hour})
	k, refused := &kept{}, make(chan struct{}, 1)
	run(t, s, socket.Client{Handle: func(ctx context.Context, e socket.Envelope, settle socket.Settle) {
		select {
		case refused <- struct{}{}:
			_ = settle(false)
			s.Expire()
		default:
			k.hear(ctx, e, settle)
		}
	}})
	_, told, err := s.Say(slacktest.Anna, slacktest.Ops, "why?", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := told[0].Acked(t.Context()); err != nil || told[0].Sent() != 2 {
		t.Errorf("sent %d times: %v", told[0].Sent(), err)
	}
}

// Slack says that it will end a connection: a third one is open before the old one is closed.
func TestANewConnectionIsOpenBeforeTheOldOneIsClosed(t *testing.T) {
	s := workspace(t, slacktest.Options{})
	k := &kept{}
	var mu sync.Mutex
	opened, least := 0, socket.Connections
	open := opening(s)
	run(t, s, socket.Client{Handle: k.hear, Open: func(ctx context.Context) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		if opened++; opened > socket.Connections {
			least = min(least, s.Connections()+1) // with the one that leaves, which is still open
		}
		return open(ctx)
	}})
	for range 20 {
		if !s.Disconnect("refresh_requested") {
			t.Fatal("no connection")
		}
		until(t, s, func() bool { return s.Connections() == socket.Connections })
	}
	mu.Lock()
	defer mu.Unlock()
	if opened != socket.Connections+20 || least < socket.Connections {
		t.Errorf("opened %d, at the least %d open", opened, least)
	}
}

func TestAConnectionThatFellSilentIsReplaced(t *testing.T) {
	s := workspace(t, slacktest.Options{})
	k := &kept{}
	renewed := make(chan error, 100)
	run(t, s, socket.Client{Handle: k.hear, Silence: 300 * time.Millisecond, Renewed: func(err error) { renewed <- err }})
	if !s.Freeze() {
		t.Fatal("no connection")
	}
	await(t, renewed, "a connection in place of the silent one")
	until(t, s, func() bool { return s.Connections() == socket.Connections })
}

// A ping of Slack's every ten seconds is not needed: ours are answered.
func TestAConnectionOnWhichNobodySaysAnythingStays(t *testing.T) {
	s := workspace(t, slacktest.Options{Ping: time.Hour})
	k := &kept{}
	run(t, s, socket.Client{Handle: k.hear, Silence: 150 * time.Millisecond, Renewed: func(err error) { t.Errorf("renewed: %v", err) }})
	idle := time.NewTimer(time.Second) // several times as long as silence may last
	defer idle.Stop()
	<-idle.C
}

func TestFramesThatMakeNoSenseAreCounted(t *testing.T) {
	s := workspace(t, slacktest.Options{})
	k, odd := &kept{}, make(chan struct{}, 10)
	run(t, s, socket.Client{Handle: k.hear, Odd: func() { odd <- struct{}{} }})
	for _, frame := range []string{"{", `"hello"`, `{"type":"events_api"}`, `{"type":7}`} {
		if !s.Send(frame) {
			t.Fatal("no connection")
		}
		await(t, odd, frame+" to be counted")
	}
}

func TestAnErrorThatStaysEndsIt(t *testing.T) {
	never := errors.New("link_disabled")
	c := socket.Client{
		Open:   func(context.Context) (string, error) { return "", socket.Fatal(never) },
		Handle: func(context.Context, socket.Envelope, socket.Settle) {},
	}
	if err := c.Run(t.Context()); !errors.Is(err, never) {
		t.Errorf("ends with %v", err)
	}
}

func TestAddressesThatAreDialled(t *testing.T) {
	for address, good := range map[string]bool{
		"wss://wss-primary.slack.com/link/?ticket=1": true, "ws://127.0.0.1:9/link": true, "ws://[::1]:9/link": true, "ws://localhost:9/": true,
		"ws://slack.com/link": false, "ws://10.0.0.1/": false, "http://slack.com/": false, "https://slack.com/": false, "": false, "wss://": false,
		"wss://a:b@slack.com/": false, "ws://127.0.0.1.evil.example/": false, "wss://%zz/": false,
	} {
		if err := socket.Check(address); (err == nil) != good {
			t.Errorf("%q: %v", address, err)
		}
	}
}
