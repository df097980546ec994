package notifier_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
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

var errKilled = errors.New("killed")

// mortal lets a notifier die between post and receipt, as often as kill says: the receipt is not written.
type mortal struct {
	notifier.Records
	kill func() bool
}

func (m mortal) Put(ctx context.Context, key string, data []byte, expect uint64) (uint64, error) {
	var told channel.Told
	if err := json.Unmarshal(data, &told); err != nil {
		return 0, err
	}
	if told.Claim == nil && m.kill() {
		return 0, errKilled
	}
	return m.Records.Put(ctx, key, data, expect)
}

func dying(kill func() bool) func(notifier.Records) notifier.Records {
	return func(r notifier.Records) notifier.Records { return mortal{r, kill} }
}

// watched calls at when a claim ends.
type watched struct {
	notifier.Records
	at func()
}

func (w watched) Put(ctx context.Context, key string, data []byte, expect uint64) (uint64, error) {
	var told channel.Told
	if err := json.Unmarshal(data, &told); err != nil {
		return 0, err
	}
	if told.Claim == nil {
		w.at()
	}
	return w.Records.Put(ctx, key, data, expect)
}

// Whoever dies while all write down how a receiver fares leaves no post behind of which nobody knows what became of it.
func TestWhatBecameOfAPostIsWrittenBeforeWhatBecameOfItsTarget(t *testing.T) {
	b := bustest.New(t)
	r := newReceiver(t, func(nth int, w http.ResponseWriter) {
		if nth == 1 {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	n := open(t, b, r, notifier.NotifyOn, nil)
	var failures []int
	n.SetRecords(func(r notifier.Records) notifier.Records {
		return watched{r, func() { failures = append(failures, n.Breaker("webhook").Failures) }}
	})
	one := channeltest.Opened("checkout")
	store(t, b, one)
	if wait, err := n.Step(t.Context(), nudge(t, one)); wait <= 0 || err == nil {
		t.Fatalf("wait %s, error %v; want to wait", wait, err)
	}
	if got := n.Breaker("webhook").Failures; got != 1 {
		t.Errorf("%d failures are known afterwards, want 1", got)
	}
	if wait, err := n.Step(t.Context(), nudge(t, one)); wait != 0 || err != nil {
		t.Fatalf("wait %s, error %v", wait, err)
	}
	if diff := cmp.Diff([]int{0, 1}, failures); diff != "" {
		t.Errorf("failures that were known when the record was written (-want +got):\n%s", diff)
	}
	if got := n.Breaker("webhook").Failures; got != 0 {
		t.Errorf("%d failures are known after a success", got)
	}
}

func TestAPostOfUnknownFateIsRepeatedUnderItsKeyBeforeAnythingNew(t *testing.T) {
	b, r := bustest.New(t), newReceiver(t, nil)
	dead, heir := open(t, b, r, notifier.NotifyOn, nil), open(t, b, r, notifier.NotifyOn, nil)
	dead.SetRecords(dying(func() bool { return true }))

	one := channeltest.Opened("checkout")
	store(t, b, one)
	if _, err := dead.Step(t.Context(), nudge(t, one)); !errors.Is(err, errKilled) {
		t.Fatalf("died with %v, want %v", err, errKilled)
	}
	two := channeltest.Add(one, schema.EventDiagnosed)
	store(t, b, two)

	wait, err := heir.Step(t.Context(), nudge(t, two))
	if err == nil || wait <= 0 || len(r.all()) != 1 {
		t.Fatalf("while the claim stands: wait %s, error %v and %d posts; want to wait", wait, err, len(r.all()))
	}
	if wait, err := heir.Step(t.Context(), nudge(t, one)); wait != 0 || err != nil {
		t.Errorf("the older message waits too: %s, %v", wait, err)
	}

	heir.SetNow(func() time.Time { return time.Now().Add(time.Minute) })
	if wait, err := heir.Step(t.Context(), nudge(t, two)); wait != 0 || err != nil {
		t.Fatalf("once the claim has run out: wait %s, error %v", wait, err)
	}
	if diff := cmp.Diff([]string{ids(one)[0], ids(one)[0], ids(two)[1]}, r.keys()); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	posts := r.all()
	if diff := cmp.Diff(posts[0].events, posts[1].events); diff != "" {
		t.Errorf("the same key tells something else (-first +repeated):\n%s", diff)
	}
}

func TestAnAmbiguousPostKeepsItsKeyThoughTheConversationGoesOn(t *testing.T) {
	b := bustest.New(t)
	r := newReceiver(t, func(nth int, w http.ResponseWriter) {
		if nth == 1 {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = conn.Close()
			}
		}
	})
	n := open(t, b, r, notifier.NotifyOn, nil)
	one := channeltest.Opened("checkout")
	store(t, b, one)
	if wait, err := n.Step(t.Context(), nudge(t, one)); wait <= 0 || !errors.Is(err, channel.ErrAmbiguous) {
		t.Fatalf("wait %s, error %v; want to wait with ErrAmbiguous", wait, err)
	}
	two := channeltest.Add(one, schema.EventDiagnosed)
	store(t, b, two)
	if wait, err := n.Step(t.Context(), nudge(t, two)); wait != 0 || err != nil {
		t.Fatalf("wait %s, error %v", wait, err)
	}
	if diff := cmp.Diff([]string{ids(two)[0], ids(two)[0], ids(two)[1]}, r.keys()); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

// slow is how long claims last by a fast clock: 2 s, so that a busy machine does not outlast them.
const slow = 40 * time.Second

func TestAPostThatMayHaveArrivedKeepsItsKeyThoughItsRepeatFails(t *testing.T) {
	for _, status := range []int{http.StatusInternalServerError, http.StatusTooManyRequests, http.StatusNotFound} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			b := bustest.New(t)
			r := newReceiver(t, func(nth int, w http.ResponseWriter) {
				switch nth {
				case 1:
					hangUp(w)
				case 2:
					w.Header().Set("Retry-After", "1")
					w.WriteHeader(status)
				}
			})
			n := open(t, b, r, notifier.NotifyOn, nil)
			one := channeltest.Opened("checkout")
			store(t, b, one)
			for range 2 {
				if wait, err := n.Step(t.Context(), nudge(t, one)); wait <= 0 || err == nil {
					t.Fatalf("wait %s, error %v; want to wait", wait, err)
				}
			}
			two := channeltest.Add(one, schema.EventDiagnosed)
			store(t, b, two)
			n.SetNow(func() time.Time { return time.Now().Add(time.Minute) })
			if wait, err := n.Step(t.Context(), nudge(t, two)); wait != 0 || err != nil {
				t.Fatalf("wait %s, error %v", wait, err)
			}
			if diff := cmp.Diff([]string{ids(two)[0], ids(two)[0], ids(two)[0], ids(two)[1]}, r.keys()); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
		})
	}
}

