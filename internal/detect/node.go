package detect

import "github.com/bellbuoy/bellbuoy/internal/schema"

// machine brings what is remembered of a node up to date.
func (v *view) machine(n *schema.NodeSummary, rules []rule) record {
	v.svc, v.node = nil, n
	switch n.Status {
	case schema.NodeDraining:
		v.rec.Draining = true
	case schema.NodeHealthy:
		v.rec.Draining = false
	}
	v.rec.Conditions = v.judge(rules)
	return v.rec
}

func seeNodeDown(v *view) sight {
	l, n := v.t.rules.NodeDown, v.node
	seen := sight{hold: l.Hold.Of(v.t.interval), clear: l.Clear.Of(v.t.interval)}
	unseen := !n.LastSeen.IsZero() && v.t.now.Sub(n.LastSeen) > l.Unseen
	switch {
	case n.Status == schema.NodeDown:
		seen.truth = yes
		if unseen && !v.t.jumped {
			seen.hold = 0
		}
	case unseen && v.t.jumped:
		seen.why = "the clock or the snapshots jumped, so when it was last seen means nothing yet"
	case unseen:
		seen.truth, seen.hold = yes, 0
	case n.Status == "" && n.LastSeen.IsZero():
		seen.why = "neither its state nor when it was last seen is known"
	default:
		seen.truth = no
	}
	return seen
}

// nodeDownSeverity is mild for a while for a node that was taken out of use on purpose.
func nodeDownSeverity(v *view) string {
	l, c := v.t.rules.NodeDown, &v.condition
	c.Worse = c.Worse.step(v.t, sight{truth: yes, hold: l.DrainingFor})
	if v.rec.Draining && !c.Worse.Firing {
		return l.DrainingSeverity
	}
	return l.Severity
}
