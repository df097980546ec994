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

// downTwice is down for a minute at 08:03 and at 08:50, once more two hours later.
func downTwice(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "web1")
	worker := w.service("worker")
	for _, at := range []time.Time{clock(8, 3, 0), clock(8, 50, 0), clock(10, 45, 0)} {
		w.until(8, 0, int(at.Sub(begins).Seconds()))
		w.ended(worker, 1, "ERROR lost connection to broker")
		w.until(8, 0, int(at.Sub(begins).Seconds())+60)
		w.back(worker)
	}
	w.until(10, 52, 0)
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
