package detect

import (
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// place is a node that instances of a service ran on, and how many; 0: nothing says.
type place struct {
	Node string `json:"node"`
	N    int    `json:"n,omitempty"`
}

const maxPlaces = 32 // nodes that are remembered of one service; of one on more nothing is

// ran is where the service ran when all of it last did, or else when the first of its conditions began: a snapshot may
// lose what was on a node together with it. Of a service that is well nothing is remembered.
func (r *record) ran(s *schema.ServiceSummary) []place {
	if len(r.Conditions) == 0 {
		return nil
	}
	if r.Ran != nil && !whole(s) {
		return r.Ran
	}
	now := places(s, func(schema.Instance) bool { return true })
	if len(now) == 0 || len(now) > maxPlaces || slices.Equal(now, r.Ran) {
		return r.Ran
	}
	return now
}

func whole(s *schema.ServiceSummary) bool {
	return s.ReplicasRunning != nil && s.ReplicasDesired != nil && *s.ReplicasRunning > 0 &&
		*s.ReplicasRunning >= *s.ReplicasDesired && s.Health != schema.HealthUnhealthy
}

// places are the nodes of those instances, sorted; where no instance says its node, those of the service.
func places(s *schema.ServiceSummary, of func(schema.Instance) bool) []place {
	var all []place
	told := false
	for _, i := range s.Instances {
		if i.Node == "" {
			continue
		}
		told = true
		if !of(i) {
			continue
		}
		at, known := slices.BinarySearchFunc(all, i.Node, func(p place, node string) int { return strings.Compare(p.Node, node) })
		if !known {
			all = slices.Insert(all, at, place{Node: i.Node})
		}
		all[at].N++
	}
	if !told {
		for _, node := range s.Nodes {
			all = append(all, place{Node: node})
		}
		slices.SortFunc(all, func(a, b place) int { return strings.Compare(a.Node, b.Node) })
	}
	return slices.Compact(all)
}

// placed puts down to nodes that are down what ran on them.
func (x *explaining) placed() {
	down := map[string]int32{}
	for i := range x.all {
		if f := &x.all[i]; f.rec.Object.Kind == schema.KindNode && f.worth > 0 {
			down[f.rec.Object.Name] = int32(i)
		}
	}
	if len(down) == 0 {
		return
	}
	for i := range x.all {
		f := &x.all[i]
		if !f.seeks(byPlacement) {
			continue
		}
		first := int32(-1)
		for _, node := range f.lost() {
			at, is := down[node]
			if !is {
				first = -1
				break
			}
			if first < 0 || x.precedes(at, first) {
				first = at
			}
		}
		if first >= 0 && x.all[first].worth >= f.severity && x.inTime(f, x.all[first].began) {
			x.link(f, first, byPlacement)
		}
	}
}

// lost lists the nodes that what fails of a service was on; an empty name where that is not known.
func (f *failing) lost() []string {
	var nodes []string
	listed := []place{}
	if f.svc != nil {
		listed = places(f.svc, func(schema.Instance) bool { return true })
		for _, i := range f.svc.Instances {
			if (i.State != "" && i.State != "running" || i.Health == schema.HealthUnhealthy) && !slices.Contains(nodes, i.Node) {
				nodes = append(nodes, i.Node)
			}
		}
	}
	down := f.rec.find(ServiceDown).Firing
	for _, p := range f.rec.Ran {
		there := slices.IndexFunc(listed, func(l place) bool { return l.Node == p.Node })
		if down || there < 0 || p.N > listed[there].N {
			nodes = append(nodes, p.Node)
		}
	}
	if len(nodes) == 0 { // what is missing may be on any of them
		for _, p := range listed {
			nodes = append(nodes, p.Node)
		}
	}
	return nodes
}
