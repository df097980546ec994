package detect_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// found is what is found of the objects of s once they have been so for d.
func found(t *testing.T, s schema.ClusterContext, d time.Duration) detect.Result {
	t.Helper()
	c := watch(t)
	var r detect.Result
	for at := time.Duration(0); at <= d; at += i {
		s.TakenAt = after(at)
		r = c.see(s)
	}
	return r
}

func TestServiceDownNeedsAWantedService(t *testing.T) {
	tests := []struct {
		name             string
		running, desired *int
		status           string
		notWanted        string
		job              *schema.JobRun
		down             bool
	}{
		{"none-of-three", new(0), new(3), "stopped", "", nil, true},
		{"none-of-three-whatever-the-status", new(0), new(3), "", "", nil, true},
		{"one-of-three", new(1), new(3), "degraded", "", nil, false},
		{"wanted-number-unknown-but-stopped", new(0), nil, "stopped", "", nil, true},
		{"wanted-number-unknown", new(0), nil, "degraded", "", nil, false},
		{"running-number-unknown", nil, new(3), "stopped", "", nil, false},
		{"nothing-known", nil, nil, "", "", nil, false},
		{"scaled-to-nothing", new(0), new(0), "stopped", "", nil, false},
		{"stopped-by-hand", new(0), new(3), "stopped", "stopped by hand", nil, false},
		{"job-that-ended", new(0), nil, "stopped", "", &schema.JobRun{At: start}, false},
		{"job-that-is-to-run-for-ever", new(0), new(1), "stopped", "", &schema.JobRun{At: start}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := svc{Name: "web", ReplicasRunning: tt.running, ReplicasDesired: tt.desired, Status: tt.status, NotWanted: tt.notWanted, Job: tt.job}
			want(t, len(found(t, snapshot(start, s), i).Findings) > 0, tt.down)
		})
	}
}

func TestServiceThatIsNoLongerWantedClears(t *testing.T) {
	c := watch(t)
	c.see(snapshot(start, down("web")))
	stopped := down("web")
	c.see(snapshot(after(i), stopped))
	stopped.NotWanted = "stopped by hand"
	for n := 2; n < 6; n++ {
		want(t, len(c.see(snapshot(after(time.Duration(n)*i), stopped)).Findings), 1)
	}
	want(t, len(c.see(snapshot(after(6*i), stopped)).Findings), 0)
}

func TestUnhealthyIsCriticalOnceEveryReplicaHasBeenForLong(t *testing.T) {
	bad, good := schema.Instance{Name: "a", Health: "unhealthy"}, schema.Instance{Name: "b", Health: "healthy"}
	severity := func(c *cluster, n int, instances ...schema.Instance) string {
		s := sick("web")
		s.Instances = instances
		f := c.see(snapshot(after(time.Duration(n)*i), s)).Findings
		if len(f) == 0 {
			return ""
		}
		return f[0].Conditions[0].Severity
	}
	c := watch(t)
	for n := range 12 {
		got := severity(c, n, bad, bad)
		want(t, got == "critical", false)
		want(t, got == "warning", n >= 4)
	}
	want(t, severity(c, 12, bad, bad), "critical")
	for n := 13; n < 17; n++ {
		want(t, severity(c, n, bad, good), "critical")
	}
	want(t, severity(c, 17, bad, good), "warning")
	for n := 18; n < 40; n++ {
		want(t, severity(c, n, bad, good), "warning")
	}
}

func TestOOMIsToldOnceForEachKill(t *testing.T) {
	c := watchLong(t)
	c.see(snapshot(start, oomed("web", after(-time.Minute))))
	at, kill := start, after(-time.Minute)
	see := func() []string {
		at = at.Add(i)
		return firing(c.see(snapshot(at, oomed("web", kill))))
	}
	told := []string{"shop/web oom_killed warning"}
	for range 200 {
		want(t, see(), []string(nil)) // older than the memory
	}
	kill = at.Add(time.Second)
	for range 120 {
		want(t, see(), told)
	}
	for range 7000 { // cleared, and not told again in more than a day
		want(t, see(), []string(nil))
	}
	kill = at.Add(time.Second)
	for range 60 {
		want(t, see(), told)
	}
	kill = at.Add(time.Second) // a second one starts the half hour anew
	for range 120 {
		want(t, see(), told)
	}
	want(t, see(), []string(nil))
}

func TestOOMOfAClockAheadIsNoNewsAtFirstSight(t *testing.T) {
	c := watch(t)
	c.see(snapshot(start, oomed("web", after(30*time.Second))))
	for n := range 10 {
		want(t, len(c.see(snapshot(after(time.Duration(n+1)*i), oomed("web", after(30*time.Second)))).Findings), 0)
	}
}

func TestServiceSeenLaterIsJudgedFromTheStartOfMemory(t *testing.T) {
	c := watch(t)
	c.see(snapshot(start, up("db")))
	c.see(snapshot(after(i), up("db"), oomed("old", after(-i)), oomed("new", after(i/2)), ended("job", 1, after(i/2))))
	r := c.see(snapshot(after(2*i), up("db"), oomed("old", after(-i)), oomed("new", after(i/2)), ended("job", 1, after(i/2))))
	want(t, firing(r), []string{"shop/job job_failed warning", "shop/new oom_killed warning"})
}

