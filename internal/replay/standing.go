package replay

import (
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Standing is what is known of a cluster once a snapshot of it has come, whether it was taken or dropped.
type Standing struct {
	At      time.Time // when it was taken
	Cluster string

	stored   time.Time
	memory   detect.Memory
	snapshot schema.ClusterContext
	rules    detect.Rules
}

// look hands on how things stand, if somebody wants that.
func (p *player) look(s *schema.ClusterContext, stored time.Time) {
	if p.dry.Look != nil {
		p.dry.Look(Standing{At: s.TakenAt, Cluster: s.ClusterName, stored: stored, memory: p.memories[s.ClusterName], snapshot: *s, rules: p.rules})
	}
}

// Why tells as `bellbuoy why` does why the conditions of an object, by its name in the cluster, are or are not alerting at
// now, by the clock of the snapshots. The cluster's own name is the cluster as a whole, with whoever publishes it.
func (s *Standing) Why(name string, now time.Time) []detect.Reason {
	if name == s.Cluster {
		silent := detect.WhySilent(s.Cluster, s.memory, s.stored, s.stored.Add(now.Sub(s.At)), s.rules)
		return slices.Concat([]detect.Reason{silent}, detect.Why(s.memory, nil, s.rules, detect.Cluster(s.Cluster)),
			detect.Why(s.memory, nil, s.rules, detect.Collector(s.Cluster)), detect.Why(s.memory, nil, s.rules, detect.Clock(s.Cluster)))
	}
	return detect.Why(s.memory, &s.snapshot, s.rules, s.object(name))
}

// object finds what bears the name: a source that cannot be read, a node, or else a service.
func (s *Standing) object(name string) schema.Object {
	if slices.ContainsFunc(s.snapshot.Stale, func(p schema.StalePart) bool { return p.Source == name }) || slices.Contains(detect.Sources(&s.snapshot), name) {
		return detect.Source(name)
	}
	if slices.ContainsFunc(s.snapshot.Nodes, func(n schema.NodeSummary) bool { return n.ID == name }) {
		return schema.Object{Kind: schema.KindNode, Name: name}
	}
	namespace, own, some := strings.Cut(name, "/")
	if !some {
		namespace, own = "", name
	}
	return schema.Object{Kind: schema.KindService, Namespace: namespace, Name: own}
}
