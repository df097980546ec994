package diagnose

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// What decides whether something that many victims have in common is worth saying.
const (
	minShare  = 0.8 // of the victims that have it
	minLift   = 1.3 // how much more frequent it is among them than among all services
	sureShare = 0.95
	maxShared = 3
	maxReach  = 64 // dependencies of one victim that are looked at
)

// trait is something that services have in common. Of a dependency service is set, of a node node, if the snapshot has it.
type trait struct {
	kind string // node, dependency, image, namespace
	name string
}

const (
	traitNode       = "node"
	traitDependency = "dependency"
	traitImage      = "image"
	traitNamespace  = "namespace"
)

// shared is a trait of many victims.
type shared struct {
	trait
	n, of    int
	trouble  string // what is wrong with it, or what happened to it; empty: nothing that shows
	node     *schema.NodeSummary
	service  *schema.ServiceSummary
	deployed time.Time
}

// text states it with its share: "996 of 998 run on n7 (down; last seen 03:02:00 UTC)".
func (x *shared) text() string {
	var text string
	switch x.kind {
	case traitNode:
		text = shareOf(x.n, x.of) + " " + verbFor(x.n, "runs", "run") + " on " + x.name
	case traitDependency:
		text = shareOf(x.n, x.of) + " " + verbFor(x.n, "depends", "depend") + " on " + x.name
	case traitImage:
		text = shareOf(x.n, x.of) + " " + verbFor(x.n, "runs", "run") + " the image " + x.name
	default:
		text = shareOf(x.n, x.of) + " " + verbFor(x.n, "is", "are") + " in the namespace " + x.name
	}
	if x.trouble != "" {
		text += ", " + x.trouble
	}
	return text
}

func (x *shared) share() float64 { return float64(x.n) / float64(max(x.of, 1)) }

// shared finds what most of victims have in common: first what is in trouble itself, then what the others have far less
// often. A node that is the only one, or a namespace that everything is in, tells nothing.
func (v *View) shared(victims []schema.Affected) []shared {
	counts := map[trait]int{}
	known := 0
	for _, a := range victims {
		if s := v.service(a.Object); s != nil {
			known++
			for _, t := range v.traits(s) {
				counts[t]++
			}
		}
	}
	var found []shared
	for t, n := range counts {
		if float64(n) < minShare*float64(known) || n < 2 {
			continue
		}
		x := v.troubled(shared{trait: t, n: n, of: len(victims)}, victims)
		if x.trouble != "" || v.telling(&x) {
			found = append(found, x)
		}
	}
	slices.SortFunc(found, byWeight)
	return found[:min(len(found), maxShared)]
}

// traits lists what s may have in common with others, each once.
func (v *View) traits(s *schema.ServiceSummary) []trait {
	var all []trait
	add := func(kind, name string) {
		if t := (trait{kind, name}); name != "" && !slices.Contains(all, t) {
			all = append(all, t)
		}
	}
	add(traitImage, s.Image)
	add(traitNamespace, s.Namespace)
	for _, id := range s.Nodes {
		add(traitNode, id)
	}
	for _, in := range s.Instances {
		add(traitNode, in.Node)
	}
	for _, d := range v.reach(s) {
		all = append(all, trait{traitDependency, d.Object().String()})
	}
	return all
}

// reach lists what s depends on, directly or through up to maxSteps others, the nearest first, at most maxReach.
func (v *View) reach(s *schema.ServiceSummary) []*schema.ServiceSummary {
	seen := map[*schema.ServiceSummary]bool{s: true}
	var all []*schema.ServiceSummary
	near := []*schema.ServiceSummary{s}
	for step := 0; step < maxSteps && len(near) > 0; step++ {
		var far []*schema.ServiceSummary
		for _, x := range near {
			for _, name := range x.DependsOn {
				if d := v.dependency(x, name); d != nil && !seen[d] && len(all) < maxReach {
					seen[d] = true
					all, far = append(all, d), append(far, d)
				}
			}
		}
		near = far
	}
	return all
}

// troubled says what is wrong with what victims share.
func (v *View) troubled(x shared, victims []schema.Affected) shared {
	now := v.snap.TakenAt
	switch x.kind {
	case traitNode:
		x.node = v.node(x.name)
		switch {
		case x.node == nil && len(v.snap.Nodes) > 0:
			x.trouble = "which is not in the snapshot"
		case x.node != nil:
			if _, wrong, ok := strings.Cut(nodeTrouble(x.node, now), ": "); ok {
				x.trouble = "which is in trouble itself (" + wrong + ")"
			}
		}
	case traitDependency:
		x.service = v.serviceBy(x.name)
		if x.service == nil { // two print alike
			return x
		}
		if slices.ContainsFunc(victims, func(a schema.Affected) bool { return a.Object == x.service.Object() }) {
			x.of-- // it does not depend on itself
		}
		switch troubleOf(x.service) {
		case well:
		case onPurpose:
			x.trouble = "which is not running (" + v.stopped(x.service) + ")"
		case down, failing, degraded:
			x.trouble = "which is in trouble itself (" + state(x.service) + ")"
		}
	case traitImage:
		if x.deployed = v.deployedAt(x.name); !x.deployed.IsZero() {
			x.trouble = "deployed " + clock(x.deployed, now)
		}
	}
	return x
}

// deployedAt is when an image was first deployed lately; zero: it was not.
func (v *View) deployedAt(image string) time.Time {
	var first time.Time
	for i := range v.snap.Services {
		s := &v.snap.Services[i]
		if s.Image == image && v.lately(s.LastDeployAt) && (first.IsZero() || s.LastDeployAt.Before(first)) {
			first = s.LastDeployAt
		}
	}
	return first
}

// telling tells whether x is so much more frequent among the victims than among all services that it sets them apart.
func (v *View) telling(x *shared) bool {
	holders := 0
	if x.kind == traitDependency {
		if x.service == nil {
			return false
		}
		holders = len(v.dependents(x.service))
	}
	for i := range v.snap.Services {
		s := &v.snap.Services[i]
		switch {
		case x.kind == traitNode && runsOn(s, x.name), x.kind == traitImage && s.Image == x.name, x.kind == traitNamespace && s.Namespace == x.name:
			holders++
		}
	}
	return x.share() >= minLift*float64(holders)/float64(max(len(v.snap.Services), 1))
}

// byWeight puts what is in trouble before what only sets the victims apart, then nodes before what they run.
func byWeight(a, b shared) int {
	order := []string{traitNode, traitDependency, traitImage, traitNamespace}
	weight := func(x *shared) int {
		w := slices.Index(order, x.kind)
		if x.trouble == "" {
			w += len(order)
		}
		return w
	}
	purpose := func(x *shared) int {
		if x.service != nil && troubleOf(x.service) == onPurpose {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(weight(&a), weight(&b)), cmp.Compare(purpose(&a), purpose(&b)), cmp.Compare(b.n, a.n), cmp.Compare(a.name, b.name))
}