// A clock that runs fast lets claims run out within the test.
func fast() func() time.Time {
	start := time.Now()
	return func() time.Time { return start.Add(20 * time.Since(start)) }
}

func TestNotifiersThatDieLoseNothingAndRepeatOnlyUnderTheSameKey(t *testing.T) {
	const conversations = 30
	s, r := bustest.Server(t), newReceiver(t, nil)
	var receipts, kills atomic.Int64
	kill := func() bool {
		if receipts.Add(1)%7 == 0 {
			kills.Add(1)
			return true
		}
		return false
	}
	clock := fast()
	for range 2 {
		n := open(t, s.Connect(t), r, notifier.NotifyOn, slog.New(slog.DiscardHandler))
		n.SetRecords(dying(kill))
		n.SetNow(clock)
		n.SetClaim(slow)
		bustest.Start(t, n.Part().Run)
	}
	b := s.Connect(t)
	want := map[string][]string{}
	for i := range conversations {
		c := channeltest.Opened(fmt.Sprintf("service-%d", i))
		store(t, b, c)
		for _, kind := range []string{schema.EventDiagnosed, schema.EventAcknowledged, schema.EventCleared} {
			c = channeltest.Add(c, kind)
			store(t, b, c)
		}
		want[c.ID] = ids(c)
	}
	settled(t, b)
	seen, got, repeats := map[string]bool{}, map[string][]string{}, 0
	for _, p := range r.all() {
		if seen[p.key] {
			repeats++
			continue // a receiver that honours the key
		}
		seen[p.key] = true
		got[p.conv] = append(got[p.conv], p.events...)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events by conversation (-want +got):\n%s", diff)
	}
	if repeats > int(kills.Load()) || kills.Load() == 0 {
		t.Errorf("%d raw repeats with %d kills", repeats, kills.Load())
	}
}

func TestAConversationThatBeganAnewIsTold(t *testing.T) {
	b, r := bustest.New(t), newReceiver(t, nil)
	n := open(t, b, r, notifier.NotifyOn, nil)
	old := channeltest.Add(channeltest.Opened("checkout"), schema.EventDiagnosed, schema.EventCleared)
	store(t, b, old)
	if _, err := n.Step(t.Context(), nudge(t, old)); err != nil {
		t.Fatal(err)
	}
	fresh := channeltest.Opened("checkout") // its history has expired, and it is at revision 1 again
	fresh.Messages = slices.Clone(fresh.Messages)
	fresh.Messages[0].At = channeltest.At(0).AddDate(0, 4, 0)
	store(t, b, fresh)
	if _, err := n.Step(t.Context(), nudge(t, fresh)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{ids(old)[2], ids(fresh)[0]}, r.keys()); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}
