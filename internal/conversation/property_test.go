package conversation_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/need"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// How many random lives of a conversation a property is tried on; fewer where each step is costly.
const (
	many = 80
	some = 10
)

// life makes up to n events in the order of time, each from what the conversation was when it happened.
func life(r *rand.Rand, n int) []conversation.Event {
	var events []conversation.Event
	var c schema.Conversation
	now, snapshot, reply := noon, uint64(0), uint64(0)
	var hush *conversation.Silence
	for range n {
		now = now.Add(time.Duration(r.IntN(900)) * time.Second)
		what := r.IntN(10)
		if r.IntN(15) == 0 { // nobody does anything for long
			now, what = now.Add(time.Duration(r.IntN(36))*time.Hour), 9
		}
		if changed := r.IntN(15) == 0; changed || hush != nil && !now.Before(hush.Until) {
			hush = someSilence(r, now, changed, fmt.Sprint(len(events)))
		}
		var e conversation.Event
		switch what {
		case 0, 1, 2, 3:
			snapshot++
			f := finding(now, snapshot, r.IntN(20) == 0, someConditions(r)...)
			f.Silence = hush
			f = someFolding(r, f)
			if e = f; r.IntN(8) == 0 {
				e = conversation.Quieted{At: now, Silence: hush, By: "carl"}
			}
		case 4, 5, 6:
			reply++
			if e = someRedirected(r, someReply(r, now, reply), c); r.IntN(40) == 0 {
				e = conversation.Forgotten{At: now, By: schema.Author{Name: "carl"}}
			}
		case 7, 8:
			e = someResult(r, now, c)
		default:
			e = conversation.Woke{At: now}
		}
		events = append(events, e)
		c, _ = conversation.Next(c, e)
	}
	return events
}

func someSilence(r *rand.Rand, now time.Time, changed bool, id string) *conversation.Silence {
	if !changed || r.IntN(3) == 0 {
		return nil
	}
	return &conversation.Silence{ID: id, Until: now.Add(time.Duration(r.IntN(5)+1) * time.Hour), By: "carl", Why: "\x00"}
}

func someConditions(r *rand.Rand) (all []string) {
	severities := []string{"info", "warning", "critical"}
	for _, name := range []string{"service_down", "crash_loop", "unhealthy"} {
		if r.IntN(5) < 2 {
			all = append(all, name, severities[r.IntN(3)])
		}
	}
	return all
}

func someReply(r *rand.Rand, now time.Time, seq uint64) conversation.Said {
	people := []string{"anna", "ben", ""}
	words := []string{
		"ack", "ack", "unack", "silence 1h", "silence 90d", "unsilence", "resolve", "fixed", "dismiss", "reopen",
		"right", "wrong, no", "approve", "help", "why?", "what now", strings.Repeat("x<", r.IntN(3000)), "\x00",
	}
	return saying(now, seq, people[r.IntN(3)], words[r.IntN(len(words))])
}

func someResult(r *rand.Rand, now time.Time, c schema.Conversation) conversation.Settled {
	s := conversation.Settled{At: now, Usage: schema.Usage{Calls: 1}}
	owed := conversation.Owed(c)
	if len(owed) == 0 {
		return s
	}
	s.Task = owed[r.IntN(len(owed))]
	switch {
	case r.IntN(3) == 0:
		s.Failed = "it timed out"
	case s.Task.Kind == conversation.TaskAnswer:
		s.Answer = "because"
	default:
		return verdict(now, c, "the disk is full")
	}
	return s
}

// each runs check on many lives; the seed is in the name of the failing one's error.
func each(t *testing.T, lives int, shuffled bool, check func(t *testing.T, seed uint64, events []conversation.Event)) {
	t.Helper()
	for seed := range uint64(lives) {
		r := rand.New(rand.NewPCG(seed, 1))
		events := life(r, 60)
		if shuffled {
			r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		}
		check(t, seed, events)
		if t.Failed() {
			return
		}
	}
}

