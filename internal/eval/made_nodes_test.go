package eval_test

import (
	"time"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func nodeFilms() []film {
	return []film{
		{"condition-node-down", []string{detect.NodeDown}, 15 * time.Second, "08:13", nodeDown},
		{"condition-node-unseen", []string{detect.NodeDown}, 15 * time.Second, "08:13", nodeUnseen},
		{"condition-node-draining", []string{detect.NodeDown}, 30 * time.Second, "08:45", nodeDraining},
		{"condition-node-rebooted", []string{detect.NodeRebooted}, 30 * time.Second, "08:55", nodeRebooted},
	}
}

func nodeDown(n now, s *schema.ClusterContext) bool {
	n1 := schema.NodeSummary{ID: "n1", Status: schema.NodeHealthy}
	if n.in("08:02", "08:02:15") || n.in("08:05", "08:08") || n.in("08:08:45", "08:09") {
		n1.Status = schema.NodeDown
	}
	s.Nodes = append(s.Nodes, n1, schema.NodeSummary{ID: "n2", Status: schema.NodeHealthy})
	return true
}

func nodeUnseen(n now, s *schema.ClusterContext) bool {
	seen := func(id string, from, to string) {
		x := schema.NodeSummary{ID: id, LastSeen: n.Time}
		if n.in(from, to) {
			x.LastSeen = clock(from)
		}
		s.Nodes = append(s.Nodes, x)
	}
	seen("n1", "08:05", "08:10")
	seen("n2", "08:05", "08:07") // a pause of two minutes
	return true
}

func nodeDraining(n now, s *schema.ClusterContext) bool {
	type c = change[string]
	const up, draining, down = schema.NodeHealthy, schema.NodeDraining, schema.NodeDown
	s.Nodes = append(
		s.Nodes,
		schema.NodeSummary{ID: "back", Status: step(n, up, c{"08:05", draining}, c{"08:06", down}, c{"08:26", up})},
		schema.NodeSummary{ID: "forgotten", Status: step(n, up, c{"08:05", draining}, c{"08:06", down}, c{"08:40", up})},
	)
	return true
}

func nodeRebooted(n now, s *schema.ClusterContext) bool {
	type c = change[time.Time]
	s.Nodes = append(
		s.Nodes,
		schema.NodeSummary{ID: "n1", Status: schema.NodeHealthy, BootAt: step(n, clock("01:00"), c{"08:20", clock("08:19:40")})},
		schema.NodeSummary{ID: "adjusted", Status: schema.NodeHealthy, BootAt: step(n, clock("01:00"), c{"08:20", clock("01:00:40")})},
		schema.NodeSummary{ID: "twice", Status: schema.NodeHealthy, BootAt: step(n, clock("07:59"), c{"08:01", clock("08:00:40")})},
	)
	return true
}
