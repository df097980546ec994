package e2e_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/llm/llmtest"
	"github.com/bellbuoy/bellbuoy/internal/need/engine"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// row is one container and all that is to be told of it.
type row struct {
	service string
	story   string // for people
	before  bool   // it runs, and fails, before the collector has ever looked
	spec    engine.Spec
	second  bool                    // it has two containers
	ready   string                  // a docker format that says true once the container is as the story begins
	act     func(*testing.T, *ship) // what happens to it once it has been seen; nil: it fails by itself
	want    []wanted                // what is told of it and nothing else; none: no conversation
	shows   []string                // verbs of the docker commands shown, in the order of their coming
	says    string                  // what the container prints, which docker logs has to print
	heal    func(*testing.T, *ship) // nil: nothing repairs it
}

// wanted is one condition, how bad it is, and how long it takes at most to raise and to clear it, but for a few
// intervals and what the machine needs.
type wanted struct {
	condition, severity string
	raised              time.Duration
	cleared             time.Duration // 0: not within this test, so it has to be still there at its end
	slow                bool          // waited for only in the long run
}

// The parts of a bound that are the engine's: from a failing check to the container being called unhealthy, and from
// the first to the third restart.
const (
	checks   = 3 * time.Second
	restarts = 5 * time.Second
)

func down() wanted {
	return wanted{condition: "service_down", severity: schema.SeverityCritical, raised: tick, cleared: 4 * tick}
}

func warn(condition string, raised, cleared time.Duration) wanted {
	return wanted{condition: condition, severity: schema.SeverityWarning, raised: raised, cleared: cleared}
}

// worse is an unhealthy service that stays so.
func worse(already time.Duration) wanted {
	return wanted{
		condition: "unhealthy", severity: schema.SeverityCritical, slow: true,
		raised: already + 12*tick, cleared: checks + 4*tick,
	}
}

// table is what Bellbuoy has to make of every container.
func table() []row {
	return slices.Concat(before(), quiet(), failing())
}

// failing is what fails while it is being watched.
func failing() []row {
	return []row{
		{
			service: "crash-loop", shows: []string{"logs"}, story: "runs out of memory again and again, always restarted",
			spec: engine.Spec{Args: []string{"oom"}, Restart: "always", Memory: "16m"}, says: "filling the cache",
			want: []wanted{
				// It runs for a moment between the engine's pauses, which grow until two snapshots fall into one.
				{"service_down", schema.SeverityCritical, restarts + tick, 4 * tick, false},
				warn("crash_loop", restarts+4*tick, 0), warn("oom_killed", tick, 0),
			},
			heal: replace("crash-loop", well()),
		},
		{
			service: "oom-killed", shows: []string{"logs"}, story: "one of its processes runs out of memory", spec: engine.Spec{Restart: "always", Memory: "32m"},
			act: func(t *testing.T, s *ship) {
				_, _ = engine.Try("exec", s.container("oom-killed"), "/steady", "oom") // it is killed, which is the point
			},
			want: []wanted{warn("oom_killed", tick, 0)},
		},
		{
			service: "unhealthy", shows: []string{"inspect", "restart"}, story: "fails its health check", spec: engine.Spec{Restart: "always", Health: "health flag"},
			ready: `{{eq .State.Health.Status "healthy"}}`,
			act:   flag("unhealthy", "set"),
			want:  []wanted{warn("unhealthy", checks+4*tick, checks+4*tick), worse(checks)},
			heal:  flag("unhealthy", "clear"),
		},
		{
			service: "gave-up", shows: []string{"logs"}, story: "on-failure, retries used up", says: "bind: address in use",
			spec: engine.Spec{Args: say("bind: address in use", "exit 4"), Restart: "on-failure:2"},
			want: []wanted{{"service_down", schema.SeverityCritical, restarts + tick, 4 * tick, false}},
			heal: replace("gave-up", well()),
		},
		{
			service: "job-failed", shows: []string{"logs"}, story: "a job that ended with 7", says: "error: disk full",
			spec: engine.Spec{Args: say("error: disk full", "exit 7")},
			want: []wanted{warn("job_failed", tick, tick)},
			heal: replace("job-failed", engine.Spec{Args: []string{"exit", "0"}}),
		},
		{
			service: "start-error", shows: []string{"inspect", "logs"}, story: "the engine cannot start it",
			spec: engine.Spec{Restart: "always", Options: []string{"--entrypoint", "/nowhere"}},
			want: []wanted{down()},
			heal: replace("start-error", well()),
		},
		{
			service: "needs-db", shows: []string{"start"}, story: "ends because what it depends on was stopped by hand", says: "error: lookup db: no such host",
			spec: engine.Spec{
				Args: say("error: lookup db: no such host", "exit 1 flagged"), Restart: "no", Health: "health ok",
				Labels: map[string]string{"com.docker.compose.depends_on": "db:service_started:false"},
			},
			want: []wanted{down()},
			act:  flag("needs-db", "set"),
			heal: replace("needs-db", well()),
		},
	}
}

