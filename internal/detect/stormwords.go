package detect

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const mostCommon = 3 // of each kind of thing that what fails has in common

// tally counts what objects have in common.
type tally map[string]int

// tell says how bad a storm is, and what all that it explains has in common.
func (x *explaining) tell(s *storm) {
	conditions, nodes, namespaces, images := tally{}, tally{}, tally{}, tally{}
	all, down, worst := 0, 0, 0
	for i := range x.all {
		f := &x.all[i]
		if !x.inStorm(f) {
			continue
		}
		all++
		worst = max(worst, f.severity)
		if f.rec.find(ServiceDown).Firing || f.rec.find(NodeDown).Firing {
			down++
		}
		for _, c := range f.rec.Conditions {
			if c.Firing {
				conditions[c.Name]++
			}
		}
		for node := range f.rec.Places {
			nodes[node]++
		}
		if f.rec.Object.Kind == schema.KindNode {
			nodes[f.rec.Object.Name]++
		}
		if f.rec.Object.Namespace != "" {
			namespaces[f.rec.Object.Namespace]++
		}
		if f.svc != nil && f.svc.Image != "" {
			images[f.svc.Image]++
		}
	}
	format := fmt.Sprintf("%%s: %d objects failing", all)
	if down > 0 {
		format += fmt.Sprintf(", %d of them down", down)
	}
	s.Failing, s.Severity = all, severityName(worst)
	s.Title = titled(format, x.s.ClusterName)
	s.Facts = facts(conditions.common(""), nodes.common("on "), namespaces.common("in "), images.common("of "))
}

// inStorm tells whether f is a member, or is put down to one.
func (x *explaining) inStorm(f *failing) bool {
	if f.e == nil {
		return f.rec.Alone.in(stormy)
	}
	at, firing := x.at[f.e.By]
	return firing && x.all[at].rec.Alone.in(stormy)
}

// common lists the most frequent ones with their counts, such as "on n1 (50), n2 (3) and 4 more".
func (c tally) common(before string) string {
	if len(c) == 0 {
		return ""
	}
	names := slices.SortedFunc(maps.Keys(c), func(a, b string) int {
		return cmp.Or(cmp.Compare(c[b], c[a]), cmp.Compare(a, b))
	})
	var all []string
	for _, name := range names[:min(len(names), mostCommon)] {
		all = append(all, fmt.Sprintf("%s (%d)", name, c[name]))
	}
	text := before + strings.Join(all, ", ")
	if more := len(names) - len(all); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
