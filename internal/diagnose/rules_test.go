package diagnose_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestDiagnosisOfAStoppedDependency(t *testing.T) {
	c, _ := incident()
	golden(t, "diagnosis.json", pretty(t, c.Diagnosis))
}

func TestRulesNameTheGuiltyObject(t *testing.T) {
	edit := func(base schema.ServiceSummary, f func(*schema.ServiceSummary)) schema.ServiceSummary {
		f(&base)
		return base
	}
	alone := func(f func(*schema.ServiceSummary)) schema.ClusterContext {
		return snapshot(edit(crashing(), func(s *schema.ServiceSummary) {
			s.DependsOn, s.RecentLogs = nil, []string{"bye"}
			f(s)
		}))
	}
	exited := func(s *schema.ServiceSummary) { s.Instances[0].State = "exited" }
	tests := []struct {
		name       string
		snap       schema.ClusterContext
		conds      []schema.Condition
		component  string
		category   string
		confidence string
		command    string
		says       string // part of the statement
	}{
		{
			"stopped-dependency", stoppedDB(), crashLoop(),
			"shop/db", diagnose.CategoryDependency, "high", "docker start shop-db-1",
			"db is not running (stopped by hand 07:58:10 UTC), and checkout depends on it",
		},
		{
			"dependency-of-a-dependency", snapshot(
				edit(crashing(), func(s *schema.ServiceSummary) { s.DependsOn, s.RecentLogs = []string{"api"}, nil }),
				edit(cache(), func(s *schema.ServiceSummary) {
					s.Name, s.DependsOn, s.ReplicasRunning = "api", []string{"db"}, new(0)
				}),
				edit(db(), func(s *schema.ServiceSummary) {
					s.NotWanted, s.ReplicasDesired = "", new(1)
					s.LastFailure = &schema.Failure{Reason: schema.FailureExit, ExitCode: new(3), At: at("07:59:00")}
					s.RecentLogs = []string{"FATAL: could not open file"}
				}),
			), crashLoop(),
			"shop/db", diagnose.CategoryDependency, "medium", "docker logs --tail 50 shop-db-1",
			"db ended with exit code 3: “FATAL: could not open file”; checkout depends on it",
		},
		{
			"node-of-the-part-that-does-not-run", downUnder(edit(crashing(), func(s *schema.ServiceSummary) {
				s.DependsOn, s.ReplicasRunning, s.ReplicasDesired = nil, new(1), new(2)
				s.Instances = []schema.Instance{{Name: "shop-checkout-1", Node: "n1", State: "running"}, {Name: "shop-checkout-2", Node: "n2", State: "exited"}}
			})), firing("service_degraded", "warning"),
			"n2", diagnose.CategoryNode, "high", "", "node n2: down, and checkout runs there",
		},
		{
			"another-part-that-does-not-run-is-its-own", downUnder(edit(crashing(), func(s *schema.ServiceSummary) {
				s.DependsOn, s.ReplicasRunning, s.ReplicasDesired = nil, new(1), new(3)
				s.Instances = []schema.Instance{{Name: "shop-checkout-1", Node: "n1", State: "running"}, {Name: "shop-checkout-2", Node: "n2", State: "exited"}, {Name: "shop-checkout-3", Node: "n1", State: "exited"}}
			})), firing("service_degraded", "warning"),
			"shop/checkout", diagnose.CategoryCrash, "medium", "docker logs --tail 50 shop-checkout-2", "checkout",
		},
		{
			"dependency-stopped-long-ago-is-only-an-alternative", snapshot(
				edit(crashing(), func(s *schema.ServiceSummary) { s.RecentLogs = []string{"panic: nil map"} }), db(), cache(),
			), crashLoop(),
			"shop/checkout", diagnose.CategoryCrash, "medium", "docker logs --tail 50 shop-checkout-1", "panic: nil map",
		},
		{
			"migration-that-ended-well-is-not-to-blame", snapshot(
				edit(crashing(), func(s *schema.ServiceSummary) {
					s.DependsOn, s.RecentLogs = []string{"db"}, []string{"panic: nil map in db layer"}
				}),
				edit(db(), func(s *schema.ServiceSummary) {
					s.NotWanted, s.Job = "ended 0", &schema.JobRun{At: at("07:59:00")}
				}),
			), crashLoop(),
			"shop/checkout", diagnose.CategoryCrash, "medium", "docker logs --tail 50 shop-checkout-1", "panic: nil map",
		},
		{
			"migration-that-failed-is", snapshot(
				edit(crashing(), func(s *schema.ServiceSummary) { s.DependsOn, s.RecentLogs = []string{"db"}, nil }),
				edit(db(), func(s *schema.ServiceSummary) {
					s.NotWanted, s.Job = "job", &schema.JobRun{LastExitCode: 9, At: at("07:59:00")}
				}),
			), crashLoop(),
			"shop/db", diagnose.CategoryDependency, "medium", "docker logs --tail 50 shop-db-1", "the last run of db ended with exit code 9",
		},
		{
			"engine-error", alone(func(s *schema.ServiceSummary) {
				s.LastFailure = &schema.Failure{Reason: schema.FailureStart, At: at("08:00:00"), Text: "port is already allocated"}
				s.Instances[0].State = "created"
			}), firing("service_down", "critical"),
			"shop/checkout", diagnose.CategoryStart, "high", "docker inspect shop-checkout-1", "port is already allocated",
		},
		{
			"engine-error-beats-a-stopped-dependency", snapshot(edit(crashing(), func(s *schema.ServiceSummary) {
				s.LastFailure = &schema.Failure{Reason: schema.FailureStart, At: at("08:00:00"), Text: "no such image"}
			}), db(), cache()), firing("service_down", "critical"),
			"shop/checkout", diagnose.CategoryStart, "high", "docker inspect shop-checkout-1", "no such image",
		},
		{
			"out-of-memory-at-its-limit", alone(func(s *schema.ServiceSummary) {
				s.LastFailure = &schema.Failure{Reason: schema.FailureOOM, OOM: true, ExitCode: new(137), At: at("08:00:00")}
				s.MemoryLimit = new(int64(64 << 20))
			}), firing("oom_killed", "warning"),
			"shop/checkout", diagnose.CategoryMemory, "high", "docker logs --tail 50 shop-checkout-1", "at its limit of 64 MiB",
		},
		{
			"crash-loop-with-a-telling-line", alone(func(s *schema.ServiceSummary) { s.RecentLogs = []string{"starting", "fatal: bad configuration"} }), crashLoop(),
			"shop/checkout", diagnose.CategoryCrash, "medium", "docker logs --tail 50 shop-checkout-1", "ends again and again with exit code 1 after 0.4 s: “fatal: bad configuration”",
		},
		{
			"new-image", alone(func(s *schema.ServiceSummary) { s.PreviousImage, s.LastDeployAt = "checkout:1.3", at("07:55:00") }), crashLoop(),
			"shop/checkout", diagnose.CategoryRollout, "medium", "docker logs --tail 50 shop-checkout-1", "changed from checkout:1.3 to checkout:1.4",
		},
		{
			"image-changed-long-before", alone(func(s *schema.ServiceSummary) { s.PreviousImage, s.LastDeployAt = "checkout:1.3", at("01:55:00") }), crashLoop(),
			"shop/checkout", diagnose.CategoryCrash, "medium", "docker logs --tail 50 shop-checkout-1", "exit code 1",
		},
		{
			"gave-up", alone(func(s *schema.ServiceSummary) {
				exited(s)
				s.LastFailure = &schema.Failure{Reason: schema.FailureGaveUp, ExitCode: new(7), Tries: 4, At: at("08:00:00")}
			}), firing("service_down", "critical"),
			"shop/checkout", diagnose.CategoryCrash, "medium", "docker logs --tail 50 shop-checkout-1", "gave up after 4 tries",
		},
		{
			"failing-health-check", alone(func(s *schema.ServiceSummary) {
				s.ReplicasRunning, s.LastFailure, s.Health = new(1), nil, schema.HealthUnhealthy
				s.Instances[0] = schema.Instance{Name: "shop-checkout-1", State: "running", Health: schema.HealthUnhealthy}
			}), firing("unhealthy", "warning"),
			"shop/checkout", diagnose.CategoryHealth, "medium", "docker inspect shop-checkout-1", "health check fails",
		},
		{
			"failed-job", alone(func(s *schema.ServiceSummary) {
				exited(s)
				s.LastFailure, s.Job = nil, &schema.JobRun{LastExitCode: 2, At: at("08:00:00")}
			}), firing("job_failed", "warning"),
			"shop/checkout", diagnose.CategoryJob, "medium", "docker logs --tail 50 shop-checkout-1", "exit code 2",
		},
		{
			"down-and-nobody-knows-why", alone(func(s *schema.ServiceSummary) { exited(s); s.LastFailure = nil }), firing("service_down", "critical"),
			"shop/checkout", diagnose.CategoryUnknown, "low", "docker logs --tail 50 shop-checkout-1", "0 of 1 running",
		},
		{
			"node-below-is-down", func() schema.ClusterContext {
				s := stoppedDB()
				s.Nodes[0].Status = schema.NodeDown
				return s
			}(), firing("service_down", "critical"),
			"n1", diagnose.CategoryNode, "high", "", "checkout runs there",
		},
		{
			"not-in-the-snapshot", snapshot(cache()), firing("service_down", "critical"),
			"shop/checkout", diagnose.CategoryUnknown, "low", "", "says nothing more",
		},
		{
			"no-docker-no-command", func() schema.ClusterContext { s := stoppedDB(); s.Source = "file"; return s }(), crashLoop(),
			"shop/db", diagnose.CategoryDependency, "high", "", "db is not running",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ev := diagnose.Freeze(tt.snap, checkout(), tt.conds)
			d := diagnose.ByRules(tt.snap, checkout(), tt.conds, ev)
			want := []string{tt.component, tt.category, tt.confidence, tt.command}
			got := []string{d.RootCause.Component, d.RootCause.Category, d.Confidence, d.Command}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("component, category, confidence, command (-want +got):\n%s\n%s", diff, d.RootCause.Statement)
			}
			if !strings.Contains(d.RootCause.Statement, tt.says) || !strings.Contains(d.RootCause.Statement, "since 08:00:00 UTC") {
				t.Errorf("statement %q does not say %q and since when", d.RootCause.Statement, tt.says)
			}
			if d.Source != schema.SourceRules || d.ConfidenceWhy == "" || len(d.Evidence) == 0 {
				t.Errorf("incomplete: %+v", d)
			}
		})
	}
}

func TestRulesAreTheSameForTheSameSnapshot(t *testing.T) {
	first, _ := incident()
	for range 20 {
		again, _ := incident()
		if diff := cmp.Diff(first.Diagnosis, again.Diagnosis); diff != "" {
			t.Fatalf("diagnosis differs (-first +again):\n%s", diff)
		}
	}
}

func TestDependenciesInACircleEnd(t *testing.T) {
	a, b := db(), db()
	a.Name, b.Name = "a", "b"
	a.DependsOn, b.DependsOn = []string{"b", "checkout"}, []string{"a"}
	s := crashing()
	s.DependsOn = []string{"a"}
	d := diagnose.ByRules(snapshot(s, a, b), checkout(), crashLoop(), nil)
	if d.RootCause.Component == "" {
		t.Errorf("no component: %+v", d)
	}
}

// downUnder is a snapshot in which node n2 is down and n1 is well.
func downUnder(services ...schema.ServiceSummary) schema.ClusterContext {
	s := snapshot(services...)
	s.Nodes = append(s.Nodes, schema.NodeSummary{ID: "n2", Status: schema.NodeDown})
	return s
}
