package notifier_test

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// clock is one that the test moves. Its conversations happen by it.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.set(channeltest.At(0).Add(time.Hour))
	return c
}

func (k *clock) now() time.Time      { return time.Unix(0, k.at.Load()).UTC() }
func (k *clock) set(t time.Time)     { k.at.Store(t.UnixNano()) }
func (k *clock) add(d time.Duration) { k.at.Add(int64(d)) }

// happens is c with its newest event, and what follows from it, now.
func (k *clock) happens(c schema.Conversation) schema.Conversation {
	c.Messages = slices.Clone(c.Messages)
	c.Messages[len(c.Messages)-1].At, c.UpdatedAt = k.now(), k.now()
	if len(c.Messages) == 1 {
		c.StartedAt = k.now()
	}
	if c.Closed() {
		c.ClosedAt = k.now()
	}
	return c
}

func warning(c schema.Conversation) schema.Conversation {
	c.Severity = schema.SeverityWarning
	return c
}

// chatDown is a chat that cannot be reached until down is taken back.
func chatDown() (c *chat, down *atomic.Bool) { return chatFailing(errors.New("connection refused")) }

// chatFailing is a chat that takes nothing, for that reason, until down is taken back.
func chatFailing(why error) (c *chat, down *atomic.Bool) {
	down = new(atomic.Bool)
	down.Store(true)
	return newChat(func(channel.Post, int) error {
		if down.Load() {
			return why
		}
		return nil
	}), down
}

// until looks again and again whether something is so.
func until(t *testing.T, so func() bool) {
	t.Helper()
	late, tick := time.NewTimer(bustest.Within), time.NewTicker(time.Millisecond)
	defer late.Stop()
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-late.C:
			t.Fatalf("not so within %s", bustest.Within)
		}
	}
}

// by runs a notifier by the clock, with every wait a thousandth.
func (k *clock) by(n *notifier.Notifier) *notifier.Notifier {
	n.SetNow(k.now)
	n.SetClaim(1000 * time.Hour) // the clock jumps, and nobody dies
	n.SetScale(func(d time.Duration) time.Duration { return min(d/1000, 20*time.Millisecond) })
	return n
}

func settledChat(t *testing.T, b *bus.Bus, unread ...string) {
	t.Helper()
	bustest.Settled(t, b, append(unread, bus.Diagnose, bus.Answer, bus.WatchFindings)...)
}

// An hour without one of two channels: the other one is told of everything at once; the one that was away is told of
// what is still open, once and as it is by then, and of what came and went in one post.
func TestAfterAnOutageEverythingIsToldOnceInItsCurrentState(t *testing.T) {
	s, r, k := bustest.Server(t), newReceiver(t, nil), newClock()
	c, down := chatDown()
	b := s.Connect(t)
	var n *notifier.Notifier
	for range 2 {
		n = k.by(withChat(t, s.Connect(t), r, c))
		bustest.Start(t, n.Part().Run)
	}
	want, over, events := map[string]string{}, map[string]bool{}, 0
	tell := func(conv schema.Conversation) schema.Conversation {
		conv = k.happens(conv)
		store(t, b, conv)
		events++
		for got := 0; got < 1; {
			got += len(r.next(t).events)
		}
		return conv
	}
	var open []schema.Conversation
	for i := range 4 {
		open = append(open, tell(channeltest.Opened(fmt.Sprintf("critical-%d", i))), tell(warning(channeltest.Opened(fmt.Sprintf("warning-%d", i)))))
	}
	until(t, func() bool { return n.Breaker("chat").Open() })
	for range 7 { // probes
		k.add(11 * time.Minute)
		until(t, func() bool { return n.Breaker("chat").OpenUntil.After(k.now()) })
		gone := tell(warning(channeltest.Opened(fmt.Sprintf("gone-%s", k.now().Format("1504")))))
		tell(channeltest.Add(gone, schema.EventCleared))
		over[gone.ID] = true
	}
	for _, conv := range open {
		tell(channeltest.Add(conv, schema.EventDiagnosed))
		want[conv.ID] = "2"
	}
	if got := len(r.all()); got != events {
		t.Errorf("the channel that works had %d posts of %d events", got, events)
	}
	down.Store(false)
	k.add(11 * time.Minute)
	got, summary := map[string]string{}, said{}
	for len(got) < len(want) {
		switch s := c.next(t); s.How {
		case "card":
			got[s.Conv] += s.Events[0]
		case "digest":
			summary = s
		}
		k.add(3 * time.Second) // for those that gave way
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cards by conversation (-want +got):\n%s", diff)
	}
	settledChat(t, b)
	k.add(2 * time.Minute)
	for summary.How != "digest" {
		summary = c.next(t)
	}
	for _, id := range summary.Events {
		if !over[id] {
			t.Errorf("the summary has %s, or twice", id)
		}
		delete(over, id)
	}
	if len(over) > 0 || !strings.Contains(summary.Text, "cleared") {
		t.Errorf("the summary lacks %v:\n%s", over, summary.Text)
	}
	for _, s := range c.all() {
		if s.How == "edit" || s.How == "digest" && s.Key != summary.Key || s.For != "" {
			t.Errorf("said on top of that: %+v", s)
		}
	}
}