func TestStateNeverContradictsTheMessages(t *testing.T) {
	states := map[string]int{}
	for _, shuffled := range []bool{false, true} {
		each(t, many, shuffled, func(t *testing.T, seed uint64, events []conversation.Event) {
			var c schema.Conversation
			var told []string // every kind there ever was
			for i, e := range events {
				next, _ := conversation.Next(c, e)
				told = append(told, added(c, next)...)
				c = next
				states[c.State]++
				if want := expected(c, told); c.State != want || c.State != conversation.State(c) {
					t.Fatalf("life %d event %d: state %q, want %q after %q", seed, i, c.State, want, told)
				}
			}
		})
	}
	for _, s := range []string{
		schema.StateInvestigating, schema.StateDiagnosed, schema.StateAcknowledged, schema.StateSilenced, schema.StateWatching,
		schema.StateCleared, schema.StateResolved, schema.StateDismissed, schema.StateRemoved, schema.StateFolded,
	} {
		if states[s] < 10 {
			t.Errorf("state %s came up %d times; the lives are too dull", s, states[s])
		}
	}
}

// expected reads the state off the kinds of all messages, and off c only what no kind tells.
func expected(c schema.Conversation, told []string) string {
	open, silenced, watched, acked := false, false, false, false
	for _, kind := range told {
		switch kind {
		case schema.EventOpened, schema.EventReopened:
			open, watched, acked = true, false, false
			silenced = silenced && c.State == schema.StateSilenced // it may have run out while closed
		case schema.EventCleared, schema.EventFolded:
			open = false
		case schema.EventDismissed:
			open, silenced = false, false
		case schema.EventSilenced:
			silenced = true
		case schema.EventUnsilenced:
			silenced = false
		case schema.EventResolved:
			watched, silenced = true, false
		case schema.EventStillFiring:
			watched = false
		case schema.EventAcknowledged:
			acked = true
		case schema.EventUnacknowledged:
			acked = false
		}
	}
	switch {
	case len(told) == 0:
		return ""
	case !open:
		return c.ClosedAs
	case silenced:
		return schema.StateSilenced
	case watched:
		return schema.StateWatching
	case acked:
		return schema.StateAcknowledged
	case c.Diagnosis.Source != schema.SourceRules:
		return schema.StateDiagnosed
	}
	return schema.StateInvestigating
}

func TestOnlyWhatIsCriticalAndNobodysIsEscalatedAndOnlyOwnersAreReminded(t *testing.T) {
	count := map[string]int{}
	for _, shuffled := range []bool{false, true} {
		each(t, need.Seeds(4*many), shuffled, func(t *testing.T, seed uint64, events []conversation.Event) {
			var c schema.Conversation
			for i, e := range events {
				next, _ := conversation.Next(c, e)
				kinds := added(c, next)
				newest := ""
				if len(kinds) > 0 {
					newest = kinds[len(kinds)-1]
				}
				_, isWake := e.(conversation.Woke)
				nobodys := next.State == schema.StateInvestigating || next.State == schema.StateDiagnosed
				switch {
				case newest == schema.EventEscalated && isWake && nobodys && next.Severity == schema.SeverityCritical:
					count[newest]++
				case newest == schema.EventStillFiring && isWake && next.State == schema.StateAcknowledged && c.State == schema.StateAcknowledged && next.Severity == schema.SeverityCritical:
					count[newest]++
				case slices.Contains(kinds, schema.EventEscalated), newest == schema.EventStillFiring && isWake && c.State == schema.StateAcknowledged:
					t.Fatalf("life %d event %d: %s, %s after %q by %T", seed, i, next.State, next.Severity, kinds, e)
				}
				if isWake && len(conversation.Owed(next)) > len(conversation.Owed(c)) && !slices.Contains(kinds, schema.EventUnsilenced) {
					t.Fatalf("life %d event %d: %q owes %v, before it was %v", seed, i, kinds, conversation.Owed(next), conversation.Owed(c))
				}
				if pressing := nobodys && next.Severity == schema.SeverityCritical; !pressing && next.State != schema.StateAcknowledged &&
					next.SilencedUntil.IsZero() && next.State != schema.StateWatching && !next.WakeAt.IsZero() {
					t.Fatalf("life %d event %d: %s, %s wakes at %v", seed, i, next.State, next.Severity, next.WakeAt)
				}
				c = next
			}
		})
	}
	for _, kind := range []string{schema.EventEscalated, schema.EventStillFiring} {
		if count[kind] < 10 {
			t.Errorf("%s came up %d times; the lives are too dull", kind, count[kind])
		}
	}
}

