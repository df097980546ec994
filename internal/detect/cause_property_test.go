package detect_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// chaos is a random cluster over time, in which much hangs together.
type chaos struct {
	r        *rand.Rand
	services []svc
	nodes    []node
	at       time.Time
	heals    int // snapshots until much of it is put right
}

func tangle(r *rand.Rand) *chaos {
	c := &chaos{r: r, at: start, heals: 10 + r.IntN(60)}
	for k := range 2 + r.IntN(4) {
		c.nodes = append(c.nodes, node{ID: fmt.Sprintf("n%d", k), Status: "healthy"})
	}
	n := 3 + r.IntN(40)
	for k := range n {
		s := on(up(fmt.Sprintf("s-%d", k)), c.place(), c.place())
		s.Namespace = fmt.Sprintf("ns-%d", r.IntN(3))
		for range r.IntN(3) {
			s.DependsOn = append(s.DependsOn, fmt.Sprintf("s-%d", r.IntN(n)))
		}
		if r.IntN(4) == 0 {
			s.Labels = map[string]string{detect.SeverityLabel: []string{"info", "warning", "critical"}[r.IntN(3)]}
		}
		c.services = append(c.services, s)
	}
	return c
}

func (c *chaos) place() string { return c.nodes[c.r.IntN(len(c.nodes))].ID }

// next lets a few things happen, to nodes and what is on them, to single services, or to many.
func (c *chaos) next() schema.ClusterContext {
	c.at = c.at.Add(time.Duration(1+c.r.IntN(8)) * i / 4)
	c.services, c.nodes = slices.Clone(c.services), slices.Clone(c.nodes)
	odds := 20
	if c.r.IntN(15) == 0 {
		odds = 2
	}
	if c.heals--; c.heals <= 0 { // most of it is put right, and stays so for a while
		c.heals = 40 + c.r.IntN(40)
		for k := range c.nodes {
			c.nodes[k].Status = "healthy"
		}
		for k := range c.services {
			if c.r.IntN(10) != 0 {
				c.heal(&c.services[k])
			}
		}
	}
	for k := range c.nodes {
		if c.heals > 25 || c.r.IntN(30) != 0 {
			continue
		}
		c.nodes[k].Status = []string{"healthy", "healthy", "down", "draining"}[c.r.IntN(4)]
	}
	for k := range c.services {
		s := &c.services[k]
		at := s.Instances[c.r.IntN(2)].Node
		if slices.ContainsFunc(c.nodes, func(n node) bool { return n.ID == at && n.Status == "down" }) && c.r.IntN(2) == 0 {
			c.fail(s, at)
		}
		if c.heals <= 25 && c.r.IntN(odds) == 0 {
			c.happen(s)
		}
	}
	s := snapshot(c.at)
	s.Nodes = slices.Clone(c.nodes)
	for _, x := range c.services {
		if c.r.IntN(60) != 0 { // it is missing for once
			x.Stale = c.r.IntN(60) == 0
			s.Services = append(s.Services, x)
		}
	}
	return s
}

func (c *chaos) happen(s *svc) {
	switch c.r.IntN(8) {
	case 0, 1:
		c.fail(s, "")
	case 2:
		s.Health = "unhealthy"
	case 3:
		s.RestartsTotal = new(*s.RestartsTotal + 5)
		s.LastFailure = &schema.Failure{Reason: "exit", ExitCode: new(1), RanFor: new(1.0), At: c.at}
	case 4:
		s.LastFailure = &schema.Failure{Reason: "oom", OOM: true, RanFor: new(100.0), At: c.at}
	case 5:
		s.Image, s.LastDeployAt = fmt.Sprintf("app:%d", c.r.IntN(3)), c.at
	default:
		c.heal(s)
	}
}

func (c *chaos) heal(s *svc) {
	*s = on(*s, s.Instances[0].Node, s.Instances[1].Node)
	s.Health, s.LastFailure = "healthy", nil
}

// fail ends what of the service is on that node, or one or all of it.
func (c *chaos) fail(s *svc, at string) {
	s.Instances = slices.Clone(s.Instances)
	running, all := 0, c.r.IntN(2) == 0
	for k := range s.Instances {
		if in := &s.Instances[k]; in.Node == at || at == "" && (all || k == 0) {
			in.State = "exited"
		}
		if s.Instances[k].State == "running" {
			running++
		}
	}
	s.ReplicasRunning = new(running)
}

// In whatever order the services are listed, the findings are the same, and with every snapshot each that is explained
// is the victim of exactly one that is not. Repeated, a snapshot says the same again.
func TestWhatIsExplainedIsExplainedOnceWhateverHappens(t *testing.T) {
	explained, storms, quiet, outlived := 0, 0, 0, 0
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		c := tangle(r)
		one, other := watch(t), watch(t)
		one.quick, other.quick = seed%10 != 0, seed%10 != 0
		if seed%3 == 0 {
			one.rules.Storm.New, other.rules.Storm.New = 4, 4
		}
		for range 120 {
			s := c.next()
			result := one.see(s)
			sound(t, result)
			want(t, one.seeAt(s, detect.Position{Seq: one.seq}), result)
			s.Services = slices.Clone(s.Services)
			r.Shuffle(len(s.Services), func(a, b int) { s.Services[a], s.Services[b] = s.Services[b], s.Services[a] })
			want(t, other.see(s), result)
			if seed%3 == 0 {
				want(t, encode(t, other.memory), encode(t, one.memory))
			}
			if t.Failed() {
				t.Fatalf("seed %d, at %v", seed, c.at)
			}
			for _, f := range result.Findings {
				switch {
				case f.Cause != nil && !slices.ContainsFunc(result.Findings, func(g detect.Finding) bool { return g.Object == *f.Cause }):
					outlived++
				case f.Cause != nil:
					explained++
				case f.Object.Kind == schema.KindCluster:
					storms++
				case f.Quiet:
					quiet++
				}
			}
		}
	}
	t.Logf("%d explained, %d outlived their cause, %d storms, %d quiet", explained, outlived, storms, quiet)
	if explained < 1000 || outlived < 100 || storms < 100 || quiet < 100 {
		t.Error("too little happens for this to mean anything")
	}
}
