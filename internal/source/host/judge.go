package host

import (
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Reasons of a unit for not being wanted, in words for people.
const (
	reasonByHand    = "stopped by hand"
	reasonEnded     = "ended 0"
	reasonJob       = "job"
	reasonCondition = "a condition of its unit file is not met"
	reasonNever     = "not started since boot"
	reasonWaits     = "waits for its socket, path or bus name"
	reasonBaseline  = "baseline: had failed before Bellbuoy first saw this machine"
)

const (
	// unknownExit stands for the exit code of a job that failed without one: it could not be started, or timed out.
	unknownExit = -1
	// exitTerminated is the exit code of programs that were sent SIGTERM, Java's above all.
	exitTerminated = 143
	// patience is how long a unit may be starting or stopping before it counts as not running.
	patience = 2 * time.Minute
	// shortRun is how short a run is that systemd itself ended before the program began.
	shortRun = 2.0 // seconds
)

// verdict is what judge makes of one unit.
type verdict struct {
	Running  *int   // nil: it is just being started or stopped
	Wanted   bool   //
	Reason   string // why it is not
	Baseline bool
	Job      *schema.JobRun // how its newest run ended
}

// judge tells whether a unit runs and is wanted. It is the one place that knows. baseline says that this very failure
// was there when the machine was first seen.
func judge(u *unit, baseline bool, now time.Time) verdict {
	v := verdict{Running: new(0)}
	switch {
	case u.running() && (!u.job() || u.Sub != "exited"):
		v.Running, v.Wanted = new(1), true
	case u.restarting():
		v.Wanted = true
	case u.Active == activating, u.Active == deactivating:
		v.Wanted = !u.job()
		if since := later(u.StartedAt, u.ActiveAt, u.InactiveAt); now.Sub(since) < patience || u.job() {
			v.Running = nil
		}
	case u.Active == failed && baseline:
		v.Reason, v.Baseline = reasonBaseline, true
	case u.stopped():
		v.Reason = reasonByHand
	case u.job():
		v.Reason, v.Job = reasonJob, u.ended()
	case u.Active == failed:
		v.Wanted = true
	default:
		v.Reason = u.whyInactive()
	}
	if !v.Wanted && v.Reason == "" {
		v.Reason = reasonJob
	}
	return v
}

// stopped tells whether a unit that systemd calls failed was in truth told to end: its program does not end with 0 when
// it is, or did not end in time. Had nobody told it to, systemd's own policy would mostly have restarted it.
func (u *unit) stopped() bool {
	itself := u.Ended == 1 && u.Status == exitTerminated
	return u.Active == failed && (itself || u.Result == timedOut && !u.ActiveAt.Before(u.StartedAt))
}

// whyInactive is why a unit rests that is meant to stay and has not failed. One that systemd would have restarted,
// and one that was told to end, was stopped by somebody.
func (u *unit) whyInactive() string {
	switch {
	case u.ConditionFailed:
		return reasonCondition
	case u.StartedAt.IsZero() && u.InactiveAt.IsZero() && len(u.TriggeredBy) > 0:
		return reasonWaits
	case u.StartedAt.IsZero() && u.InactiveAt.IsZero():
		return reasonNever
	case u.Ended == 1 && u.Status == 0 && u.Restart != "always" && u.Restart != "on-success":
		return reasonEnded
	}
	return reasonByHand
}

// ended is how the newest run of a job ended; nil if none did.
func (u *unit) ended() *schema.JobRun {
	f := u.failure()
	switch {
	case f != nil && f.ExitCode != nil && *f.ExitCode != 0:
		return &schema.JobRun{LastExitCode: *f.ExitCode, At: f.At}
	case f != nil:
		return &schema.JobRun{LastExitCode: unknownExit, At: f.At}
	case u.ExitedAt.IsZero():
		return nil
	}
	return &schema.JobRun{At: u.ExitedAt}
}

// exitCode is that of the main process, with a signal as shells show it; nil if it has not ended.
func (u *unit) exitCode() *int {
	switch u.Ended {
	case 1:
		return new(u.Status)
	case 2, 3:
		return new(128 + u.Status)
	}
	return nil
}

// failure describes the failure that the unit shows now, having failed or waiting to be restarted. An end with 0 is
// one of a unit that is to run always and lasted less than ten minutes; nil: it shows none.
func (u *unit) failure() *schema.Failure {
	f := &schema.Failure{ExitCode: u.exitCode(), At: later(u.ExitedAt), RanFor: u.RanFor}
	switch {
	case u.stopped():
		return nil
	case u.Active == failed, u.restarting() && u.Result != success:
	case u.restarting() && (u.RanFor == nil || *u.RanFor < 600):
		f.Reason = schema.FailureExit
		return f
	default:
		return nil
	}
	if u.ExitedAt.IsZero() || u.Ended == 0 {
		f.At, f.ExitCode, f.RanFor = later(u.InactiveAt, u.ActiveAt), nil, nil
	}
	f.Reason, f.Text = u.cause()
	f.OOM = f.Reason == schema.FailureOOM
	if u.gaveUp() {
		f.Reason, f.Tries, f.Text = schema.FailureGaveUp, int(min(u.Restarts, 1<<20)), u.tries()
	}
	return f
}

// cause says why the newest run failed, in the words of schema and in words for people.
func (u *unit) cause() (reason, text string) {
	switch u.Result {
	case oomKill:
		return schema.FailureOOM, "killed for want of memory"
	case "exit-code":
		if name := systemdExit(u.Status); name != "" && u.Ended == 1 && (u.RanFor == nil || *u.RanFor < shortRun) {
			return schema.FailureStart, fmt.Sprintf("systemd could not start its command: status %d/%s", u.Status, name)
		}
		return schema.FailureExit, ""
	case "signal", "core-dump":
		return schema.FailureExit, fmt.Sprintf("ended by signal %d, %s", u.Status, syscall.Signal(u.Status))
	case "watchdog":
		return schema.FailureExit, "it did not answer systemd's watchdog in time"
	case timedOut:
		if u.ActiveAt.Before(u.StartedAt) {
			return schema.FailureStart, "it was not ready in time"
		}
		return schema.FailureExit, "it did not stop in time"
	case "resources", "protocol", "exec-condition":
		return schema.FailureStart, "systemd says: " + u.Result
	}
	return schema.FailureUnknown, "systemd says: " + u.Result
}

// gaveUp tells whether systemd no longer tries to restart the unit although its policy is to do so. Once the rate of
// starts is too high, a unit keeps the result of its last run and counts the restart that it was refused.
func (u *unit) gaveUp() bool {
	return u.Active == failed && (u.Result == tooOften || u.Restarts > 0 && u.Restart != "no")
}

func (u *unit) tries() string {
	if u.Restarts == 0 {
		return "systemd no longer starts it: it was started too often"
	}
	return fmt.Sprintf("gave up after %d tries", u.Restarts)
}

// systemdExit names the exit codes that systemd gives a process that it could not turn into the unit's command.
func systemdExit(status int) string {
	return map[int]string{
		200: "CHDIR", 201: "NICE", 202: "FDS", 203: "EXEC", 205: "LIMITS", 208: "STDIN", 209: "STDOUT", 210: "CHROOT",
		213: "NO_NEW_PRIVILEGES", 216: "GROUP", 217: "USER", 218: "CAPABILITIES", 219: "CGROUP", 222: "STDERR", 224: "PAM",
		226: "NAMESPACE", 228: "SECCOMP", 233: "RUNTIME_DIRECTORY", 238: "STATE_DIRECTORY", 239: "CACHE_DIRECTORY",
		240: "LOGS_DIRECTORY", 241: "CONFIGURATION_DIRECTORY", 243: "CREDENTIALS",
	}[status]
}

// later is the latest of times.
func later(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }
