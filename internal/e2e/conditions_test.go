package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/collector"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source/docker"
)

// severities is how bad each condition is where these rows make it fire, at the moment when it does.
func severities() map[string]string {
	return map[string]string{
		detect.ServiceDown: schema.SeverityCritical, detect.CrashLoop: schema.SeverityWarning, detect.OOMKilled: schema.SeverityWarning,
		detect.Unhealthy: schema.SeverityWarning, detect.ServiceDegraded: schema.SeverityWarning, detect.ErrorBurst: schema.SeverityWarning,
		detect.JobFailed: schema.SeverityWarning, detect.NodeDown: schema.SeverityCritical, detect.GPUErrors: schema.SeverityCritical,
		detect.Disk: schema.SeverityWarning, detect.LowMemory: schema.SeverityWarning, detect.GPUHot: schema.SeverityWarning,
		detect.NodeRebooted: schema.SeverityInfo, detect.CPU: schema.SeverityInfo, detect.GPUMemory: schema.SeverityInfo,
		detect.TwoCollectors: schema.SeverityWarning, detect.SourceBlind: schema.SeverityWarning, detect.ClusterSilent: schema.SeverityCritical,
		detect.Storm: schema.SeverityCritical,
	}
}

// proof is one condition that one source makes fire: by two readings of it that a real collector published, the one
// before something happened and the one after. An object without a name is the one node of the second reading.
type proof struct {
	condition string
	object    schema.Object
	well      func(t *testing.T) schema.ClusterContext
	act       func(t *testing.T)
	bad       func(t *testing.T) schema.ClusterContext
}

// watched is one source as this test sees it: a snapshot of it that reads all that it can, and its proofs.
type watched func(t *testing.T, server *bustest.NATS) (seen schema.ClusterContext, proofs []proof)

func sources() map[string]watched {
	return map[string]watched{"docker": dockerProofs, "host": hostProofs, "file": fileProofs}
}

// never lists the conditions that a source cannot make fire although it reads their part, and why.
func never(source string) map[string]string {
	if source != "host" {
		return nil
	}
	return map[string]string{detect.ServiceDegraded: "a unit of systemd runs or does not: there is one of it, never some of several"}
}

func TestEveryConditionFiresFromEverySourceThatReadsItsPart(t *testing.T) {
	t.Parallel()
	// Each has its test below, or in conditions_own_test.go; those of the streams, the model and its budgets have theirs beside the
	// analyzer, which need not wait there: findings_test.go.
	own := []string{
		detect.TwoCollectors, detect.SourceBlind, detect.ClusterSilent, detect.Storm, detect.ClockSkew, detect.ChannelFailing,
		detect.DeadLetters, detect.StoreFull, detect.ModelUnavailable, detect.BudgetSpent,
	}
	for _, c := range detect.Conditions(detect.Default()) {
		if c.Part == "" && !slices.Contains(own, c.Name) {
			t.Errorf("%s is of no part that a source reads, so it needs a test like that of %s", c.Name, detect.TwoCollectors)
		}
	}
	server := bustest.Server(t)
	all := sources()
	for _, name := range offered(t) {
		proofs := all[name]
		if proofs == nil {
			t.Errorf("the source %s has no rows", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seen, proofs := proofs(t, server)
			complete(t, name, seen, proofs)
			prove(t, name, proofs)
		})
	}
}

// prove lets everything happen at once, so that the rows wait together.
func prove(t *testing.T, source string, proofs []proof) {
	t.Helper()
	well := map[string]schema.ClusterContext{}
	for _, p := range proofs {
		well[p.condition] = p.well(t)
	}
	for _, p := range proofs {
		p.act(t)
	}
	for _, p := range proofs {
		t.Run(p.condition, func(t *testing.T) {
			bad := p.bad(t)
			p.check(t, well[p.condition], bad)
			record(t, source, p, well[p.condition], bad)
		})
	}
}

// offered lists the kinds of source that there are, which nothing says but the answer to one that there is not.
func offered(t *testing.T) []string {
	t.Helper()
	err := collector.Config{Source: []string{"-"}}.Validate()
	if err == nil {
		t.Fatal("a source by the name of - was accepted")
	}
	_, list, _ := strings.Cut(err.Error(), "there are ")
	var kinds []string
	for word := range strings.SplitSeq(list, ", ") {
		name, _, _ := strings.Cut(strings.TrimSpace(word), ":")
		if name != "auto" && name != "none" {
			kinds = append(kinds, name)
		}
	}
	if len(kinds) < len(sources()) {
		t.Fatalf("the sources that there are, %v, are fewer than those with rows; %v", kinds, err)
	}
	return kinds
}

// complete checks that there is a row for every condition whose part the source reads, as its own snapshot says, and
// for no other.
func complete(t *testing.T, source string, seen schema.ClusterContext, proofs []proof) {
	t.Helper()
	unread := map[string]string{}
	for _, u := range seen.Unread {
		unread[u.Part] = u.Reason
	}
	var want, got []string
	for _, c := range detect.Conditions(detect.Default()) {
		if _, off := unread[c.Part]; c.Part != "" && !off {
			want = append(want, c.Name)
		}
	}
	for _, p := range proofs {
		got = append(got, p.condition)
	}
	for condition, why := range never(source) {
		t.Logf("%s cannot fire from %s: %s", condition, source, why)
		got = append(got, condition)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("conditions with a row for %s (-read +rows); unread is %v:\n%s", source, unread, diff)
	}
}

// wellFor is how long the well reading lasts: longer than any hold, and than what error_burst has to know of before.
const wellFor = 31 * time.Minute

