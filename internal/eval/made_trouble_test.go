package eval_test

import (
	"time"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func troubleFilms() []film {
	return []film{
		{"condition-unhealthy", []string{detect.Unhealthy}, 15 * time.Second, "08:15", unhealthy},
		{"condition-unhealthy-critical", []string{detect.Unhealthy}, 15 * time.Second, "08:12", unhealthyCritical},
		{"condition-error-burst", []string{detect.ErrorBurst}, 30 * time.Second, "09:35", errorBurst},
		{"condition-error-burst-sums", []string{detect.ErrorBurst}, 30 * time.Second, "08:40", errorBurstSums},
		{"condition-job-failed", []string{detect.JobFailed}, 10 * time.Minute, "33:00", jobFailed},
	}
}

// checked is a service of two replicas, of which so many fail their health check.
func checked(name string, failing int) schema.ServiceSummary {
	s := service(name, 2, 2)
	s.Health = schema.HealthHealthy
	for i, instance := range []string{"shop-" + name + "-1", "shop-" + name + "-2"} {
		x := schema.Instance{Name: instance, State: "running", Health: schema.HealthHealthy}
		if i < failing {
			x.Health, s.Health = schema.HealthUnhealthy, schema.HealthUnhealthy
		}
		s.Instances = append(s.Instances, x)
	}
	return s
}

func unhealthy(n now, s *schema.ClusterContext) bool {
	failing := 0
	if n.in("08:02", "08:03") || n.in("08:05", "08:12") || n.in("08:12:45", "08:13") {
		failing = 1
	}
	s.Services = append(s.Services, checked("api", failing))
	return true
}

func unhealthyCritical(n now, s *schema.ClusterContext) bool {
	api := checked("api", step(n, 0, change[int]{"08:02", 2}, change[int]{"08:08", 0}))
	web := checked("web", step(n, 0, change[int]{"08:02", 2}, change[int]{"08:04:45", 1}, change[int]{"08:08", 0}))
	s.Services = append(s.Services, api, web)
	return true
}

// lines is what has been logged at so many lines a minute from a time on, from one such rate to the next.
func lines(n now, rates ...change[float64]) *int64 {
	total := 0.0
	for i, r := range rates {
		end := n.Time
		if i+1 < len(rates) && clock(rates[i+1].at).Before(end) {
			end = clock(rates[i+1].at)
		}
		total += r.to * max(0, end.Sub(clock(r.at)).Minutes())
	}
	return new(int64(total))
}

func errorBurst(n now, s *schema.ClusterContext) bool {
	add := func(name, born string, rates ...change[float64]) {
		if !n.since(born) {
			return
		}
		x := service(name, 1, 1)
		x.ErrorsTotal = lines(n, rates...)
		x.Instances = []schema.Instance{{Name: "shop-" + name + "-1", State: "running", StartedAt: clock(born)}}
		s.Services = append(s.Services, x)
	}
	type r = change[float64]
	add("api", "08:00", r{"08:00", 1}, r{"08:45", 8}, r{"08:50", 5}, r{"09:05", 3}, r{"09:20", 1})
	add("drip", "08:00", r{"08:00", 0}, r{"08:40", 3.5}, r{"08:50", 0})
	add("few", "08:00", r{"08:00", 0}, r{"08:42", 7}, r{"08:46", 0})
	add("busy", "08:00", r{"08:00", 4}, r{"08:50", 16}, r{"09:00", 4})
	add("young", "08:25", r{"08:25", 0}, r{"08:45", 8}, r{"08:50", 0})
	return true
}

func errorBurstSums(n now, s *schema.ClusterContext) bool {
	type c = change[int64]
	api, usual, some := service("api", 1, 1), service("usual", 1, 1), service("some", 1, 1)
	api.ErrorCount1h = new(step(n, 10, c{"08:10", 150}, c{"08:20", 90}, c{"08:24", 120}, c{"08:25", 60}))
	usual.ErrorCount1h = new(step(n, 160, c{"08:15", 170}))
	some.ErrorCount1h = new(step(n, 10, c{"08:12", 95}, c{"08:30", 20}))
	s.Services = append(s.Services, api, usual, some)
	return true
}

func jobFailed(n now, s *schema.ClusterContext) bool {
	run := func(name string, code int, at time.Time) {
		x := service(name, 0, 0)
		x.Job = &schema.JobRun{LastExitCode: code, At: at}
		s.Services = append(s.Services, x)
	}
	type c = change[int]
	run("backup", step(n, 0, c{"09:00", 1}, c{"10:00", 0}), n.newest("08:00", "09:00", "10:00"))
	run("report", step(n, 0, c{"08:30", 2}), n.newest("08:00", "08:30"))
	run("long-ago", 1, clock("07:30"))
	return true
}
