package analyzer_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/llm/llmtest"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// fate kills a tenth of all writes before and a tenth after they are done, the same ones with every run of a seed.
type fate struct {
	mu    sync.Mutex
	dice  *rand.Rand
	kills int
}

func (f *fate) decide() (before, after bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.dice.IntN(10)
	if n < 2 {
		f.kills++
	}
	return n == 0, n == 1
}

var errKilled = errors.New("killed")

// Eight analyzers watch, hear, diagnose and answer at once while a fifth of their writes die, and two notifiers tell.
func TestAFleetUnderKillsStoresEachEventOnceAndTellsItOnce(t *testing.T) {
	const clusters, replies = 8, 6
	s, hook, model := bustest.Server(t), e2e.NewReceiver(t), llmtest.New(t)
	f := &fate{dice: rand.New(rand.NewPCG(1, 2))}
	for range 8 {
		a := e2e.NewAnalyzer(t, s, llm.Config{BaseURL: model.URL(), Model: "test"})
		a.Killed(f.decide, errKilled)
		e2e.Start(t, a.Part())
	}
	for range 2 {
		e2e.StartNotifier(t, s, hook.URL)
	}
	b := s.Connect(t)
	all := make([]string, clusters)
	for i := range all {
		all[i] = fmt.Sprintf("c%d", i)
	}

	step := func(n, running int) {
		for _, c := range all {
			e2e.Publish(t, b, e2e.Snapshot(c, n, running))
		}
		bustest.Settled(t, b)
	}
	step(0, 0)
	step(1, 0)
	var talk sync.WaitGroup
	for _, c := range all {
		talk.Go(func() {
			for n := range replies {
				e2e.Say(t, b, e2e.CheckoutID(c), fmt.Sprintf("question %d?", n))
			}
			e2e.Say(t, b, e2e.CheckoutID(c), "ack")
		})
	}
	step(2, 0) // while the talk goes on
	talk.Wait()
	bustest.Settled(t, b)
	for n := range 6 {
		step(3+n, 1)
	}

	if f.kills == 0 {
		t.Fatal("nothing was killed")
	}
	for _, c := range all {
		checkStory(t, b, c, replies)
	}
	checkTold(t, bustest.Conversations(t, b), hook.All())
	t.Logf("%d writes killed", f.kills)
}

func checkStory(t *testing.T, b *bus.Bus, cluster string, replies int) {
	t.Helper()
	head, err := b.Head(t.Context(), cluster, e2e.CheckoutID(cluster))
	if err != nil {
		t.Fatal(err)
	}
	c := head.Conversation
	for kind, want := range map[string]int{"opened": 1, "diagnosed": 1, "asked": replies, "answered": replies, "acknowledged": 1, "cleared": 1} {
		if got := e2e.Count(c, kind); got != want {
			t.Errorf("%s: %d times %s, want %d: %v", cluster, got, kind, want, e2e.Kinds(c))
		}
	}
	var asked []string
	settled := map[string]int{}
	for _, m := range c.Messages {
		if m.Kind == schema.EventAsked {
			asked = append(asked, m.Content)
		}
		settled[m.Settles]++
	}
	if !slices.IsSorted(asked) {
		t.Errorf("%s: replies out of order: %q", cluster, asked)
	}
	for id, n := range settled {
		if id != "" && n != 1 {
			t.Errorf("%s: the task of %s was settled %d times", cluster, id, n)
		}
	}
	revisions := map[string]bool{}
	for _, m := range bustest.Events(t, b, c.ID) {
		if revisions[m.ID] {
			t.Errorf("%s: event %s is stored twice", cluster, m.ID)
		}
		revisions[m.ID] = true
	}
}

// checkTold holds what the receiver got against what is stored: every event of every conversation once, in order, and
// one card each.
func checkTold(t *testing.T, stored []schema.Conversation, posts []e2e.Post) {
	t.Helper()
	told, cards, keys := map[string][]string{}, map[string]int{}, map[string]bool{}
	for _, p := range posts {
		if keys[p.ID] {
			t.Errorf("post %s came twice", p.ID)
		}
		keys[p.ID] = true
		id := p.Conversation.ID
		if p.Type == "conversation.opened" {
			cards[id]++
		}
		for _, m := range p.Events {
			told[id] = append(told[id], m.ID)
		}
	}
	for _, c := range stored {
		var want []string
		for _, m := range c.Messages {
			want = append(want, m.ID)
		}
		if !slices.Equal(told[c.ID], want) {
			t.Errorf("%s: told %v, want %v", c.Cluster, told[c.ID], want)
		}
		if cards[c.ID] != 1 {
			t.Errorf("%s: %d cards, want 1", c.Cluster, cards[c.ID])
		}
	}
	if len(stored) == 0 {
		t.Error("no conversation is stored")
	}
}
