package docker

import (
	"fmt"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Reasons of a container for not being wanted, in words for people.
const (
	reasonByHand   = "stopped by hand"
	reasonEnded    = "ended 0"
	reasonJob      = "job"
	reasonPaused   = "paused"
	reasonCreated  = "created, never started"
	reasonScaled   = "scaled down"
	reasonRemoved  = "removed by hand"
	reasonBaseline = "baseline: had ended before Bellbuoy first saw this engine"
)

// States in the engine's words.
const (
	stateRunning    = "running"
	stateRestarting = "restarting"
	stateCreated    = "created"
	stateExited     = "exited"
	stateDead       = "dead"
	statePaused     = "paused"
)

// seen is what there is to judge one container by: what the engine shows, and what its events have told.
type seen struct {
	State        string
	Inspected    bool // false: the engine did not tell more than State
	Policy       string
	MaxRetries   int
	RestartCount int
	ExitCode     int
	OOMKilled    bool
	Error        string
	Serves       bool // has a published port or a health check
	StartedAt    time.Time
	EndedAt      time.Time // when it ended, or failed to start
	Died         *death    // how this run ended, if that was watched
	ByHand       bool      // somebody stopped or killed it at or after its end
}

// verdict is what judge makes of one container.
type verdict struct {
	Wanted   bool
	Reason   string          // why it is not wanted
	Unknown  bool            // nothing can be said; then neither wanted nor not
	Baseline bool            // not wanted because it had ended before the engine was first seen
	Job      *schema.JobRun  // it was a job, and ended so
	Failure  *schema.Failure // what its state alone tells of a failure
}

func notWanted(reason string) verdict { return verdict{Reason: reason} }

// judge tells whether a container is wanted. It is the one place that knows; firstSeen is when this engine was first
// watched.
func judge(s seen, firstSeen time.Time) verdict {
	switch s.State {
	case stateRunning, stateRestarting:
		return verdict{Wanted: true}
	case statePaused:
		return notWanted(reasonPaused)
	case stateCreated, stateExited, stateDead:
	default:
		return notWanted(s.State)
	}
	switch {
	case !s.Inspected:
		return verdict{Unknown: true}
	case s.State == stateCreated && s.Error == "":
		return notWanted(reasonCreated)
	case s.EndedAt.Before(firstSeen):
		return verdict{Reason: reasonBaseline, Baseline: true}
	case s.Error != "":
		return verdict{Wanted: true, Failure: &schema.Failure{Reason: schema.FailureStart, At: s.EndedAt, Text: s.Error}}
	case s.ByHand || s.Died != nil && s.Died.Killed:
		return notWanted(reasonByHand)
	}
	return judgeEnd(s)
}

// judgeEnd judges a container that ended by itself, or so that nobody watched.
func judgeEnd(s seen) verdict {
	switch s.Policy {
	case policyAlways, policyUnlessStopped:
		if s.Died == nil {
			return notWanted(reasonByHand) // the engine would have restarted it
		}
		return verdict{Wanted: true, Failure: s.failure(schema.FailureExit)}
	case policyOnFailure:
		return judgeOnFailure(s)
	}
	switch {
	case s.ExitCode == 0:
		return s.job(reasonEnded)
	case s.Died == nil && killedUnwatched(s):
		return notWanted(reasonByHand)
	case s.Serves:
		return verdict{Wanted: true, Failure: s.failure(schema.FailureExit)}
	}
	return s.job(reasonJob)
}

func judgeOnFailure(s seen) verdict {
	switch {
	case s.ExitCode == 0:
		return s.job(reasonEnded)
	case s.MaxRetries > 0 && s.RestartCount >= s.MaxRetries:
		f := s.failure(schema.FailureGaveUp)
		f.Tries = s.RestartCount + 1
		f.Text = fmt.Sprintf("gave up after %d tries", f.Tries)
		return verdict{Wanted: true, Failure: f}
	case s.Died != nil:
		return verdict{Wanted: true, Failure: s.failure(schema.FailureExit)}
	}
	return notWanted(reasonByHand) // the engine would have tried again
}

// killedUnwatched guesses from the exit code alone, for an end that no event told of: SIGKILL without want of memory,
// or SIGTERM.
func killedUnwatched(s seen) bool {
	return s.ExitCode == exitKilled && !s.OOMKilled || s.ExitCode == exitTerminated
}

func (s seen) job(reason string) verdict {
	v := verdict{Reason: reason, Job: &schema.JobRun{LastExitCode: s.ExitCode, At: s.EndedAt}}
	if s.ExitCode != 0 {
		v.Failure = s.failure(schema.FailureExit)
	}
	return v
}

// failure describes this end as a failure for the given reason; want of memory outdoes "it just exited".
func (s seen) failure(reason string) *schema.Failure {
	f := &schema.Failure{Reason: reason, ExitCode: new(s.ExitCode), At: s.EndedAt}
	f.OOM = s.OOMKilled || s.Died != nil && s.Died.OOM
	if f.OOM && reason == schema.FailureExit {
		f.Reason = schema.FailureOOM
	}
	if s.Died != nil {
		f.At = s.Died.At
	}
	if ran := f.At.Sub(s.StartedAt); !s.StartedAt.IsZero() && ran >= 0 {
		f.RanFor = new(ran.Seconds())
	}
	return f
}
