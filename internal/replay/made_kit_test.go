package replay_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// world is a made-up cluster: what is changed in it between two looks is in the next snapshot. It begins at 08:00.
type world struct {
	t        *testing.T
	snapshot schema.ClusterContext
	services []*schema.ServiceSummary
	now      time.Time // of the last look
	every    time.Duration
	lines    []look
	dice     *rand.Rand // of a seed that never changes
}

// look is one snapshot as it is recorded.
type look struct {
	at   time.Time
	text []byte
}

// begins is when the made-up clusters are first looked at.
var begins = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

func newWorld(t *testing.T, cluster string, every time.Duration, nodes ...string) *world {
	w := &world{t: t, every: every, now: begins.Add(-every), dice: rand.New(rand.NewPCG(1, 2))}
	w.snapshot = schema.ClusterContext{
		Schema: schema.ContextVersion, ClusterName: cluster, Collector: "web1-4f1c", Host: "web1", IntervalSeconds: every.Seconds(),
		Source: "docker", CountersSince: begins.AddDate(0, 0, -1), RecentEvents: []schema.ClusterEvent{}, ActiveAlerts: []schema.AlertSummary{},
	}
	for _, id := range nodes {
		w.snapshot.Nodes = append(w.snapshot.Nodes, schema.NodeSummary{
			ID: id, Status: schema.NodeHealthy, CPUPercent: new(22.0), MemoryPercent: new(48.0), BootAt: begins.AddDate(0, 0, -10), GPUs: []schema.GPUSummary{},
		})
	}
	return w
}

// clock is the time of day, also after midnight, at which something happens.
func clock(hour, minute, second int) time.Time {
	return begins.Add(time.Duration(hour-8)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second)
}

// until looks at the cluster, each interval, as long as it is before the time of day. What happens then is in the next look.
func (w *world) until(hour, minute, second int) {
	for !w.now.Add(w.every).After(clock(hour, minute, second)) {
		w.look()
	}
}

// while is until, with something done before each look.
func (w *world) while(hour, minute, second int, do func(at time.Time)) {
	for !w.now.Add(w.every).After(clock(hour, minute, second)) {
		do(w.now.Add(w.every))
		w.look()
	}
}

// skip takes no look up to the time of day.
func (w *world) skip(hour, minute, second int) {
	for !w.now.Add(w.every).After(clock(hour, minute, second)) {
		w.now = w.now.Add(w.every)
	}
}

func (w *world) look() {
	w.now = w.now.Add(w.every)
	s := w.snapshot
	s.TakenAt = w.now
	s.Services = make([]schema.ServiceSummary, len(w.services))
	for i, v := range w.services {
		s.Services[i] = *v
	}
	for i := range s.Nodes {
		if s.Nodes[i].Status == schema.NodeHealthy {
			s.Nodes[i].LastSeen = w.now
		}
	}
	text, err := json.Marshal(s)
	if err != nil {
		w.t.Fatal(err)
	}
	w.lines = append(w.lines, look{w.now, text})
}

// looks are the looks at some clusters as they come.
func looks(worlds ...*world) []byte {
	var all []look
	for _, w := range worlds {
		all = append(all, w.lines...)
	}
	slices.SortStableFunc(all, func(a, b look) int { return a.at.Compare(b.at) })
	var out bytes.Buffer
	for _, l := range all {
		out.Write(append(l.text, '\n'))
	}
	return out.Bytes()
}

func (w *world) node(id string) *schema.NodeSummary {
	for i := range w.snapshot.Nodes {
		if w.snapshot.Nodes[i].ID == id {
			return &w.snapshot.Nodes[i]
		}
	}
	w.t.Fatalf("no node %s", id)
	return nil
}

// lost is a node that its cluster calls down.
func (w *world) lost(id string) *schema.NodeSummary {
	n := w.node(id)
	n.Status, n.LastSeen, n.CPUPercent, n.MemoryPercent = schema.NodeDown, w.now, nil, nil
	return n
}

func (w *world) found(id string) *schema.NodeSummary {
	n := w.node(id)
	n.Status, n.CPUPercent, n.MemoryPercent = schema.NodeHealthy, new(19.0), new(44.0)
	return n
}

// service is one more that runs, in the namespace shop, once on each of the nodes; once anywhere if there are none.
func (w *world) service(name string, nodes ...string) *schema.ServiceSummary {
	s := &schema.ServiceSummary{
		Name: name, Namespace: "shop", Runtime: "container", Image: "registry.example/" + name + ":1.4", Status: schema.ServiceHealthy,
		RestartsTotal: new(int64(0)), ErrorsTotal: new(int64(0)), Nodes: nodes,
	}
	w.services = append(w.services, s)
	w.scale(s, max(1, len(nodes)))
	return s
}

