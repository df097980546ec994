package decide_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/decide"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

var (
	start    = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	epoch    = start.AddDate(0, 0, -1)
	interval = 15 * time.Second
)

// world is a cluster over time and the conversations about it, decided by the real rules.
type world struct {
	t      testing.TB
	now    schema.ClusterContext // the newest snapshot, to be changed for the next one
	seq    uint64
	memory detect.Memory
	talks  map[string]schema.Conversation
	founds []conversation.Found // of the newest snapshot
	order  []string             // in which conversations changed with it
}

func newWorld(t testing.TB) *world {
	return &world{t: t, talks: map[string]schema.Conversation{}, now: schema.ClusterContext{
		ClusterName: "prod", TakenAt: start, IntervalSeconds: interval.Seconds(), Source: "docker",
	}}
}

// runs adds a service of one replica on a node, or says how many of it run now.
func (w *world) runs(name string, n int, node string, needs ...string) {
	s := schema.ServiceSummary{
		Name: name, Namespace: "shop", ReplicasRunning: new(n), ReplicasDesired: new(1), DependsOn: needs,
		Instances: []schema.Instance{{Name: name + "-1", Node: node, State: map[int]string{0: "exited", 1: "running"}[n]}},
	}
	services := slices.Clone(w.now.Services)
	if i := slices.IndexFunc(services, func(x schema.ServiceSummary) bool { return x.Name == name }); i >= 0 {
		services[i] = s
	} else {
		services = append(services, s)
	}
	w.now.Services = services
}

func (w *world) node(id, status string) {
	nodes := slices.DeleteFunc(slices.Clone(w.now.Nodes), func(n schema.NodeSummary) bool { return n.ID == id })
	w.now.Nodes = append(nodes, schema.NodeSummary{ID: id, Status: status})
}

// pass lets n snapshots come.
func (w *world) pass(n int) {
	w.t.Helper()
	for range n {
		w.seq++
		w.now.TakenAt = w.now.TakenAt.Add(interval)
		step := decide.New(w.now, detect.Position{Seq: w.seq, Epoch: epoch, At: w.now.TakenAt}, detect.Default())
		next, result := step.Detect(w.memory)
		if result.Dropped != "" {
			w.t.Fatal(result.Dropped)
		}
		w.memory, w.order, w.founds = next, nil, step.Founds(w)
		for _, f := range w.founds {
			id := schema.ConversationID(f.Cluster, f.Object)
			c, _ := step.Next(w.talks[id], f, func() string { return "" })
			if c.Revision != w.talks[id].Revision {
				w.order = append(w.order, f.Object.String()+" "+c.Messages[len(c.Messages)-1].Kind)
				w.talks[id] = c
			}
		}
	}
}

// say has a person say something to a conversation.
func (w *world) say(object, text string) {
	w.t.Helper()
	c := w.about(object)
	w.seq++
	next, reason := conversation.Next(c, conversation.Said{At: w.now.TakenAt, Seq: w.seq, Epoch: epoch, Reply: schema.Reply{Text: text, Author: schema.Author{Name: "anna"}}})
	if reason != "" {
		w.t.Fatalf("%s to %s: %s", text, object, reason)
	}
	w.talks[c.ID] = next
}

func (w *world) about(object string) schema.Conversation {
	w.t.Helper()
	for _, c := range w.talks {
		if c.Object.String() == object {
			return c
		}
	}
	w.t.Fatalf("there is no conversation about %s", object)
	return schema.Conversation{}
}

// stand tells what every conversation is.
func (w *world) stand() []string {
	var all []string
	for _, c := range w.talks {
		text := fmt.Sprintf("%s %s", c.Object, c.State)
		if c.AffectedCount > 0 {
			text += fmt.Sprintf(", %d affected", c.AffectedCount)
		}
		if last := c.Messages[len(c.Messages)-1]; last.Silent {
			text += ", silently"
		}
		all = append(all, text)
	}
	slices.Sort(all)
	return all
}

func (w *world) stands(wants ...string) {
	w.t.Helper()
	slices.Sort(wants)
	if got := w.stand(); !slices.Equal(got, wants) {
		w.t.Errorf("at %s stand\n  %s\nwant\n  %s", w.now.TakenAt.Format(time.TimeOnly), strings.Join(got, "\n  "), strings.Join(wants, "\n  "))
	}
}

func (w *world) Live(string) []schema.Conversation {
	var live []schema.Conversation
	for _, c := range w.talks {
		if !decide.Resting(c) {
			live = append(live, c)
		}
	}
	slices.SortFunc(live, func(a, b schema.Conversation) int { return cmp.Compare(a.ID, b.ID) })
	return live
}

func (w *world) Last(id string) (schema.Conversation, bool) {
	c, known := w.talks[id]
	return c, known
}

// nodeDown is the step of a snapshot in which a node has been down under n services for a while.
func nodeDown(t testing.TB, n int) (*world, *decide.Step) {
	w := newWorld(t)
	w.node("n1", "healthy")
	for k := range n {
		w.now.Services = append(w.now.Services, schema.ServiceSummary{
			Name: fmt.Sprintf("s-%05d", k), Namespace: "shop", ReplicasRunning: new(1), ReplicasDesired: new(1),
			Instances: []schema.Instance{{Name: "1", Node: "n1", State: "running"}},
		})
	}
	w.pass(3)
	w.node("n1", "down")
	w.now.Services = slices.Clone(w.now.Services)
	for k := range w.now.Services {
		s := &w.now.Services[k]
		s.ReplicasRunning, s.Instances = new(0), []schema.Instance{{Name: "1", Node: "n1", State: "exited"}}
	}
	w.pass(3)
	w.seq++
	w.now.TakenAt = w.now.TakenAt.Add(interval)
	step := decide.New(w.now, detect.Position{Seq: w.seq, Epoch: epoch, At: w.now.TakenAt}, detect.Default())
	step.Detect(w.memory)
	return w, step
}
