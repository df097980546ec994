package replay_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// madeQuiet is what looks worse than it is, most of it beside something that is as bad as it looks.
func madeQuiet() []made {
	return []made{
		{"scaled-to-zero-on-purpose", scaledToZero},
		{"batch-jobs", batchJobs},
		{"service-renamed-and-removed", renamed},
		{"two-clusters-with-the-same-names", twoClusters},
		{"inference-gpu-full-all-week", gpuAllWeek},
		{"source-fails-for-a-while", sourceFails},
		{"goodbye-and-return", goodbyeAndReturn},
		{"goodbye-and-no-return", goodbyeAndNoReturn},
		{"scaled-by-load", scaledByLoad},
		{"restarted-one-by-one-at-night", restartedAtNight},
		{"slow-to-start", slowToStart},
	}
}

// scaledToZero is a worker that nobody wants for a while, and one that nobody stopped.
func scaledToZero(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "web1")
	worker, mail := w.service("worker", "web1", "web1", "web1"), w.service("mail")
	w.until(8, 3, 0)
	w.scale(worker, 0)
	worker.NotWanted = "it was scaled to zero"
	w.event("scale", worker, "scaled from 3 to 0")
	w.until(8, 10, 0)
	w.ended(mail, 1, "FATAL: cannot bind to port 25")
	w.until(8, 14, 0)
	w.back(mail)
	worker.NotWanted = ""
	w.scale(worker, 3)
	w.running(worker, 1)
	w.until(8, 14, 30)
	w.running(worker, 3)
	w.until(8, 20, 0)
	return []*world{w}
}

// batchJobs are 300 of them within half an hour, each gone two minutes after it ended; three fail, one of which is
// run again and goes well.
func batchJobs(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "web1")
	w.service("db")
	fails := map[int]bool{60: true, 140: true, 220: true}
	w.look()
	for i := range 300 {
		job := w.service(fmt.Sprintf("report-%03d", i))
		job.Namespace = "batch"
		code, word := 0, ""
		if fails[i] {
			code, word = 1, "ERROR: division by zero in line 12 of report.sql"
		}
		w.finished(job, code, word)
		if i%3 == 2 {
			w.while(8, 0, (i+1)*5, w.clean)
		}
		if i == 160 {
			w.finished(w.named("report-140"), 0, "")
		}
	}
	w.while(8, 30, 0, w.clean)
	return []*world{w}
}

// finished is a job that has just ended.
func (w *world) finished(s *schema.ServiceSummary, code int, word string) {
	w.running(s, 0)
	s.ReplicasDesired, s.NotWanted, s.Status, s.RecentLogs = new(0), "it ended as it should", schema.ServiceHealthy, nil
	if code != 0 {
		s.NotWanted = "it is a job that failed"
		w.failed(s, code, word)
	}
	s.Job = &schema.JobRun{LastExitCode: code, At: w.now.Add(5 * time.Second)}
}

// clean takes away the jobs that ended well two minutes ago.
func (w *world) clean(at time.Time) {
	w.services = slices.DeleteFunc(w.services, func(s *schema.ServiceSummary) bool {
		return s.Job != nil && s.Job.LastExitCode == 0 && at.Sub(s.Job.At) > 2*time.Minute
	})
}

// renamed has web that becomes frontend, and two that are taken away: one well, one while it is down.
func renamed(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "web1")
	w.service("db")
	w.service("web")
	w.service("legacy-api")
	legacy := w.service("legacy-queue")
	w.until(8, 3, 0)
	w.removed("web")
	w.service("frontend")
	w.until(8, 6, 0)
	w.removed("legacy-api")
	w.ended(legacy, 1, "FATAL: lookup legacy-api: no such host")
	w.until(8, 9, 0)
	w.removed("legacy-queue")
	w.until(8, 20, 0)
	return []*world{w}
}

// twoClusters have the same services. In staging db is down; ten minutes later api is in prod.
func twoClusters(t *testing.T) []*world {
	var both []*world
	for _, name := range []string{"prod", "staging"} {
		w := newWorld(t, name, quarter, "web1")
		w.snapshot.Collector, w.snapshot.Host = name+"-1", name
		db, api := w.service("db"), needs(w.service("api"), "db")
		needs(w.service("web"), "api")
		w.until(8, 3, 0)
		if name == "staging" {
			w.ended(db, 1, "FATAL: data directory has wrong ownership")
		}
		w.until(8, 8, 0)
		w.back(db)
		w.until(8, 13, 0)
		if name == "prod" {
			w.ended(api, 139, "fatal error: unexpected signal during runtime execution")
		}
		w.until(8, 17, 0)
		w.back(api)
		w.until(8, 22, 0)
		both = append(both, w)
	}
	return both
}

