package detect

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

const (
	maxTitle = 60  // characters
	maxFact  = 200 // bytes
)

// titled puts the name in the place of %s, shortened so that the whole has at most maxTitle characters. Any other
// percent sign is one.
func titled(format, name string) string {
	before, after, _ := strings.Cut(format, "%s")
	room := maxTitle - utf8.RuneCountInString(before+after)
	if utf8.RuneCountInString(name) > room {
		name = string([]rune(name)[:max(room-1, 0)]) + "…"
	}
	return before + name + after
}

// fact is s without secrets and what hides, and then cut: half a secret is not recognised any more.
func fact(s string) string {
	s = strings.TrimSpace(scrub.Clean(s))
	if len(s) <= maxFact {
		return s
	}
	return strings.ToValidUTF8(s[:maxFact-len("…")], "") + "…"
}

// facts leaves out the empty ones and those said before.
func facts(all ...string) []string {
	var kept []string
	for _, f := range all {
		if f = fact(f); f != "" && !slices.Contains(kept, f) {
			kept = append(kept, f)
		}
	}
	return kept
}

// clock is a time as people read it. It names no date: what is told is recent.
func clock(t time.Time) string { return t.UTC().Format("15:04:05 UTC") }

// span is a length of time as people read it.
func span(d time.Duration) string {
	switch {
	case d < 10*time.Second && d%time.Second != 0:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int64(d.Round(time.Second)/time.Second))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int64(d.Round(time.Minute)/time.Minute))
	}
	return fmt.Sprintf("%d h", int64(d.Round(time.Hour)/time.Hour))
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// failureFacts is what a service's last failure says, most telling first.
func failureFacts(f *schema.Failure) []string {
	if f == nil {
		return nil
	}
	all := []string{f.Text}
	switch {
	case f.Reason == schema.FailureStart && f.Text == "":
		all = append(all, "the engine could not start it")
	case f.Reason == schema.FailureGaveUp && f.Tries > 0:
		all = append(all, fmt.Sprintf("gave up after %d tries", f.Tries))
	case f.Reason == schema.FailureGaveUp:
		all = append(all, "gave up restarting it")
	case f.Reason == schema.FailureUnknown:
		all = append(all, "it failed while nobody watched")
	}
	if f.OOM {
		all = append(all, "killed for want of memory")
	}
	if f.ExitCode != nil {
		all = append(all, fmt.Sprintf("exit %d", *f.ExitCode))
	}
	if f.RanFor != nil {
		all = append(all, "its last run lasted "+span(seconds(*f.RanFor)))
	}
	return all
}

func tellServiceDown(v *view) (string, []string) {
	if v.svc.ReplicasDesired == nil {
		return titled("%s: none running", v.svc.Name), facts(append(failureFacts(v.svc.LastFailure), "none running")...)
	}
	running := fmt.Sprintf("0 of %d running", *v.svc.ReplicasDesired)
	return titled("%s: "+running, v.svc.Name), facts(append(failureFacts(v.svc.LastFailure), running)...)
}

func tellCrashLoop(v *view) (string, []string) {
	l, counts := v.t.rules.CrashLoop, v.restarts()
	short := sum(counts.since(v.t.now.Add(-l.Within)))
	often := restarted(counts.perDay(v.t.now), restartWindow)
	if short >= l.Restarts {
		often = restarted(short, l.Within)
	}
	return titled("%s crash-loops: "+often, v.svc.Name), facts(append(failureFacts(v.svc.LastFailure), often)...)
}

func restarted(n int64, within time.Duration) string {
	return plural(n, "restart") + " in " + span(within)
}

func plural(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func tellOOMKilled(v *view) (string, []string) {
	all := []string{"killed for want of memory at " + clock(v.svc.LastFailure.At)}
	if v.svc.MemoryLimit != nil && *v.svc.MemoryLimit > 0 {
		all = append(all, fmt.Sprintf("its limit is %.0f MiB", float64(*v.svc.MemoryLimit)/(1<<20)))
	}
	for _, f := range failureFacts(v.svc.LastFailure) {
		if f != "killed for want of memory" { // said with its time
			all = append(all, f)
		}
	}
	return titled("%s was killed for want of memory", v.svc.Name), facts(all...)
}

func tellUnhealthy(v *view) (string, []string) {
	var all []string
	if f := v.svc.LastFailure; f != nil && f.Reason == schema.FailureUnhealthy {
		all = append(all, f.Text)
	}
	bad := 0
	for _, i := range v.svc.Instances {
		if i.Health == schema.HealthUnhealthy {
			bad++
		}
	}
	if bad > 0 && len(v.svc.Instances) > 1 {
		all = append(all, fmt.Sprintf("%d of %d fail their health check", bad, len(v.svc.Instances)))
	} else {
		all = append(all, "its health check fails")
	}
	return titled("%s fails its health check", v.svc.Name), facts(all...)
}

func tellServiceDegraded(v *view) (string, []string) {
	running := fmt.Sprintf("%d of %d running", *v.svc.ReplicasRunning, *v.svc.ReplicasDesired)
	return titled("%s: "+running, v.svc.Name), facts(append(failureFacts(v.svc.LastFailure), running)...)
}

func tellErrorBurst(v *view) (string, []string) {
	text, usual := v.burst()
	return titled("%s logs "+text, v.svc.Name), facts(text, v.usually(usual))
}

// usually says what a burst is measured by.
func (v *view) usually(usual float64) string {
	switch l := v.t.rules.ErrorBurst; {
	case v.errors().Rolling:
		return ""
	case usual < 1:
		return "usually less than 1 in " + span(l.Within)
	default:
		return fmt.Sprintf("usually %.0f in %s", usual, span(l.Within))
	}
}

func readErrors(v *view) string {
	text, usual := v.burst()
	if v.rec.Errors == nil {
		return "no errors lately"
	}
	return strings.TrimSuffix(text+", "+v.usually(usual), ", ")
}

func tellJobFailed(v *view) (string, []string) {
	job := v.svc.Job
	exit := fmt.Sprintf("exit %d", job.LastExitCode)
	all := []string{exit, "ended at " + clock(job.At)}
	return titled("job %s failed with "+exit, v.svc.Name), facts(append(all, failureFacts(v.svc.LastFailure)...)...)
}
