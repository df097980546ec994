package detect_test

import (
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestServiceExplainsThoseThatNeedIt(t *testing.T) {
	inOps := func(s svc) svc {
		s.Namespace = "ops"
		return s
	}
	stopped := down("cache")
	stopped.NotWanted = "stopped by hand"
	for _, tt := range []struct {
		name     string
		services []svc // as they are from the second snapshot on; the first shows them well
		tells    []string
	}{
		{"directly", []svc{down("db"), needing(down("api"), "db")}, []string{"api: service_down <- db", "db: service_down"}},
		{
			"in-a-chain",
			[]svc{down("db"), needing(down("cache"), "db"), needing(down("api"), "cache")},
			[]string{"api: service_down <- db", "cache: service_down <- db", "db: service_down"},
		},
		{
			"through-one-that-runs",
			[]svc{down("db"), needing(up("cache"), "db"), needing(down("api"), "cache")},
			[]string{"api: service_down <- db", "db: service_down"},
		},
		{
			"not-through-one-stopped-on-purpose",
			[]svc{down("db"), needing(stopped, "db"), needing(down("api"), "cache")},
			[]string{"api: service_down", "db: service_down"},
		},
		{
			"from-another-namespace",
			[]svc{inOps(down("db")), needing(down("api"), "db")},
			[]string{"api: service_down <- ops/db", "ops/db: service_down"},
		},
		{
			"beside-it-first",
			[]svc{inOps(down("db")), up("db"), needing(down("api"), "db")},
			[]string{"api: service_down", "ops/db: service_down"},
		},
		{
			"none-of-two-elsewhere",
			[]svc{inOps(down("db")), {Name: "db", Namespace: "lab", ReplicasRunning: new(1), ReplicasDesired: new(1)}, needing(down("api"), "db")},
			[]string{"api: service_down", "ops/db: service_down"},
		},
		{
			"none-of-two-elsewhere-be-the-first-one-down",
			[]svc{{Name: "db", Namespace: "lab", ReplicasRunning: new(0), ReplicasDesired: new(1)}, inOps(up("db")), needing(down("api"), "db")},
			[]string{"api: service_down", "lab/db: service_down"},
		},
		{
			"by-one-that-needs-it-too",
			[]svc{needing(down("api"), "web"), needing(up("web"), "api", "z-db"), down("z-db")},
			[]string{"api: service_down <- z-db", "z-db: service_down"},
		},
		{"a-name-that-is-none", []svc{down("db"), needing(down("api"), "other")}, []string{"api: service_down", "db: service_down"}},
		{"itself", []svc{needing(down("api"), "api")}, []string{"api: service_down"}},
		{
			"in-a-circle-by-name",
			[]svc{needing(down("web"), "api"), needing(down("api"), "web")},
			[]string{"api: service_down", "web: service_down <- api"},
		},
		{
			"a-circle-below-a-cause",
			[]svc{down("a-db"), needing(down("web"), "api", "a-db"), needing(down("api"), "web", "a-db")},
			[]string{"a-db: service_down", "api: service_down <- a-db", "web: service_down <- a-db"},
		},
		{
			"one-that-fails-only-in-part",
			[]svc{some("db", new(1), 2), needing(some("api", new(1), 2), "db")},
			[]string{"api: service_degraded", "db: service_degraded"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := build(t)
			for _, s := range tt.services {
				well := s
				well.ReplicasRunning, well.NotWanted, well.Status = s.ReplicasDesired, "", "healthy"
				w.set(well)
			}
			w.pass(1)
			w.set(tt.services...)
			w.pass(9)
			w.tells(tt.tells...)
		})
	}
}

func TestDatabaseThatIsDownExplainsTwelveCallers(t *testing.T) {
	w := build(t, up("db"))
	w.set(named("caller", 12, up)...)
	w.pass(2)
	w.set(down("db"))
	w.pass(2)
	w.hears("db service_down")
	for _, s := range named("caller", 12, down) {
		w.set(needing(s, "db"))
	}
	w.pass(2)
	w.hears("db service_down with 12")
}

// Eight steps away is near enough, nine are a mistake more often than not.
func TestCauseIsLookedForEightStepsAway(t *testing.T) {
	w := build(t, down("s-00000"))
	for n := 1; n <= 9; n++ {
		s := needing(up(named("s", 10, up)[n].Name), named("s", 10, up)[n-1].Name)
		if n >= 8 {
			s.ReplicasRunning = new(0)
		}
		if n == 9 {
			s.DependsOn = []string{"s-00007"} // not by way of the eighth, which would explain it
		}
		w.set(s)
	}
	w.pass(2)
	w.tells("s-00000: service_down", "s-00008: service_down <- s-00000", "s-00009: service_down <- s-00000")
	w = build(t, down("s-00000"))
	for n := 1; n <= 9; n++ {
		s := needing(up(named("s", 10, up)[n].Name), named("s", 10, up)[n-1].Name)
		if n == 9 {
			s.ReplicasRunning = new(0)
		}
		w.set(s)
	}
	w.pass(2)
	w.tells("s-00000: service_down", "s-00009: service_down")
}

func TestNearestCauseThatIsBadEnoughIsTaken(t *testing.T) {
	ill := sick("cache") // a warning
	ill.DependsOn = []string{"db"}
	w := build(t, down("db"), ill, needing(down("api"), "cache"), needing(sick("web"), "cache"))
	w.pass(5)
	w.tells("api: service_down <- db", "cache: unhealthy <- db", "db: service_down", "web: unhealthy <- db")
	w = build(t, ill, needing(down("api"), "cache"), needing(sick("web"), "cache"), up("db"))
	w.pass(5)
	w.tells("api: service_down", "cache: unhealthy", "web: unhealthy <- cache")
}

func TestCauseThatBeganMuchLaterExplainsNothing(t *testing.T) {
	for _, tt := range []struct {
		later time.Duration
		tells []string
	}{
		{5 * time.Minute, []string{"api: service_down <- db", "db: service_down"}},
		{5*time.Minute + i, []string{"api: service_down", "db: service_down"}},
		{6 * time.Minute, []string{"api: service_down", "db: service_down"}},
	} {
		t.Run(tt.later.String(), func(t *testing.T) {
			w := build(t, up("db"), needing(down("api"), "db"))
			w.pass(int(tt.later / i))
			w.set(down("db"))
			w.pass(3)
			w.tells(tt.tells...)
		})
	}
}

// What somebody has to look at by itself is told by itself, although something else is explained.
func TestServiceStandsForItselfWithAConditionThatNothingExplains(t *testing.T) {
	w := build(t, up("db"), up("api"))
	w.pass(1)
	killed := oomed("api", w.at.Add(i))
	killed.ReplicasRunning = new(0)
	w.set(down("db"), needing(killed, "db"))
	w.pass(2)
	w.tells("api: service_down, oom_killed", "db: service_down")

	w = build(t, up("db"), ended("job", 0, start))
	w.pass(1)
	w.set(down("db"), needing(ended("job", 1, w.at.Add(i)), "db"))
	w.pass(3)
	w.tells("db: service_down", "job: job_failed")
}

func TestWhatIsToldToNobodyExplainsNothing(t *testing.T) {
	mild := func(s svc) svc {
		s.Labels = map[string]string{detect.SeverityLabel: schema.SeverityInfo}
		return s
	}
	w := build(t, mild(down("db")), needing(mild(down("api")), "db"), needing(down("web"), "db"))
	w.pass(3)
	w.tells("api: service_down", "db: service_down", "web: service_down")

	w = build(t, down("db"), needing(down("web"), "db"))
	w.pass(3)
	w.tells("db: service_down", "web: service_down <- db")
	w.set(mild(down("db"))) // nobody hears of it any more: what it explained is told after a while
	w.pass(1)
	w.tells("db: service_down", "web: service_down <- db")
	w.pass(8)
	w.tells("db: service_down", "web: service_down")
}

func TestWhatIsMissingFromTheSnapshotCanStillExplain(t *testing.T) {
	w := build(t, down("db"), needing(up("api"), "db"))
	w.pass(3)
	w.remove("db")
	w.set(needing(down("api"), "db"))
	w.pass(3)
	w.tells("api: service_down <- db", "db: service_down")
}
