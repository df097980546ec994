package slacktest_test

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/bellbuoy/bellbuoy/internal/channel/slack/slacktest"
)

// listener is a client of Socket Mode that keeps what it is told, and acknowledges it unless it is told not to.
type listener struct {
	*socketmode.Client
	mu     sync.Mutex
	mute   bool
	got    []socketmode.Event
	answer any
	came   chan struct{}
}

func listen(t *testing.T, s *slacktest.Server) *listener {
	t.Helper()
	before := s.Connections()
	l := &listener{Client: socketmode.New(client(s, slack.OptionAppLevelToken(slacktest.AppToken))), came: make(chan struct{}, 1)}
	ctx, stop := context.WithCancel(t.Context())
	var runs sync.WaitGroup
	runs.Go(func() { _ = l.RunContext(ctx) })
	runs.Go(func() { l.take(ctx) })
	t.Cleanup(func() { stop(); s.Close(); runs.Wait() })
	until(t, s, func() bool { return s.Connections() > before })
	return l
}

func until(t *testing.T, s *slacktest.Server, cond func() bool) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	if err := s.Until(ctx, cond); err != nil {
		t.Fatal(err)
	}
}

func (l *listener) take(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-l.Events:
			l.mu.Lock()
			l.got = append(l.got, e)
			mute, answer := l.mute, l.answer
			l.mu.Unlock()
			select {
			case l.came <- struct{}{}:
			default:
			}
			bad, _ := e.Data.(*socketmode.ErrorBadMessage)
			switch {
			case mute:
			case bad != nil:
				var envelope socketmode.Request
				if json.Unmarshal(bad.Message, &envelope) == nil && envelope.EnvelopeID != "" {
					_ = l.AckCtx(ctx, envelope.EnvelopeID, nil)
				}
			case e.Request != nil && e.Request.EnvelopeID != "":
				_ = l.AckCtx(ctx, e.Request.EnvelopeID, answer)
			}
		}
	}
}

func (l *listener) set(mute bool, answer any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mute, l.answer = mute, answer
}

// told gives what it was told in envelopes of a type.
func (l *listener) told(kind socketmode.EventType) []socketmode.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.got), func(e socketmode.Event) bool { return e.Type != kind })
}

// await waits until it was told that many things in envelopes of a type.
func (l *listener) await(t *testing.T, kind socketmode.EventType, n int) []socketmode.Event {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	for {
		if got := l.told(kind); len(got) >= n {
			return got
		}
		select {
		case <-l.came:
		case <-ctx.Done():
			t.Fatalf("told %d times, want %d", len(l.told(kind)), n)
		}
	}
}

func acked(t *testing.T, d *slacktest.Delivery) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	if err := d.Acked(ctx); err != nil {
		t.Fatal(err)
	}
}

func say(t *testing.T, s *slacktest.Server, text, thread string) []*slacktest.Delivery {
	t.Helper()
	_, told, err := s.Say(slacktest.Anna, "ops", text, thread)
	if err != nil {
		t.Fatal(err)
	}
	return told
}
