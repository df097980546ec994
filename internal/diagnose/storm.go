package diagnose

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// nothingShared is said where a search for what victims have in common came to nothing.
const nothingShared = "nothing that they share was found"

// maxFirst is how many of a storm's members have evidence of their own.
const maxFirst = 3

// storm notes what is known of many objects that began to fail at once: how they fail, what they share, and those that
// were the first.
func (f *freezer) storm() {
	if len(f.victims) == 0 {
		return
	}
	f.affected()
	all := f.shared(f.victims)
	if len(all) == 0 {
		f.items = append(f.items, f.neighbour(f.object.String(), nothingShared))
	}
	for i := range all {
		f.inCommon(&all[i])
	}
	for _, s := range f.firstOf(f.victims) {
		f.add(KindNeighbour, s.Object().String(), f.now, "among the first to fail: "+s.Object().String()+": "+state(s))
		if s.LastFailure != nil {
			f.add(KindFailure, s.Object().String(), s.LastFailure.At, failure(s.LastFailure, s.MemoryLimit, f.now))
		}
		f.suspect = append(f.suspect, s)
	}
}

// inCommon notes one thing that the members share.
func (f *freezer) inCommon(x *shared) {
	switch {
	case x.node != nil:
		f.add(KindNode, x.node.ID, f.now, x.text())
		f.lastKnown(x.node)
	case x.service != nil:
		f.items = append(f.items, f.neighbour(x.name, x.text()))
		if d := x.service; troubleOf(d) != well {
			if d.LastFailure != nil {
				f.add(KindFailure, x.name, d.LastFailure.At, failure(d.LastFailure, d.MemoryLimit, f.now))
			}
			f.suspect = append(f.suspect, d)
		}
	case x.kind == traitImage:
		f.add(KindChange, f.object.String(), x.deployed, x.text())
	default:
		f.items = append(f.items, f.neighbour(f.object.String(), x.text()))
	}
}

// firstOf lists the services of the snapshot that were the first of the victims to fail.
func (v *View) firstOf(victims []schema.Affected) []*schema.ServiceSummary {
	byTime := slices.Clone(victims)
	slices.SortStableFunc(byTime, func(a, b schema.Affected) int { return a.Since.Compare(b.Since) })
	var first []*schema.ServiceSummary
	for _, a := range byTime {
		if s := v.service(a.Object); s != nil && len(first) < maxFirst {
			first = append(first, s)
		}
	}
	return first
}

// stormCause blames what the members of a storm share. Where that is nothing, the first of them to fail is what to
// look at.
func (r *ruler) stormCause() cause {
	c := r.unknown(nothingShared)
	all := r.shared(r.victims)
	if len(all) == 0 {
		c.summary = "many objects fail at once, and " + nothingShared
		if len(r.victims) > 0 {
			c.summary = howMany(r.victims) + " fail at once, and " + nothingShared
		}
		return r.lookAtFirst(c, "it is among the first that failed, and what they share is not known")
	}
	x := all[0]
	c.summary = x.text()
	c.confidence, c.why = schema.ConfidenceLow, "they share it, but nothing shows what is wrong with it"
	if x.trouble != "" {
		c.confidence, c.why = schema.ConfidenceMedium, "most of them share it, and "+wrongWith(&x)
		if x.share() >= sureShare {
			c.confidence, c.why = schema.ConfidenceHigh, "nearly all of them share it, and "+wrongWith(&x)
		}
	}
	for _, other := range all[1:] {
		c.other = append(c.other, schema.Alternative{Statement: other.text(), Check: "whether those that fail without it fail in another way"})
	}
	return r.blameShared(c, &x)
}

func wrongWith(x *shared) string {
	if x.kind == traitImage {
		return "it was new"
	}
	return "it is in trouble itself"
}

// blameShared makes x the component and gives the step for it.
func (r *ruler) blameShared(c cause, x *shared) cause {
	switch {
	case x.kind == traitNode:
		c.category = CategoryNode
		c.component = cmp.Or(nodeID(x.node), c.component)
		c.verb, c.target, c.reason = VerbInspect, x.name, lookAtNode
		if x.node == nil {
			c.target = c.component
		}
	case x.kind == traitDependency && x.service != nil:
		c.component, c.category = x.name, CategoryDependency
		c.verb, c.reason = VerbLogs, "its last lines say why"
		if troubleOf(x.service) == onPurpose {
			c.verb, c.reason = VerbStart, fmt.Sprintf("%s need it, and nothing else starts it again", howMany(r.victims))
		}
	case x.kind == traitImage && x.trouble != "":
		c.category = CategoryRollout
		return r.lookAtFirst(c, "what the new version says")
	default:
		return r.lookAtFirst(c, "it is among the first that failed")
	}
	return c
}

func nodeID(n *schema.NodeSummary) string {
	if n == nil {
		return ""
	}
	return n.ID
}

// lookAtFirst makes the log of the first that failed the step.
func (r *ruler) lookAtFirst(c cause, why string) cause {
	if first := r.firstOf(r.victims); len(first) > 0 {
		c.verb, c.target, c.reason = VerbLogs, first[0].Object().String(), why
	}
	return c
}
