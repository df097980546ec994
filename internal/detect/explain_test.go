package detect_test

import (
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// pair is db, which is down, and api, which needs it and has failed with it.
func pair(t *testing.T) *town {
	w := build(t, up("db"), up("api"))
	w.pass(1)
	w.set(down("db"), needing(down("api"), "db"))
	w.pass(2)
	w.tells("api: service_down <- db", "db: service_down")
	return w
}

func TestVictimThatRecoversWithItsCauseIsNeverTold(t *testing.T) {
	w := pair(t)
	w.set(up("db"), needing(down("api"), "db"))
	w.pass(4) // db's clear hold
	w.set(needing(up("api"), "db"))
	w.tells("api: service_down <- db", "db: service_down")
	w.pass(1) // db is well
	w.tells("api: service_down <- db")
	want(t, w.heard(), []string(nil))
	w.pass(3)
	w.tells("api: service_down <- db")
	w.pass(1)
	w.tells()
}

func TestVictimInItsClearHoldStaysExplainedHoweverLong(t *testing.T) {
	w := build(t, up("db"), logging("api", 0))
	w.pass(125) // half an hour, for what is usual
	w.set(down("db"), needing(logging("api", 100), "db"))
	w.pass(2)
	w.tells("api: error_burst <- db", "db: service_down")
	w.set(up("db"))
	w.pass(5)
	w.tells("api: error_burst <- db")
	for range 50 { // it counts the lines of 5 min, and clears after 10 min
		w.pass(1)
		w.tells("api: error_burst <- db")
	}
	w.pass(10)
	w.tells()
}

func TestErrorsThatGoOnAfterTheirCauseAreTold(t *testing.T) {
	total := int64(0)
	w := build(t, up("db"), logging("api", total))
	w.pass(125)
	more := func(n int) {
		for range n {
			total += 20
			w.set(needing(logging("api", total), "db"))
			w.pass(1)
		}
	}
	w.set(down("db"))
	more(4)
	w.set(up("db"))
	more(5)
	w.tells("api: error_burst <- db")
	more(19)
	w.tells("api: error_burst <- db")
	more(1)
	w.tells("api: error_burst")
}

func TestVictimThatFailsAgainAfterItsCauseStandsForItself(t *testing.T) {
	w := pair(t)
	w.set(up("db"), needing(down("api"), "db"))
	w.pass(12)
	w.tells("api: service_down <- db")
	w.set(needing(up("api"), "db"))
	w.pass(2) // 8 intervals are over, and it is in its clear hold
	w.tells("api: service_down <- db")
	w.set(needing(down("api"), "db"))
	w.pass(1)
	w.tells("api: service_down")
}

func TestVictimStaysWithItsCauseWhileThatFires(t *testing.T) {
	w := pair(t)
	w.set(down("cache"), needing(down("api"), "cache")) // whatever else turns up
	w.pass(10)
	w.tells("api: service_down <- db", "cache: service_down", "db: service_down")
	w.set(up("db"))
	w.pass(4)
	w.tells("api: service_down <- db", "cache: service_down", "db: service_down")
	w.pass(1) // it takes up the other cause once the first has ended, if that can have led to it
	w.tells("api: service_down <- cache", "cache: service_down")
}

func TestCauseThatTurnsOutToBeAVictimHandsOnWhatItExplains(t *testing.T) {
	w := build(t, on(up("db"), "n1"), up("api"))
	w.machine("n1", "healthy")
	w.pass(1)
	w.set(on(up("db"), "!n1"), needing(down("api"), "db"))
	w.pass(6)
	w.tells("api: service_down <- db", "db: service_down")
	w.machine("n1", "down")
	w.pass(2)
	w.tells("api: service_down <- n1", "db: service_down <- n1", "n1: node_down")
	w.machine("n1", "healthy")
	w.pass(5)
	w.tells("api: service_down <- n1", "db: service_down <- n1")
	w.pass(8) // db outlives its node, and is what api still waits for
	w.tells("api: service_down <- db", "db: service_down")
}

func TestVictimThatGetsWorseThanItsCauseStandsForItself(t *testing.T) {
	w := build(t, sick("db"), needing(sick("api"), "db"))
	w.pass(5)
	w.tells("api: unhealthy <- db", "db: unhealthy")
	w.set(needing(down("api"), "db"))
	w.pass(2)
	w.tells("api: service_down, unhealthy", "db: unhealthy")
}

func TestVictimWithANewConditionThatNothingExplainsStandsForItself(t *testing.T) {
	w := pair(t)
	killed := oomed("api", w.at.Add(i))
	killed.ReplicasRunning = new(0)
	w.set(needing(killed, "db"))
	w.pass(1)
	w.tells("api: service_down, oom_killed", "db: service_down")
}

// A database that runs again but is not well yet is milder than those that wait for it. It had them until now.
func TestCauseThatEasesKeepsItsVictimsForAWhile(t *testing.T) {
	ill := some("db", new(2), 2) // not all of it, or it were critical in time
	ill.Health = "unhealthy"
	w := pair(t)
	w.set(ill)
	w.pass(5)
	w.tells("api: service_down <- db", "db: unhealthy")
	w.pass(7)
	w.tells("api: service_down <- db", "db: unhealthy")
	w.pass(1)
	w.tells("api: service_down", "db: unhealthy")
}

func TestStaleVictimStandsStill(t *testing.T) {
	w := pair(t)
	stale := needing(down("api"), "db")
	stale.Stale = true
	w.set(up("db"), stale)
	for range 5 {
		w.pass(1)
	}
	for range 20 {
		w.tells("api: service_down <- db")
		w.pass(1)
	}
	w.set(needing(down("api"), "db"))
	w.pass(9)
	w.tells("api: service_down")
}

func TestStaleCauseGoesOnExplaining(t *testing.T) {
	w := pair(t)
	stale := down("db")
	stale.Stale = true
	w.set(stale)
	w.pass(30)
	w.tells("api: service_down <- db", "db: service_down")
}

func TestCauseThatIsRemovedNoLongerExplains(t *testing.T) {
	w := pair(t)
	w.remove("db")
	w.pass(8)
	w.tells("api: service_down <- db", "db: service_down")
	w.pass(1) // gone
	w.tells("api: service_down <- db")
	w.pass(8)
	w.tells("api: service_down")
}

func TestVictimThatIsRemovedLeaves(t *testing.T) {
	w := pair(t)
	w.remove("api")
	w.pass(8)
	w.tells("api: service_down <- db", "db: service_down")
	w.pass(1)
	w.tells("db: service_down")
	want(t, w.result.Gone, []schema.Object{{Kind: "service", Namespace: "shop", Name: "api"}})
}

func TestVictimsComeWorstFirst(t *testing.T) {
	w := build(t, down("db"), needing(sick("a"), "db"), needing(down("c"), "db"))
	w.pass(1)
	w.set(needing(down("b"), "db"))
	w.pass(6)
	service := func(name string) schema.Object { return schema.Object{Kind: "service", Namespace: "shop", Name: name} }
	want(t, w.result.Findings[2].Object, service("db"))
	want(t, w.result.Findings[2].Victims, []detect.Victim{
		{Object: service("c"), Condition: "service_down", Severity: "critical", Since: after(i)},
		{Object: service("b"), Condition: "service_down", Severity: "critical", Since: after(2 * i)},
		{Object: service("a"), Condition: "unhealthy", Severity: "warning", Since: after(i)},
	})
}

func TestRedeliveredSnapshotExplainsTheSame(t *testing.T) {
	w := build(t, down("db"), needing(down("api"), "db"))
	w.set(named("web", 12, down)...)
	w.pass(2)
	w.hears("prod storm with 14")
	for range 2 {
		again := w.seeAt(w.last, detect.Position{Seq: w.seq})
		want(t, again, w.result)
	}
}

func TestExplanationIsSetByRules(t *testing.T) {
	w := pair(t)
	w.rules.Explain.On = false
	w.pass(1)
	w.tells("api: service_down", "db: service_down")

	set := func(r detect.Rules) *town {
		w := build(t, up("db"), needing(down("api"), "db"))
		w.rules = r
		w.pass(4 * 7)
		w.set(down("db"))
		w.pass(2)
		return w
	}
	r := detect.Default()
	set(r).tells("api: service_down", "db: service_down")
	r.Explain.Within = 8 * time.Minute
	set(r).tells("api: service_down <- db", "db: service_down")
	r.Explain.Outlive = detect.Span{Intervals: 2}
	w = set(r)
	w.set(up("db"))
	w.pass(6)
	w.tells("api: service_down <- db")
	w.pass(1)
	w.tells("api: service_down")
	r.Overrides = []detect.Override{{Match: detect.Match{Cluster: "prod"}, Changes: []detect.Change{line(t, 1, detect.Explain, "enabled", detect.Value{})}}}
	set(r).tells("api: service_down", "db: service_down")
}

func TestStaleObjectTakesUpNoCause(t *testing.T) {
	w := build(t, up("db"), needing(down("api"), "db"))
	w.pass(3)
	stale := needing(down("api"), "db")
	stale.Stale = true
	w.set(down("db"), stale)
	w.pass(3)
	w.tells("api: service_down", "db: service_down")
	w.set(needing(down("api"), "db"))
	w.pass(1)
	w.tells("api: service_down <- db", "db: service_down")
}

// In a circle, too, what explained something goes on doing so, although what is true of it now began later.
func TestCircleStaysWithTheOneThatLed(t *testing.T) {
	mild := func(s svc) svc {
		s.Labels = map[string]string{detect.SeverityLabel: schema.SeverityWarning}
		return s
	}
	w := build(t, mild(needing(down("web"), "api")), mild(needing(up("api"), "web")))
	w.pass(2)
	w.set(mild(needing(down("api"), "web")))
	w.pass(2)
	w.tells("api: service_down <- web", "web: service_down")
	w.set(mild(needing(sick("web"), "api")))
	w.pass(8)
	w.tells("api: service_down <- web", "web: unhealthy")
}
