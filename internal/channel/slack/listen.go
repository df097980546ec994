package slack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/slack/socket"
)

const (
	lanes     = 16 // each hears one thing after another
	laneWaits = 64
	asides    = 16                      // what is told to people at one time, beside hearing
	hearing   = 2500 * time.Millisecond // Slack wants to know within 3 s
)

// Report says where the channel reports what it hears.
func (ch *Channel) Report(r channel.Report) { ch.report = r }

// Ear names the app that is listened to: what is said to it comes over any of its connections.
func (ch *Channel) Ear() string {
	sum := sha256.Sum256([]byte("bellbuoy slack ear\x00" + ch.app))
	return "slack-" + hex.EncodeToString(sum[:10])
}

// Listen hears what people say in threads of cards, what they press and what they think of a diagnosis, until ctx is
// done. What is heard is stored first and acknowledged then, in the order in which it came. Without an app-level token
// there is nothing to hear.
func (ch *Channel) Listen(ctx context.Context, hear channel.Hear) error {
	if ch.app == "" {
		ch.report.Log.Info("replies in Slack are not heard, and cards have no buttons: SLACK_APP_TOKEN is not set")
		return nil
	}
	me, err := ch.identify(ctx)
	if err != nil {
		return err
	}
	l := &listener{ch: ch, me: me, hear: hear, asides: new(errgroup.Group)}
	l.asides.SetLimit(asides)
	g, ctx := errgroup.WithContext(ctx)
	for i := range l.lanes {
		l.lanes[i] = make(chan job, laneWaits)
		g.Go(func() error { l.work(ctx, l.lanes[i]); return nil })
	}
	g.Go(func() error {
		client := socket.Client{
			Open: ch.connection, Handle: l.sort, Odd: func() { l.malformed("frame") }, Silence: ch.silence, Pause: ch.pause,
			Renewed: l.renewed,
		}
		return client.Run(ctx)
	})
	err = g.Wait()
	return errors.Join(err, l.asides.Wait())
}

// listener is what one Listen has at hand.
type listener struct {
	ch     *Channel
	me     self
	hear   channel.Hear
	lanes  [lanes]chan job
	asides *errgroup.Group
}

type job struct {
	deed
	settle socket.Settle
}

// sort puts a deed in the lane of its thread, so that what is said there is heard in order.
func (l *listener) sort(ctx context.Context, e socket.Envelope, settle socket.Settle) {
	d, ignored, err := read(e, l.me)
	switch {
	case err != nil:
		l.malformed(e.Type)
		_ = settle(true)
		return
	case ignored != "":
		l.ch.report.Count(channel.Ignored, ignored)
		_ = settle(true)
		return
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(d.lane()))
	select {
	case l.lanes[h.Sum32()%lanes] <- job{d, settle}:
	case <-ctx.Done():
		_ = settle(false)
	}
}

func (l *listener) malformed(what string) {
	l.ch.report.Count(channel.Refused, "malformed")
	l.ch.report.Log.Warn("what Slack sent cannot be read; it is left out", "type", channel.Line(what, 40))
}

func (l *listener) renewed(err error) {
	if err != nil {
		l.ch.report.Log.Warn("the connection to Slack cannot be opened; it is tried again", "error", err)
		return
	}
	l.ch.report.Count(channel.Reconnect, "")
}

// work hears what comes in one lane.
func (l *listener) work(ctx context.Context, lane <-chan job) {
	for {
		select {
		case j := <-lane:
			l.one(ctx, j)
		case <-ctx.Done():
			return
		}
	}
}

// one hears a deed, acknowledges it, and tells whoever did it.
func (l *listener) one(ctx context.Context, j job) {
	within, cancel := context.WithTimeout(ctx, hearing)
	ack, aside := l.take(within, j.deed)
	cancel()
	if err := j.settle(ack); err != nil {
		l.ch.report.Log.Debug("what was heard is not acknowledged, and will come again", "error", err)
	}
	if aside == nil {
		return
	}
	l.asides.TryGo(func() error { // whoever does not hear at once hears when the answer is there
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.ch.timeout)
		defer cancel()
		aside(ctx)
		return nil
	})
}

// connection asks Slack for the address of a connection.
func (ch *Channel) connection(ctx context.Context) (string, error) {
	const what = "call Slack's apps.connections.open"
	ctx, cancel := context.WithTimeout(ctx, ch.timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, ch.address+"apps.connections.open", nil)
	if err != nil {
		return "", fmt.Errorf("%s: the address is not one", what)
	}
	r.Header.Set("Authorization", "Bearer "+ch.app)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	a := attempt{method: "apps.connections.open", to: ch.to, token: ch.app, now: ch.now}
	response, err := ch.client.Do(r)
	if err != nil {
		return "", a.unanswered(what, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: answered %d %s", what, response.StatusCode, http.StatusText(response.StatusCode))
	}
	var answer struct {
		OK    bool   `json:"ok"`
		URL   string `json:"url"`
		Error string `json:"error"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxConnection)).Decode(&answer); err != nil {
		return "", fmt.Errorf("%s: the answer cannot be read", what)
	}
	if !answer.OK {
		return "", a.unopened(what, answer.Error)
	}
	return answer.URL, nil
}

const maxConnection = 64 << 10 // bytes

// unopened is the error of a connection that Slack does not want, with what to do.
func (a *attempt) unopened(what, name string) error {
	err := fmt.Errorf("%s: Slack says %s", what, a.quote(name))
	switch {
	case name == "link_disabled":
		return socket.Fatal(fmt.Errorf("%w: %w: turn Socket Mode on, on the app's page of that name", err, channel.ErrSetup))
	case kindOf(name) == setup:
		return socket.Fatal(fmt.Errorf("%w: %w: set SLACK_APP_TOKEN to an app-level token with the scope connections:write, from the app's page Basic Information", err, channel.ErrSetup))
	}
	return err
}

// silent drops what a channel reports that nobody asked.
func silent() channel.Report {
	return channel.Report{Log: slog.New(slog.DiscardHandler), Count: func(channel.What, string) {}}
}

// name gives a person's name, for a text that mentions them.
func (l *listener) name(ctx context.Context) func(string) string {
	return func(user string) string {
		if !userID.MatchString(user) {
			return user
		}
		return strings.TrimSpace(l.ch.person(ctx, user).name)
	}
}

var (
	_ channel.Listener = (*Channel)(nil)
	_ channel.Reporter = (*Channel)(nil)
	_ channel.Eared    = (*Channel)(nil)
)
