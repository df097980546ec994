// Package pace says when a target may be posted to: its breaker, its rate, the pauses that it asks for, and whether it is
// gone. All of it is one small record and pure transitions on it; who keeps the record, and shares it, is elsewhere.
package pace

import "time"

const (
	// TripAfter is how many failures in a row open the breaker.
	TripAfter = 5
	// FirstOpen is for how long it opens first. That doubles with every probe that fails.
	FirstOpen = 30 * time.Second
	// MaxOpen is the longest time.
	MaxOpen = 10 * time.Minute
	// MaxPause is the longest pause that a target may ask for.
	MaxPause = 15 * time.Minute
	// probeFor is how long a probe is waited for: longer than any post takes. One that nobody reports by then was in vain.
	probeFor = 30 * time.Second
	// probing is how soon to ask again while somebody else probes.
	probing = time.Second
	// GoneAgain is how soon to ask again of a target that is gone.
	GoneAgain = 5 * time.Minute
)

// State is what is known of a target. The zero value is one that works, without a rate: it needs no record.
type State struct {
	Failures  int       `json:"failures,omitempty"`  // in a row
	Since     time.Time `json:"since,omitzero"`      // of the first of them
	Problem   string    `json:"problem,omitempty"`   // the newest of them, for people
	Trips     int       `json:"trips,omitempty"`     // how often in a row the breaker has opened; 0: it is closed
	OpenUntil time.Time `json:"open_until,omitzero"` // when a probe may go out
	Prober    string    `json:"prober,omitempty"`    // whose probe is out
	ProbeEnds time.Time `json:"probe_ends,omitzero"` // when it counts as failed
	NotBefore time.Time `json:"not_before,omitzero"` // the target has asked for a pause until then
	PausedAt  time.Time `json:"paused_at,omitzero"`  // when it did so first, since the last post that went through
	GoneAt    time.Time `json:"gone_at,omitzero"`    // the target said that it is gone for good
	Slot      time.Time `json:"slot,omitzero"`       // when the rate has used up what was posted so far
	OutFrom   time.Time `json:"out_from,omitzero"`   // the newest outage that is over
	OutUntil  time.Time `json:"out_until,omitzero"`
}

// Open tells whether the breaker is open, also while its probe is out.
func (s State) Open() bool { return s.Trips > 0 }

// Gone tells whether the target said so, and nobody has found otherwise.
func (s State) Gone() bool { return !s.GoneAt.IsZero() }

// BlockedSince is since when nothing has gone through, and something was in vain; zero: nothing is known to be wrong.
func (s State) BlockedSince() time.Time {
	var first time.Time
	for _, t := range []time.Time{s.Since, s.PausedAt, s.GoneAt} {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// Out tells whether at lies in an outage: the present one, or the newest that is over.
func (s State) Out(at time.Time) bool {
	if s.Open() && !at.Before(s.Since) {
		return true
	}
	return !s.OutUntil.IsZero() && !at.Before(s.OutFrom) && !at.After(s.OutUntil)
}

// Rate is at most one post in Every, once Burst of them went out at once. The zero value is no limit.
type Rate struct {
	Every time.Duration
	Burst int
}

// Why is what keeps a post back.
type Why string

// Reasons to wait.
const (
	Free    Why = ""
	Gone    Why = "gone"
	Opened  Why = "open"
	Paused  Why = "paused"
	Limited Why = "rate"
)

// Ask is who wants to post.
type Ask struct {
	Holder string
	Urgent bool // critical: the others leave it a slot of the rate
	Trial  bool // a person's test: a probe at once, also of a target that is gone
	Rate   Rate
}

// Answer is whether a post may go out, and if not, why and for how long not.
type Answer struct {
	Why   Why
	Wait  time.Duration
	Probe bool // the post is the breaker's probe
}

// Next answers who asks. The state is another one where the answer has to be shared before the post goes out: a probe
// and a slot of the rate are claimed by it.
func (s State) Next(a Ask, now time.Time) (State, Answer) {
	if s.Gone() && !a.Trial {
		return s, Answer{Why: Gone, Wait: GoneAgain}
	}
	if left := s.NotBefore.Sub(now); left > 0 {
		return s, Answer{Why: Paused, Wait: left}
	}
	if s.Open() && !s.Gone() {
		if left := s.OpenUntil.Sub(now); left > 0 && !a.Trial {
			return s, Answer{Why: Opened, Wait: left}
		}
		if s.Prober != "" && s.ProbeEnds.After(now) {
			return s, Answer{Why: Opened, Wait: min(s.ProbeEnds.Sub(now), probing)}
		}
	}
	limited, wait := s.slot(a, now)
	if wait > 0 {
		return s, Answer{Why: Limited, Wait: wait}
	}
	if !s.Open() || s.Gone() {
		return limited, Answer{}
	}
	limited.Prober, limited.ProbeEnds = a.Holder, now.Add(probeFor)
	if limited.OpenUntil.After(now) {
		limited.OpenUntil = now
	}
	return limited, Answer{Probe: true}
}

// slot takes a slot of the rate (the generic cell rate algorithm), or says how long there is none. Whoever is not urgent
// leaves one to those who are; where there is but one at a time, it lets half of the time pass by.
func (s State) slot(a Ask, now time.Time) (State, time.Duration) {
	if a.Rate.Every <= 0 {
		return s, 0
	}
	ahead := time.Duration(max(a.Rate.Burst, 1)-1) * a.Rate.Every
	leave := time.Duration(0)
	switch {
	case a.Urgent:
	case ahead > 0:
		leave = a.Rate.Every
	default:
		leave = a.Rate.Every / 2
	}
	if wait := s.Slot.Add(leave).Sub(now.Add(ahead)); wait > 0 && !s.Slot.IsZero() {
		return s, wait
	}
	if s.Slot.Before(now) {
		s.Slot = now
	}
	s.Slot = s.Slot.Add(a.Rate.Every)
	return s, 0
}
