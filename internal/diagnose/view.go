package diagnose

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// View is a snapshot with its objects indexed. Freezing and diagnosing many objects of one snapshot takes one View;
// it must not be used while the snapshot changes. It is safe for concurrent use.
type View struct {
	snap     *schema.ClusterContext
	services map[schema.Object]int
	named    map[string][]int // Object.String and bare name → services
	nodes    map[string]int
	logs     func() templater               // made when first needed
	needed   func() map[schema.Object][]int // likewise: who declares to depend on a service
	counted  func() census                  // likewise: how many of what there are
}

// NewView indexes s. A nil s is a snapshot of nothing.
func NewView(s *schema.ClusterContext) *View {
	if s == nil {
		s = &schema.ClusterContext{}
	}
	v := &View{
		snap:     s,
		services: make(map[schema.Object]int, len(s.Services)),
		named:    make(map[string][]int, len(s.Services)),
		nodes:    make(map[string]int, len(s.Nodes)),
		logs:     sync.OnceValue(newTemplater),
	}
	for i := range s.Services {
		o := s.Services[i].Object()
		v.services[o] = i
		v.named[o.String()] = append(v.named[o.String()], i)
		if o.Namespace != "" {
			v.named[o.Name] = append(v.named[o.Name], i)
		}
	}
	for i := range s.Nodes {
		v.nodes[s.Nodes[i].ID] = i
	}
	v.needed = sync.OnceValue(v.whoNeeds)
	v.counted = sync.OnceValue(v.count)
	return v
}

// Nodes are those that a service runs on, or ran on as far as its instances tell.
func (v *View) Nodes(o schema.Object) []string {
	s := v.service(o)
	if s == nil {
		return nil
	}
	nodes := slices.Clone(s.Nodes)
	for i := range s.Instances {
		if node := s.Instances[i].Node; node != "" {
			nodes = append(nodes, node)
		}
	}
	return nodes
}

func (v *View) service(o schema.Object) *schema.ServiceSummary {
	if o.Kind != schema.KindService {
		return nil
	}
	if i, ok := v.services[o]; ok {
		return &v.snap.Services[i]
	}
	return nil
}

func (v *View) node(id string) *schema.NodeSummary {
	if i, ok := v.nodes[id]; ok {
		return &v.snap.Nodes[i]
	}
	return nil
}

// serviceBy finds the one service whose Object prints as target. Two services may print alike; then there is none.
func (v *View) serviceBy(target string) *schema.ServiceSummary {
	var found *schema.ServiceSummary
	for _, i := range v.named[target] {
		s := &v.snap.Services[i]
		if s.Object().String() != target {
			continue
		}
		if found != nil {
			return nil
		}
		found = s
	}
	return found
}

// exists tells whether target is the printed form of a service or node of the snapshot.
func (v *View) exists(target string) bool {
	return v.serviceBy(target) != nil || v.node(target) != nil
}

// dependency finds what s calls name: a service beside it in its namespace, or else the only one of that name.
func (v *View) dependency(s *schema.ServiceSummary, name string) *schema.ServiceSummary {
	beside := schema.Object{Kind: schema.KindService, Namespace: s.Namespace, Name: name}
	if d := v.service(beside); d != nil {
		return d
	}
	if found := v.named[name]; len(found) == 1 {
		return &v.snap.Services[found[0]]
	}
	return nil
}

// nodesOf lists the nodes of the snapshot that s runs or ran on, each once.
func (v *View) nodesOf(s *schema.ServiceSummary) []*schema.NodeSummary {
	ids := slices.Clone(s.Nodes)
	for _, in := range s.Instances {
		ids = append(ids, in.Node)
	}
	var nodes []*schema.NodeSummary
	for _, id := range ids {
		if n := v.node(id); n != nil && !slices.Contains(nodes, n) {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

func runsOn(s *schema.ServiceSummary, node string) bool {
	return slices.Contains(s.Nodes, node) ||
		slices.ContainsFunc(s.Instances, func(in schema.Instance) bool { return in.Node == node })
}

// trouble is what is wrong with a service that others depend on.
type trouble int

const (
	well      trouble = iota
	onPurpose         // stopped by somebody
	down              // nothing of it runs though it should
	failing           // it runs, but restarts or fails its health check
	degraded          // some of it runs
)

func troubleOf(s *schema.ServiceSummary) trouble {
	running, desired := s.ReplicasRunning, s.ReplicasDesired
	switch {
	case running != nil && *running == 0 && s.Job != nil && s.Job.LastExitCode == 0:
		return well // it ended, as it should
	case running != nil && *running == 0 && s.Job != nil:
		return down // a job that others wait for, and that failed
	case s.NotWanted != "" && (running == nil || *running == 0):
		return onPurpose
	case running != nil && *running == 0 && (desired == nil || *desired > 0), s.Status == schema.ServiceStopped:
		return down
	case s.Health == schema.HealthUnhealthy || restarting(s):
		return failing
	case running != nil && desired != nil && *running < *desired:
		return degraded
	}
	return well
}

// restarting tells whether the runtime itself is restarting an instance right now.
func restarting(s *schema.ServiceSummary) bool {
	for _, in := range s.Instances {
		if in.State == "restarting" || strings.HasPrefix(in.State, "auto-restart") { // Docker's word, systemd's
			return true
		}
	}
	return false
}

// blame follows the declared dependencies of s to the service at the bottom of the chain that is in trouble. It is
// nil when every dependency is well.
func (v *View) blame(s *schema.ServiceSummary) *schema.ServiceSummary {
	seen := map[schema.Object]bool{s.Object(): true}
	var guilty *schema.ServiceSummary
	for at := s; at != nil; {
		next := v.worstDependency(at, seen)
		if next != nil {
			guilty = next
			seen[next.Object()] = true
		}
		at = next
	}
	return guilty
}

func (v *View) worstDependency(s *schema.ServiceSummary, seen map[schema.Object]bool) *schema.ServiceSummary {
	var worst *schema.ServiceSummary
	for _, name := range s.DependsOn {
		d := v.dependency(s, name)
		if d == nil || seen[d.Object()] || troubleOf(d) == well {
			continue
		}
		if worst == nil || troubleOf(d) < troubleOf(worst) {
			worst = d
		}
	}
	return worst
}

// stoppedAt is when s was stopped, as far as recent events tell.
func (v *View) stoppedAt(s *schema.ServiceSummary) time.Time {
	var last time.Time
	for _, e := range v.snap.RecentEvents {
		ended := e.Kind == "die" || e.Kind == "stop" || e.Kind == "kill" || e.Kind == "destroy" || strings.Contains(e.Text, "stopped")
		if ended && e.At.After(last) && (e.Object == s.Object().String() || s.Namespace == "" && e.Object == s.Name) {
			last = e.At
		}
	}
	return last
}

// stopped says why s is not wanted, and since when: "stopped by hand 03:02:11 UTC".
func (v *View) stopped(s *schema.ServiceSummary) string {
	if at := v.stoppedAt(s); !at.IsZero() {
		return s.NotWanted + " " + clock(at, v.snap.TakenAt)
	}
	return s.NotWanted
}

// isFrom tells whether a kind is among a snapshot's source, a comma-separated list.
func isFrom(source, kind string) bool {
	for one := range strings.SplitSeq(source, ",") {
		if strings.TrimSpace(one) == kind {
			return true
		}
	}
	return false
}
