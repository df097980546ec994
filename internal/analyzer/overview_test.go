package analyzer_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// mixed is a cluster with something of every kind that does not alert.
func mixed(n int) schema.ClusterContext {
	s := e2e.Snapshot("prod", n, 1)
	stopped := func(name, why, runtime string, instances ...string) schema.ServiceSummary {
		x := schema.ServiceSummary{Name: name, Namespace: "shop", Runtime: runtime, Status: schema.ServiceStopped, ReplicasRunning: new(0), ReplicasDesired: new(1), NotWanted: why}
		for _, i := range instances {
			x.Instances = append(x.Instances, schema.Instance{Name: i, State: "exited"})
		}
		return x
	}
	failed := stopped("job", "job", "container", "job-1")
	failed.Job = &schema.JobRun{LastExitCode: 3, At: s.TakenAt.Add(-time.Second)}
	failed.LastFailure = &schema.Failure{Reason: schema.FailureExit, ExitCode: new(3), At: s.TakenAt.Add(-time.Second)}
	s.Services = append(
		s.Services, failed,
		stopped("old", "baseline: had ended before Bellbuoy first saw this engine", "container", "old-1", "old-2"),
		stopped("timer", "baseline: had ended before Bellbuoy first saw this host", "unit"),
		stopped("db", "stopped by hand", "container", "db-1"),
		stopped("removed", "removed by hand", "container"),
	)
	s.Unread = []schema.UnreadPart{{Part: schema.PartGPUs, Reason: "no GPU"}}
	return s
}

func TestWhyWithoutARefTellsWhatDoesNotAlert(t *testing.T) {
	s := bustest.Server(t)
	e2e.StartAnalyzer(t, s, llm.Config{})
	b := s.Connect(t)
	for n := range 2 {
		e2e.Publish(t, b, mixed(n))
		settled(t, b)
	}
	got, err := client.New(b).Why(t.Context(), "")
	if err != nil || len(got.Clusters) != 1 || len(got.Objects) != 0 {
		t.Fatalf("why: %+v, %v", got, err)
	}
	o := got.Clusters[0]
	if diff := cmp.Diff(map[string]int{"container": 5, "unit": 1}, o.Instances); diff != "" {
		t.Errorf("instances (-want +got):\n%s", diff)
	}
	if o.Namespaces != 1 || o.Firing != 1 {
		t.Errorf("%d namespaces, %d alerting; want 1 and 1, the job that failed", o.Namespaces, o.Firing)
	}
	byVerdict := map[string]client.Group{}
	for _, g := range o.Groups {
		if g.Verdict != "unknown" {
			byVerdict[g.Verdict] = g
		}
	}
	object := func(name string) schema.Object {
		return schema.Object{Kind: schema.KindService, Namespace: "shop", Name: name}
	}
	want := map[string]client.Group{
		"baseline": {Verdict: "baseline", Count: 2, Instances: map[string]int{"container": 2, "unit": 1}, Objects: []client.Quiet{
			{Object: object("old"), Runtime: "container"}, {Object: object("timer"), Runtime: "unit"},
		}},
		"by_hand": {Verdict: "by_hand", Count: 2, Instances: map[string]int{"container": 1}, Objects: []client.Quiet{
			{Object: object("db"), Runtime: "container"}, {Object: object("removed"), Runtime: "container"},
		}},
	}
	if diff := cmp.Diff(want, byVerdict, cmpopts.IgnoreFields(client.Quiet{}, "Text")); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	if len(o.Off) == 0 || o.Off[0].Reason != "no GPU" {
		t.Errorf("off: %+v", o.Off)
	}
}

// What is told as a part of something else does not alert by itself, and is counted where people ask what does not.
func TestWhyCountsWhatIsToldElsewhereInAGroup(t *testing.T) {
	s := bustest.Server(t)
	e2e.StartAnalyzer(t, s, llm.Config{})
	b := s.Connect(t)
	down := func(name string, needs ...string) schema.ServiceSummary {
		x := e2e.Snapshot("", 0, 0).Services[0]
		x.Name, x.DependsOn = name, needs
		return x
	}
	many := []schema.ServiceSummary{}
	for n := range 12 {
		many = append(many, down(fmt.Sprintf("web-%02d", n)))
	}
	clusters := map[string][]schema.ServiceSummary{
		"lab": many, "prod": {down("db"), down("a", "db"), down("b", "db"), down("c", "b")},
	}
	for n := range 2 {
		for _, cluster := range []string{"lab", "prod"} {
			x := e2e.Snapshot(cluster, n, 0)
			x.Services = clusters[cluster]
			e2e.Publish(t, b, x)
		}
		settled(t, b)
	}
	got, err := client.New(b).Why(t.Context(), "")
	if err != nil || len(got.Clusters) != 2 {
		t.Fatalf("why: %+v, %v", got, err)
	}
	for _, o := range got.Clusters {
		verdict, count := "storm", 12
		if o.Cluster == "prod" {
			verdict, count = "explained", 3
		}
		i := slices.IndexFunc(o.Groups, func(g client.Group) bool { return g.Verdict == verdict })
		if o.Firing != 1 || i < 0 || o.Groups[i].Count != count || o.Groups[i].Condition != "" || len(o.Groups[i].Objects) != count {
			t.Errorf("%s: %d alerting, want 1, and %d in the group %s; %+v", o.Cluster, o.Firing, count, verdict, o.Groups)
		}
	}
	for ref, want := range map[string]string{"prod/shop/c": "explained", "lab/shop/web-03": "storm", "cluster/lab": "firing", "cluster/prod": "well"} {
		why, err := client.New(b).Why(t.Context(), ref)
		if err != nil || len(why.Objects) != 1 || !slices.ContainsFunc(why.Objects[0].Reasons, func(r client.Reason) bool {
			return r.Verdict == want && (r.Condition == "storm" || why.Objects[0].Object.Kind == schema.KindService)
		}) {
			t.Errorf("why %s: %+v, %v; want %s", ref, why, err, want)
		}
	}
}

// What grace keeps back does not alert; what only flapping keeps open does.
func TestOverviewOfADeployAndOfWhatFlaps(t *testing.T) {
	s := bustest.Server(t)
	e2e.StartAnalyzer(t, s, llm.Config{})
	b := s.Connect(t)
	n := 0
	see := func(times, running int, image string) {
		for range times {
			x := e2e.Snapshot("prod", n, running)
			x.Services[0].Image = image
			e2e.Publish(t, b, x)
			settled(t, b)
			n++
		}
	}
	expect := func(firing int, verdict string) {
		t.Helper()
		got, err := client.New(b).Why(t.Context(), "")
		if err != nil || len(got.Clusters) != 1 {
			t.Fatalf("why: %+v, %v", got, err)
		}
		o := got.Clusters[0]
		counts := map[string]int{}
		for _, g := range o.Groups {
			if g.Verdict != "unknown" {
				counts[g.Verdict+" "+g.Condition] = g.Count
			}
		}
		if diff := cmp.Diff(map[string]int{verdict + " service_down": 1}, counts); diff != "" || o.Firing != firing {
			t.Errorf("%d alerting; groups (-want +got):\n%s", o.Firing, diff)
		}
	}
	see(2, 1, "checkout:1.4")
	see(3, 0, "checkout:1.5")
	expect(0, "grace")
	for range 3 {
		see(20, 1, "checkout:1.5")
		see(2, 0, "checkout:1.5")
	}
	see(6, 1, "checkout:1.5")
	expect(1, "flapping")
}
