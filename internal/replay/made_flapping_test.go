package replay_test

import (
	"testing"
	"time"
)

func madeFlapping() []made {
	return []made{
		{"flapping-every-30-seconds", flappingFast},
		{"flapping-every-5-minutes", flappingSlowly},
		{"down-twice-in-an-hour", downTwice},
		{"down-three-times-in-an-hour", downThreeTimes},
		{"node-flaps-under-its-services", nodeFlaps},
	}
}

// flappingFast is down for 30 s and up for 30 s, ten times.
func flappingFast(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "web1")
	worker := w.service("worker")
	w.service("db")
	w.until(8, 3, 0)
	for m := 3; m < 13; m++ {
		w.ended(worker, 1, "ERROR lost connection to broker")
		w.until(8, m, 30)
		w.back(worker)
		w.until(8, m+1, 0)
	}
	w.until(8, 50, 0)
	return []*world{w}
}

// flappingSlowly is down for one minute in five, six times.
func flappingSlowly(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "web1")
	worker := w.service("worker")
	w.service("db")
	for m := 3; m < 33; m += 5 {
		w.until(8, m, 0)
		w.ended(worker, 1, "ERROR lost connection to broker")
		w.until(8, m+1, 0)
		w.back(worker)
	}
	w.until(9, 10, 0)
	return []*world{w}
}

// downTwice is down for a minute at 08:03 and at 08:50, once more an hour later.
func downTwice(t *testing.T) []*world {
	return downAt(t, clock(8, 3, 0), clock(8, 50, 0), clock(9, 55, 0))
}

// downThreeTimes is down for a minute at 08:03, 08:25 and 08:50.
func downThreeTimes(t *testing.T) []*world {
	return downAt(t, clock(8, 3, 0), clock(8, 25, 0), clock(8, 50, 0))
}

func downAt(t *testing.T, times ...time.Time) []*world {
	w := newWorld(t, "prod", quarter, "web1")
	worker := w.service("worker")
	for _, at := range times {
		w.until(8, 0, int(at.Sub(begins).Seconds()))
		w.ended(worker, 1, "ERROR lost connection to broker")
		w.until(8, 0, int(at.Sub(begins).Seconds())+60)
		w.back(worker)
	}
	w.until(8, 0, int(w.now.Sub(begins).Seconds())+35*60)
	return []*world{w}
}

// nodeFlaps is a bad network card: the node is away for a minute in three, with the services on it, four times.
func nodeFlaps(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "n1", "n2")
	w.servicesOn("web", 3, "n1")
	on := w.servicesOn("app", 12, "n2")
	for m := 3; m < 15; m += 3 {
		w.until(8, m, 0)
		w.lost("n2")
		for _, s := range on {
			w.ended(s, 255, "")
		}
		w.until(8, m+1, 0)
		w.found("n2")
		for _, s := range on {
			w.back(s)
		}
	}
	w.until(8, 50, 0)
	return []*world{w}
}