func TestAfterAnOutageTheWorstIsToldFirst(t *testing.T) {
	b, k := bustest.New(t), newClock()
	c, down := chatDown()
	n := k.by(withChat(t, b, nil, c))
	bustest.Start(t, n.Part().Run)
	for i := range 10 {
		store(t, b, k.happens(warning(channeltest.Opened(fmt.Sprintf("warning-%d", i)))))
	}
	until(t, func() bool { return n.Breaker("chat").Open() })
	for i := range 5 {
		store(t, b, k.happens(channeltest.Opened(fmt.Sprintf("critical-%d", i))))
	}
	opens := n.Breaker("chat").OpenUntil
	until(t, func() bool { return n.Waiting("chat", opens) == 15 })
	down.Store(false)
	k.set(opens.Add(time.Millisecond))
	var order []string
	for range 5 {
		order = append(order, c.next(t).Conv)
	}
	k.add(3 * time.Second)
	for range 10 {
		order = append(order, c.next(t).Conv)
	}
	for i, conv := range order {
		critical := slices.ContainsFunc([]int{0, 1, 2, 3, 4}, func(i int) bool { return channeltest.Opened(fmt.Sprintf("critical-%d", i)).ID == conv })
		if want := i < 5; critical != want {
			t.Errorf("number %d is critical: %v, want %v", i+1, critical, want)
		}
	}
	settledChat(t, b, bus.Notify("webhook"))
	if got := len(c.all()); got != 15 {
		t.Errorf("%d posts, want 15", got)
	}
}

func TestAnotherNotifierLearnsThatAReceiverWantsAPause(t *testing.T) {
	s := bustest.Server(t)
	k := newClock()
	c := newChat(func(_ channel.Post, nth int) error {
		if nth == 1 {
			return channel.Throttled{Until: k.now().Add(time.Hour)}
		}
		return nil
	})
	here, there := k.by(withChat(t, s.Connect(t), nil, c)), k.by(withChat(t, s.Connect(t), nil, c))
	b := s.Connect(t)
	one, two := channeltest.Opened("checkout"), channeltest.Opened("cart")
	if wait, err := chatStep(t, here, b, one); wait <= 0 || err == nil {
		t.Fatalf("wait %s, %v", wait, err)
	}
	if err := there.Learn(t.Context()); err != nil {
		t.Fatal(err)
	}
	k.add(5 * time.Minute)
	if wait, err := chatStep(t, there, b, two); wait != 10*time.Minute || err == nil || len(c.all()) > 0 {
		t.Fatalf("wait %s, %v and %d posts; want the 10m that are left of 15", wait, err, len(c.all()))
	}
	k.add(10 * time.Minute)
	if wait, err := there.StepThrough(t.Context(), "chat", nudge(t, two)); wait != 0 || err != nil {
		t.Errorf("after the pause: wait %s, %v", wait, err)
	}
}

func TestNothingIsPostedToAReceiverThatIsGoneUntilATestGoesThrough(t *testing.T) {
	b, k := bustest.New(t), newClock()
	var gone atomic.Bool
	gone.Store(true)
	c := newChat(func(channel.Post, int) error {
		if gone.Load() {
			return fmt.Errorf("answered 410: %w", channel.ErrGone)
		}
		return nil
	})
	n := k.by(withChat(t, b, nil, c))
	one := channeltest.Opened("checkout")
	if wait, err := chatStep(t, n, b, one); wait <= 0 || !errors.Is(err, channel.ErrGone) {
		t.Fatalf("wait %s, %v", wait, err)
	}
	gone.Store(false)
	k.add(48 * time.Hour)
	if err := n.Learn(t.Context()); err != nil {
		t.Fatal(err)
	}
	if wait, err := n.StepThrough(t.Context(), "chat", nudge(t, one)); wait <= 0 || err == nil || len(c.all()) > 0 {
		t.Fatalf("wait %s, %v and %d posts to a receiver that is gone", wait, err, len(c.all()))
	}
	trial := channeltest.Opened("test")
	trial.Cluster = "bellbuoy-test-abc"
	trial.ID = schema.ConversationID(trial.Cluster, trial.Object)
	trial.Messages[0].ID = trial.ID + "-1"
	mustStep(t, n, b, trial)
	if wait, err := n.StepThrough(t.Context(), "chat", nudge(t, one)); wait != 0 || err != nil || len(c.all()) != 2 {
		t.Errorf("after the test: wait %s, %v and %d posts", wait, err, len(c.all()))
	}
}

// A target that works and has no rate costs no read and no write: there is no record of it.
func TestATargetThatWorksHasNoRecord(t *testing.T) {
	b, r := bustest.New(t), newReceiver(t, nil)
	n := open(t, b, r, notifier.NotifyOn, slog.New(slog.DiscardHandler))
	reads := n.CountShared()
	bustest.Start(t, n.Part().Run)
	for i := range 20 {
		store(t, b, channeltest.Opened(fmt.Sprintf("service-%d", i)))
	}
	settled(t, b)
	if len(r.all()) != 20 || reads.Load() != 0 {
		t.Errorf("%d posts, and %d reads and writes of what notifiers share", len(r.all()), reads.Load())
	}
}

func TestARateIsKeptOverTwoNotifiers(t *testing.T) {
	s, c := bustest.Server(t), newChat(nil)
	b := s.Connect(t)
	const every, burst, conversations = 50 * time.Millisecond, 3, 12
	for range 2 {
		n := withChat(t, s.Connect(t), nil, c)
		n.SetRate("chat", every, burst)
		bustest.Start(t, n.Part().Run)
	}
	began := time.Now()
	for i := range conversations {
		store(t, b, channeltest.Opened(fmt.Sprintf("service-%d", i)))
	}
	settledChat(t, b, bus.Notify("webhook"))
	if got := len(c.all()); got != conversations {
		t.Errorf("%d posts, want %d", got, conversations)
	}
	if took, least := time.Since(began), (conversations-burst)*every; took < least {
		t.Errorf("took %s, at least %s with that rate", took, least)
	}
}
