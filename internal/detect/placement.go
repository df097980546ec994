package detect

import (
	"maps"
	"slices"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// places are nodes that instances of a service ran on, and how many did; 0: nothing says.
type places map[string]int

const (
	maxPlaces = 32   // nodes that are remembered of one service; of one on more nothing is
	maxPlaced = 5000 // services of which any are remembered at once
)

// where is where the service ran when all of it last did, or else when the first of its conditions began: a snapshot may
// lose what was on a node together with it. Of a service that is well nothing is remembered.
func (r *record) where(s *schema.ServiceSummary) places {
	if len(r.Conditions) == 0 {
		return nil
	}
	if r.Places != nil && !whole(s) {
		return r.Places
	}
	now := placesOf(s)
	if len(now) == 0 || len(now) > maxPlaces || maps.Equal(now, r.Places) {
		return r.Places
	}
	return now
}

func whole(s *schema.ServiceSummary) bool {
	return s.ReplicasRunning != nil && s.ReplicasDesired != nil && *s.ReplicasRunning > 0 &&
		*s.ReplicasRunning >= *s.ReplicasDesired && s.Health != schema.HealthUnhealthy
}

// placesOf are the nodes of the service's instances; where none of them says its node, those of the service.
func placesOf(s *schema.ServiceSummary) places {
	all := places{}
	for _, i := range s.Instances {
		if i.Node != "" {
			all[i.Node]++
		}
	}
	if len(all) == 0 {
		for _, node := range s.Nodes {
			all[node] = 0
		}
	}
	return all
}

// boundPlaces forgets what is too many for the memory's record. What the snapshot still shows counts all the same.
func boundPlaces(records []record) {
	n := 0
	for i := range records {
		if r := &records[i]; r.Places != nil {
			if n++; n > maxPlaced {
				r.Places = nil
			}
		}
	}
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
	var listed places
	if f.svc != nil {
		listed = placesOf(f.svc)
		known := map[string]bool{}
		for _, i := range f.svc.Instances {
			if (i.State != "" && i.State != "running" || i.Health == schema.HealthUnhealthy) && !known[i.Node] {
				known[i.Node] = true
				nodes = append(nodes, i.Node)
			}
		}
	}
	down := f.rec.find(ServiceDown).Firing
	for node, n := range f.rec.Places {
		if left, there := listed[node]; down || !there || n > left {
			nodes = append(nodes, node)
		}
	}
	if len(nodes) == 0 { // what is missing may be on any of them
		return slices.AppendSeq(nodes, maps.Keys(listed))
	}
	return nodes
}
