package replay_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func madeStorms() []made {
	return []made{
		{"storm-breaks-up-to-two", stormBreaksUp},
		{"storm-folds-into-a-node", stormFolds},
		{"ten-thousand-services-one-bad", tenThousand},
		{"nine-at-once-are-no-storm", nineAtOnce},
		{"storm-of-twelve", stormOfTwelve},
	}
}

func disks(used float64, free int64) []schema.DiskSummary {
	return []schema.DiskSummary{{Mount: "/var/lib", UsedPercent: new(used), InodesPercent: new(20.0), FreeBytes: new(free)}}
}

// stormBreaksUp has 200 services that have nothing in common and fail within 45 s. All but two are back after four
// minutes; those two five minutes later.
func stormBreaksUp(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "n1", "n2", "n3", "n4", "n5")
	all := w.servicesOn("svc", 200, "n1", "n2", "n3", "n4", "n5")
	for i, s := range all {
		s.Namespace = fmt.Sprintf("team-%d", i%8)
		w.back(s)
	}
	w.until(8, 4, 0)
	for i := range 3 {
		for j := i; j < len(all); j += 3 {
			w.ended(all[j], 1+j%7, "")
		}
		w.look()
	}
	w.until(8, 8, 0)
	for _, s := range all[2:] {
		w.back(s)
	}
	w.until(8, 13, 0)
	w.back(all[0])
	w.back(all[1])
	w.until(8, 19, 0)
	return []*world{w}
}

// stormFolds has a node under 40 services that is called down only two minutes after they are.
func stormFolds(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "n1", "n2", "n3", "n4")
	w.servicesOn("web", 12, "n1", "n2", "n3")
	on := w.servicesOn("app", 40, "n4")
	w.until(8, 4, 0)
	for _, s := range on {
		w.ended(s, 255, "")
	}
	w.until(8, 6, 0)
	w.lost("n4")
	w.until(8, 12, 0)
	w.found("n4")
	for _, s := range on {
		w.back(s)
	}
	w.until(8, 19, 0)
	return []*world{w}
}

// tenThousand services and one of them is bad.
func tenThousand(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "n1", "n2", "n3", "n4")
	for i := range 10000 {
		w.services = append(w.services, &schema.ServiceSummary{
			Name: fmt.Sprintf("svc-%04d", i), Namespace: fmt.Sprintf("team-%02d", i%40), Status: schema.ServiceHealthy,
			ReplicasRunning: new(1), ReplicasDesired: new(1),
		})
	}
	w.until(8, 0, 30)
	w.ended(w.named("svc-4711"), 2, "panic: runtime error: index out of range [3] with length 3")
	w.until(8, 1, 15)
	w.back(w.named("svc-4711"))
	w.until(8, 2, 30)
	return []*world{w}
}

// nineAtOnce fail within a minute, each for itself, and a tenth half a minute later; they are back at 08:08.
func nineAtOnce(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "n1", "n2", "n3")
	all := w.servicesOn("svc", 30, "n1", "n2", "n3")
	w.until(8, 4, 0)
	w.while(8, 5, 0, func(at time.Time) {
		for _, s := range all[at.Second()/15*2:][:2] {
			w.ended(s, 1, "")
		}
	})
	w.ended(all[20], 1, "")
	w.until(8, 5, 30)
	w.ended(all[21], 1, "")
	w.until(8, 8, 0)
	for _, s := range all {
		w.back(s)
	}
	w.until(8, 13, 0)
	return []*world{w}
}

// stormOfTwelve has four services that fail, and eight more 45 s later. Seven are back after three minutes, all but two
// after five, and those after seven.
func stormOfTwelve(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "n1", "n2", "n3")
	all := w.servicesOn("svc", 30, "n1", "n2", "n3")
	w.until(8, 4, 0)
	for _, s := range all[:4] {
		w.ended(s, 1, "")
	}
	w.until(8, 4, 45)
	for _, s := range all[4:12] {
		w.ended(s, 1, "")
	}
	for _, x := range []struct{ minute, left int }{{8, 5}, {10, 2}, {12, 0}} {
		w.until(8, x.minute, 0)
		for _, s := range all[x.left:12] {
			w.back(s)
		}
	}
	w.until(8, 17, 0)
	return []*world{w}
}