// gpuAllWeek is a model server: its graphics processors' memory is full at 95 %, as it was told to take it. One look in 15 min.
func gpuAllWeek(t *testing.T) []*world {
	w := newWorld(t, "prod", 15*time.Minute, "gpu1")
	w.snapshot.Source = "docker,host"
	llm := w.service("llm")
	llm.UsesGPU = true
	w.while(8+7*24, 0, 0, func(at time.Time) {
		busy := 20 + 75*w.dice.Float64()
		var all []schema.GPUSummary
		for i := range 4 {
			used := 77_800 + 300*w.dice.Float64()
			if i == 2 && at.Hour() == 3 {
				used = 81_000 // a longer context at night: more than 98 %, for an hour
			}
			all = append(all, schema.GPUSummary{
				Index: i, Model: "H100", Utilization: new(float64(int(busy))), VRAMUsedMB: new(float64(int(used))), VRAMTotalMB: new(81_920.0),
				Temperature: new(float64(int(58 + busy/4))), ErrorsTotal: new(int64(2)),
			})
		}
		w.node("gpu1").GPUs = all
	})
	return []*world{w}
}

// sourceFails has a source that cannot be read for a minute, and then for five. What it last read stands meanwhile.
func sourceFails(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "web1")
	w.snapshot.Source = "docker,host"
	db := w.service("db")
	w.service("api")
	w.until(8, 4, 0)
	w.blind(true)
	w.until(8, 5, 0)
	w.blind(false)
	w.until(8, 9, 0)
	w.blind(true)
	w.until(8, 14, 0)
	w.blind(false)
	w.ended(db, 137, "") // when, nobody has seen
	w.until(8, 17, 0)
	w.back(db)
	w.until(8, 22, 0)
	return []*world{w}
}

// blind is a source that cannot be read, or can be again.
func (w *world) blind(is bool) {
	for _, s := range w.services {
		s.Stale = is
	}
	w.snapshot.Stale = nil
	if is {
		w.snapshot.Stale = []schema.StalePart{{
			Source: "docker", Parts: []string{schema.PartServices, schema.PartHealth, schema.PartJobs, schema.PartErrors}, Since: w.now,
			Error: "Cannot connect to the Docker daemon at unix:///var/run/docker.sock",
		}}
	}
}

// goodbye is the last look of a collector that stops on purpose.
func (w *world) goodbye() {
	w.snapshot.Goodbye = true
	w.look()
	w.snapshot.Goodbye = false
}

// goodbyeAndReturn is an upgrade of the collector: away for eight minutes.
func goodbyeAndReturn(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "web1")
	w.service("db")
	w.until(8, 4, 0)
	w.goodbye()
	w.skip(8, 12, 0)
	w.until(8, 20, 0)
	return []*world{w}
}

// goodbyeAndNoReturn is one that was to come back and did not for half an hour.
func goodbyeAndNoReturn(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "web1")
	w.service("db")
	w.until(8, 4, 0)
	w.goodbye()
	w.skip(8, 29, 0)
	w.until(8, 35, 0)
	return []*world{w}
}

// scaledByLoad follows the load between 3 and 9 replicas, which take 45 s to start.
func scaledByLoad(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "web1")
	web := w.service("web", "web1", "web1", "web1")
	for i, wanted := range []int{6, 9, 5, 3, 7, 9, 4, 3} {
		w.until(8, 3+4*i, 0)
		had := *web.ReplicasRunning
		w.scale(web, wanted)
		w.running(web, min(had, wanted))
		w.until(8, 3+4*i, 45)
		w.running(web, wanted)
	}
	w.until(8, 38, 0)
	return []*world{w}
}

// restartedAtNight are twelve services that a script restarts one after the other; each is away for less than a look.
func restartedAtNight(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "web1")
	all := w.servicesOn("app", 12, "web1")
	w.until(8, 3, 0)
	for i, s := range all {
		if i%4 == 1 { // one look falls into it
			w.running(s, 0)
			s.LastFailure = &schema.Failure{Reason: schema.FailureExit, ExitCode: new(143), At: w.now.Add(10 * time.Second)}
		}
		w.event("restart", s, "restarted by hand")
		w.look()
		w.back(s)
		w.look()
	}
	w.until(8, 15, 0)
	return []*world{w}
}

// slowToStart is one that needs three minutes until its health check passes, and one whose check fails after that.
func slowToStart(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "web1")
	index, cache := w.service("index"), w.service("cache")
	w.well(index)
	w.well(cache)
	w.until(8, 3, 0)
	index.Health, cache.Health = schema.HealthStarting, schema.HealthStarting
	w.event("restart", index, "restarted by hand")
	w.event("restart", cache, "restarted by hand")
	w.until(8, 6, 0)
	w.well(index)
	w.sick(cache, "ERROR cannot load /data/dump.rdb: short read")
	w.until(8, 12, 0)
	w.well(cache)
	w.until(8, 18, 0)
	return []*world{w}
}
