package replay_test

import (
	"fmt"
	"testing"
	"time"
)

func madeCauses() []made {
	return []made{
		{"node-reboots", nodeReboots},
		{"node-reboots-between-two-looks", nodeRebootsUnseen},
		{"node-lost-under-50-services", nodeLost},
		{"database-down-under-12-callers", databaseDown},
		{"database-stopped-by-hand-under-callers", databaseStopped},
		{"victim-outlives-its-cause", victimOutlives},
		{"victim-before-its-cause", victimFirst},
		{"old-trouble-beside-an-outage", oldTrouble},
		{"two-incidents-at-once", twoAtOnce},
		{"disk-leak-beside-a-crash", leakBesideCrash},
		{"node-drained-then-down", nodeDrained},
		{"three-nodes-of-a-rack", threeNodes},
	}
}

// nodeReboots is a node that is away for two minutes, with what ran on it, and has begun anew.
func nodeReboots(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "n1", "n2", "n3")
	w.servicesOn("web", 4, "n1", "n3")
	on := w.servicesOn("app", 4, "n2")
	w.until(8, 3, 0)
	w.lost("n2")
	for _, s := range on {
		w.ended(s, 137, "")
	}
	w.until(8, 5, 15)
	w.found("n2").BootAt = clock(8, 4, 50)
	w.until(8, 5, 45)
	for _, s := range on {
		w.back(s)
	}
	w.until(8, 45, 0)
	return []*world{w}
}

// nodeRebootsUnseen is so quick a reboot that no look falls into it.
func nodeRebootsUnseen(t *testing.T) []*world {
	w := newWorld(t, "prod", time.Minute, "n1", "n2")
	on := w.servicesOn("app", 4, "n1", "n2")
	w.until(8, 10, 0)
	w.node("n2").BootAt = clock(8, 10, 40)
	for _, s := range on {
		if s.Nodes[0] == "n2" {
			w.back(s)
		}
	}
	w.until(8, 50, 0)
	return []*world{w}
}

// nodeLost takes 50 services along: 40 that ran there alone, 10 with another replica elsewhere. 15 are started elsewhere
// after three minutes; the node is back after nine.
func nodeLost(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "n1", "n2", "n3")
	w.servicesOn("web", 20, "n1", "n2")
	alone := w.servicesOn("app", 40, "n3")
	for i := range 10 {
		w.service(fmt.Sprintf("pair-%02d", i+1), "n1", "n3")
	}
	w.until(8, 4, 0)
	w.lost("n3")
	for _, s := range alone {
		w.ended(s, 255, "")
	}
	for i := range 10 {
		w.running(w.named(fmt.Sprintf("pair-%02d", i+1)), 1)
	}
	w.until(8, 7, 0)
	for i, s := range alone[:15] {
		s.Nodes = []string{[]string{"n1", "n2"}[i%2]}
		w.back(s)
	}
	w.until(8, 13, 0)
	w.found("n3")
	for _, s := range w.services {
		w.back(s)
	}
	w.until(8, 20, 0)
	return []*world{w}
}

// databaseDown takes along what needs it, directly and through others: some fail their checks, some end.
func databaseDown(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "web1")
	db := w.service("db")
	w.service("static")
	for i := range 8 {
		w.well(needs(w.service(fmt.Sprintf("caller-%02d", i+1)), "db"))
	}
	for i := range 4 {
		w.well(needs(w.service(fmt.Sprintf("front-%02d", i+1)), fmt.Sprintf("caller-%02d", i+1)))
	}
	w.until(8, 4, 0)
	w.ended(db, 1, `FATAL could not write to file "pg_wal/xlogtemp.71": No space left on device`)
	w.look()
	for i := range 5 {
		w.sick(w.named(fmt.Sprintf("caller-%02d", i+1)), "ERROR dial tcp: lookup db: no such host")
	}
	w.look()
	for i := range 3 {
		w.ended(w.named(fmt.Sprintf("caller-%02d", i+6)), 1, "FATAL no database")
	}
	for i := range 4 {
		w.sick(w.named(fmt.Sprintf("front-%02d", i+1)), "ERROR 503 from upstream")
	}
	w.until(8, 10, 0)
	w.back(db)
	w.look()
	for i := range 8 {
		w.well(w.named(fmt.Sprintf("caller-%02d", i+1)))
		w.back(w.named(fmt.Sprintf("caller-%02d", i+1)))
	}
	w.look()
	for i := range 4 {
		w.well(w.named(fmt.Sprintf("front-%02d", i+1)))
	}
	w.until(8, 18, 0)
	return []*world{w}
}

