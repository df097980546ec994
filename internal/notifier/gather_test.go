package notifier_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
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

// collecting routes everything to the chat in windows that end at end.
func collecting(n *notifier.Notifier, end time.Time) {
	n.SetRoute("chat", func(schema.Conversation, time.Time) notifier.Routing {
		return notifier.Routing{Tell: true, Digest: end}
	})
}

func tellDigest(t *testing.T, n *notifier.Notifier) {
	t.Helper()
	if err := errors.Join(n.Learn(t.Context()), n.TellDigest(t.Context(), "chat")); err != nil {
		t.Fatal(err)
	}
}

func TestARouteCollectsWhatIsNotCritical(t *testing.T) {
	s, k := bustest.Server(t), newClock()
	c, b := newChat(nil), s.Connect(t)
	here, there := k.by(withChat(t, s.Connect(t), nil, c)), k.by(withChat(t, s.Connect(t), nil, c))
	end := k.now().Add(15 * time.Minute)
	collecting(here, end)
	collecting(there, end)
	one, two := k.happens(warning(channeltest.Opened("checkout"))), k.happens(warning(channeltest.Opened("cart")))
	mustStep(t, here, b, one)
	mustStep(t, there, b, two)
	mustStep(t, there, b, k.happens(channeltest.Opened("db")))
	one = k.happens(channeltest.Add(one, schema.EventCleared))
	mustStep(t, there, b, one)
	tellDigest(t, here)
	if diff := cmp.Diff([]string{"card 1"}, c.how()); diff != "" {
		t.Fatalf("before the window ends (-want +got):\n%s", diff)
	}
	k.set(end)
	tellDigest(t, here)
	tellDigest(t, there)
	got := c.all()[1:]
	if len(got) != 1 || got[0].How != "digest" {
		t.Fatalf("said at the end of the window: %+v", got)
	}
	want := []string{one.ID, two.ID}
	slices.Sort(want)
	slices.Sort(got[0].Events)
	if diff := cmp.Diff(want, got[0].Events); diff != "" {
		t.Errorf("the digest is of (-want +got):\n%s", diff)
	}
	two = k.happens(channeltest.Add(two, schema.EventCleared))
	collecting(here, end.Add(15*time.Minute))
	mustStep(t, here, b, two)
	k.add(15 * time.Minute)
	tellDigest(t, there)
	if got := c.all()[2:]; len(got) != 1 || !slices.Equal(got[0].Events, []string{two.ID}) {
		t.Errorf("said at the end of the next window: %+v", got)
	}
}

func TestInformationIsToldInDigestsAlone(t *testing.T) {
	b, k := bustest.New(t), newClock()
	c := newChat(nil)
	n := k.by(withChat(t, b, nil, c))
	info := func(name string) schema.Conversation {
		conv := k.happens(channeltest.Opened(name))
		conv.Severity = schema.SeverityInfo
		return conv
	}
	mustStep(t, n, b, info("nobody-collects"))
	collecting(n, k.now().Add(15*time.Minute))
	one := info("checkout")
	mustStep(t, n, b, one)
	mustStep(t, n, b, k.happens(channeltest.Add(one, schema.EventCleared)))
	k.add(15 * time.Minute)
	tellDigest(t, n)
	want := []string{"digest " + one.ID}
	if diff := cmp.Diff(want, c.how()); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
}

func TestADigestOfUnknownFateIsRepeatedAsItWas(t *testing.T) {
	for _, tt := range []struct {
		name    string
		outcome error
		same    bool
	}{
		{"may-have-arrived", channel.ErrAmbiguous, true},
		{"has-not-arrived", errors.New("connection refused"), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, k := bustest.Server(t), newClock()
			var keys []string
			c, b := newChat(nil), s.Connect(t)
			c.script = func(p channel.Post, nth int) error {
				keys = append(keys, p.Key)
				if nth == 1 {
					return fmt.Errorf("first: %w", tt.outcome)
				}
				return nil
			}
			here, there := k.by(withChat(t, s.Connect(t), nil, c)), k.by(withChat(t, s.Connect(t), nil, c))
			collecting(here, k.now().Add(time.Minute))
			mustStep(t, here, b, k.happens(warning(channeltest.Opened("checkout"))))
			mustStep(t, here, b, k.happens(warning(channeltest.Opened("cart"))))
			k.add(time.Minute)
			if err := errors.Join(here.Learn(t.Context()), here.TellDigest(t.Context(), "chat")); !errors.Is(err, tt.outcome) {
				t.Fatalf("error %v", err)
			}
			collecting(there, k.now().Add(time.Millisecond))
			mustStep(t, there, b, k.happens(warning(channeltest.Opened("late"))))
			k.add(time.Second)
			tellDigest(t, there)
			tellDigest(t, here)
			sizes := []int{}
			for _, s := range c.all() {
				sizes = append(sizes, len(s.Events))
			}
			want := map[bool][]int{true: {2, 1}, false: {3}}[tt.same]
			if diff := cmp.Diff(want, sizes); diff != "" {
				t.Errorf("conversations in each digest (-want +got):\n%s", diff)
			}
			if (keys[0] == keys[1]) != tt.same {
				t.Errorf("keys %q", keys)
			}
		})
	}
}

