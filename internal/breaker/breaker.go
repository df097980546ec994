package breaker

import (
	"fmt"
	"time"
)

const (
	// most is how many calls in a row may go unanswered.
	most = 5
	// firstPause is how long nobody asks at first; it doubles up to maxPause with each try in vain.
	firstPause = 30 * time.Second
	maxPause   = 10 * time.Minute
	// triedFor is how long a try may take. Whoever made it is taken to be dead then, and somebody else tries.
	triedFor = 180 * time.Second
)

// Result is what came of a call.
type Result int

// The results.
const (
	Unknown    Result = iota // it was not made, or broken off by whoever made it: nothing was learned of the server
	Well                     // an answer of use
	Useless                  // the server answered, but would not or could not help
	Unanswered               // no connection, no answer in time, or the server is in trouble
)

// State is how the calls of one model on one server have gone since the last that went well. The zero value is that of a
// server that answers.
type State struct {
	Failed     int           `json:"failed,omitempty"`     // calls in a row that did not go well, whatever the reason
	Since      time.Time     `json:"since,omitzero"`       // when the first of them ended
	Why        string        `json:"why,omitempty"`        // the last did not
	Unanswered int           `json:"unanswered,omitempty"` // calls in a row without an answer
	Until      time.Time     `json:"until,omitzero"`       // nobody asks before; zero: everybody may
	Pause      time.Duration `json:"pause,omitempty"`      // that led up to Until, in nanoseconds
	Try        string        `json:"try,omitempty"`        // the call that is being made alone; empty: none is
	TryAt      time.Time     `json:"try_at,omitzero"`      // when it began
}

// Open is why a server is not asked. As an error it says so in words for people.
type Open struct {
	Unanswered int
	Why        string
	Until      time.Time // when it is tried again; zero: it is being tried at the moment
}

// Error is such as "5 calls in a row were not answered, and none is made before 20:15:30 UTC; the last: …".
func (o Open) Error() string {
	when := "it is being tried with another one at the moment"
	if !o.Until.IsZero() {
		when = "none is made before " + o.Until.UTC().Format("15:04:05 UTC")
	}
	return fmt.Sprintf("%d calls in a row were not answered, and %s; the last: %s", o.Unanswered, when, o.Why)
}

// Ask tells whether the call id may be made now; nil: it may. Where next is another state, the call is the one that
// tries the server, and may be made only once next is stored.
func (s State) Ask(now time.Time, id string) (next State, open *Open) {
	if s.Until.IsZero() || s.Try == id {
		return s, nil
	}
	left := s.Until.Sub(now)
	switch {
	case left > 0 && left <= maxPause: // beyond that it is by a clock that was wrong
		return s, &Open{Unanswered: s.Unanswered, Why: s.Why, Until: s.Until}
	case s.Try != "" && now.Sub(s.TryAt).Abs() < triedFor:
		return s, &Open{Unanswered: s.Unanswered, Why: s.Why}
	}
	s.Try, s.TryAt = id, now
	return s, nil
}

// Went is the state after the call id ended, with a reason unless it went well. A call that began before the server was
// left alone says as much of it as the one that tries it; only that one makes the pause longer.
func (s State) Went(now time.Time, id string, r Result, why string) State {
	mine := s.Try == id && id != ""
	if mine {
		s.Try, s.TryAt = "", time.Time{}
	}
	switch r {
	case Unknown:
		return s
	case Well:
		return State{}
	case Useless:
		s.Unanswered, s.Until, s.Pause, s.Try, s.TryAt = 0, time.Time{}, 0, "", time.Time{}
	case Unanswered:
		s.Unanswered++
		s = s.pause(now, mine)
	}
	if s.Failed++; s.Failed == 1 {
		s.Since = now
	}
	s.Why = why
	return s
}

func (s State) pause(now time.Time, tried bool) State {
	switch {
	case s.Until.IsZero() && s.Unanswered >= most:
		s.Pause = firstPause
	case tried:
		s.Pause = min(2*s.Pause, maxPause)
	default:
		return s
	}
	s.Until = now.Add(s.Pause)
	return s
}
