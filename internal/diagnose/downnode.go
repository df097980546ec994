package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const maxDisksSaid = 3

// unseen says since when a node that is down has not been seen, and what was wrong with it before.
func unseen(n *schema.NodeSummary, now time.Time) string {
	text := n.ID + " is reported down"
	if !n.LastSeen.IsZero() {
		text = n.ID + " has not been seen since " + clock(n.LastSeen, now)
	}
	before := *n
	before.Status = schema.NodeHealthy
	if _, trouble, ok := strings.Cut(nodeTrouble(&before, now), ": "); ok {
		text += "; before that " + trouble
	}
	return text
}

// lastKnown notes the numbers that a node showed before it went, whether they look bad or not: a machine that was full
// or had just booted is another story than one that was well.
func (f *freezer) lastKnown(n *schema.NodeSummary) {
	var parts []string
	if n.MemoryPercent != nil {
		parts = append(parts, "memory "+percent(*n.MemoryPercent)+" used")
	}
	if n.CPUPercent != nil {
		parts = append(parts, "processors "+percent(*n.CPUPercent)+" busy")
	}
	parts = append(parts, disks(n)...)
	if !n.BootAt.IsZero() {
		parts = append(parts, "booted "+clock(n.BootAt, f.now))
	}
	if len(parts) > 0 {
		f.add(KindNode, n.ID, cmp.Or(n.LastSeen, f.now), "last known of it: "+list(parts))
	}
}

// disks says how full the fullest file systems of a node are.
func disks(n *schema.NodeSummary) []string {
	known := slices.DeleteFunc(slices.Clone(n.Disks), func(d schema.DiskSummary) bool { return d.UsedPercent == nil })
	slices.SortStableFunc(known, func(a, b schema.DiskSummary) int { return cmp.Compare(*b.UsedPercent, *a.UsedPercent) })
	var parts []string
	for _, d := range known[:min(len(known), maxDisksSaid)] {
		parts = append(parts, "disk "+d.Mount+" "+percent(*d.UsedPercent)+" full")
	}
	return parts
}

// ranOn notes how much of what a node held is affected.
func (f *freezer) ranOn(n *schema.NodeSummary) {
	all := 0
	for i := range f.snap.Services {
		if runsOn(&f.snap.Services[i], n.ID) {
			all++
		}
	}
	if all > 0 {
		f.add(KindNeighbour, n.ID, f.now, fmt.Sprintf("%d %s it in the snapshot; %s affected", all, verbFor(all, "service is on", "services are on"), howMany(f.victims)))
	}
}

// lately tells whether t lies within the time in which what happened then can still show.
func (v *View) lately(t time.Time) bool {
	now := v.snap.TakenAt
	return !t.IsZero() && !t.After(now) && now.Sub(t) <= recentChange
}

// rebooted says of a node that runs when it booted, if that was lately.
func (v *View) rebooted(n *schema.NodeSummary) string {
	if !v.lately(n.BootAt) {
		return ""
	}
	return fmt.Sprintf("node %s booted %s, so that all on it had to start anew", n.ID, clock(n.BootAt, v.snap.TakenAt))
}

// recovered says of a service that is well that it was not until lately. What needs it may not have noticed.
func (v *View) recovered(d *schema.ServiceSummary) string {
	at := v.stoppedAt(d)
	if f := d.LastFailure; f != nil && v.lately(f.At) && f.At.After(at) {
		at = f.At
	}
	if at.IsZero() {
		return ""
	}
	return "it failed or was stopped " + clock(at, v.snap.TakenAt) + ", and runs again"
}

// outlived lists what explained s until lately and no longer does.
func (v *View) outlived(s *schema.ServiceSummary) []schema.Alternative {
	var other []schema.Alternative
	for _, name := range s.DependsOn {
		if d := v.dependency(s, name); d != nil && troubleOf(d) == well {
			if text := v.recovered(d); text != "" {
				other = append(other, schema.Alternative{
					Statement: fmt.Sprintf("%s has not got over the end of %s, which it depends on: %s", s.Name, d.Name, text),
					Check:     "whether it connects again, or has to be restarted",
				})
			}
		}
	}
	for _, n := range v.nodesOf(s) {
		if text := v.rebooted(n); text != "" && nodeTrouble(n, v.snap.TakenAt) == "" {
			other = append(other, schema.Alternative{
				Statement: fmt.Sprintf("%s did not come back with its node: %s", s.Name, text),
				Check:     "what it has logged since then",
			})
		}
	}
	return other[:min(len(other), maxAlternatives)]
}
