package docker_test

import (
	"context"
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/need/engine"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
	"github.com/bellbuoy/bellbuoy/internal/source/docker"
)

// watched is a source on the real engine, and all that it said happened to one project, in order.
type watched struct {
	*docker.Source
	project  string
	state    json.RawMessage
	happened []source.Happening
	last     schema.ClusterContext
}

func watch(t *testing.T, e *engine.Engine, state json.RawMessage) *watched {
	t.Helper()
	s, err := docker.Open(t.Context(), docker.Config{CollectLabels: []string{"team"}, Interval: time.Second}, state)
	if err != nil {
		t.Fatal(err)
	}
	w := &watched{Source: s, project: e.Project}
	t.Cleanup(func() { _ = s.Close() })
	w.read(t)
	return w
}

func (w *watched) read(t *testing.T) {
	t.Helper()
	r, err := w.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.Snapshot.ClusterName = "test"
	if err := r.Snapshot.Validate(); err != nil {
		t.Fatal(err)
	}
	w.state, w.last = r.State, r.Snapshot
	for _, h := range r.Happened {
		if h.Object.Namespace == w.project {
			w.happened = append(w.happened, h)
		}
	}
}

func (w *watched) service(name string) (schema.ServiceSummary, bool) {
	for _, s := range w.last.Services {
		if s.Namespace == w.project && s.Name == name {
			return s, true
		}
	}
	return schema.ServiceSummary{}, false
}

// until reads, each time something wakes the source or a moment has passed, until the service is as told.
func (w *watched) until(t *testing.T, name, what string, is func(schema.ServiceSummary) bool) schema.ServiceSummary {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for {
		s, _ := w.service(name)
		if is(s) {
			return s
		}
		select {
		case <-w.Wake():
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s was never %s; it is %s", name, what, show(s))
		}
		w.read(t)
	}
}

func (w *watched) kinds(name string) map[string]int {
	kinds := map[string]int{}
	for _, h := range w.happened {
		if h.Object.Name == name && h.Kind != source.Noted {
			kinds[h.Kind]++
		}
	}
	return kinds
}

func show(s schema.ServiceSummary) string {
	b, _ := json.Marshal(s)
	return string(b)
}

func stopped(s schema.ServiceSummary) bool {
	return s.ReplicasRunning != nil && *s.ReplicasRunning == 0 && s.Status == schema.ServiceStopped
}

