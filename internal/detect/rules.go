package detect

import (
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Names of the conditions.
const (
	ServiceDown = "service_down"
	CrashLoop   = "crash_loop"
	OOMKilled   = "oom_killed"
	Unhealthy   = "unhealthy"
	JobFailed   = "job_failed"
	NodeDown    = "node_down"
)

// SeverityLabel on a service sets the severity of all its conditions: info, warning or critical.
const SeverityLabel = "bellbuoy.severity"

// Span is a length of time: so many intervals of the cluster's snapshots, plus Time.
type Span struct {
	Intervals int
	Time      time.Duration
}

// Of is the span where snapshots are interval apart.
func (s Span) Of(interval time.Duration) time.Duration {
	return time.Duration(s.Intervals)*interval + s.Time
}

func intervals(n int) Span         { return Span{Intervals: n} }
func lasting(d time.Duration) Span { return Span{Time: d} }

// Level is what every condition has: how long it must be true before it is raised, how long it must not be before it
// is cleared, and how bad it is. With an empty Severity the condition is off.
type Level struct {
	Hold     Span
	Clear    Span
	Severity string
}

// CrashLoopRule raises when Restarts happened Within and the last run was shorter than LastRun, after Hold; or, at
// once, when more than PerDay happened in 24 h. It clears after QuietGaps times the mean gap between restarts without
// one, but not before QuietMin and not after QuietMax; its Level has no Clear.
type CrashLoopRule struct {
	Level
	Restarts           int64
	Within             time.Duration
	LastRun            time.Duration
	PerDay             int64
	QuietGaps          int
	QuietMin, QuietMax time.Duration
}

// UnhealthyRule becomes WorseSeverity once every replica has failed its health check for WorseAfter.
type UnhealthyRule struct {
	Level
	WorseAfter    Span
	WorseSeverity string
}

// NodeDownRule also raises, at once, when a node was last seen more than Unseen before the snapshot. A node that was
// draining has DrainingSeverity for DrainingFor.
type NodeDownRule struct {
	Level
	Unseen           time.Duration
	DrainingSeverity string
	DrainingFor      time.Duration
}

// Rules is the one table of what is raised, when, for how long, and how bad it is. The order of its fields is the
// order among conditions of one object that are equally severe.
type Rules struct {
	ServiceDown Level
	CrashLoop   CrashLoopRule
	OOMKilled   Level // Clear counts from the newest time it happened
	Unhealthy   UnhealthyRule
	JobFailed   Level // Clear counts from the failure; a success clears at once
	NodeDown    NodeDownRule
}

// Default is the table as shipped.
func Default() Rules {
	return Rules{
		ServiceDown: Level{Hold: intervals(1), Clear: intervals(4), Severity: schema.SeverityCritical},
		CrashLoop: CrashLoopRule{
			Level:    Level{Hold: intervals(4), Severity: schema.SeverityWarning},
			Restarts: 3, Within: 10 * time.Minute, LastRun: time.Minute,
			PerDay:    10,
			QuietGaps: 3, QuietMin: 10 * time.Minute, QuietMax: 6 * time.Hour,
		},
		OOMKilled: Level{Clear: lasting(30 * time.Minute), Severity: schema.SeverityWarning},
		Unhealthy: UnhealthyRule{
			Level:      Level{Hold: intervals(4), Clear: intervals(4), Severity: schema.SeverityWarning},
			WorseAfter: intervals(12), WorseSeverity: schema.SeverityCritical,
		},
		JobFailed: Level{Clear: lasting(24 * time.Hour), Severity: schema.SeverityWarning},
		NodeDown: NodeDownRule{
			Level:            Level{Hold: intervals(1), Clear: intervals(4), Severity: schema.SeverityCritical},
			Unseen:           2 * time.Minute,
			DrainingSeverity: schema.SeverityInfo, DrainingFor: 30 * time.Minute,
		},
	}
}

// rule is how one condition is judged: whether it is true, how bad it is now, and how it is told to people.
type rule struct {
	name     string
	level    Level
	see      func(*view) sight
	severity func(*view) string // nil: always the level's
	tell     func(*view) (title string, facts []string)
}

// serviceRules lists the conditions of a service in their declared order.
func (r *Rules) serviceRules() []rule {
	return []rule{
		{ServiceDown, r.ServiceDown, seeServiceDown, nil, tellServiceDown},
		{CrashLoop, r.CrashLoop.Level, seeCrashLoop, nil, tellCrashLoop},
		{OOMKilled, r.OOMKilled, seeOOMKilled, nil, tellOOMKilled},
		{Unhealthy, r.Unhealthy.Level, seeUnhealthy, unhealthySeverity, tellUnhealthy},
		{JobFailed, r.JobFailed, seeJobFailed, nil, tellJobFailed},
	}
}

// nodeRules lists the conditions of a node in their declared order.
func (r *Rules) nodeRules() []rule {
	return []rule{{NodeDown, r.NodeDown.Level, seeNodeDown, nodeDownSeverity, tellNodeDown}}
}
