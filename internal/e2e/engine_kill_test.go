package e2e_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm/llmtest"
	"github.com/bellbuoy/bellbuoy/internal/need"
	"github.com/bellbuoy/bellbuoy/internal/need/engine"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestEngineCollectorKilledForgetsNothingAndRepeatsNothing(t *testing.T) {
	if !need.Long() {
		t.Parallel()
	}
	s := launch(t, llmtest.Answer)
	program := build(t)
	onFlag := engine.Spec{Args: []string{"exit", "5", "flagged"}, Restart: "always"}
	flaky, late := s.Run(t, "flaky", onFlag), s.Run(t, "late", onFlag) // neither as often as a crash loop
	byHand := s.Run(t, "by-hand", well())

	kill := s.collectApart(t, program)
	// What it says is at no error level, so that its errors are its failures and nothing else.
	s.Run(t, "loop", engine.Spec{Args: say("looking for a route", "exit 3"), Restart: "always"})
	s.await(t, "loop", "service_down and crash_loop", func(c schema.Conversation) bool {
		return firing(c, "service_down", "") && firing(c, "crash_loop", "") && e2e.Count(c, schema.EventDiagnosed) == 1
	})
	s.fail(t, flaky, "1")
	first := s.counted(t, "flaky", 1)
	loops := s.total(t, first, "loop")

	kill()
	_, published := s.snapshots.newest()
	s.fail(t, flaky, "2")
	job := s.Run(t, "job", engine.Spec{Args: say("error: disk full", "exit 7")})
	gaveUp := s.Run(t, "gave-up", engine.Spec{Args: say("bind: address in use", "exit 4"), Restart: "on-failure:1"})
	s.Stop(t, byHand)
	exited := func(state string) bool { return state == "exited" }
	s.inspected(t, job, "{{.State.Status}}", exited)
	s.inspected(t, gaveUp, "{{.State.Status}}", exited)
	if _, now := s.snapshots.newest(); now != published {
		t.Fatalf("%d snapshots from a collector that is dead", now-published)
	}

	kill = s.collectApart(t, program)
	second := s.counted(t, "flaky", 2)
	if !second.CountersSince.Equal(first.CountersSince) || second.Collector != first.Collector {
		t.Errorf("collector %s counts since %v, %s since %v: want the same name, so that nobody takes it for a second one, and the same time", first.Collector, first.CountersSince, second.Collector, second.CountersSince)
	}
	if again := s.total(t, second, "loop"); again < loops {
		t.Errorf("the loop's total went from %d back to %d", loops, again)
	}
	s.await(t, "job", "job_failed", func(c schema.Conversation) bool { return firing(c, "job_failed", "") })
	s.await(t, "gave-up", "service_down", func(c schema.Conversation) bool { return firing(c, "service_down", "") })

	kill()
	s.fail(t, late, "1")
	if need.Long() {
		s.flood(t, byHand)
	}
	s.collectApart(t, program)
	s.counted(t, "late", 1)
	s.later(t, 8)
	s.counted(t, "late", 1)
	third := s.counted(t, "flaky", 2)
	s.loopAgrees(t)
	eventsOnce(t, third)
	if v, _ := s.service(third, "by-hand"); v.NotWanted != "stopped by hand" {
		t.Errorf("by-hand is not wanted because %q", v.NotWanted)
	}
	s.toldOnce(t)
}

// build makes the collector's binary.
func build(t testing.TB) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "collector")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "github.com/bellbuoy/bellbuoy/cmd/collector").CombinedOutput()
	if err != nil {
		t.Fatalf("build the collector: %v: %s", err, out)
	}
	return program
}

// collectApart starts a collector as a process of its own, waits until it publishes, and gives what ends it as kill -9
// does.
func (s *ship) collectApart(t *testing.T, program string) (kill func()) {
	t.Helper()
	_, before := s.snapshots.newest()
	p := exec.CommandContext(context.Background(), program)
	p.Env = append(os.Environ(),
		"BELLBUOY_NATS_URL="+s.server.URL(), "BELLBUOY_CLUSTER="+s.Project, "BELLBUOY_SOURCE=docker",
		"BELLBUOY_INTERVAL="+tick.String(), "BELLBUOY_HTTP_ADDR=127.0.0.1:0")
	p.Stderr = t.Output()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	dead := false
	kill = func() {
		if dead {
			return
		}
		dead = true
		_ = p.Process.Kill()
		_ = p.Wait() // its error is that it was killed
	}
	t.Cleanup(kill)
	s.snapshots.until(t, "a new collector's name", time.Minute, func(schema.ClusterContext) bool {
		_, now := s.snapshots.newest()
		return now > before
	})
	return kill
}

