package eval_test

import (
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func serviceFilms() []film {
	return []film{
		{"condition-service-down", []string{detect.ServiceDown}, 15 * time.Second, "08:13", serviceDown},
		{"condition-service-not-wanted", []string{detect.ServiceDown}, 15 * time.Second, "08:06", notWanted},
		{"condition-service-degraded", []string{detect.ServiceDegraded}, 15 * time.Second, "08:16", serviceDegraded},
		{"condition-crash-loop", []string{detect.CrashLoop}, 15 * time.Second, "08:43", crashLoop},
		{"condition-crash-loop-all-day", []string{detect.CrashLoop}, 10 * time.Minute, "39:00", crashLoopAllDay},
		{"condition-oom-killed", []string{detect.OOMKilled}, time.Minute, "09:00", oomKilled},
	}
}

func serviceDown(n now, s *schema.ClusterContext) bool {
	db := service("db", 1, 1)
	if n.in("08:02", "08:02:15") || n.in("08:05", "08:08") || n.in("08:08:45", "08:09:30") {
		db.ReplicasRunning = new(0)
	}
	db.LastFailure = exit(n.newest("08:01:55", "08:04:50", "08:08:40"), 1, time.Hour)
	s.Services = append(s.Services, db)
	return true
}

func notWanted(n now, s *schema.ClusterContext) bool {
	byHand, before, scaled, all := service("by-hand", 1, 1), service("before", 0, 0), service("scaled", 2, 2), service("all", 1, 1)
	before.NotWanted = "it had ended before the engine was first seen"
	before.Instances = []schema.Instance{{Name: "shop-before-1", State: "exited"}}
	if n.since("08:02") {
		byHand = service("by-hand", 0, 0)
		byHand.NotWanted = "stopped by hand"
		byHand.Instances = []schema.Instance{{Name: "shop-by-hand-1", State: "exited"}}
	}
	if n.since("08:03") {
		scaled = service("scaled", 0, 0)
		scaled.NotWanted = "paused"
	}
	s.Services = append(s.Services, byHand, before, scaled, all)
	return true
}

func serviceDegraded(n now, s *schema.ClusterContext) bool {
	web := service("web", 3, 3)
	if n.in("08:02", "08:04") || n.in("08:05", "08:12") || n.in("08:12:45", "08:13") {
		web.ReplicasRunning = new(2)
	}
	s.Services = append(s.Services, web)
	return true
}

func crashLoop(n now, s *schema.ClusterContext) bool {
	// Two ends are no loop yet.
	twice := service("twice", 1, 1)
	ends := []string{"08:03", "08:04"}
	twice.RestartsTotal, twice.LastFailure = new(n.count(ends...)), exit(n.newest(ends...), 1, 5*time.Second)

	// Three in twelve minutes are none.
	seldom := service("seldom", 1, 1)
	ends = []string{"08:03", "08:09", "08:15"}
	seldom.RestartsTotal, seldom.LastFailure = new(n.count(ends...)), exit(n.newest(ends...), 1, 50*time.Second)

	// It runs for more than a minute each time.
	patient := service("patient", 3, 3)
	ends = []string{"08:03", "08:05", "08:07"}
	patient.RestartsTotal, patient.LastFailure = new(n.count(ends...)), exit(n.newest(ends...), 1, 70*time.Second)

	// Three quick ends, and then it runs.
	quick := service("quick", 1, 1)
	ends = []string{"08:05:15", "08:05:30", "08:05:45"}
	quick.RestartsTotal, quick.LastFailure = new(n.count(ends...)), exit(n.newest(ends...), 1, 3*time.Second)
	quick.Instances = []schema.Instance{{Name: "shop-quick-1", State: "running", StartedAt: n.newest(slices.Concat([]string{"08:00"}, ends)...)}}

	// Now one replica, now another: three times in ten minutes, after 40 s.
	loop := service("worker", 3, 3)
	ends = []string{"08:20", "08:24", "08:28"}
	loop.RestartsTotal, loop.LastFailure = new(n.count(ends...)), exit(n.newest(ends...), 1, 40*time.Second)
	s.Services = append(s.Services, twice, seldom, patient, quick, loop)
	return true
}

func crashLoopAllDay(n now, s *schema.ClusterContext) bool {
	often, slow := service("often", 1, 1), service("slow", 1, 1)
	restarts := func(every time.Duration) (count int64, last time.Time) {
		for at := clock("08:40"); !at.After(n.Time) && count < 12; at = at.Add(every) {
			count, last = count+1, at
		}
		return count, last
	}
	count, last := restarts(130 * time.Minute) // the eleventh within 24 h at 06:20, the twelfth and last at 08:30
	often.RestartsTotal, often.LastFailure = &count, exit(last, 1, 2*time.Hour)
	count2, last2 := restarts(150 * time.Minute) // at most ten in any 24 h
	slow.RestartsTotal, slow.LastFailure = &count2, exit(last2, 1, 2*time.Hour)
	s.Services = append(s.Services, often, slow)
	return true
}

func oomKilled(n now, s *schema.ClusterContext) bool {
	api := service("api", 1, 1)
	kills := []string{"08:05:20", "08:25:20"}
	api.RestartsTotal = new(n.count(kills...))
	if at := n.newest(kills...); !at.IsZero() {
		api.LastFailure = &schema.Failure{Reason: schema.FailureOOM, ExitCode: new(137), OOM: true, At: at, RanFor: new(1200.0)}
	}

	// Killed long before anybody looked, and killed by somebody.
	old, killed := service("old", 1, 1), service("killed", 1, 1)
	old.RestartsTotal, killed.RestartsTotal = new(int64(4)), new(n.count("08:10"))
	old.LastFailure = &schema.Failure{Reason: schema.FailureOOM, ExitCode: new(137), OOM: true, At: clock("07:40")}
	killed.LastFailure = exit(n.newest("08:10"), 137, time.Hour)
	s.Services = append(s.Services, api, old, killed)
	return true
}
