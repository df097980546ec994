package conversation_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// someFolding makes now and then a victim, and now and then a cause of what is found.
func someFolding(r *rand.Rand, f conversation.Found) conversation.Found {
	switch r.IntN(6) {
	case 0:
		f.Cause = causeOf(named([]string{"db", "node/n1"}[r.IntN(2)]))
	case 1, 2:
		for i := range r.IntN(40) {
			f.Victims = append(f.Victims, schema.Affected{Object: named(fmt.Sprint("v", i)), Condition: "unhealthy", Since: f.At})
		}
		f.VictimCount = len(f.Victims) * (1 + r.IntN(2)*20)
		for i := range min(len(f.Victims), r.IntN(3)) {
			f.Heirs = append(f.Heirs, someHeir(r, f.At, f.Victims[i].Object))
		}
	}
	f.Quiet = r.IntN(4) == 0
	return f
}

// someHeir is an open conversation to which something was said.
func someHeir(r *rand.Rand, at time.Time, o schema.Object) schema.Conversation {
	h := after(findingOf(o, at.Add(-time.Hour), 1, false, "unhealthy", []string{"warning", "critical"}[r.IntN(2)]))
	for i := range r.IntN(8) {
		h, _ = conversation.Next(h, saying(at.Add(-time.Minute), uint64(i+1), "dora", []string{"ack", "why?", "why not?", "silence 3h"}[r.IntN(4)]))
	}
	return h
}

// someRedirected lets a reply come by way of a folded conversation, or go on to what explains this one.
func someRedirected(r *rand.Rand, s conversation.Said, c schema.Conversation) conversation.Said {
	switch {
	case c.ClosedAs == schema.StateFolded && r.IntN(2) == 0:
		s.To = causeOf(named("db"))
	case r.IntN(6) == 0:
		s.From, s.Reply.ID = "a folded one", fmt.Sprint("reply-", s.Seq)
	}
	return s
}

func TestWhatIsFoldedRestsAndNothingOfAnEpisodeIsForgotten(t *testing.T) {
	folded, grown := 0, 0
	for _, shuffled := range []bool{false, true} {
		each(t, many, shuffled, func(t *testing.T, seed uint64, events []conversation.Event) {
			var c schema.Conversation
			for i, e := range events {
				next, _ := conversation.Next(c, e)
				fail := func(what string) { t.Fatalf("life %d event %d: %s: %T added %q", seed, i, what, e, added(c, next)) }
				if (next.FoldedInto != "") != (next.ClosedAs == schema.StateFolded) {
					fail("it is closed as " + next.ClosedAs + " and folded into " + next.FoldedInto)
				}
				for _, x := range next.Conditions {
					if next.ClosedAs == schema.StateFolded && x.Until.IsZero() {
						fail(x.Name + " is true of what is folded")
					}
				}
				if next.Episode == c.Episode && next.AffectedCount < c.AffectedCount || next.AffectedCount < len(next.Affected) || len(next.Affected) > schema.MaxAffected {
					fail(fmt.Sprintf("%d affected, %d named, before it were %d", next.AffectedCount, len(next.Affected), c.AffectedCount))
				}
				f, isFound := e.(conversation.Found)
				if isFound && f.Cause != nil && next.Revision > c.Revision && !next.Closed() {
					fail("what is explained is open")
				}
				kinds := added(c, next)
				for k, m := range next.Messages[len(next.Messages)-len(kinds):] {
					quiet := kinds[k] == schema.EventGrown || kinds[k] == schema.EventFolded ||
						isFound && f.Quiet && (kinds[k] == schema.EventOpened || kinds[k] == schema.EventReopened && !failing(c))
					if m.Silent != quiet && kinds[k] != schema.EventWorsened { // whose sound is its own matter
						fail(fmt.Sprintf("%s is silent: %v", kinds[k], m.Silent))
					}
				}
				if slices.Contains(kinds, schema.EventFolded) {
					folded++
				}
				if slices.Contains(kinds, schema.EventGrown) {
					grown++
				}
				c = next
			}
		})
	}
	if folded < 20 || grown < 20 {
		t.Errorf("%d folded, %d grown; the lives are too dull", folded, grown)
	}
}

// Whoever dies between the write of a cause and that of its victim finds all heirs again.
func TestMovingTwiceDoesNothing(t *testing.T) {
	moved := map[string]int{}
	each(t, many, false, func(t *testing.T, seed uint64, events []conversation.Event) {
		var c schema.Conversation
		for i, e := range events {
			next, _ := conversation.Next(c, e)
			f, isFound := e.(conversation.Found)
			if !isFound || len(f.Heirs) == 0 || next.Revision == c.Revision {
				c = next
				continue
			}
			count := map[string]int{}
			for _, m := range next.Messages {
				if m.ReplyID != "" {
					count[m.ReplyID]++
				}
				if m.Author != nil && m.Author.Name == "dora" {
					moved[m.Kind]++
				}
			}
			for id, n := range count {
				if n > 1 {
					t.Fatalf("life %d event %d: %s moved %d times", seed, i, id, n)
				}
			}
			for _, later := range []uint64{0, 1} { // the same snapshot, and the next
				f.Seq += later
				f.At = f.At.Add(time.Duration(later) * time.Second)
				if again, _ := conversation.Next(next, f); again.Revision != next.Revision {
					t.Fatalf("life %d event %d: moved again: %q", seed, i, added(next, again))
				}
			}
			c = next
		}
	})
	for _, kind := range []string{schema.EventAcknowledged, schema.EventAsked, schema.EventSilenced} {
		if moved[kind] == 0 {
			t.Errorf("nothing %s ever moved; the lives are too dull", kind)
		}
	}
}

// More questions than may wait are not taken over, and that is said once.
func TestQuestionsBeyondTheBoundAreRefusedOnce(t *testing.T) {
	var heirs []schema.Conversation
	for h := range 3 {
		c := after(findingOf(named(fmt.Sprint("v", h)), noon, 1, false, "service_down", "critical"))
		for i := range 9 {
			c, _ = conversation.Next(c, saying(noon.Add(time.Minute), uint64(i+1), "anna", fmt.Sprintf("%d?", i)))
		}
		heirs = append(heirs, c)
	}
	f := findingOf(named("db"), noon.Add(2*time.Minute), 2, false, "service_down", "critical")
	f.Heirs, f.VictimCount = heirs, len(heirs)
	c, _ := conversation.Next(schema.Conversation{}, f)
	asked, refused := 0, ""
	for _, m := range c.Messages {
		switch m.Kind {
		case schema.EventAsked:
			asked++
		case schema.EventRefused:
			refused += m.Content
		}
	}
	if want := "7 more questions came with what this explains; 20 wait already, so ask again when there are fewer."; asked != 20 || refused != want {
		t.Errorf("%d asked, refused %q", asked, refused)
	}
	if again, _ := conversation.Next(c, f); again.Revision != c.Revision {
		t.Errorf("again: %q", added(c, again))
	}
	checkBounds(t, c)
}

// failing tells whether anything is still true of c.
func failing(c schema.Conversation) bool {
	return slices.ContainsFunc(c.Conditions, func(x schema.Condition) bool { return x.Until.IsZero() })
}
