package detect

import (
	"fmt"
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// flaps is how often an object has begun to alert lately.
type flaps struct {
	Begun []int64 `json:"begun,omitempty"` // from nothing of it alerting: when, in Unix seconds, oldest first
	Note  string  `json:"note,omitempty"`  // that it is flapping, for people; empty: it is not
}

// flap counts a beginning, and tells whether the object is flapping from now on. It stops once nothing of it alerts.
func (v *view) flap(conditions []condition) {
	t, l, f := v.t, &v.t.rules.Flapping, v.rec.Flaps
	fires := slices.ContainsFunc(conditions, func(c condition) bool { return c.Firing })
	if !l.On || f == nil && !fires {
		v.rec.Flaps = nil
		return
	}
	next := f.lately(t)
	if !fires {
		next.Note = ""
	} else if !v.rec.firing() {
		next.Begun = append(next.Begun, t.now.Unix())
		next.Begun = next.Begun[max(0, len(next.Begun)-maxBegun):]
		if len(next.Begun) >= l.Times {
			next.Note = fact(fmt.Sprintf("%s time since %s: flapping, stays open until quiet for %s",
				ordinal(len(next.Begun)), clock(time.Unix(next.Begun[0], 0)), span(l.Quiet)))
		}
	}
	if v.rec.Flaps = &next; len(next.Begun) == 0 && next.Note == "" {
		v.rec.Flaps = nil
	}
}

// lately is f without what is too long ago. A clock that was set back takes it along.
func (f *flaps) lately(t *tick) flaps {
	var next flaps
	if f == nil {
		return next
	}
	next.Note = f.Note
	for _, at := range f.Begun {
		if t.gap < 0 {
			at += int64(t.gap / time.Second)
		}
		if at > t.now.Add(-t.rules.Flapping.Within).Unix() {
			next.Begun = append(next.Begun, at)
		}
	}
	return next
}

// linger makes what fires of a flapping object be well for longer before it is cleared.
func (v *view) linger(seen *sight) {
	quiet := v.t.rules.Flapping.Quiet
	if v.flapping() && v.condition.Firing && seen.clear < quiet {
		seen.clear, seen.lingers = quiet, true
	}
}

func (v *view) flapping() bool {
	return v.rec.Flaps != nil && v.rec.Flaps.Note != ""
}

// tell says of a finding's worst condition that the object is flapping.
func (f *flaps) tell(conditions []schema.Condition) {
	if f != nil && f.Note != "" && len(conditions) > 0 {
		conditions[0].Facts = append([]string{f.Note}, conditions[0].Facts...)
	}
}

// flapReason is that of a condition that only flapping keeps open.
func (v *view) flapReason(c *condition, clear time.Duration) Reason {
	reason := v.waiting(VerdictFlapping, "alerting, but "+v.over(c)+" for ", c.Well, c.Quiet, clear)
	reason.Text += ", " + v.rec.Flaps.Note
	if changed := v.t.rules.changed(Flapping); changed != "" {
		reason.Text += "; " + changed
	}
	return reason
}

func ordinal(n int) string {
	names := []string{"", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"}
	if n < len(names) {
		return names[n]
	}
	return fmt.Sprintf("%dth", n) // of the bounded numbers all end so
}
