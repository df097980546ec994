package collector

import (
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// names gives every node that sources call differently the name that the first of them gave it. One source may know a
// machine by its short name and another one with its domain; which of the two it is does not depend on which can be read.
func (c *Collector) names() map[string]string {
	type known struct {
		id     string
		reader *reader
	}
	byLabel := map[string][]known{}
	for _, r := range c.readers {
		if r.absent != nil {
			continue
		}
		for _, n := range r.part.Snapshot.Nodes {
			all := byLabel[label(n.ID)]
			if !slices.ContainsFunc(all, func(k known) bool { return k.id == n.ID }) {
				byLabel[label(n.ID)] = append(all, known{n.ID, r})
			}
		}
	}
	names := map[string]string{}
	for _, all := range byLabel {
		// Of three it is not plain which two are the same, and those of one source are two.
		if len(all) == 2 && all[0].reader != all[1].reader && qualifies(all[0].id, all[1].id) {
			names[all[1].id] = all[0].id
		}
	}
	return names
}

// label is a host's name without its domain, which not everybody writes.
func label(host string) string {
	first, _, _ := strings.Cut(host, ".")
	return strings.ToLower(first)
}

// qualifies tells whether one of two names of the same label is the other with its domain.
func qualifies(a, b string) bool { return strings.Contains(a, ".") != strings.Contains(b, ".") }

// renamed are nodes under the names that the snapshot calls them by.
func renamed(nodes []schema.NodeSummary, names map[string]string) []schema.NodeSummary {
	nodes = slices.Clone(nodes)
	for i := range nodes {
		nodes[i].ID = or(names[nodes[i].ID], nodes[i].ID)
	}
	return nodes
}

// rename makes a service name its nodes as the snapshot does. What its source still holds is not changed in place.
func rename(s *schema.ServiceSummary, names map[string]string) {
	if len(names) == 0 {
		return
	}
	s.Nodes, s.Instances = slices.Clone(s.Nodes), slices.Clone(s.Instances)
	for i, node := range s.Nodes {
		s.Nodes[i] = or(names[node], node)
	}
	for i := range s.Instances {
		s.Instances[i].Node = or(names[s.Instances[i].Node], s.Instances[i].Node)
	}
}