func want[T any](t *testing.T, what string, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestHealthyServiceIsSeenWhole(t *testing.T) {
	t.Parallel()
	e := engine.New(t)
	name := e.Run(t, "web", engine.Spec{
		Health: "health ok", Restart: "always", Env: []string{"PASSWORD=hunter2"}, Memory: "64m",
		Labels: map[string]string{"team": "shop", "bellbuoy.runbook": "https://x", "com.docker.compose.depends_on": "db:service_started:false,cache:service_healthy:true"},
	})
	w := watch(t, e, nil)
	s := w.until(t, "web", "healthy with a load", func(s schema.ServiceSummary) bool {
		return s.Health == schema.HealthHealthy && s.CPUPercent != nil
	})
	want(t, "status", schema.ServiceHealthy, s.Status)
	want(t, "replicas", [2]int{1, 1}, [2]int{*s.ReplicasRunning, *s.ReplicasDesired})
	want(t, "depends on", []string{"db", "cache"}, s.DependsOn)
	want(t, "labels", map[string]string{"team": "shop", "bellbuoy.runbook": "https://x", "runbook": "https://x"}, s.Labels)
	want(t, "instance", name, s.Instances[0].Name)
	want(t, "memory limit", int64(64<<20), *s.MemoryLimit)
	want(t, "image", e.Image, s.Image)
	want(t, "happenings", map[string]int{}, w.kinds("web"))
	if *s.MemoryBytes <= 0 || *s.MemoryBytes > 32<<20 {
		t.Errorf("memory %d bytes", *s.MemoryBytes)
	}
	if n := w.last.Nodes[0]; n.MemoryPercent == nil || n.BootAt.IsZero() || n.Status != schema.NodeHealthy {
		t.Errorf("node %+v", n)
	}
	if all, _ := json.Marshal(w.last); strings.Contains(string(all)+string(w.state), "hunter2") {
		t.Error("the environment leaked")
	}
}

func TestCrashLoopCountsEachRestartAndFailureOnce(t *testing.T) {
	t.Parallel()
	e := engine.New(t)
	w := watch(t, e, nil)
	name := e.Run(t, "loop", engine.Spec{Args: []string{"say", "panic:", "no", "route", "exit", "3"}, Restart: "always"})
	s := w.until(t, "loop", "restarted thrice", func(schema.ServiceSummary) bool { return w.kinds("loop")[source.Restarted] >= 3 })
	want(t, "not wanted", "", s.NotWanted)
	want(t, "reason", schema.FailureExit, s.LastFailure.Reason)
	want(t, "exit code", 3, *s.LastFailure.ExitCode)
	if len(s.RecentLogs) == 0 || s.RecentLogs[0] != "panic: no route" {
		t.Errorf("logs %q", s.RecentLogs)
	}
	e.Stop(t, name)
	s = w.until(t, "loop", "stopped", func(s schema.ServiceSummary) bool { return s.NotWanted != "" })
	want(t, "not wanted after stop", "stopped by hand", s.NotWanted)
	want(t, "status", schema.ServiceStopped, s.Status)
	starts := len(slices.Collect(of(w.happened, "start")))
	byHand := 0 // the stop may have met it between two crashes
	for h := range of(w.happened, "die") {
		if h.Kind == source.Noted {
			byHand++
		}
	}
	want(t, "kinds", map[string]int{source.Failed: starts - byHand, source.Restarted: starts - 1}, w.kinds("loop"))
	unique(t, w.happened)
}

func TestExitZeroUnderAlwaysIsCrashLoop(t *testing.T) {
	t.Parallel()
	e := engine.New(t)
	w := watch(t, e, nil)
	e.Run(t, "zero", engine.Spec{Args: []string{"exit", "0"}, Restart: "unless-stopped"})
	s := w.until(t, "zero", "restarted twice", func(schema.ServiceSummary) bool { return w.kinds("zero")[source.Restarted] >= 2 })
	want(t, "exit code", 0, *s.LastFailure.ExitCode)
	want(t, "reason", schema.FailureExit, s.LastFailure.Reason)
	if w.kinds("zero")[source.Failed] < 2 {
		t.Errorf("failures %v", w.kinds("zero"))
	}
}

func TestOutOfMemoryIsOneFailurePerRun(t *testing.T) {
	t.Parallel()
	e := engine.New(t)
	w := watch(t, e, nil)
	e.Run(t, "eater", engine.Spec{Args: []string{"oom"}, Memory: "16m", Restart: "on-failure:1"})
	// The kernel's word of the memory may come after the end that it explains.
	s := w.until(t, "eater", "given up, out of memory", func(s schema.ServiceSummary) bool {
		return s.LastFailure != nil && s.LastFailure.Tries == 2 && s.LastFailure.OOM
	})
	want(t, "exit code", 137, *s.LastFailure.ExitCode)
	want(t, "kinds", map[string]int{source.Failed: 2, source.Restarted: 1}, w.kinds("eater"))
}

func TestFailingHealthCheckIsOneFailure(t *testing.T) {
	t.Parallel()
	e := engine.New(t)
	w := watch(t, e, nil)
	name := e.Run(t, "sick", engine.Spec{Health: "health flag"})
	e.Docker(t, "exec", name, "/steady", "flag", "set")
	s := w.until(t, "sick", "unhealthy", func(s schema.ServiceSummary) bool { return s.Health == schema.HealthUnhealthy && s.LastFailure != nil })
	want(t, "status", schema.ServiceDegraded, s.Status)
	want(t, "reason", schema.FailureUnhealthy, s.LastFailure.Reason)
	e.Docker(t, "exec", name, "/steady", "flag", "clear")
	w.until(t, "sick", "healthy again", func(s schema.ServiceSummary) bool { return s.Health == schema.HealthHealthy })
	want(t, "kinds", map[string]int{source.Failed: 1}, w.kinds("sick"))
}

func TestEndsAreJudgedByPolicy(t *testing.T) {
	t.Parallel()
	e := engine.New(t)
	baseline := e.Run(t, "old", engine.Spec{Args: []string{"exit", "1"}})
	e.Docker(t, "wait", baseline)
	w := watch(t, e, nil)
	e.Run(t, "gaveup", engine.Spec{Args: []string{"exit", "4"}, Restart: "on-failure:1"})
	e.Run(t, "badjob", engine.Spec{Args: []string{"exit", "5"}})
	e.Run(t, "goodjob", engine.Spec{Args: []string{"exit", "0"}})
	e.Run(t, "server", engine.Spec{Args: []string{"exit", "6"}, Health: "health ok"})
	_, _ = engine.Try("start", e.Create(t, "nostart", engine.Spec{Options: []string{"--entrypoint", "/nope"}, Restart: "always"}))
	hand := e.Run(t, "hand", engine.Spec{Args: []string{"spam"}, Restart: "always"})
	e.Stop(t, hand)

	ended := func(s schema.ServiceSummary) bool { return stopped(s) && (s.NotWanted != "" || s.LastFailure != nil) }
	gaveUp := w.until(t, "gaveup", "given up", func(s schema.ServiceSummary) bool {
		return s.LastFailure != nil && s.LastFailure.Reason == schema.FailureGaveUp
	})
	want(t, "gave up after", "gave up after 2 tries", gaveUp.LastFailure.Text)
	want(t, "gave up wanted", 1, *gaveUp.ReplicasDesired)
	bad := w.until(t, "badjob", "ended", ended)
	want(t, "bad job", 5, bad.Job.LastExitCode)
	want(t, "bad job is no service", "job", bad.NotWanted)
	good := w.until(t, "goodjob", "ended", ended)
	want(t, "good job", 0, good.Job.LastExitCode)
	want(t, "good job has not failed", (*schema.Failure)(nil), good.LastFailure)
	server := w.until(t, "server", "ended", ended)
	want(t, "server is wanted", 1, *server.ReplicasDesired)
	noStart := w.until(t, "nostart", "refused", ended)
	want(t, "start failure", schema.FailureStart, noStart.LastFailure.Reason)
	want(t, "start failure wanted", 1, *noStart.ReplicasDesired)
	want(t, "by hand", "stopped by hand", w.until(t, "hand", "ended", ended).NotWanted)
	want(t, "nothing failed by hand", map[string]int{}, w.kinds("hand"))
	old := w.until(t, "old", "seen", ended)
	want(t, "baseline", "baseline: had ended before Bellbuoy first saw this engine", old.NotWanted)
	want(t, "baseline is no job", (*schema.JobRun)(nil), old.Job)
	if w.last.Baseline < 1 {
		t.Error("baseline not counted")
	}
}

func TestRestartByHandIsNoFailure(t *testing.T) {
	t.Parallel()
	e := engine.New(t)
	w := watch(t, e, nil)
	name := e.Run(t, "web", engine.Spec{Restart: "always"})
	e.Docker(t, "restart", "--time", "2", name)
	e.Kill(t, name)
	e.Docker(t, "start", name)
	w.until(t, "web", "started thrice", func(schema.ServiceSummary) bool {
		return len(slices.Collect(of(w.happened, "start"))) == 3
	})
	want(t, "kinds", map[string]int{}, w.kinds("web"))
}

func TestScaledDownIsNotMissed(t *testing.T) {
	t.Parallel()
	e := engine.New(t)
	var names []string
	for n := range 3 {
		names = append(names, e.Run(t, "web", engine.Spec{Replica: n + 1, Restart: "always"}))
	}
	w := watch(t, e, nil)
	w.until(t, "web", "three", func(s schema.ServiceSummary) bool { return *s.ReplicasRunning == 3 && *s.ReplicasDesired == 3 })
	e.Stop(t, names[2])
	s := w.until(t, "web", "two", func(s schema.ServiceSummary) bool { return *s.ReplicasRunning == 2 })
	want(t, "desired after stop", 2, *s.ReplicasDesired)
	for _, name := range names {
		e.Remove(t, name)
	}
	s = w.until(t, "web", "gone", func(s schema.ServiceSummary) bool { return *s.ReplicasRunning == 0 && len(s.Instances) == 0 })
	want(t, "desired after removal", 0, *s.ReplicasDesired)
	want(t, "reason", "scaled down", s.NotWanted)
}

func TestNothingIsLostOrDoubledByRestartWithoutTheLastState(t *testing.T) {
	t.Parallel()
	e := engine.New(t)
	w := watch(t, e, nil)
	name := e.Run(t, "loop", engine.Spec{Args: []string{"exit", "3"}, Restart: "on-failure:4"})
	w.until(t, "loop", "restarted", func(schema.ServiceSummary) bool { return w.kinds("loop")[source.Restarted] >= 1 })
	saved := w.state
	w.until(t, "loop", "restarted again", func(schema.ServiceSummary) bool { return w.kinds("loop")[source.Restarted] >= 2 })
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	e.Docker(t, "wait", name) // gives up while nobody watches

	again := watch(t, e, saved)
	s := again.until(t, "loop", "given up", func(s schema.ServiceSummary) bool { return s.LastFailure != nil && s.LastFailure.Tries == 5 })
	want(t, "wanted", "", s.NotWanted)
	all := map[string]source.Happening{}
	for _, h := range slices.Concat(w.happened, again.happened) {
		all[h.Key] = h
	}
	both := &watched{happened: slices.Collect(maps.Values(all))}
	want(t, "kinds", map[string]int{source.Failed: 5, source.Restarted: 4}, both.kinds("loop"))
	unique(t, again.happened)
}

func TestIgnoredAndOneoffContainersAreNotThere(t *testing.T) {
	t.Parallel()
	e := engine.New(t)
	e.Run(t, "ignored", engine.Spec{Labels: map[string]string{"bellbuoy.ignore": "true"}})
	e.Run(t, "oneoff", engine.Spec{Labels: map[string]string{"com.docker.compose.oneoff": "True"}})
	e.Run(t, "more", engine.Spec{Labels: map[string]string{"bellbuoy.wanted": "3"}})
	w := watch(t, e, nil)
	for _, name := range []string{"ignored", "oneoff"} {
		if _, there := w.service(name); there {
			t.Errorf("%s is there", name)
		}
	}
	s, _ := w.service("more")
	want(t, "desired by label", 3, *s.ReplicasDesired)
}

func TestOpenSaysWhatToDoWithoutAnEngine(t *testing.T) {
	_, err := docker.Open(t.Context(), docker.Config{Host: "unix://" + t.TempDir() + "/no.sock"}, nil)
	if err == nil || !strings.Contains(err.Error(), "no.sock") || !strings.Contains(err.Error(), "set DOCKER_HOST") {
		t.Errorf("error %v does not say what to do", err)
	}
}

func of(all []source.Happening, event string) iter.Seq[source.Happening] {
	return func(yield func(source.Happening) bool) {
		for _, h := range all {
			if h.Event == event && !yield(h) {
				return
			}
		}
	}
}

func unique(t *testing.T, all []source.Happening) {
	t.Helper()
	seen := map[string]bool{}
	for _, h := range all {
		if seen[h.Key] {
			t.Errorf("%s happened twice", h.Key)
		}
		seen[h.Key] = true
	}
}