func TestADigestThatIsRefusedIsDead(t *testing.T) {
	b, k := bustest.New(t), newClock()
	c := newChat(func(channel.Post, int) error { return channel.ErrRefused })
	n := k.by(withChat(t, b, nil, c))
	collecting(n, k.now().Add(time.Minute))
	mustStep(t, n, b, k.happens(warning(channeltest.Opened("checkout"))))
	k.add(time.Minute)
	tellDigest(t, n)
	tellDigest(t, n)
	letter := bustest.Next[bus.DeadLetter](t, b, b.Subjects().Dead("chat"))
	if len(letter.Body) == 0 || c.posts != 1 {
		t.Errorf("%d attempts, dead letter %+v", c.posts, letter)
	}
}

// Machines are told of each by itself, also of what came and went while they could not be reached.
func TestAChannelWithoutDigestsIsToldOfEachByItself(t *testing.T) {
	b, k := bustest.New(t), newClock()
	r := newReceiver(t, func(nth int, w http.ResponseWriter) {
		if nth <= 5 {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	n := k.by(open(t, b, r, notifier.NotifyOn, nil))
	conv := k.happens(channeltest.Opened("checkout"))
	store(t, b, conv)
	for range 5 {
		if wait, err := n.Step(t.Context(), nudge(t, conv)); wait <= 0 || err == nil {
			t.Fatalf("wait %s, %v", wait, err)
		}
	}
	if wait, err := n.Step(t.Context(), nudge(t, conv)); wait != 30*time.Second || err == nil {
		t.Fatalf("with the breaker open: wait %s, %v", wait, err)
	}
	conv = k.happens(channeltest.Add(conv, schema.EventCleared))
	store(t, b, conv)
	k.add(30 * time.Second)
	if wait, err := n.Step(t.Context(), nudge(t, conv)); wait != 0 || err != nil {
		t.Fatalf("wait %s, %v", wait, err)
	}
	if got := r.all()[5]; got.kind != "conversation.opened" || len(got.events) != 2 {
		t.Errorf("told %+v", got)
	}
}

func TestWhatCameAndWentIsToldAfterWhatIsOpen(t *testing.T) {
	t.Run("down", func(t *testing.T) { cameAndWent(t, errors.New("connection refused")) })
	t.Run("token-revoked", func(t *testing.T) { cameAndWent(t, fmt.Errorf("401: %w", channel.ErrSetup)) })
}

func cameAndWent(t *testing.T, why error) {
	t.Helper()
	b, k := bustest.New(t), newClock()
	c, down := chatFailing(why)
	n := k.by(withChat(t, b, nil, c))
	open := k.happens(warning(channeltest.Opened("checkout")))
	store(t, b, open)
	for range 5 {
		if wait, err := n.StepThrough(t.Context(), "chat", nudge(t, open)); wait <= 0 || err == nil {
			t.Fatalf("wait %s, %v", wait, err)
		}
	}
	gone := k.happens(warning(channeltest.Opened("cart")))
	store(t, b, gone)
	gone = k.happens(channeltest.Add(gone, schema.EventCleared))
	mustStep(t, n, b, gone)
	k.set(n.Breaker("chat").OpenUntil)
	tellDigest(t, n)
	if c.posts != 5 {
		t.Errorf("%d attempts: the digest was the probe", c.posts)
	}
	down.Store(false)
	if wait, err := n.StepThrough(t.Context(), "chat", nudge(t, open)); wait != 0 || err != nil {
		t.Fatalf("wait %s, %v", wait, err)
	}
	tellDigest(t, n)
	if diff := cmp.Diff([]string{"card 1"}, c.how()); diff != "" {
		t.Errorf("at once (-want +got):\n%s", diff)
	}
	k.add(6 * time.Second)
	tellDigest(t, n)
	if diff := cmp.Diff([]string{"card 1", "digest " + gone.ID}, c.how()); diff != "" {
		t.Errorf("a moment later (-want +got):\n%s", diff)
	}
}
