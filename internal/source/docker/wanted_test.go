package docker

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

var (
	firstSeen = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	started   = firstSeen.Add(time.Hour)
	ended     = started.Add(30 * time.Second)
)

func exited(policy string, code int) seen {
	return seen{State: stateExited, Inspected: true, Policy: policy, ExitCode: code, StartedAt: started, EndedAt: ended}
}

func watchedEnd(s seen) seen {
	s.Died = &death{At: ended, ExitCode: s.ExitCode}
	return s
}

func with(s seen, change func(*seen)) seen {
	change(&s)
	return s
}

func failure(reason string, code int) *schema.Failure {
	return &schema.Failure{Reason: reason, ExitCode: &code, At: ended, RanFor: new(30.0)}
}

func TestJudgeFollowsTheTableOfWhatIsWanted(t *testing.T) {
	gaveUp := failure(schema.FailureGaveUp, 4)
	gaveUp.Tries, gaveUp.Text = 4, "gave up after 4 tries"
	oom := failure(schema.FailureOOM, 137)
	oom.OOM = true
	job := func(code int) *schema.JobRun { return &schema.JobRun{LastExitCode: code, At: ended} }
	refused := &schema.Failure{Reason: schema.FailureStart, At: ended, Text: "no such file"}

	tests := []struct {
		name string
		see  seen
		want verdict
	}{
		{"running-is-wanted", seen{State: stateRunning}, verdict{Wanted: true}},
		{"restarting-is-wanted", seen{State: stateRestarting, Inspected: true, ExitCode: 1}, verdict{Wanted: true}},
		{"paused-is-not", seen{State: statePaused, Inspected: true}, verdict{Reason: "paused"}},
		{"never-started-is-not", seen{State: stateCreated, Inspected: true}, verdict{Reason: "created, never started"}},
		{"being-removed-is-not", seen{State: "removing", Inspected: true}, verdict{Reason: "removing"}},
		{"not-inspected-is-unknown", seen{State: stateExited}, verdict{Unknown: true}},

		{"always-exited-was-stopped-by-hand", exited(policyAlways, 1), verdict{Reason: "stopped by hand"}},
		{"unless-stopped-exited-0-was-stopped-by-hand", exited(policyUnlessStopped, 0), verdict{Reason: "stopped by hand"}},
		{"always-killed-was-stopped-by-hand", with(watchedEnd(exited(policyAlways, 137)), func(s *seen) { s.Died.Killed = true }), verdict{Reason: "stopped by hand"}},
		{"always-stopped-between-two-crashes", with(watchedEnd(exited(policyAlways, 3)), func(s *seen) { s.ByHand = true }), verdict{Reason: "stopped by hand"}},
		{"always-contradicted-by-its-end-is-wanted", watchedEnd(exited(policyAlways, 3)), verdict{Wanted: true, Failure: failure(schema.FailureExit, 3)}},
		{"always-with-error-is-wanted", with(exited(policyAlways, 128), func(s *seen) { s.Error = "no such file" }), verdict{Wanted: true, Failure: refused}},
		{"created-with-error-is-wanted", seen{State: stateCreated, Inspected: true, Error: "no such file", EndedAt: ended}, verdict{Wanted: true, Failure: refused}},

		{"on-failure-used-up-is-wanted", with(watchedEnd(exited(policyOnFailure, 4)), func(s *seen) { s.MaxRetries, s.RestartCount = 3, 3 }), verdict{Wanted: true, Failure: gaveUp}},
		{"on-failure-used-up-unwatched-is-wanted", with(exited(policyOnFailure, 4), func(s *seen) { s.MaxRetries, s.RestartCount = 3, 3 }), verdict{Wanted: true, Failure: gaveUp}},
		{"on-failure-with-tries-left-was-stopped-by-hand", with(exited(policyOnFailure, 4), func(s *seen) { s.MaxRetries, s.RestartCount = 3, 1 }), verdict{Reason: "stopped by hand"}},
		{"on-failure-ended-0-is-a-job", exited(policyOnFailure, 0), verdict{Reason: "ended 0", Job: job(0)}},

		{"no-policy-failed-is-a-job", watchedEnd(exited(policyNo, 5)), verdict{Reason: "job", Job: job(5), Failure: failure(schema.FailureExit, 5)}},
		{"no-policy-serving-is-wanted", with(watchedEnd(exited(policyNo, 5)), func(s *seen) { s.Serves = true }), verdict{Wanted: true, Failure: failure(schema.FailureExit, 5)}},
		{"no-policy-killed-was-stopped-by-hand", with(watchedEnd(exited(policyNo, 2)), func(s *seen) { s.Died.Killed, s.Serves = true, true }), verdict{Reason: "stopped by hand"}},
		{"no-policy-killed-unwatched-was-stopped-by-hand", exited(policyNo, 137), verdict{Reason: "stopped by hand"}},
		{"no-policy-out-of-memory-unwatched-is-wanted", with(exited(policyNo, 137), func(s *seen) { s.OOMKilled, s.Serves = true, true }), verdict{Wanted: true, Failure: oom}},
		{"no-policy-ended-0-is-a-job", exited("", 0), verdict{Reason: "ended 0", Job: job(0)}},
		{"stopped-with-0-is-no-job", with(exited(policyNo, 0), func(s *seen) { s.ByHand = true }), verdict{Reason: "stopped by hand"}},

		{"ended-before-is-baseline", with(exited(policyNo, 1), func(s *seen) { s.EndedAt = firstSeen.Add(-time.Second) }), verdict{Reason: reasonBaseline, Baseline: true}},
		{"error-before-is-baseline", with(exited(policyAlways, 1), func(s *seen) { s.EndedAt, s.Error = firstSeen.Add(-time.Second), "x" }), verdict{Reason: reasonBaseline, Baseline: true}},
		{"restarting-since-before-is-wanted", seen{State: stateRestarting, Inspected: true, EndedAt: firstSeen.Add(-time.Second)}, verdict{Wanted: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, judge(tt.see, firstSeen)); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
		})
	}
}
