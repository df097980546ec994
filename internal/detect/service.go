package detect

import (
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// view is one object in one snapshot, with what is remembered of it.
type view struct {
	t         *tick
	svc       *schema.ServiceSummary
	node      *schema.NodeSummary
	read      bool              // a source, which can be read unless unread is set
	unread    *schema.StalePart // a source that cannot be read
	rec       record
	m         *Memory   // of Why: what else is remembered
	grew      int64     // restarts since the snapshot before
	gpuErrors []sample  // of a node: index and how many errors each GPU counted since the snapshot before
	rebooted  bool      // a node whose boot time moved
	newOOM    bool      // killed for want of memory, and not told yet
	newJob    bool      // a run failed, and not told yet
	condition condition // the one being judged
	key       uint64    // of a service: its mark's
	ran       ran       // of a service: what runs now; 0: not looked at
}

// service brings what is remembered of a service up to date.
func (v *view) service(s *schema.ServiceSummary, rules []rule) record {
	t, r := v.t, &v.rec
	v.svc, v.node, v.read, v.unread = s, nil, false, nil
	r.Restarts, v.grew = t.count(r.Restarts, s)
	r.Errors = t.log(r.Errors, s)
	r.OOM, v.newOOM = t.news(r.OOM, oomAt(s), t.rules.OOMKilled.Clear)
	r.Job, v.newJob = t.news(r.Job, jobFailedAt(s), t.rules.JobFailed.Clear)
	v.rollout(s)
	looped := r.find(CrashLoop).Firing
	r.Conditions = v.judge(rules)
	v.ranOn(s)
	r.Places = r.where(s)
	if looped && r.Restarts != nil && r.find(CrashLoop).idle() { // cleared: it takes new restarts to raise it again
		anew := *r.Restarts
		anew.Samples = nil
		r.Restarts = &anew
	}
	return *r
}

// news tells whether something that happened at at is to be told, and gives the mark to remember: what is at or
// before the mark has been told. What happened before the memory began, or so long ago that it would have been cleared
// since, is no news.
func (t *tick) news(mark, at time.Time, told Span) (time.Time, bool) {
	switch {
	case at.IsZero():
		return time.Time{}, false
	case !at.After(mark):
		return mark, false
	case t.first:
		return after(at, t.since), false
	case !at.After(t.since), t.now.Sub(at) >= told.Of(t.interval):
		return mark, false
	}
	return at.UTC(), true
}

// after is at if it lies after since, by a clock that is ahead of the collector's; else no mark is needed.
func after(at, since time.Time) time.Time {
	if at.After(since) {
		return at.UTC()
	}
	return time.Time{}
}

// oomAt is when the service was last killed for want of memory; zero: its last failure was another, or there is none.
func oomAt(s *schema.ServiceSummary) time.Time {
	if s.LastFailure == nil || !s.LastFailure.OOM {
		return time.Time{}
	}
	return s.LastFailure.At
}

func jobFailedAt(s *schema.ServiceSummary) time.Time {
	if s.Job == nil || s.Job.LastExitCode == 0 {
		return time.Time{}
	}
	return s.Job.At
}

func seeServiceDown(v *view) sight {
	l, s := v.t.rules.ServiceDown, v.svc
	seen := sight{hold: l.Hold.Of(v.t.interval), clear: l.Clear.Of(v.t.interval), truth: no}
	switch {
	case s.NotWanted != "":
		if s.ReplicasRunning == nil || *s.ReplicasRunning == 0 {
			seen.why, seen.as = s.NotWanted, unwanted(s.NotWanted)
		}
	case s.ReplicasRunning == nil:
		seen.truth, seen.why = unknown, "how many are running is not known"
	case *s.ReplicasRunning > 0:
	case s.ReplicasDesired != nil && *s.ReplicasDesired > 0:
		seen.truth = yes
	case s.ReplicasDesired != nil:
		seen.why, seen.as = "none is wanted", VerdictNotWanted
	case s.Job != nil:
		seen.why, seen.as = "it is a job, which is meant to end", VerdictNotWanted
	case s.Status == schema.ServiceStopped:
		seen.truth = yes
	case s.Status != schema.ServiceHealthy:
		seen.truth, seen.why = unknown, "how many should be running is not known"
	}
	return seen
}

// seeServiceDegraded tells whether some of a service runs and some does not. One that comes out of service_down is
// raised before that is cleared, or else it would be called well in between.
func seeServiceDegraded(v *view) sight {
	l, s := v.t.rules.ServiceDegraded, v.svc
	seen := sight{hold: l.Hold.Of(v.t.interval), clear: l.Clear.Of(v.t.interval), truth: no}
	if down := v.rec.find(ServiceDown); down.Firing {
		seen.hold = min(seen.hold, max(0, v.t.rules.ServiceDown.Clear.Of(v.t.interval)-v.t.interval))
	}
	switch {
	case s.NotWanted != "":
		seen.why, seen.as = s.NotWanted, unwanted(s.NotWanted)
	case s.ReplicasRunning == nil:
		seen.truth, seen.why = unknown, "how many are running is not known"
	case s.ReplicasDesired == nil:
		seen.truth, seen.why = unknown, "how many should be running is not known"
	case *s.ReplicasRunning == 0 && *s.ReplicasDesired > 0:
		seen.why = "none is running, which service_down is about"
	default:
		seen.truth = truthOf(*s.ReplicasRunning < *s.ReplicasDesired)
	}
	return seen
}

// unwanted is the verdict on a service that is stopped on purpose, by the reason that its source gives.
func unwanted(reason string) string {
	reason = strings.ToLower(reason)
	switch {
	case strings.Contains(reason, "by hand"):
		return VerdictByHand
	case strings.Contains(reason, "baseline"), strings.Contains(reason, "before"):
		return VerdictBaseline
	}
	return VerdictNotWanted
}

func seeCrashLoop(v *view) sight {
	l := v.t.rules.CrashLoop
	seen := sight{hold: l.Hold.Of(v.t.interval), event: true, truth: no}
	if _, _, known := restartCount(v.svc); !known {
		return sight{why: "how often it restarted is not known"}
	}
	counts := v.restarts()
	switch {
	case v.condition.Firing:
		seen.truth, seen.clear = truthOf(v.grew > 0), l.settles(counts)
	case counts.perDay(v.t.now) > l.PerDay:
		seen.truth, seen.hold = yes, 0
	case sum(counts.since(v.t.now.Add(-l.Within))) >= l.Restarts:
		seen.truth, seen.why = shortRun(v)
		seen.quiet = counts.quiet(v.t.now)
	}
	return seen
}

func (v *view) restarts() *restarts {
	if v.rec.Restarts == nil {
		return &restarts{}
	}
	return v.rec.Restarts
}

// settles is how long a looping service must not restart before it is called well.
func (l *CrashLoopRule) settles(r *restarts) time.Duration {
	return min(max(time.Duration(l.QuietGaps)*r.meanGap(), l.QuietMin), l.QuietMax)
}

// shortRun tells whether the last run was too short: the one that ended, unless all that should run has by now been
// running long enough.
func shortRun(v *view) (truth, string) {
	limit, f := v.t.rules.CrashLoop.LastRun, v.svc.LastFailure
	switch {
	case f == nil || f.RanFor == nil:
		return unknown, "how long it ran before it ended is not known"
	case *f.RanFor >= limit.Seconds():
		return no, "it ran for long enough before it ended"
	case len(v.svc.Instances) > 0 && !slices.ContainsFunc(v.svc.Instances, func(i schema.Instance) bool { return !ranSince(i, v.t.now.Add(-limit)) }):
		return no, "it has been running for long enough since"
	}
	return yes, ""
}

func ranSince(i schema.Instance, at time.Time) bool {
	return i.State == "running" && !i.StartedAt.IsZero() && !i.StartedAt.After(at)
}

func seeOOMKilled(v *view) sight {
	seen := sight{truth: truthOf(v.newOOM), clear: v.t.rules.OOMKilled.Clear.Of(v.t.interval), event: true}
	return v.baseline(seen, oomAt(v.svc))
}

func seeJobFailed(v *view) sight {
	seen := sight{truth: truthOf(v.newJob), clear: v.t.rules.JobFailed.Clear.Of(v.t.interval), event: true}
	if v.svc.Job != nil && v.svc.Job.LastExitCode == 0 {
		seen.clear = 0
	}
	return v.baseline(seen, jobFailedAt(v.svc))
}

// baseline says why something that happened is not told.
func (v *view) baseline(seen sight, at time.Time) sight {
	switch {
	case at.IsZero() || seen.truth == yes:
	case !at.After(v.t.since):
		seen.why, seen.as = "it happened before the first snapshot, of "+clock(v.t.since), VerdictBaseline
	default:
		seen.why = "what happened at " + clock(at) + " is over"
	}
	return seen
}

func seeUnhealthy(v *view) sight {
	l, s := v.t.rules.Unhealthy, v.svc
	seen := sight{hold: l.Hold.Of(v.t.interval), clear: l.Clear.Of(v.t.interval), truth: no}
	switch {
	case s.NotWanted != "":
		seen.why, seen.as = s.NotWanted, unwanted(s.NotWanted)
	case s.Health == schema.HealthStarting:
		seen.truth, seen.why = unknown, "its health check is still starting"
	case s.Health == "":
		seen.why = "it has no health check"
	default:
		seen.truth = truthOf(s.Health == schema.HealthUnhealthy)
	}
	return seen
}

// unhealthySeverity is the worse one once every replica has been failing for long enough, until one has been well for
// the clear hold.
func unhealthySeverity(v *view) string {
	l, c := v.t.rules.Unhealthy, &v.condition
	c.Worse = c.Worse.step(v.t, sight{truth: allUnhealthy(v.svc), hold: l.WorseAfter.Of(v.t.interval), clear: l.Clear.Of(v.t.interval)})
	if c.Worse.Firing {
		return l.WorseSeverity
	}
	return l.Severity
}

func allUnhealthy(s *schema.ServiceSummary) truth {
	switch {
	case s.Health != schema.HealthUnhealthy:
		return no
	case len(s.Instances) > 0:
		return truthOf(!slices.ContainsFunc(s.Instances, func(i schema.Instance) bool { return i.Health != schema.HealthUnhealthy }))
	case s.ReplicasRunning != nil && *s.ReplicasRunning == 1:
		return yes
	}
	return unknown
}
