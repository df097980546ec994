package diagnose

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// own says what is wrong with s by itself, from what the engine saw of it. has tells which conditions fire; of a
// neighbour that is not known, and its state has to do.
func (r *ruler) own(s *schema.ServiceSummary, has func(string) bool) cause {
	c := cause{component: s.Object().String(), confidence: schema.ConfidenceMedium, verb: VerbLogs, reason: "its last lines say why it ended"}
	f := s.LastFailure
	switch {
	case has("error_burst") && len(r.firing) == 1 && running(s) && !r.rolledOut(s): // how it failed before is another story
		return r.burstCause(c, s)
	case f != nil && f.Reason == schema.FailureStart:
		return startCause(c, s)
	case f != nil && f.OOM, f != nil && f.Reason == schema.FailureOOM, has("oom_killed"):
		return r.memoryCause(c, s)
	case r.rolledOut(s):
		return r.rolloutCause(c, s)
	case has("crash_loop"), f != nil && f.Reason == schema.FailureGaveUp, f != nil && f.ExitCode != nil && !has("job_failed") && !running(s), restarting(s):
		return r.crashCause(c, s, has)
	case has("service_degraded"):
		return r.partCause(c, s)
	case has("unhealthy"), s.Health == schema.HealthUnhealthy:
		return healthCause(c, s)
	case has("job_failed"), s.Job != nil && s.Job.LastExitCode != 0:
		return jobCause(c, s)
	case has("error_burst"):
		return r.burstCause(c, s)
	}
	return r.silentCause(c, s)
}

// partCause is for a service of which some does not run.
func (r *ruler) partCause(c cause, s *schema.ServiceSummary) cause {
	c.category, c.confidence = CategoryUnknown, schema.ConfidenceLow
	c.why = "why the rest does not run is not known"
	c.summary = s.Name + ": " + state(s)
	if f := s.LastFailure; f != nil {
		c.category, c.confidence = CategoryCrash, schema.ConfidenceMedium
		c.why = "its last failure is known"
		c.summary += "; " + how(f, s.MemoryLimit)
	}
	c.reason = "the last lines of what is missing"
	return c
}

// burstCause is for a service that runs and logs far more errors than usual. What they mean only the lines can say.
func (r *ruler) burstCause(c cause, s *schema.ServiceSummary) cause {
	c.category, c.confidence = CategoryUnknown, schema.ConfidenceLow
	c.why = "its log has more errors than usual, and only its lines hint at the reason"
	c.summary = s.Name + " runs, but logs more errors than usual"
	for _, x := range r.firing {
		if x.Name == "error_burst" && len(x.Facts) > 0 {
			c.summary = s.Name + " runs, but logs " + strings.Join(x.Facts, ", ")
		}
	}
	if e, ok := r.first(KindLog, c.component); ok {
		c.summary += fmt.Sprintf(": “%s”", cut(e.Text, 160))
	}
	c.reason = "what the errors say"
	return c
}

func running(s *schema.ServiceSummary) bool {
	return s.ReplicasRunning != nil && *s.ReplicasRunning > 0
}

func startCause(c cause, s *schema.ServiceSummary) cause {
	c.category, c.confidence = CategoryStart, schema.ConfidenceHigh
	c.why = "the engine itself gives the reason"
	c.summary = fmt.Sprintf("the engine could not start %s", s.Name)
	if s.LastFailure.Text != "" {
		c.summary += ": " + s.LastFailure.Text
	}
	c.verb, c.reason = VerbInspect, "what it is configured with, to compare with the engine's error"
	return c
}

func (r *ruler) memoryCause(c cause, s *schema.ServiceSummary) cause {
	c.category, c.confidence = CategoryMemory, schema.ConfidenceHigh
	c.why = "the kernel killed it and the engine says so"
	limit := "" // unknown: a container that never lives for long is gone before anybody reads it
	switch {
	case s.MemoryLimit == nil:
	case *s.MemoryLimit > 0:
		limit = " at its limit of " + size(*s.MemoryLimit)
	default:
		limit = "; it has no memory limit of its own, so the machine ran out"
	}
	c.summary = fmt.Sprintf("%s was killed for want of memory%s", s.Name, limit)
	c.reason = "what it was doing when memory ran out"
	if r.rolledOut(s) {
		c.other = []schema.Alternative{{Statement: change(s, r.now), Check: "whether the earlier version stayed below the limit"}}
	}
	return c
}

