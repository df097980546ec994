package detect_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// crew is n services, each with its one instance on node.
func crew(n int, where ...string) []svc {
	return named("web", n, func(name string) svc { return on(up(name), where...) })
}

func TestNodeThatIsDownExplainsWhatRanOnIt(t *testing.T) {
	w := build(t, crew(50, "n1")...)
	w.machine("n1", "healthy")
	w.machine("n2", "healthy")
	w.pass(3)
	w.set(crew(50, "!n1")...)
	w.machine("n1", "down")
	w.pass(1)
	w.tells()
	w.pass(1)
	w.hears("n1 node_down with 50")
	want(t, w.result.Findings[0].Victims[0].Condition+" "+w.result.Findings[0].Victims[0].Severity, "service_down critical")

	// It is back. All but one of what ran there recover; that one stands for itself 8 intervals after the node does not
	// fire any more, and people have not heard of it.
	w.set(crew(49, "n1")...)
	w.machine("n1", "healthy")
	w.pass(4)
	w.hears("n1 node_down with 50")
	w.pass(1)
	w.tells("web-00049: service_down <- n1")
	w.pass(7)
	w.tells("web-00049: service_down <- n1")
	w.pass(1)
	w.tells("web-00049: service_down")
}

func TestNodeExplainsAServiceOnlyByWhereAllOfItsTroubleWas(t *testing.T) {
	for _, tt := range []struct {
		name      string
		before    []string // where it runs
		now       []string // and then does not; none: the snapshot has lost them
		condition string
		downNodes string
		explained string
	}{
		{"both-replicas-on-it", []string{"n1", "n1"}, []string{"!n1", "!n1"}, "service_down", "n1", "n1"},
		{"one-of-two-on-it", []string{"n1", "n2"}, []string{"!n1", "n2"}, "service_degraded", "n1", "n1"},
		{"all-down-and-one-was-elsewhere", []string{"n1", "n2"}, []string{"!n1", "!n2"}, "service_down", "n1", ""},
		{"one-elsewhere-failed-too", []string{"n1", "n2", "n3"}, []string{"!n1", "!n2", "n3"}, "service_degraded", "n1", ""},
		{"the-other-one-failed", []string{"n1", "n2"}, []string{"n1", "!n2"}, "service_degraded", "n1", ""},
		{"on-two-nodes-that-are-down", []string{"n1", "n2"}, []string{"!n1", "!n2"}, "service_down", "n1 n2", "n1"},
		{"nothing-says-where", []string{"", ""}, []string{"!", "!"}, "service_down", "n1", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := build(t, on(up("web"), tt.before...))
			for n := range 3 {
				w.machine(fmt.Sprintf("n%d", n+1), "healthy")
			}
			w.pass(2)
			w.set(on(up("web"), tt.now...))
			for n := range strings.FieldsSeq(tt.downNodes) {
				w.machine(n, "down")
			}
			w.pass(10)
			got := ""
			for _, f := range w.result.Findings {
				if f.Object.Name == "web" && f.Conditions[0].Name == tt.condition {
					if got = "itself"; f.Cause != nil {
						got = f.Cause.Name
					}
				}
			}
			if tt.explained == "" {
				tt.explained = "itself"
			}
			want(t, got, tt.explained)
		})
	}
}

func TestNodeThatWentFirstExplainsWhatRanOnSeveral(t *testing.T) {
	w := build(t, on(up("web"), "n1", "n2"))
	w.machine("n1", "healthy")
	w.machine("n2", "healthy")
	w.pass(1)
	w.machine("n2", "down")
	w.set(on(up("web"), "n1", "!n2"))
	w.pass(3)
	w.machine("n1", "down")
	w.set(on(up("web"), "!n1", "!n2"))
	w.pass(3)
	w.tells("n1: node_down", "n2: node_down", "web: service_down <- n2")
}

