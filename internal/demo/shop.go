package demo

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const (
	cluster   = "demo-shop"
	namespace = "shop"
	cause     = "db" // the service that stops
)

// shop is six services that need each other. Its zero value is well.
type shop struct{ failed atomic.Pointer[time.Time] } // when db stopped; nil: it runs

// stop stops db.
func (s *shop) stop(at time.Time) { s.failed.Store(&at) }

// recover starts it again.
func (s *shop) recover() { s.failed.Store(nil) }

// scene is the shop at a moment. Those that need db stay up and complain, which no rule calls an incident of their own.
func (s *shop) scene(at time.Time) schema.ClusterContext {
	failed := s.failed.Load()
	needs := [][]string{
		{"gateway", "checkout", "search"}, {"checkout", "cart", "payments"}, {"cart", cause}, {"payments", cause}, {"search", cause}, {cause},
	}
	c := schema.ClusterContext{Source: "docker", Nodes: []schema.NodeSummary{{ID: "demo-node", Status: schema.NodeHealthy, LastSeen: at}}}
	for _, n := range needs {
		c.Services = append(c.Services, service(n[0], n[1:], failed))
	}
	if failed != nil {
		c.RecentEvents = []schema.ClusterEvent{{At: *failed, Kind: "die", Object: namespace + "/" + cause, Text: "exit 1"}}
	}
	return c
}

func service(name string, needs []string, failed *time.Time) schema.ServiceSummary {
	s := schema.ServiceSummary{
		Name: name, Namespace: namespace, Runtime: "container", Image: "shop/" + name + ":2.1", Status: schema.ServiceHealthy,
		ReplicasRunning: new(1), ReplicasDesired: new(1), RestartsTotal: new(int64(0)), DependsOn: needs, Nodes: []string{"demo-node"},
		Instances: []schema.Instance{{Name: "shop-" + name + "-1", Node: "demo-node", State: "running"}},
	}
	switch {
	case failed == nil:
	case name == cause:
		s.ReplicasRunning, s.Status, s.Instances[0].State = new(0), schema.ServiceStopped, "exited"
		s.LastFailure = &schema.Failure{Reason: schema.FailureExit, ExitCode: new(1), At: *failed, RanFor: new(86_400.0)}
		s.RecentLogs = []string{
			"LOG:  checkpoint starting: time", "PANIC:  could not write to file \"pg_wal/xlogtemp.81\": No space left on device",
		}
	case len(needs) > 0 && needs[0] == cause:
		s.Status, s.ErrorCount1h = schema.ServiceDegraded, new(int64(9))
		s.RecentLogs = []string{fmt.Sprintf("error: %s: connect to db:5432: connection refused, trying again", name)}
	}
	return s
}
