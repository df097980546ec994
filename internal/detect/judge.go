package detect

import (
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// judge steps every condition of the object and keeps those that are not idle.
func (v *view) judge(rules []rule) []condition {
	var conditions []condition
	for i := range rules {
		if rules[i].level.Severity == "" {
			continue
		}
		c := condition{}
		if rules[i].off {
			c = v.unjudged(rules[i].name)
		} else {
			c = v.step(&rules[i])
		}
		if !c.idle() {
			conditions = append(conditions, c)
		}
	}
	v.flap(conditions)
	return conditions
}

// unjudged is a condition whose part of the snapshot nothing reads any more. It stands still, as with any number that
// is unknown for a while; but a source that was taken out of the configuration never comes back, so that in time the
// condition is dropped.
func (v *view) unjudged(name string) condition {
	c := v.rec.find(name)
	switch {
	case c.idle():
	case c.Unread.IsZero():
		c.Unread, c.Blind = v.t.now, 0
	default:
		c.Blind += v.t.step
	}
	if v.t.reached(c.Blind, blindIntervals*v.t.interval) {
		return condition{}
	}
	return c
}

// step works on v.condition, whose address the rules may take without another one on the heap for every rule of every
// healthy service.
func (v *view) step(r *rule) condition {
	v.condition = v.rec.find(r.name)
	c := &v.condition
	c.Unread, c.Blind = time.Time{}, 0
	seen := r.see(v)
	v.linger(&seen)
	if v.fold(seen); c.idle() {
		return condition{}
	}
	c.Severity = r.level.Severity
	if r.severity != nil {
		c.Severity = r.severity(v)
	}
	if v.svc != nil && schema.SeverityRank(v.svc.Labels[SeverityLabel]) > 0 {
		c.Severity = v.svc.Labels[SeverityLabel]
	}
	if (c.Firing || c.Graced) && seen.truth == yes {
		c.Title, c.Facts = r.tell(v)
		if c.After != "" {
			c.Facts = append([]string{c.After}, c.Facts...)
		}
	}
	return *c
}