// fail lets a container fail once, and waits until the engine has restarted it for the nth time.
func (s *ship) fail(t *testing.T, name, n string) {
	t.Helper()
	s.Docker(t, "exec", name, "/steady", "flag", "set")
	s.inspected(t, name, "{{.RestartCount}} {{.State.Status}}", func(state string) bool { return state == n+" running" })
}

// flood makes the engine forget what has happened, for it remembers 256 events. It could confuse tests that run beside
// this one, which is why only the long run does it.
func (s *ship) flood(t *testing.T, name string) {
	t.Helper()
	s.Docker(t, append([]string{"update", "--cpu-shares", "512"}, slices.Repeat([]string{name}, 300)...)...)
}

// counted waits for a snapshot with so many restarts of a service, and as many failures.
func (s *ship) counted(t *testing.T, service string, n int64) schema.ClusterContext {
	t.Helper()
	c := s.snapshots.until(t, "all restarts of "+service, time.Minute, func(c schema.ClusterContext) bool {
		v, there := s.service(c, service)
		return there && v.RestartsTotal != nil && *v.RestartsTotal >= n
	})
	v, _ := s.service(c, service)
	if diff := cmp.Diff([]int64{n, n}, []int64{*v.RestartsTotal, *v.ErrorsTotal}); diff != "" {
		t.Errorf("restarts and failures of %s (-want +got):\n%s", service, diff)
	}
	return c
}

func (s *ship) total(t *testing.T, c schema.ClusterContext, service string) int64 {
	t.Helper()
	v, there := s.service(c, service)
	if !there || v.RestartsTotal == nil {
		t.Fatalf("no total of %s in the snapshot", service)
	}
	return *v.RestartsTotal
}

// later waits for so many more snapshots.
func (s *ship) later(t *testing.T, n int) {
	t.Helper()
	_, before := s.snapshots.newest()
	s.snapshots.until(t, "a later time", time.Minute, func(schema.ClusterContext) bool {
		_, now := s.snapshots.newest()
		return now >= before+n
	})
}

// loopAgrees waits for a moment in which the loop is waiting to be restarted, when the engine has counted the restart
// that is to come, and compares the totals. Between its ever rarer ends there is time enough.
func (s *ship) loopAgrees(t *testing.T) {
	t.Helper()
	s.inspected(t, s.container("loop"), "{{.RestartCount}} {{.State.Status}}", func(state string) bool {
		c, _ := s.snapshots.newest()
		v, _ := s.service(c, "loop")
		return state == fmt.Sprintf("%d restarting", *v.ErrorsTotal) && *v.RestartsTotal == *v.ErrorsTotal-1
	})
}

// eventsOnce checks that a snapshot tells of nothing twice.
func eventsOnce(t *testing.T, c schema.ClusterContext) {
	t.Helper()
	told := map[schema.ClusterEvent]bool{}
	for _, e := range c.RecentEvents {
		if told[e] {
			t.Errorf("%s of %s at %v is told twice: %s", e.Kind, e.Object, e.At, e.Text)
		}
		told[e] = true
	}
}

// toldOnce checks that what failed before, during and after the collector's death was each told once, and nothing else.
func (s *ship) toldOnce(t *testing.T) {
	t.Helper()
	want := map[string][]string{"loop": {"crash_loop", "service_down"}, "job": {"job_failed"}, "gave-up": {"service_down"}}
	got := map[string][]string{}
	for service, c := range s.conversations(t) {
		for _, x := range c.Conditions {
			got[service] = append(got[service], x.Name)
		}
		slices.Sort(got[service])
		s.onceOnly(t, service)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("conditions ever (-want +got):\n%s", diff)
	}
}