// databaseStopped has a database that somebody stops under those who need it.
func databaseStopped(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "web1")
	db := w.service("db")
	api, web := needs(w.service("api"), "db"), needs(w.service("web"), "api")
	w.well(api)
	w.well(web)
	w.until(8, 4, 0)
	w.running(db, 0)
	db.NotWanted, db.Status = "it was stopped by hand", "stopped"
	w.event("stop", db, "stopped by hand")
	w.look()
	w.sick(api, "ERROR dial tcp: lookup db: no such host")
	w.look()
	w.sick(web, "ERROR 502 from api")
	w.until(8, 9, 0)
	db.NotWanted = ""
	w.back(db)
	w.look()
	w.well(api)
	w.well(web)
	w.until(8, 15, 0)
	return []*world{w}
}

// victimOutlives has a caller that does not come back with its database.
func victimOutlives(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "web1")
	db := w.service("db")
	api, web := needs(w.service("api"), "db"), needs(w.service("web"), "db")
	w.until(8, 4, 0)
	w.ended(db, 137, "")
	w.look()
	w.ended(api, 1, "FATAL no database")
	w.ended(web, 1, "FATAL no database")
	w.until(8, 7, 0)
	w.back(db)
	w.look()
	w.back(web)
	w.until(8, 17, 0)
	w.back(api)
	w.until(8, 23, 0)
	return []*world{w}
}

// victimFirst has a caller that fails, as its own checks tell, before its database is seen to be down.
func victimFirst(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "web1")
	db := w.service("db")
	web := needs(w.service("web"), "db")
	w.well(web)
	w.until(8, 4, 0)
	w.sick(web, "ERROR query timed out")
	w.until(8, 7, 0)
	w.ended(db, 1, "PANIC could not write to log file: Input/output error")
	w.until(8, 11, 0)
	w.back(db)
	w.look()
	w.well(web)
	w.until(8, 17, 0)
	return []*world{w}
}

// oldTrouble has a caller that has failed for eight minutes when its database goes down, and still does when that is back.
func oldTrouble(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "web1")
	db := w.service("db")
	web := needs(w.service("web"), "db")
	w.well(web)
	w.until(8, 4, 0)
	w.sick(web, "ERROR template not found: checkout.html")
	w.until(8, 12, 0)
	w.ended(db, 137, "")
	w.until(8, 15, 0)
	w.back(db)
	w.until(8, 20, 0)
	w.well(web)
	w.until(8, 25, 0)
	return []*world{w}
}

// twoAtOnce are a service that ends and, in the same minute, a node without memory that it does not run on.
func twoAtOnce(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "n1", "n2")
	shop := w.service("checkout", "n1")
	w.service("mail", "n2")
	w.until(8, 4, 0)
	w.ended(shop, 139, "fatal error: unexpected signal during runtime execution")
	w.node("n2").MemoryPercent = new(97.5)
	w.until(8, 8, 0)
	w.back(shop)
	w.until(8, 14, 0)
	w.node("n2").MemoryPercent = new(61.0)
	w.until(8, 22, 0)
	return []*world{w}
}

// leakBesideCrash is a disk that has been filling for hours on the node on which a service begins to crash for a reason
// of its own.
func leakBesideCrash(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "web1")
	worker := w.service("worker", "web1")
	w.service("db", "web1")
	free, used := int64(22e9), 89.0
	fill := func(time.Time) {
		used, free = used+0.02, free-20e6
		w.node("web1").Disks = disks(used, free)
	}
	w.while(8, 6, 0, fill)
	fails := func(at time.Time) {
		fill(at)
		if at.Second()%30 == 0 {
			w.again(worker, 1, 1, "KeyError: 'order_id'")
		} else {
			w.back(worker)
		}
	}
	w.while(8, 11, 0, fails)
	w.back(worker)
	w.while(8, 31, 0, fill)
	w.node("web1").Disks = disks(60, 51e9)
	w.until(8, 40, 0)
	return []*world{w}
}

// nodeDrained is maintenance: drained, empty, off for ten minutes, back.
func nodeDrained(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "n1", "n2")
	moved := w.servicesOn("app", 6, "n1", "n2")
	w.until(8, 3, 0)
	w.node("n2").Status = "draining"
	w.while(8, 4, 30, func(at time.Time) {
		w.node("n2").LastSeen = at
		for i, s := range moved {
			if s.Nodes[0] == "n2" && at.Second()/15 == i%4 {
				s.Nodes = []string{"n1"}
				w.back(s)
			}
		}
	})
	w.lost("n2")
	w.until(8, 14, 30)
	w.found("n2").BootAt = clock(8, 14, 0)
	w.until(8, 50, 0)
	return []*world{w}
}

// threeNodes share a switch; each carries services of its own.
func threeNodes(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "r1", "r2", "r3", "n4")
	on := w.servicesOn("app", 30, "r1", "r2", "r3")
	w.servicesOn("web", 4, "n4")
	w.until(8, 4, 0)
	for _, id := range []string{"r1", "r2", "r3"} {
		w.lost(id)
	}
	for _, s := range on {
		w.ended(s, 255, "")
	}
	w.until(8, 9, 0)
	for _, id := range []string{"r1", "r2", "r3"} {
		w.found(id)
	}
	for _, s := range on {
		w.back(s)
	}
	w.until(8, 16, 0)
	return []*world{w}
}
