package detect_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// steps plays a course of shop/web and tells what alerts with each snapshot. The course is written in steps, one
// interval each: the first letter is the image, the rest how the service is; :8 is the step eight times.
//
//	a      runs        a-  none runs      a~  part of it runs     a!  its health check fails
//	a0     scaled to nothing              ae  the engine could not start it
//	a*     killed for want of memory      aj  a job, running      ajf, ajs  it failed, or succeeded
//	ar     restarted, and ran a second    a?     marked stale
//	_      the snapshot lacks it          /      nothing comes
//
// What alerts is written in runs: .4 D2 is nothing in 4 snapshots, then service_down in 2. Letters: D service_down,
// G service_degraded, U and C unhealthy (warning, critical), O oom_killed, L crash_loop, J job_failed, E error_burst.
func (c *cluster) steps(course string) string {
	c.t.Helper()
	var got []string
	for token := range strings.FieldsSeq(course) {
		what, repeat, repeats := strings.Cut(token, ":")
		times := 1
		if repeats {
			var err error
			if times, err = strconv.Atoi(repeat); err != nil {
				c.t.Fatal(err)
			}
		}
		for range times {
			c.at += i
			if what == "/" {
				continue
			}
			got = append(got, letters(c.see(c.snapshot(what))))
		}
	}
	return runs(got)
}

// runs puts what is the same one after the other together.
func runs(all []string) string {
	var runs []string
	for n := 0; n < len(all); {
		same := n
		for same < len(all) && all[same] == all[n] {
			same++
		}
		runs = append(runs, all[n]+strconv.Itoa(same-n))
		n = same
	}
	return strings.Join(runs, " ")
}

func (c *cluster) snapshot(what string) schema.ClusterContext {
	s := snapshot(after(c.at))
	if what == "_" {
		return s
	}
	web := c.service(after(c.at), what[1:])
	web.Image = "shop/web:" + what[:1]
	s.Services = []svc{web}
	return s
}

// service is shop/web as the step says. How often it restarted and what it logged goes on from step to step.
func (c *cluster) service(at time.Time, how string) svc {
	web := up("web")
	switch how {
	case "-":
		web = down("web")
	case "~":
		web = some("web", new(2), 3)
		web.Status = "degraded"
	case "!":
		web = sick("web")
		web.Instances = []schema.Instance{{Name: "web-1", State: "running", Health: "unhealthy"}}
	case "?":
		web.Stale = true
	case "0":
		web = some("web", new(0), 0)
		web.Status = "stopped"
	case "e":
		web = down("web")
		c.failure = &schema.Failure{Reason: schema.FailureStart, At: at.Add(-time.Second), Text: "port is already allocated"}
	case "*":
		c.failure = &schema.Failure{Reason: schema.FailureOOM, OOM: true, ExitCode: new(137), At: at}
	case "j":
		web.Job = c.job
	case "jf":
		c.job = &schema.JobRun{LastExitCode: 3, At: at}
		web = ended("web", 3, at)
	case "js":
		c.job = &schema.JobRun{At: at}
		web = ended("web", 0, at)
	case "r":
		c.restarts++
		c.failure = &schema.Failure{Reason: schema.FailureExit, ExitCode: new(1), RanFor: new(1.0), At: at}
		web.Status = "degraded"
	}
	web.LastFailure, web.RestartsTotal, web.LastDeployAt = c.failure, new(c.restarts), c.deployed
	if c.failure != nil && how == "" {
		web.Instances = []schema.Instance{{Name: "web-1", State: "running", StartedAt: c.failure.At}}
	}
	return web
}

func letters(r detect.Result) string {
	text := ""
	for _, f := range r.Findings {
		for _, x := range f.Conditions {
			letter := map[string]string{
				detect.ServiceDown: "D", detect.ServiceDegraded: "G", detect.Unhealthy: "U", detect.OOMKilled: "O",
				detect.CrashLoop: "L", detect.JobFailed: "J", detect.ErrorBurst: "E",
			}[x.Name]
			if x.Name == detect.Unhealthy && x.Severity == schema.SeverityCritical {
				letter = "C"
			}
			text += letter
		}
	}
	if text == "" {
		return "."
	}
	return text
}

// facts is what the newest snapshot's only finding says.
func (c *cluster) facts() []string {
	c.t.Helper()
	s := snapshot(c.memory.TakenAt)
	_, r := detect.Detect(c.memory, s, detect.Position{Seq: c.seq}, c.rules)
	if len(r.Findings) != 1 {
		c.t.Fatalf("%d findings", len(r.Findings))
	}
	return r.Findings[0].Conditions[0].Facts
}

func TestStepsAreReadAsWritten(t *testing.T) {
	want(t, watch(t).steps("a:2 a-:3 a:10 a0 a:10"), ".3 D6 .17")
}
