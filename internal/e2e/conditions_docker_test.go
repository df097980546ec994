package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/collector"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/need/engine"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source/docker"
)

// onEngine is one condition of a service on the real engine: its containers, what happens to them once they were seen
// to be well, and how a snapshot shows it.
type onEngine struct {
	condition string
	specs     []engine.Spec
	act       func(t *testing.T, s *ship, service string)
	shows     func(schema.ServiceSummary) bool
}

func flagged(code int) []string { return []string{"exit", fmt.Sprint(code), "flagged"} }

func setFlag(replica int) func(*testing.T, *ship, string) {
	return func(t *testing.T, s *ship, service string) {
		s.flag(t, fmt.Sprintf("%s-%s-%d", s.Project, service, replica), "set")
	}
}

func runs(n int) func(schema.ServiceSummary) bool {
	return func(s schema.ServiceSummary) bool { return s.ReplicasRunning != nil && *s.ReplicasRunning == n }
}

func onTheEngine() []onEngine {
	one := func(s engine.Spec) []engine.Spec { return []engine.Spec{s} }
	wanted := engine.Spec{Args: flagged(1), Restart: "no", Health: "health ok"}
	return []onEngine{
		{detect.ServiceDown, one(wanted), setFlag(1), func(s schema.ServiceSummary) bool { return runs(0)(s) && s.NotWanted == "" }},
		{detect.CrashLoop, one(engine.Spec{Args: flagged(3), Restart: "always"}), crashThrice, func(s schema.ServiceSummary) bool {
			return runs(1)(s) && *s.RestartsTotal >= 3
		}},
		{detect.OOMKilled, one(engine.Spec{Restart: "always", Memory: "32m"}), func(t *testing.T, s *ship, service string) {
			_, _ = engine.Try("exec", s.container(service), "/steady", "oom") // it is killed, which is the point
		}, func(s schema.ServiceSummary) bool { return runs(1)(s) && s.LastFailure != nil && s.LastFailure.OOM }},
		{detect.Unhealthy, one(engine.Spec{Restart: "always", Health: "health flag"}), setFlag(1), func(s schema.ServiceSummary) bool {
			return s.Health == schema.HealthUnhealthy
		}},
		{detect.ServiceDegraded, []engine.Spec{well(), wanted}, setFlag(2), func(s schema.ServiceSummary) bool { return runs(1)(s) && *s.ReplicasDesired == 2 }},
		{detect.ErrorBurst, one(well()), func(t *testing.T, s *ship, service string) {
			s.Run(t, service, engine.Spec{Args: []string{"spam"}, Restart: "always", Replica: 2})
		}, func(s schema.ServiceSummary) bool { return *s.ErrorsTotal >= 30 }},
		{detect.JobFailed, one(engine.Spec{Args: flagged(7)}), setFlag(1), func(s schema.ServiceSummary) bool { return s.Job != nil }},
	}
}

func crashThrice(t *testing.T, s *ship, service string) {
	for n := 1; n <= 3; n++ {
		setFlag(1)(t, s, service)
		want := fmt.Sprint(n, " running")
		s.inspected(t, s.container(service), "{{.RestartCount}} {{.State.Status}}", func(got string) bool { return got == want })
	}
}

// proof makes the row one of a service whose containers the collector watches already.
func (r onEngine) proof(s *ship, f *feed) proof {
	name := r.service()
	c := &reader{feed: f}
	until := func(t *testing.T, what string, shows func(schema.ServiceSummary) bool) schema.ClusterContext {
		return s.only(c.until(t, what, func(all schema.ClusterContext) bool {
			v, there := s.service(all, name)
			return there && v.RestartsTotal != nil && v.ErrorsTotal != nil && shows(v)
		}), name)
	}
	return proof{
		r.condition, s.object(name),
		func(t *testing.T) schema.ClusterContext {
			return until(t, name+" well", func(v schema.ServiceSummary) bool {
				return runs(len(r.specs))(v) && v.Status == schema.ServiceHealthy && (v.Health == "" || v.Health == schema.HealthHealthy)
			})
		},
		func(t *testing.T) { r.act(t, s, name) },
		func(t *testing.T) schema.ClusterContext { return until(t, r.condition, r.shows) },
	}
}

func (r onEngine) service() string { return strings.ReplaceAll(r.condition, "_", "-") }

// dockerProofs share one engine and one collector, but for those of the machine, which have a /proc each.
func dockerProofs(t *testing.T, server *bustest.NATS) (schema.ClusterContext, []proof) {
	t.Helper()
	s := &ship{Engine: engine.New(t)}
	rows := onTheEngine()
	for _, r := range rows {
		for i, spec := range r.specs {
			spec.Replica = i + 1
			s.Run(t, r.service(), spec)
		}
	}
	start := func(name string, p *proc) *reader {
		return collect(t, server, collector.Config{Cluster: name, Source: []string{"docker"}, Docker: docker.Config{Procfs: p.dir}})
	}
	shared := start(s.Project, newProc(t))
	var proofs []proof
	var began []func()
	for _, r := range rows {
		proofs = append(proofs, r.proof(s, shared.feed))
	}
	for _, r := range onProc() {
		p := newProc(t)
		c := start(s.Project+"-"+r.condition, p)
		began = append(began, func() {
			c.until(t, "the machine", func(s schema.ClusterContext) bool { return s.Nodes[0].MemoryPercent != nil })
			p.goOn()
		})
		proofs = append(proofs, r.proof(p, c, func(c schema.ClusterContext) schema.ClusterContext { return s.only(c, "") }))
	}
	for _, goOn := range began {
		goOn()
	}
	return shared.until(t, "anything", func(schema.ClusterContext) bool { return true }), proofs
}

// only leaves of a snapshot what is about one service of this test, or else about the machine: the engine's other
// containers are other tests'.
func (s *ship) only(c schema.ClusterContext, service string) schema.ClusterContext {
	v, there := s.service(c, service)
	c.Services, c.RecentEvents = nil, nil
	if there {
		c.Services, c.Nodes = []schema.ServiceSummary{v}, nil
	}
	return c
}
