package notifier_test

import (
	"errors"
	"fmt"
	"slices"
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

// chatStep stores the conversation and takes the step that its newest event asks for.
func chatStep(t *testing.T, n *notifier.Notifier, b *bus.Bus, c schema.Conversation) (time.Duration, error) {
	t.Helper()
	store(t, b, c)
	return n.StepThrough(t.Context(), "chat", nudge(t, c))
}

// mustStep takes it to its end.
func mustStep(t *testing.T, n *notifier.Notifier, b *bus.Bus, c schema.Conversation) {
	t.Helper()
	if wait, err := chatStep(t, n, b, c); wait != 0 || err != nil {
		t.Fatalf("wait %s, %v", wait, err)
	}
}

func TestCardAndLineGoOutWithOneNudge(t *testing.T) {
	b, c := bustest.New(t), newChat(nil)
	n := withChat(t, b, nil, c)
	conv := channeltest.Opened("checkout")
	mustStep(t, n, b, conv)
	conv = channeltest.Add(conv, schema.EventDiagnosed)
	mustStep(t, n, b, conv)
	conv = channeltest.Add(conv, schema.EventAcknowledged)
	store(t, b, conv)
	conv = channeltest.Add(conv, schema.EventCleared)
	mustStep(t, n, b, conv)
	conv = channeltest.NewEpisode(conv)
	mustStep(t, n, b, conv)
	want := []string{"card 1", "edit 2", "line 2", "edit 4", "line 3 4", "card 5"}
	if diff := cmp.Diff(want, c.how()); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
	for i, s := range c.all() {
		if want := map[bool]string{true: "ref-1", false: "ref-6"}[i < 5]; s.Ref != want {
			t.Errorf("%s of %s is at %s, want %s", s.How, s.Key, s.Ref, want)
		}
	}
}

func TestACardThatIsGoneIsPostedAnewAndItsThreadGoesOnThere(t *testing.T) {
	tests := []struct {
		name string
		lose func(p channel.Post) bool // with which post the card turns out to be gone
		want []string
	}{
		{"found-by-an-edit", func(p channel.Post) bool { return p.Kind == "card" && p.Ref != "" }, []string{"card 1", "card 2", "line 2", "edit 3", "line 3"}},
		{"found-by-a-line", func(p channel.Post) bool { return p.Kind == "thread" }, []string{"card 1", "edit 2", "card 2", "line 2", "edit 3", "line 3"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, lost := bustest.New(t), false
			c := newChat(nil)
			c.script = func(p channel.Post, _ int) error {
				if !lost && tt.lose(p) {
					lost, c.lost[p.Ref] = true, true
					return fmt.Errorf("no such card: %w", channel.ErrLostRoot)
				}
				return nil
			}
			n := withChat(t, b, nil, c)
			conv := channeltest.Opened("checkout")
			mustStep(t, n, b, conv)
			conv = channeltest.Add(conv, schema.EventDiagnosed)
			if wait, err := chatStep(t, n, b, conv); wait <= 0 || !errors.Is(err, channel.ErrLostRoot) {
				t.Fatalf("wait %s, %v", wait, err)
			}
			if wait, err := n.StepThrough(t.Context(), "chat", nudge(t, conv)); wait != 0 || err != nil {
				t.Fatalf("wait %s, %v", wait, err)
			}
			conv = channeltest.Add(conv, schema.EventCleared)
			mustStep(t, n, b, conv)
			if diff := cmp.Diff(tt.want, c.how()); diff != "" {
				t.Errorf("said (-want +got):\n%s", diff)
			}
			all := c.all()
			for _, s := range all[len(all)-3:] {
				if s.Ref == "ref-1" {
					t.Errorf("%s of %s is at the card that is gone", s.How, s.Key)
				}
			}
		})
	}
}

func TestALineThatIsGivenUpGoesWithTheNextOne(t *testing.T) {
	b := bustest.New(t)
	c := newChat(func(p channel.Post, nth int) error {
		if nth == 3 {
			return channel.ErrTooBig
		}
		return nil
	})
	n := withChat(t, b, nil, c)
	conv := channeltest.Opened("checkout")
	mustStep(t, n, b, conv)
	conv = channeltest.Add(conv, schema.EventDiagnosed)
	mustStep(t, n, b, conv)
	if letter := bustest.Next[bus.DeadLetter](t, b, b.Subjects().Dead("chat")); letter.Reason == "" {
		t.Errorf("dead letter %+v", letter)
	}
	conv = channeltest.Add(conv, schema.EventCleared)
	mustStep(t, n, b, conv)
	if diff := cmp.Diff([]string{"card 1", "edit 2", "edit 3", "line 2 3"}, c.how()); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
}

// Killed between a post and its receipt: the heir repeats that post under its key, then goes on.
func TestAnHeirRepeatsTheCardOrTheLineOfUnknownFate(t *testing.T) {
	tests := []struct {
		name string
		dies int64 // with which receipt
		want []string
	}{
		{"the-card", 2, []string{"card 1", "edit 2", "edit 2", "edit 3", "line 2 3"}},
		{"the-line", 3, []string{"card 1", "edit 2", "line 2", "line 2", "edit 3", "line 3"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, c := bustest.New(t), newChat(nil)
			dead, heir := withChat(t, b, nil, c), withChat(t, b, nil, c)
			var receipts atomic.Int64
			dead.SetRecords(dying(func() bool { return receipts.Add(1) >= tt.dies }))
			conv := channeltest.Opened("checkout")
			mustStep(t, dead, b, conv)
			conv = channeltest.Add(conv, schema.EventDiagnosed)
			if _, err := chatStep(t, dead, b, conv); !errors.Is(err, errKilled) {
				t.Fatalf("died with %v", err)
			}
			conv = channeltest.Add(conv, schema.EventAcknowledged)
			heir.SetNow(func() time.Time { return time.Now().Add(time.Minute) })
			mustStep(t, heir, b, conv)
			if diff := cmp.Diff(tt.want, c.how()); diff != "" {
				t.Errorf("said (-want +got):\n%s", diff)
			}
			repeated := map[string]int{}
			for _, s := range c.all() {
				repeated[s.Key]++
			}
			if len(repeated) != len(tt.want)-1 {
				t.Errorf("keys %v: one of them should have come twice", repeated)
			}
		})
	}
}

func TestThreadsOfNotifiersThatDieHaveEveryLineOnceInOrder(t *testing.T) {
	const conversations = 20
	s, c := bustest.Server(t), newChat(nil)
	var receipts, kills atomic.Int64
	kill := func() bool {
		if receipts.Add(1)%9 == 0 {
			kills.Add(1)
			return true
		}
		return false
	}
	now := fast()
	for range 2 {
		n := withChat(t, s.Connect(t), nil, c)
		n.SetRecords(dying(kill))
		n.SetNow(now)
		n.SetClaim(slow)
		bustest.Start(t, n.Part().Run)
	}
	b := s.Connect(t)
	for i := range conversations {
		conv := channeltest.Opened(fmt.Sprintf("service-%d", i))
		store(t, b, conv)
		for _, kind := range []string{schema.EventDiagnosed, schema.EventAcknowledged, schema.EventCleared} {
			conv = channeltest.Add(conv, kind)
			store(t, b, conv)
		}
	}
	bustest.Settled(t, b, bus.Diagnose, bus.Answer, bus.WatchFindings, bus.Notify("webhook"))
	cards, lines, seen, repeats := map[string]int{}, map[string][]string{}, map[string]bool{}, 0
	for _, s := range c.all() {
		if seen[s.Key] {
			repeats++
			continue
		}
		seen[s.Key] = true
		switch s.How {
		case "card":
			cards[s.Conv]++
		case "line":
			lines[s.Conv] = append(lines[s.Conv], s.Events...)
		}
	}
	if len(cards) != conversations || repeats > int(kills.Load()) || kills.Load() == 0 {
		t.Errorf("cards of %d conversations, %d repeats with %d kills", len(cards), repeats, kills.Load())
	}
	for conv, n := range cards {
		if n != 1 {
			t.Errorf("%d cards of %s", n, conv)
		}
		if got := lines[conv]; !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
			t.Errorf("lines of %s: %q", conv, got)
		}
	}
}
