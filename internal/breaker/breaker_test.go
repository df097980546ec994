package breaker_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/breaker"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func unanswered(s breaker.State, n int) breaker.State {
	for i := range n {
		s = s.Went(noon, fmt.Sprint(i), breaker.Unanswered, "it burns")
	}
	return s
}

func TestFiveUnansweredCallsInARowOpenItAndOneAloneTriesAgain(t *testing.T) {
	for _, tt := range []struct {
		name  string
		state breaker.State
		after time.Duration
		open  string // empty: the call may be made
		tries bool
	}{
		{"never-asked", breaker.State{}, 0, "", false},
		{"four", unanswered(breaker.State{}, 4), 0, "", false},
		{"five", unanswered(breaker.State{}, 5), 29 * time.Second, "5 calls in a row were not answered, and none is made before 12:00:30 UTC; the last: it burns", false},
		{"five-and-the-pause", unanswered(breaker.State{}, 5), 30 * time.Second, "", true},
		{"four-then-useless-then-four", unanswered(unanswered(breaker.State{}, 4).Went(noon, "x", breaker.Useless, "404"), 4), 0, "", false},
		{"four-then-well-then-four", unanswered(unanswered(breaker.State{}, 4).Went(noon, "x", breaker.Well, ""), 4), 0, "", false},
		{"four-then-unknown-then-one", unanswered(unanswered(breaker.State{}, 4).Went(noon, "x", breaker.Unknown, ""), 1), 0, "5 calls in a row were not answered, and none is made before 12:00:30 UTC; the last: it burns", false},
		{"ten-useless", useless(10), 0, "", false},
		{"well-of-one-that-began-before", unanswered(breaker.State{}, 5).Went(noon, "early", breaker.Well, ""), 0, "", false},
		{"useless-of-one-that-began-before", unanswered(breaker.State{}, 5).Went(noon, "early", breaker.Useless, "401"), 0, "", false},
		{"unanswered-of-one-that-began-before", unanswered(breaker.State{}, 6), 0, "6 calls in a row were not answered, and none is made before 12:00:30 UTC; the last: it burns", false},
		{"a-clock-that-was-wrong", unanswered(breaker.State{}, 5), -time.Hour, "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			next, open := tt.state.Ask(noon.Add(tt.after), "me")
			got := ""
			if open != nil {
				got = open.Error()
			}
			if got != tt.open || (next.Try == "me") != tt.tries {
				t.Errorf("open %q, want %q; tries %v, want %v", got, tt.open, next.Try == "me", tt.tries)
			}
		})
	}
}

func useless(n int) (s breaker.State) {
	for i := range n {
		s = s.Went(noon, fmt.Sprint(i), breaker.Useless, "401")
	}
	return s
}

func TestOneTriesAtATimeUntilItIsDoneOrDead(t *testing.T) {
	now := noon.Add(30 * time.Second)
	s, _ := unanswered(breaker.State{}, 5).Ask(now, "me")
	if _, open := s.Ask(now, "me"); open != nil {
		t.Errorf("the one that tries is refused when it asks again: %v", open)
	}
	const busy = "5 calls in a row were not answered, and it is being tried with another one at the moment; the last: it burns"
	if _, open := s.Ask(now.Add(179*time.Second), "you"); open == nil || open.Error() != busy {
		t.Errorf("a second one meanwhile: %v", open)
	}
	if next, open := s.Ask(now.Add(180*time.Second), "you"); open != nil || next.Try != "you" {
		t.Errorf("after it is dead: %v", open)
	}
	if next, open := s.Went(now, "me", breaker.Unknown, "").Ask(now, "you"); open != nil || next.Try != "you" {
		t.Errorf("after it was broken off: %v", open)
	}
	if got := s.Went(now, "me", breaker.Well, ""); got != (breaker.State{}) {
		t.Errorf("after it went well: %+v", got)
	}
	if got := s.Went(now, "early", breaker.Unanswered, "late"); got.Try != "me" || got.Until != s.Until {
		t.Errorf("one that began before moves the pause: %+v", got)
	}
	if got := s.Went(now, "me", breaker.Useless, "401"); !got.Until.IsZero() || got.Failed != 6 || got.Why != "401" || !got.Since.Equal(noon) {
		t.Errorf("after the server answered that it may not: %+v", got)
	}
}

func TestThePauseDoublesUpToTenMinutes(t *testing.T) {
	s, now := unanswered(breaker.State{}, 5), noon
	for _, want := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 10 * time.Minute, 10 * time.Minute} {
		if got := s.Until.Sub(now); got != want {
			t.Errorf("pause %s, want %s", got, want)
		}
		now = s.Until
		s, _ = s.Ask(now, "try")
		s = s.Went(now, "try", breaker.Unanswered, "it burns")
	}
}

// Many ask, and their calls end in any order and way.
func TestWhateverHappensOneTriesAtMost(t *testing.T) {
	tries := 0
	for seed := range uint64(200) {
		dice := rand.New(rand.NewPCG(seed, 1))
		var s breaker.State
		now, calls := noon, []string{}
		trying := map[string]time.Time{} // when those began that were made while it was open, and are under way
		for n := range 300 {
			now = now.Add(time.Duration(dice.IntN(40)) * time.Second / 4)
			if len(calls) > 0 && dice.IntN(2) == 0 {
				i := dice.IntN(len(calls))
				s = s.Went(now, calls[i], []breaker.Result{breaker.Unknown, breaker.Well, breaker.Useless, breaker.Unanswered}[min(dice.IntN(20), 3)], "why")
				delete(trying, calls[i])
				calls = slices.Delete(calls, i, i+1)
			} else if after, open := s.Ask(now, fmt.Sprint(n)); open == nil {
				if calls = append(calls, fmt.Sprint(n)); !s.Until.IsZero() {
					for id, began := range trying {
						if now.Sub(began) < 180*time.Second {
							t.Fatalf("seed %d: %d tries at %s, and %s since %s", seed, n, now, id, began)
						}
					}
					if now.Before(s.Until) {
						t.Fatalf("seed %d: a call at %s, left alone until %s", seed, now, s.Until)
					}
					tries++
					trying[fmt.Sprint(n)] = now
				}
				s = after
			}
			if s.Until.IsZero() {
				clear(trying)
			}
		}
	}
	if tries < 100 {
		t.Errorf("only %d tries were made: this proves nothing", tries)
	}
}