func TestFailedJobClearsAtItsNextSuccess(t *testing.T) {
	c := watch(t)
	c.see(snapshot(start, ended("nightly", 0, after(-i))))
	want(t, firing(c.see(snapshot(after(i), ended("nightly", 3, after(i))))), []string{"shop/nightly job_failed warning"})
	want(t, firing(c.see(snapshot(after(2*i), ended("nightly", 4, after(2*i))))), []string{"shop/nightly job_failed warning"})
	want(t, firing(c.see(snapshot(after(3*i), ended("nightly", 0, after(3*i))))), []string(nil))
	want(t, firing(c.see(snapshot(after(4*i), ended("nightly", 3, after(4*i))))), []string{"shop/nightly job_failed warning"})
}

func TestFailedJobThatIsRemovedIsNotToldAgainWhenItComesBack(t *testing.T) {
	c := watchLong(t)
	c.see(snapshot(start, ended("nightly", 0, after(-i))))
	failed := ended("nightly", 3, after(i))
	c.see(snapshot(after(i), failed))
	for n := range 1000 {
		c.see(snapshot(after(time.Duration(n+2)*i), up("db")))
	}
	want(t, firing(c.see(snapshot(after(1010*i), failed))), []string(nil))
}

func TestSeverityLabelSetsTheSeverity(t *testing.T) {
	for label, severity := range map[string]string{"info": "info", "warning": "warning", "critical": "critical", "": "critical", "loud": "critical"} {
		t.Run("label-"+label, func(t *testing.T) {
			s := down("web")
			s.Labels = map[string]string{detect.SeverityLabel: label}
			r := found(t, snapshot(start, s), i)
			want(t, firing(r), []string{"shop/web service_down " + severity})
			want(t, r.Findings[0].Labels, s.Labels)
		})
	}
}

func TestTitlesAndFactsSayWhatIsTellingFirst(t *testing.T) {
	failed := func(s svc, f schema.Failure) svc { s.LastFailure = &f; return s }
	limited := oomed("api", after(i))
	limited.MemoryLimit = new(int64(64 << 20))
	tests := []struct {
		name     string
		services []svc // snapshots one interval apart, from a well first one on; the last stays
		title    string
		facts    []string
	}{
		{
			"engine-cannot-start-it",
			[]svc{failed(down("checkout"), schema.Failure{Reason: "start", Text: "exec: \"serve\": not found", At: start})},
			"checkout: 0 of 1 running",
			[]string{"exec: \"serve\": not found", "0 of 1 running"},
		},
		{
			"engine-gave-up",
			[]svc{failed(down("checkout"), schema.Failure{Reason: "retries", Tries: 3, ExitCode: new(1), At: start})},
			"checkout: 0 of 1 running",
			[]string{"gave up after 3 tries", "exit 1", "0 of 1 running"},
		},
		{
			"wanted-number-unknown",
			[]svc{{Name: "checkout", ReplicasRunning: new(0), Status: "stopped"}},
			"checkout: none running",
			[]string{"none running"},
		},
		{
			"crash-loop",
			[]svc{looping("checkout", 4)},
			"checkout crash-loops: 4 restarts in 10 min",
			[]string{"exit 1", "its last run lasted 1 s", "4 restarts in 10 min"},
		},
		{
			"killed-for-want-of-memory",
			[]svc{limited},
			"api was killed for want of memory",
			[]string{"killed for want of memory at 08:00:15 UTC", "its limit is 64 MiB", "exit 137"},
		},
		{
			"failing-health-check",
			[]svc{failed(sick("web"), schema.Failure{Reason: "unhealthy", Text: "GET /health: 500", At: start})},
			"web fails its health check",
			[]string{"GET /health: 500", "its health check fails"},
		},
		{
			"failed-job",
			[]svc{ended("nightly", 3, after(i))},
			"job nightly failed with exit 3",
			[]string{"exit 3", "ended at 08:00:15 UTC"},
		},
		{
			"long-name",
			[]svc{down(strings.Repeat("ä", 100))},
			strings.Repeat("ä", 43) + "…: 0 of 1 running",
			[]string{"0 of 1 running"},
		},
		{
			"long-error",
			[]svc{failed(down("web"), schema.Failure{Reason: "start", Text: strings.Repeat("ä", 400), At: start})},
			"web: 0 of 1 running",
			[]string{strings.Repeat("ä", 98) + "…", "0 of 1 running"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := watch(t)
			c.see(snapshot(start, up(tt.services[0].Name)))
			var r detect.Result
			for n := range 6 {
				r = c.see(snapshot(after(time.Duration(n+1)*i), tt.services[0]))
			}
			want(t, r.Findings[0].Conditions[0].Title, tt.title)
			want(t, r.Findings[0].Conditions[0].Facts, tt.facts)
		})
	}
}

func TestTitleStaysWhileItIsWatchedToBeWell(t *testing.T) {
	c := watch(t)
	c.see(snapshot(start, down("web")))
	before := c.see(snapshot(after(i), down("web")))
	r := c.see(snapshot(after(2*i), up("web")))
	want(t, r.Findings[0].Conditions, before.Findings[0].Conditions)
}

func TestWhatWouldHaveBeenClearedSinceIsNoNews(t *testing.T) {
	c := watchLong(t)
	for n := range 240 { // an hour
		c.see(snapshot(after(time.Duration(n)*i), up("db")))
	}
	s := snapshot(after(240*i), up("db"), oomed("late", after(120*i)), oomed("later", after(121*i)))
	want(t, firing(c.see(s)), []string{"shop/later oom_killed warning"})
}