// before is what was not well before the collector ever looked. What is running badly is told of as soon as its holds
// are over, because it is bad now. What had ended is not: nobody can say whether it was meant to, and it is counted as
// baseline.
func before() []row {
	return []row{
		{
			service: "looping-before", shows: []string{"logs"}, story: "never well since before the start: crash-loops", before: true, says: "panic: no config",
			spec: engine.Spec{Args: say("panic: no config", "exit 3"), Restart: "always"}, ready: "{{ge .RestartCount 3}}",
			want: []wanted{down(), {"crash_loop", schema.SeverityWarning, 50 * time.Second, 0, true}},
			heal: replace("looping-before", well()),
		},
		{
			service: "unhealthy-before", shows: []string{"inspect", "logs"}, story: "never well since before the start: unhealthy", before: true,
			spec: engine.Spec{Restart: "always", Health: "health bad"}, ready: `{{eq .State.Health.Status "unhealthy"}}`,
			want: []wanted{warn("unhealthy", 4*tick, checks+4*tick), worse(0)},
			heal: replace("unhealthy-before", engine.Spec{Restart: "always", Health: "health ok"}),
		},
		{
			service: "failed-before", story: "a job that had failed before the start", before: true,
			spec: engine.Spec{Args: []string{"exit", "9"}}, ready: `{{eq .State.Status "exited"}}`,
		},
		{
			service: "gone-before", story: "had given up before the start", before: true,
			spec:  engine.Spec{Args: []string{"exit", "9"}, Restart: "on-failure:1"},
			ready: `{{and (eq .State.Status "exited") (eq .RestartCount 1)}}`,
		},
	}
}

// quiet is what nobody is to be told of.
func quiet() []row {
	return []row{
		{service: "healthy", story: "well", spec: engine.Spec{Restart: "always", Health: "health ok"}},
		{service: "job-done", story: "a job that ended with 0", spec: engine.Spec{Args: []string{"exit", "0"}}},
		{
			service: "db", story: "stopped by hand", spec: well(),
			act: func(t *testing.T, s *ship) { s.Stop(t, s.container("db")) },
		},
		{
			service: "scaled", story: "scaled down from two to one", spec: well(), second: true,
			act: func(t *testing.T, s *ship) {
				second := s.Project + "-scaled-2"
				s.Stop(t, second)
				s.Remove(t, second)
			},
		},
	}
}

func well() engine.Spec { return engine.Spec{Restart: "always"} }

func say(text, end string) []string {
	return append(append([]string{"say"}, strings.Fields(text)...), strings.Fields(end)...)
}

// replace gives the service a new container, as a rollout of the repair does.
func replace(service string, with engine.Spec) func(*testing.T, *ship) {
	return func(t *testing.T, s *ship) {
		s.Remove(t, s.container(service))
		s.Run(t, service, with)
	}
}

func flag(service, how string) func(*testing.T, *ship) {
	return func(t *testing.T, s *ship) { s.flag(t, s.container(service), how) }
}

// answer is the model's: it asks for a change where there is one to try.
func answer(r llmtest.Request) string {
	about := llmtest.Components(r)
	switch {
	case len(about) > 0 && strings.HasSuffix(about[0], "/unhealthy"):
		return llmtest.VerdictOn(about[0], "restart")
	case len(about) > 0 && strings.HasSuffix(about[0], "/needs-db"):
		db := strings.TrimSuffix(about[0], "needs-db") + "db"
		return strings.ReplaceAll(llmtest.VerdictOn(db, "start"), "E1", evidenceOn(r, db))
	}
	return llmtest.Answer(r)
}

// evidenceOn is the id of the piece of evidence that tells of the state of an object.
func evidenceOn(r llmtest.Request, object string) string {
	for line := range strings.SplitSeq(r.User(), "\n") {
		var e schema.Evidence
		if json.Unmarshal([]byte(line), &e) == nil && e.Object == object && e.Kind == "neighbour" {
			return e.ID
		}
	}
	return "E1"
}
