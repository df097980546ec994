package detect

import "time"

// truth is what a snapshot says about a condition. The zero value is that it says nothing.
type truth int

const (
	unknown truth = iota
	no
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// sight is what one snapshot says about one condition, and how long that has to stand.
type sight struct {
	truth truth
	hold  time.Duration // of yes, before it is raised
	clear time.Duration // of no, before it is cleared
	event bool          // it happens rather than lasts: quiet counts from the snapshot that last showed it
	quiet time.Duration // of an event that is true for a while: how long ago it last happened
	why   string        // why it is not judged or not raised, for people; only where that is not plain
	as    string        // the verdict that goes with why

	hidden  bool // in grace: not raised, whatever it holds for
	lingers bool // clear is what flapping asks for
}

// phase is where a condition stands: nothing (zero), holding, firing, or firing with its clear hold begun.
type phase struct {
	Since  time.Time     `json:"since,omitzero"`   // when it first became true
	Held   time.Duration `json:"held,omitempty"`   // how long it has been true, for its hold
	Firing bool          `json:"firing,omitempty"` // its hold is over
	Well   time.Time     `json:"well,omitzero"`    // firing, but not true since then
	Quiet  time.Duration `json:"quiet,omitempty"`  // how long it has not been true, for its clear hold
}

func (p phase) idle() bool { return p.Since.IsZero() }

// step folds one snapshot into the phase.
func (p phase) step(t *tick, s sight) phase {
	switch s.truth {
	case yes:
		return p.raise(t, s)
	case no:
		return p.ease(t, s)
	case unknown:
	}
	return p
}

func (p phase) raise(t *tick, s sight) phase {
	if p.idle() {
		p.Since = t.now
	} else {
		p.Held += t.step
	}
	p.Well, p.Quiet = time.Time{}, 0
	if !p.Firing && !s.hidden && t.reached(p.Held, s.hold) {
		p.Firing, p.Quiet = true, min(p.Held, s.quiet)
	}
	return p
}

func (p phase) ease(t *tick, s sight) phase {
	if !p.Firing {
		return phase{}
	}
	if s.event || !p.Well.IsZero() {
		p.Quiet += t.step
	}
	if p.Well.IsZero() {
		p.Well = t.now
	}
	if t.reached(p.Quiet, s.clear) {
		return phase{}
	}
	return p
}
