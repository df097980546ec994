package detect

import (
	"cmp"
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// machine brings what is remembered of a node up to date.
func (v *view) machine(n *schema.NodeSummary, rules []rule) record {
	v.svc, v.node, v.read, v.unread = nil, n, false, nil
	switch n.Status {
	case schema.NodeDraining:
		v.rec.Draining = true
	case schema.NodeHealthy: // what was found of it while it was draining stays as mild as it was
		v.rec.Draining = v.rec.Draining && !v.rec.find(NodeDown).idle()
	}
	v.rec.GPUErrors, v.gpuErrors = v.t.gpuErrors(v.rec.GPUErrors, n.GPUs)
	v.rec.Boot, v.rebooted = v.t.boot(v.rec.Boot, n.BootAt)
	v.rec.Conditions = v.judge(rules)
	return v.rec
}

// boot tells whether a node's boot time moved, and gives the one to remember. Every reading moves it a little, because
// the kernel works it out from a clock that is being adjusted. A clock that was set takes the boot time along, and the
// time that the node has been up goes on; a reboot begins it anew.
func (t *tick) boot(was int64, at time.Time) (int64, bool) {
	if at.IsZero() {
		return was, false
	}
	before := time.Unix(was, 0)
	moved := was != 0 && at.Sub(before) > t.rules.NodeRebooted.Moved && t.now.Sub(at) < t.before.Sub(before)
	return at.Unix(), moved
}

// gpuErrors folds the totals of a node's GPUs into those remembered, and tells which grew by how many. A lower total,
// or a GPU seen for the first time, is a new baseline.
func (t *tick) gpuErrors(was []sample, gpus []schema.GPUSummary) (next, grew []sample) {
	for _, g := range gpus {
		index := int64(g.Index)
		i := slices.IndexFunc(was, func(s sample) bool { return s[0] == index })
		switch {
		case g.ErrorsTotal == nil && i >= 0:
			next = append(next, was[i])
		case g.ErrorsTotal != nil:
			next = append(next, sample{index, *g.ErrorsTotal})
			if i >= 0 && !t.anew && *g.ErrorsTotal > was[i][1] {
				grew = append(grew, sample{index, *g.ErrorsTotal - was[i][1]})
			}
		}
	}
	byIndex := func(a, b sample) int { return cmp.Compare(a[0], b[0]) }
	slices.SortFunc(next, byIndex)
	slices.SortFunc(grew, func(a, b sample) int { return cmp.Or(cmp.Compare(b[1], a[1]), byIndex(a, b)) })
	return next, grew
}

func seeGPUErrors(v *view) sight {
	seen := sight{truth: truthOf(len(v.gpuErrors) > 0), clear: v.t.rules.GPUErrors.Clear.Of(v.t.interval), event: true}
	if !slices.ContainsFunc(v.node.GPUs, func(g schema.GPUSummary) bool { return g.ErrorsTotal != nil }) {
		seen.truth, seen.why = unknown, "no GPU that counts its errors is known"
	}
	return seen
}

func seeNodeRebooted(v *view) sight {
	seen := sight{truth: truthOf(v.rebooted), clear: v.t.rules.NodeRebooted.Clear.Of(v.t.interval), event: true}
	if v.node.BootAt.IsZero() {
		seen.truth, seen.why = unknown, "when it booted is not known"
	}
	return seen
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
	if c.Well.IsZero() { // it is not back
		c.Worse = c.Worse.step(v.t, sight{truth: yes, hold: l.DrainingFor})
	}
	if v.rec.Draining && !c.Worse.Firing {
		return l.DrainingSeverity
	}
	return l.Severity
}