// A cluster's own manager forgets an instance together with the node that it was on. Where it was is known from when it
// began to fail.
func TestWhereAServiceRanIsRememberedWhenTheSnapshotLosesIt(t *testing.T) {
	lost := up("web")
	lost.ReplicasRunning, lost.Status = new(0), "stopped"
	part := on(up("api"), "n2")
	part.ReplicasDesired = new(2)
	w := build(t, on(up("web"), "n1"), on(up("api"), "n1", "n2"))
	w.machine("n1", "healthy")
	w.machine("n2", "healthy")
	w.pass(1)
	w.set(on(up("web"), "!n1"), on(up("api"), "!n1", "n2")) // seen once as they fail
	w.pass(1)
	w.set(lost, part)
	w.pass(6)
	w.machine("n1", "down")
	w.pass(4)
	w.tells("api: service_degraded <- n1", "n1: node_down", "web: service_down <- n1")
}

func TestNodesOfAServiceStandInForItsInstances(t *testing.T) {
	w := build(t)
	s := down("web")
	s.Nodes = []string{"n1"}
	both := down("api")
	both.Nodes = []string{"n1", "n2"}
	w.set(s, both)
	w.machine("n1", "down")
	w.machine("n2", "healthy")
	w.pass(2)
	w.tells("api: service_down", "n1: node_down", "web: service_down <- n1")
}

// One that is taken out of use on purpose is told to nobody, so that nothing may hide behind it.
func TestNodeThatIsDrainingExplainsNothing(t *testing.T) {
	w := build(t, on(up("web"), "n1"))
	w.machine("n1", "draining")
	w.pass(2)
	w.machine("n1", "down")
	w.set(on(up("web"), "!n1"))
	w.pass(2)
	w.tells("n1: node_down", "web: service_down")
}

// Without its node, a loop is none of its doing.
func TestNodeExplainsNoConditionThatNeedsSomethingToRun(t *testing.T) {
	w := build(t, on(up("web"), "n1"))
	w.machine("n1", "healthy")
	w.pass(1)
	killed := on(oomed("web", w.at.Add(i)), "!n1")
	w.machine("n1", "down")
	w.set(killed)
	w.pass(2)
	w.tells("n1: node_down", "web: service_down, oom_killed")
}

// A snapshot of the largest cluster there may be, in which all fails, has to fit into the memory's record.
func TestWhereServicesRanIsBounded(t *testing.T) {
	w := build(t, chained(20000, 20000)...)
	w.quick = true
	w.pass(4)
	text := encode(t, w.memory)
	want(t, strings.Count(text, `"places"`), 5000)
	if len(text) > 7<<20 {
		t.Errorf("%d bytes are more than a record can have", len(text))
	}
}

func TestNodeNoticedLaterTakesOverTheStormThatItMade(t *testing.T) {
	w := build(t, crew(50, "n1")...)
	w.machine("n1", "healthy")
	w.machine("n2", "healthy")
	w.pass(3)
	w.set(crew(50, "!n1")...)
	w.pass(2)
	w.hears("prod storm with 50")
	w.pass(6) // 2 minutes
	w.hears("prod storm with 50")
	w.machine("n1", "down")
	w.pass(1)
	w.hears("prod storm with 50")
	for range 8 { // the storm was the node, and is told there
		w.pass(1)
		w.hears("n1 node_down with 51 (quiet)")
		want(t, w.result.Findings[0].Object.Kind+" "+w.result.Findings[0].Cause.Name, "cluster n1")
	}
	w.pass(1)
	w.hears("n1 node_down with 50 (quiet)")
	want(t, len(w.result.Findings), 51)
}

// What a service says of where it runs is another's word: however much that is, it is looked at in no time.
func TestWhereAHugeServiceRanCostsLittle(t *testing.T) {
	w := build(t)
	w.quick = true
	var where []string
	for k := range 80_000 {
		where = append(where, fmt.Sprintf("!node-number-%05d", k))
	}
	w.set(on(down("web"), where...))
	w.machine("n1", "down")
	w.pass(1)
	began := time.Now()
	w.pass(1)
	w.tells("n1: node_down", "web: service_down")
	if took := time.Since(began); took > 5*time.Second { // it was 15
		t.Errorf("one snapshot took %v", took)
	}
}
