package notifier_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// onlyWebhook routes everything to the webhook, and nothing to the chat.
func onlyWebhook(n *notifier.Notifier) {
	n.SetRoute("chat", func(schema.Conversation, time.Time) notifier.Routing { return notifier.Routing{} })
}

func TestACriticalThatItsChannelCannotTakeIsToldThroughAnotherOnce(t *testing.T) {
	s, r, k := bustest.Server(t), newReceiver(t, nil), newClock()
	r.server.Close()
	c := newChat(nil)
	b := s.Connect(t)
	one, other := k.by(withChat(t, s.Connect(t), r, c)), k.by(withChat(t, s.Connect(t), r, c))
	onlyWebhook(one)
	onlyWebhook(other)
	conv := k.happens(channeltest.Opened("checkout"))
	lesser := k.happens(warning(channeltest.Opened("cart")))
	store(t, b, conv)
	store(t, b, lesser)
	try := func(n *notifier.Notifier, c schema.Conversation) {
		t.Helper()
		if wait, err := n.StepThrough(t.Context(), "webhook", nudge(t, c)); wait <= 0 || err == nil {
			t.Fatalf("a receiver that cannot be reached took it: wait %s, %v", wait, err)
		}
	}
	try(one, lesser)
	try(one, conv)
	k.add(2*time.Minute - time.Second)
	try(one, conv)
	if len(c.all()) > 0 {
		t.Fatalf("told through another channel before 2 minutes: %+v", c.all())
	}
	k.add(time.Second)
	for range 2 {
		try(one, conv)
		try(other, conv)
		try(one, lesser)
	}
	want := []said{{Key: ids(conv)[0], Ref: "ref-1", How: "card", Conv: conv.ID, Events: []string{"1"}, For: "webhook"}}
	if diff := cmp.Diff(want, c.all()); diff != "" {
		t.Fatalf("told through the other channel (-want +got):\n%s", diff)
	}
	conv = k.happens(channeltest.Add(conv, schema.EventCleared))
	mustStep(t, other, b, conv)
	if diff := cmp.Diff([]string{"card 1", "edit 2", "line 2"}, c.how()); diff != "" {
		t.Errorf("it does not hear it to its end (-want +got):\n%s", diff)
	}
	if got := c.all()[1].For; got != "webhook" {
		t.Errorf("the edit of the card stands in for %q", got)
	}
	next := k.happens(channeltest.NewEpisode(conv))
	mustStep(t, other, b, next)
	if got := len(c.all()); got != 3 {
		t.Errorf("the next episode is told there too: %q", c.how())
	}
}

func TestAPauseThatIsShortIsNoReasonForAnotherChannel(t *testing.T) {
	b, k := bustest.New(t), newClock()
	var paused atomic.Bool
	paused.Store(true)
	c, away := newChat(nil), newChat(nil)
	away.script = func(channel.Post, int) error {
		if paused.Load() {
			return channel.Throttled{Until: k.now().Add(90 * time.Second)}
		}
		return nil
	}
	n := k.by(withChat(t, b, nil, c))
	n.Add("away", threaded{away, channel.Target{ID: "away"}})
	k.by(n)
	onlyWebhook(n)
	conv := k.happens(channeltest.Opened("checkout"))
	store(t, b, conv)
	step := func() (time.Duration, error) { return n.StepThrough(t.Context(), "away", nudge(t, conv)) }
	if wait, err := step(); wait <= 0 || err == nil {
		t.Fatalf("wait %s, %v", wait, err)
	}
	paused.Store(false)
	k.add(90 * time.Second)
	if wait, err := step(); wait != 0 || err != nil || len(c.all()) > 0 || len(away.all()) != 1 {
		t.Errorf("after the pause: wait %s, %v, %d posts, %d through the other", wait, err, len(away.all()), len(c.all()))
	}
}

func TestWhatTheOtherChannelCannotTakeEitherGoesToTheNext(t *testing.T) {
	b, k := bustest.New(t), newClock()
	broken := func(channel.Post, int) error { return fmt.Errorf("401: %w", channel.ErrSetup) }
	first, second, third := newChat(broken), newChat(broken), newChat(nil)
	n := withChat(t, b, nil, first)
	n.Add("second", threaded{second, channel.Target{ID: "second"}})
	n.Add("same", threaded{second, channel.Target{ID: "chat"}}) // another way to the target that does not work
	n.Add("third", threaded{third, channel.Target{ID: "third"}})
	k.by(n)
	for _, name := range []string{"second", "same", "third"} {
		n.SetRoute(name, func(schema.Conversation, time.Time) notifier.Routing { return notifier.Routing{} })
	}
	conv := k.happens(channeltest.Opened("checkout"))
	store(t, b, conv)
	for range 2 {
		if wait, err := n.StepThrough(t.Context(), "chat", nudge(t, conv)); wait <= 0 || err == nil {
			t.Fatalf("wait %s, %v", wait, err)
		}
		k.add(2 * time.Minute)
	}
	if diff := cmp.Diff([]string{"card 1"}, third.how()); diff != "" || second.posts != 1 {
		t.Errorf("the second was tried %d times; through the third (-want +got):\n%s", second.posts, diff)
	}
}