// services are some, with a number behind their name, on the nodes in turn.
func (w *world) servicesOn(name string, count int, nodes ...string) []*schema.ServiceSummary {
	var all []*schema.ServiceSummary
	for i := range count {
		all = append(all, w.service(fmt.Sprintf("%s-%02d", name, i+1), nodes[i%len(nodes)]))
	}
	return all
}

// named finds a service.
func (w *world) named(name string) *schema.ServiceSummary {
	for _, s := range w.services {
		if s.Name == name {
			return s
		}
	}
	w.t.Fatalf("no service %s", name)
	return nil
}

// removed takes a service away.
func (w *world) removed(name string) {
	w.services = slices.DeleteFunc(w.services, func(s *schema.ServiceSummary) bool { return s.Name == name })
}

// scale lets so many run, and wants so many.
func (w *world) scale(s *schema.ServiceSummary, count int) {
	s.ReplicasDesired = new(count)
	w.running(s, count)
}

// running lets so many of those run that are wanted.
func (w *world) running(s *schema.ServiceSummary, count int) {
	s.ReplicasRunning, s.Instances, s.Status = new(count), nil, schema.ServiceHealthy
	if wanted := *s.ReplicasDesired; count < wanted {
		s.Status = schema.ServiceDegraded
		if count == 0 {
			s.Status = schema.ServiceStopped
		}
	}
	for i := range max(count, *s.ReplicasDesired) {
		x := schema.Instance{Name: fmt.Sprintf("%s-%s-%d", s.Namespace, s.Name, i+1), State: "running", StartedAt: w.now}
		if i >= count {
			x.State, x.StartedAt = "exited", time.Time{}
		}
		if len(s.Nodes) > 0 {
			x.Node = s.Nodes[i%len(s.Nodes)]
		}
		s.Instances = append(s.Instances, x)
	}
	if s.Status == schema.ServiceHealthy {
		s.RecentLogs = nil
	}
}

// ended lets all of a service end, 5 s after the last look, with an exit code and a last word.
func (w *world) ended(s *schema.ServiceSummary, code int, word string) {
	w.running(s, 0)
	w.failed(s, code, word)
	s.LastFailure.RanFor = new(86400.0)
}

// failed notes a failure of a service, 5 s after the last look.
func (w *world) failed(s *schema.ServiceSummary, code int, word string) {
	s.LastFailure = &schema.Failure{Reason: schema.FailureExit, ExitCode: new(code), At: w.now.Add(5 * time.Second)}
	if word != "" {
		s.RecentLogs = []string{word}
	}
}

// again lets a service end and be restarted n times more; it does not run when it is looked at.
func (w *world) again(s *schema.ServiceSummary, n, code int, word string) {
	w.running(s, 0)
	w.failed(s, code, word)
	s.LastFailure.RanFor = new(1.2)
	s.RestartsTotal = new(*s.RestartsTotal + int64(n))
}

// back lets all of a service run again.
func (w *world) back(s *schema.ServiceSummary) { w.running(s, *s.ReplicasDesired) }

// sick lets the health check of a service fail, well pass.
func (w *world) sick(s *schema.ServiceSummary, why string) {
	s.Health, s.Status, s.RecentLogs = schema.HealthUnhealthy, schema.ServiceDegraded, []string{why}
}

func (w *world) well(s *schema.ServiceSummary) {
	s.Health, s.Status, s.RecentLogs = schema.HealthHealthy, schema.ServiceHealthy, nil
}

// deploy gives a service another image, 5 s after the last look.
func (w *world) deploy(s *schema.ServiceSummary, image string) {
	s.PreviousImage, s.Image, s.LastDeployAt = s.Image, image, w.now.Add(5*time.Second)
	w.event("create", s, "created from "+image)
}

// event is something that happened 5 s after the last look.
func (w *world) event(kind string, s *schema.ServiceSummary, text string) {
	at := w.now.Add(5 * time.Second)
	w.snapshot.RecentEvents = append(w.snapshot.RecentEvents, schema.ClusterEvent{At: at, Kind: kind, Object: s.Namespace + "/" + s.Name, Text: text})
	w.snapshot.RecentEvents = w.snapshot.RecentEvents[max(0, len(w.snapshot.RecentEvents)-20):]
}

// needs is what a service depends on.
func needs(s *schema.ServiceSummary, others ...string) *schema.ServiceSummary {
	s.DependsOn = others
	return s
}