func TestNoSeverityBreaksThroughASilenceByScope(t *testing.T) {
	held := 0
	each(t, many, true, func(t *testing.T, seed uint64, events []conversation.Event) {
		var c schema.Conversation
		for i, e := range events {
			next, _ := conversation.Next(c, e)
			f, isFound := e.(conversation.Found)
			still := isFound && f.Silence != nil && f.Silence.ID == c.SilencedBy
			if still && c.State == schema.StateSilenced && !next.Closed() && !f.Removed {
				if next.State != schema.StateSilenced {
					t.Fatalf("life %d event %d: silence %s covers it, and it is %s after %q", seed, i, c.SilencedBy, next.State, added(c, next))
				}
				held++
			}
			if next.SilencedBy != "" && next.State == schema.StateSilenced && len(conversation.Owed(next)) > 0 && conversation.Owed(next)[0].Kind == conversation.TaskDiagnose {
				t.Fatalf("life %d event %d: a silenced one owes a diagnosis", seed, i)
			}
			c = next
		}
	})
	if held < 10 {
		t.Errorf("a silence by scope held %d times; the lives are too dull", held)
	}
}

func TestAClosedConversationNeverActs(t *testing.T) {
	each(t, many, true, func(t *testing.T, seed uint64, events []conversation.Event) {
		var c schema.Conversation
		for i, e := range events {
			next, _ := conversation.Next(c, e)
			if _, isWake := e.(conversation.Woke); c.Closed() && isWake && next.Revision != c.Revision {
				t.Fatalf("life %d event %d: a closed conversation woke: %q", seed, i, added(c, next))
			}
			c = next
			if !c.Closed() {
				continue
			}
			if !c.WakeAt.IsZero() || c.ClosedAt.IsZero() || c.ClosedAs != c.State {
				t.Fatalf("life %d event %d: closed as %q (state %q) at %v, wakes %v", seed, i, c.ClosedAs, c.State, c.ClosedAt, c.WakeAt)
			}
			for _, task := range conversation.Owed(c) {
				if task.Kind != conversation.TaskAnswer {
					t.Fatalf("life %d event %d: a closed conversation owes %v", seed, i, task)
				}
			}
		}
	})
}

// readAnew tells of an event that is made of what is newest each time, so that an old one never comes again: what heirs
// have to hand down, and what was said to a folded conversation, of which the folded one keeps the watermark.
func readAnew(e conversation.Event) bool {
	f, _ := e.(conversation.Found)
	s, _ := e.(conversation.Said)
	return len(f.Heirs) > 0 || s.From != ""
}

// A finding that changed nothing leaves no mark, and is but a level when it comes again; so it is left out.
func TestReplayingWhatWasFoldedInChangesNothing(t *testing.T) {
	each(t, many, false, func(t *testing.T, seed uint64, events []conversation.Event) {
		var c schema.Conversation
		var folded []conversation.Event
		for i, e := range events {
			next, _ := conversation.Next(c, e)
			if next.Revision == c.Revision {
				continue
			}
			c = next
			_, isQuieted := e.(conversation.Quieted)
			if _, isForgotten := e.(conversation.Forgotten); isQuieted || isForgotten {
				continue // made anew of what is newest each time, never delivered
			}
			folded = append(folded, e)
			for at, again := range folded {
				if at < len(folded)-1 && readAnew(again) {
					continue
				}
				if got, reason := conversation.Next(c, again); got.Revision != c.Revision || reason == "" {
					t.Fatalf("life %d event %d: %+v again added %q (%s)", seed, i, again, added(c, got), reason)
				}
			}
		}
	})
}