// rolledOut tells whether the image of s changed shortly before the first condition began. A minute of slack is for
// conditions that date from the failure which the deploy itself caused.
func (r *ruler) rolledOut(s *schema.ServiceSummary) bool {
	if s.PreviousImage == "" || s.PreviousImage == s.Image || change(s, r.now) == "" {
		return false
	}
	since := r.since()
	before := since.Sub(s.LastDeployAt)
	return since.IsZero() || before >= -time.Minute && before <= recentChange
}

func (r *ruler) rolloutCause(c cause, s *schema.ServiceSummary) cause {
	c.category = CategoryRollout
	c.why = "it was changed shortly before it began to fail"
	c.summary = fmt.Sprintf("%s fails since its image changed from %s to %s", s.Name, s.PreviousImage, s.Image)
	if f := s.LastFailure; f != nil && f.ExitCode != nil {
		c.summary += fmt.Sprintf("; it ends%s", exit(f))
	}
	c.reason = "what the new version says"
	return c
}

func (r *ruler) crashCause(c cause, s *schema.ServiceSummary, has func(string) bool) cause {
	c.category = CategoryCrash
	verb := "ended"
	if has("crash_loop") || restarting(s) {
		verb = "ends again and again"
	}
	c.summary = s.Name + " " + verb
	if f := s.LastFailure; f != nil {
		c.summary += crashDetail(f)
	}
	c.why = "the exit code is known; its log says no more"
	if e, ok := r.first(KindLog, c.component); ok && level(e.Text) > 0 {
		c.summary += fmt.Sprintf(": “%s”", cut(e.Text, 160))
		c.why = "its exit and its own log line agree"
	} else if s.LastFailure == nil || s.LastFailure.ExitCode == nil {
		c.confidence, c.why = schema.ConfidenceLow, "neither an exit code nor a log line tells why"
	}
	return c
}

func crashDetail(f *schema.Failure) string {
	detail := exit(f)
	if f.RanFor != nil {
		detail += " after " + seconds(*f.RanFor)
	}
	if f.Reason == schema.FailureGaveUp {
		detail += fmt.Sprintf(", and the engine gave up after %d tries", f.Tries)
	}
	return detail
}

func healthCause(c cause, s *schema.ServiceSummary) cause {
	c.category = CategoryHealth
	c.summary = fmt.Sprintf("%s runs, but its health check fails", s.Name)
	if f := s.LastFailure; f != nil && f.Reason == schema.FailureUnhealthy && f.Text != "" {
		c.summary += ": " + f.Text
	}
	c.why = "the check's verdict is certain, its reason is not"
	c.verb, c.reason = VerbInspect, "State.Health.Log holds what the check printed"
	return c
}

func jobCause(c cause, s *schema.ServiceSummary) cause {
	c.category = CategoryJob
	c.summary = s.Name + " ended with an error"
	switch {
	case s.Job != nil:
		c.summary = fmt.Sprintf("the last run of %s ended with exit code %d", s.Name, s.Job.LastExitCode)
	case s.LastFailure != nil:
		c.summary = s.Name + " ended" + exit(s.LastFailure)
	}
	c.why = "the exit code is certain, its reason is not"
	return c
}

// silentCause is for what fails without the engine or the log saying why.
func (r *ruler) silentCause(c cause, s *schema.ServiceSummary) cause {
	c.category, c.confidence = CategoryUnknown, schema.ConfidenceLow
	c.why = "no failure, change or dependency explains it"
	c.summary = s.Name + ": " + state(s)
	if e, ok := r.first(KindLog, c.component); ok && level(e.Text) > 0 {
		c.summary = fmt.Sprintf("%s: “%s”", s.Name, cut(e.Text, 200))
		c.why = "only a log line hints at the reason"
	}
	c.reason = "nothing else says why"
	return c
}

// hasWord tells whether word stands in text by itself, in any case.
func hasWord(text, word string) bool {
	text, word = strings.ToLower(text), strings.ToLower(word)
	if word == "" {
		return false
	}
	for at := 0; ; {
		i := strings.Index(text[at:], word)
		if i < 0 {
			return false
		}
		start, end := at+i, at+i+len(word)
		if !wordEnds(text, start-1) && !wordEnds(text, end) {
			return true
		}
		at = start + 1
	}
}

// wordEnds tells whether the byte at i belongs to a word, so that what touches it is only a part of one.
func wordEnds(s string, i int) bool {
	if i < 0 || i >= len(s) {
		return false
	}
	r := rune(s[i])
	return r >= 0x80 || r == '_' || r == '-' || unicode.IsLetter(r) || unicode.IsDigit(r)
}