// check plays the two readings through the rules: nothing fires for as long as the source reads the first, and exactly
// the condition does once it reads the second. What would take half an hour takes none: time is moved, and nothing else.
func (p proof) check(t *testing.T, well, bad schema.ClusterContext) {
	t.Helper()
	j := judge{t: t}
	for by := time.Duration(0); by <= wellFor; by += well.Interval() {
		if found := j.hear(again(well, by)); len(found) > 0 {
			t.Fatalf("after %v of the well reading there is %v", by, found)
		}
	}
	o := p.object
	if o.Name == "" {
		o = schema.Object{Kind: schema.KindNode, Name: bad.Nodes[0].ID}
	}
	severity := severities()[p.condition]
	if severity == "" {
		t.Fatalf("how bad %s is, the table does not say", p.condition)
	}
	want := []string{o.String() + " " + p.condition + " " + severity}
	bad = later(t, bad, well.TakenAt, wellFor)
	var found []string
	for by := time.Duration(0); by <= wellFor; by += bad.Interval() {
		found = j.hear(again(bad, by))
		if slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, " "+p.condition+" ") }) {
			break
		}
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("what fires (-want +got):\n%s\nthe reading is %+v", diff, bad)
	}
}

func TestTwoCollectorsFiresFromTwoThatGoOn(t *testing.T) {
	t.Parallel()
	const cluster = "contested"
	c := collect(t, bustest.Server(t), collector.Config{Cluster: cluster, Source: []string{"host"}, Host: newMachine(t).config()})
	server := bustest.Server(t)
	b := server.Connect(t)
	e2e.StartAnalyzer(t, server, llm.Config{})
	// One collector's snapshots are published again, as if there were 15 s between them and some by another machine's.
	publish := func(by ...string) {
		for _, host := range by {
			s := c.until(t, "anything", func(schema.ClusterContext) bool { return true })
			s.IntervalSeconds, s.Host, s.Collector = schema.DefaultInterval.Seconds(), host, host+"-00000000"
			e2e.Publish(t, b, s)
			bustest.Settled(t, b, bus.Notify("webhook"))
		}
	}
	publish("one", "one")
	if all := bustest.Conversations(t, b); len(all) > 0 {
		t.Fatalf("with one collector there is %s", all[0].Title)
	}
	publish("other", "one", "other", "one")
	all := bustest.Conversations(t, b)
	if len(all) != 1 || all[0].Object != detect.Collector(cluster) || len(all[0].Conditions) != 1 ||
		!firing(all[0], detect.TwoCollectors, severities()[detect.TwoCollectors]) {
		t.Errorf("with two there is %+v", all)
	}
}

func TestSourceBlindFiresFromAnEngineThatIsGone(t *testing.T) {
	t.Parallel()
	c := collect(t, bustest.Server(t), collector.Config{
		Cluster: "blind", Source: []string{"docker"}, Docker: docker.Config{Host: "unix://" + filepath.Join(t.TempDir(), "gone.sock")},
	})
	s := c.until(t, "a part that cannot be read", func(s schema.ClusterContext) bool { return len(s.Stale) > 0 })
	j, found := judge{t: t}, []string(nil)
	for by := time.Duration(0); by <= time.Minute && len(found) == 0; by += s.Interval() {
		found = j.hear(again(s, by))
	}
	if diff := cmp.Diff([]string{"docker " + detect.SourceBlind + " " + severities()[detect.SourceBlind]}, found); diff != "" {
		t.Errorf("what fires (-want +got):\n%s", diff)
	}
}

func TestClusterSilentFiresWhenItsCollectorIsGone(t *testing.T) {
	t.Parallel()
	const cluster = "silent"
	c := collect(t, bustest.Server(t), collector.Config{Cluster: cluster, Source: []string{"host"}, Host: newMachine(t).config()})
	s := c.until(t, "anything", func(schema.ClusterContext) bool { return true })
	j := judge{t: t}
	j.hear(s)
	j.hear(again(s, s.Interval()))
	stored := s.TakenAt.Add(s.Interval())
	if early := detect.Silent(cluster, j.memory, stored, stored.Add(time.Minute), detect.Default()); len(early.Conditions) > 0 {
		t.Error("missed after a minute")
	}
	late := detect.Silent(cluster, j.memory, stored, stored.Add(2*time.Minute+time.Second), detect.Default())
	if len(late.Conditions) != 1 || late.Conditions[0].Name != detect.ClusterSilent || late.Conditions[0].Severity != severities()[detect.ClusterSilent] {
		t.Errorf("after two minutes there is %+v", late)
	}
}

func TestStormFiresFromManyServicesThatStop(t *testing.T) {
	t.Parallel()
	var lines []string
	for n := range 3 {
		s := e2e.Snapshot("squall", n, 1-min(n, 1))
		one := s.Services[0]
		s.Services = nil
		for k := range 12 {
			one.Name = fmt.Sprintf("web-%02d", k)
			s.Services = append(s.Services, one)
		}
		lines = append(lines, printed(s))
	}
	file := filepath.Join(t.TempDir(), "squall.jsonl")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	c := collect(t, bustest.Server(t), collector.Config{Cluster: "squall", Source: []string{"file:" + file}})
	j := judge{t: t}
	down := func(s schema.ClusterContext) bool { return *s.Services[0].ReplicasRunning == 0 }
	if found := j.hear(c.until(t, "anything", func(s schema.ClusterContext) bool { return len(s.Services) > 0 })); len(found) > 0 {
		t.Fatalf("while all run there is %v", found)
	}
	s := c.until(t, "services that stopped", down)
	j.hear(s)
	found := j.hear(again(s, s.Interval()))
	if len(found) != 13 || found[0] != "squall "+detect.Storm+" "+severities()[detect.Storm] {
		t.Errorf("what fires is %v; want the storm, and the 12 in it", found)
	}
}