func TestRevisionsCountMessagesAndBoundsHold(t *testing.T) {
	each(t, some, true, func(t *testing.T, seed uint64, events []conversation.Event) {
		var c schema.Conversation
		for i, e := range events {
			next, reason := conversation.Next(c, e)
			if (next.Revision == c.Revision) != (reason != "") {
				t.Fatalf("life %d event %d: %d messages and the reason %q", seed, i, next.Revision-c.Revision, reason)
			}
			if next.Revision == c.Revision && !cmp.Equal(c, next) {
				t.Fatalf("life %d event %d: nothing happened, yet (-before +after):\n%s", seed, i, cmp.Diff(c, next))
			}
			c = next
			checkBounds(t, c)
		}
	})
}

// checkBounds holds c to the bounds of the contract, and its messages to one order.
func checkBounds(t *testing.T, c schema.Conversation) {
	t.Helper()
	body, err := json.Marshal(c)
	if err != nil || len(body) > schema.MaxConversationBytes || !utf8.Valid(body) {
		t.Fatalf("%d bytes, %v", len(body), err)
	}
	if len(c.Messages) > schema.MaxMessages || len(c.Episodes) > schema.MaxEpisodes {
		t.Fatalf("%d messages, %d episodes", len(c.Messages), len(c.Episodes))
	}
	seen := map[string]bool{}
	for _, m := range c.Messages {
		one, err := json.Marshal(m)
		if err != nil || len(one) > schema.MaxMessageBytes || seen[m.ID] || !strings.HasPrefix(m.ID, c.ID+"-") {
			t.Fatalf("message %s: %d bytes, twice %v, %v", m.ID, len(one), seen[m.ID], err)
		}
		seen[m.ID] = true
	}
}

func TestAConversationFromTheWireGoesOnTheSame(t *testing.T) {
	each(t, some, false, func(t *testing.T, seed uint64, events []conversation.Event) {
		var c schema.Conversation
		for i, e := range events {
			want, _ := conversation.Next(c, e)
			got, _ := conversation.Next(overTheWire(t, c), e)
			if i%4 == 0 { // each life has other steps
				if diff := cmp.Diff(overTheWire(t, want), overTheWire(t, got)); diff != "" {
					t.Fatalf("life %d event %d (-kept +from the wire):\n%s", seed, i, diff)
				}
			}
			c = want
		}
	})
}

func overTheWire(t *testing.T, c schema.Conversation) (got schema.Conversation) {
	t.Helper()
	body, err := json.Marshal(c)
	if err == nil {
		err = json.Unmarshal(body, &got)
	}
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// Whoever loses a compare-and-set still holds what it read, and two may go on from the same head.
func TestNextLeavesItsArgumentAlone(t *testing.T) {
	each(t, need.Seeds(some), true, func(t *testing.T, seed uint64, events []conversation.Event) {
		var c schema.Conversation
		for i, e := range events {
			c.Messages = append(make([]schema.Message, 0, len(c.Messages)+8), c.Messages...) // room to write into
			before := overTheWire(t, c)
			next, _ := conversation.Next(c, e)
			kept := overTheWire(t, next)
			conversation.Next(c, saying(noon, 1<<40, "carl", "silence 3h"))
			conversation.Next(c, finding(noon, 1<<40, false, "oom_killed", "critical"))
			if diff := cmp.Diff(before, overTheWire(t, c)); diff != "" {
				t.Fatalf("life %d event %d changed its argument (-before +after):\n%s", seed, i, diff)
			}
			if diff := cmp.Diff(kept, overTheWire(t, next)); diff != "" {
				t.Fatalf("life %d event %d: another step wrote into its result (-before +after):\n%s", seed, i, diff)
			}
			c = next
		}
	})
}
