package diagnose

import (
	"fmt"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// KindCluster is the kind of the last piece of evidence: the rest of the cluster, and what was left out, in numbers.
const KindCluster = "cluster"

// census counts what a snapshot holds. A View makes it once.
type census struct {
	services, troubled, unwanted, nodes, nodesTroubled int
}

func (v *View) count() census {
	n := census{services: len(v.snap.Services), nodes: len(v.snap.Nodes)}
	for i := range v.snap.Services {
		switch troubleOf(&v.snap.Services[i]) {
		case well:
		case onPurpose:
			n.unwanted++
		case down, failing, degraded:
			n.troubled++
		}
	}
	for i := range v.snap.Nodes {
		if nodeTrouble(&v.snap.Nodes[i], v.snap.TakenAt) != "" {
			n.nodesTroubled++
		}
	}
	return n
}

// rest notes the cluster around the object, and how much is known that has no evidence of its own.
func (f *freezer) rest() {
	n := f.counted()
	parts := []string{fmt.Sprintf("%d of %d services in trouble", n.troubled, n.services)}
	if n.unwanted > 0 {
		parts[0] += fmt.Sprintf(", %d stopped on purpose", n.unwanted)
	}
	if n.nodes > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d nodes in trouble", n.nodesTroubled, n.nodes))
	}
	for _, x := range []struct {
		n    int
		what string
	}{
		{f.left.neighbours, "neighbours"}, {f.left.events, "kinds of event"}, {f.left.templates, "kinds of log line"},
	} {
		if x.n > 0 {
			parts = append(parts, fmt.Sprintf("%d more %s are not shown", x.n, x.what))
		}
	}
	f.add(KindCluster, "", f.now, list(parts))
}

// left counts what the bounds of each kind of evidence left out.
type left struct{ neighbours, events, templates int }

// withRest numbers what fits of items and puts last, the rest in numbers, behind it. It counts what does not fit.
func withRest(items []schema.Evidence, last schema.Evidence) []schema.Evidence {
	kept := bounded(items, schema.MaxEvidenceBytes-maxRest)
	if more := len(items) - len(kept); more > 0 {
		last.Text += fmt.Sprintf("; %d pieces of evidence had no room", more)
	}
	last.ID = fmt.Sprintf("E%d", len(kept)+1)
	return append(kept, last)
}

// maxRest is the room that the last piece of evidence takes at most, in bytes.
const maxRest = 1000
