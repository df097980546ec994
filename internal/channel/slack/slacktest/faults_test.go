package slacktest_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/bellbuoy/bellbuoy/internal/channel/slack/slacktest"
)

func TestFaultsBreakTheNextCalls(t *testing.T) {
	tests := []struct {
		name   string
		fault  slacktest.Fault
		stored bool
		check  func(error) bool
	}{
		{"throttled", slacktest.Throttled(7 * time.Second), false, func(err error) bool {
			limited, ok := errors.AsType[*slack.RateLimitedError](err)
			return ok && limited.RetryAfter == 7*time.Second
		}},
		{"500", slacktest.Fails(500), false, status(500)},
		{"503", slacktest.Fails(503), false, status(503)},
		{"503-but-stored", slacktest.FailsAccepted(503), true, status(503)},
		{"refused", slacktest.Refuses("edit_window_closed"), false, func(err error) bool {
			refused, ok := errors.AsType[slack.SlackErrorResponse](err)
			return ok && refused.Err == "edit_window_closed"
		}},
		{"reset", slacktest.Resets(), false, broken},
		{"reset-but-stored", slacktest.ResetsAccepted(), true, broken},
		{"slow", slacktest.Slow(time.Millisecond), true, func(err error) bool { return err == nil }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, slacktest.Options{})
			s.Fault("chat.postMessage", 1, tt.fault)
			if _, err := client(s).AuthTestContext(t.Context()); err != nil {
				t.Errorf("another method: %v", err)
			}
			_, _, err := client(s).PostMessageContext(t.Context(), "ops", slack.MsgOptionText("x", false))
			if !tt.check(err) {
				t.Errorf("the client gets %v", err)
			}
			if stored := len(s.Messages("ops")) == 1; stored != tt.stored {
				t.Errorf("stored: %v, want %v", stored, tt.stored)
			}
			post(t, s, "text", "the next")
		})
	}
}

func status(code int) func(error) bool {
	return func(err error) bool {
		failed, ok := errors.AsType[slack.StatusCodeError](err)
		return ok && failed.Code == code
	}
}

func broken(err error) bool {
	_, refused := errors.AsType[slack.SlackErrorResponse](err)
	return err != nil && !refused
}

func TestACallHangsUntilTheCallerGivesUp(t *testing.T) {
	for name, tt := range map[string]struct {
		fault  slacktest.Fault
		stored int
	}{"before": {slacktest.Hangs(), 0}, "after": {slacktest.HangsAccepted(), 1}} {
		t.Run(name, func(t *testing.T) {
			s := start(t, slacktest.Options{})
			s.Fault("", 1, tt.fault)
			ctx, giveUp := context.WithCancel(t.Context())
			defer giveUp()
			var waits sync.WaitGroup
			waits.Go(func() {
				if err := s.Until(ctx, func() bool { return s.Hanging() == 1 }); err != nil {
					t.Errorf("no call hangs: %v", err)
				}
				giveUp()
			})
			if _, err := request(ctx, t, s, "chat.postMessage", form, slacktest.BotToken, "channel=ops&text=x"); !errors.Is(err, context.Canceled) {
				t.Errorf("the caller gets %v", err)
			}
			waits.Wait()
			if n := len(s.Messages("ops")); n != tt.stored {
				t.Errorf("%d messages, want %d", n, tt.stored)
			}
			if err := s.Until(t.Context(), func() bool { return s.Hanging() == 0 }); err != nil {
				t.Error(err)
			}
			if c := s.Calls(); len(c) != 1 || c[0].Status != 0 {
				t.Errorf("calls %+v, want one without an answer", c)
			}
		})
	}
}

func TestRandomFaultsRepeatWithTheirSeed(t *testing.T) {
	outcomes := func(seed uint64) (all []string) {
		s := start(t, slacktest.Options{})
		s.Random(seed, 0.5, slacktest.Refuses("internal_error"), slacktest.Throttled(time.Second))
		for range 40 {
			all = append(all, call(t, s, "chat.postMessage", "channel", "ops", "text", "x").Error)
		}
		s.Heal()
		post(t, s, "text", "healed")
		return all
	}
	first := outcomes(1)
	if !slices.Equal(first, outcomes(1)) {
		t.Error("the same seed breaks other calls")
	}
	if slices.Equal(first, outcomes(2)) {
		t.Error("another seed breaks the same calls")
	}
	for _, want := range []string{"", "internal_error", "ratelimited"} {
		if !slices.Contains(first, want) {
			t.Errorf("no call of 40 ends in %q", want)
		}
	}
}

// clock is a time that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func TestAChannelTakesSoManyPostsASecond(t *testing.T) {
	c := &clock{now: time.Unix(1_700_000_000, 0)}
	s := start(t, slacktest.Options{Now: c.Now, Rates: slacktest.SlackRates()})
	s.AddChannel(slacktest.Channel{ID: "C0DEV", Name: "dev"})
	for range 3 {
		post(t, s, "text", "x")
	}
	got := call(t, s, "chat.postMessage", "channel", slacktest.Ops, "text", "x")
	if got.status != 429 || got.Error != "ratelimited" || got.header.Get("Retry-After") != "1" {
		t.Errorf("the fourth at once: %d %q, Retry-After %q", got.status, got.Error, got.header.Get("Retry-After"))
	}
	if got := call(t, s, "chat.postMessage", "channel", "dev", "text", "x"); !got.OK {
		t.Errorf("another channel: %s", got.Error)
	}
	c.pass(time.Second)
	post(t, s, "text", "x")
	if got := call(t, s, "chat.postMessage", "channel", "ops", "text", "x"); got.status != 429 {
		t.Errorf("the fifth a second later, by name: %d, want 429", got.status)
	}
	c.pass(time.Hour)
	for i := range 51 {
		if got := call(t, s, "conversations.history", "channel", slacktest.Ops); got.OK != (i < 50) {
			t.Fatalf("history %d of a minute: %+v", i+1, got)
		}
	}
	s.SetRates(slacktest.SlackRates().Faster(1000))
	c.pass(2 * time.Millisecond)
	post(t, s, "text", "x")
}
