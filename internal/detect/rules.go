package detect

import (
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Names of the conditions.
const (
	ServiceDown     = "service_down"
	CrashLoop       = "crash_loop"
	OOMKilled       = "oom_killed"
	Unhealthy       = "unhealthy"
	ServiceDegraded = "service_degraded"
	ErrorBurst      = "error_burst"
	JobFailed       = "job_failed"
	NodeDown        = "node_down"
	GPUErrors       = "gpu_errors"
	Disk            = "disk"
	LowMemory       = "memory"
	GPUHot          = "gpu_hot"
	NodeRebooted    = "node_rebooted"
	CPU             = "cpu"
	GPUMemory       = "gpu_memory"
	SourceBlind     = "source_blind"
	ClusterSilent   = "cluster_silent"
	TwoCollectors   = "two_collectors"
	ClockSkew       = "clock_skew"

	// Of Bellbuoy itself, as its parts say.
	ChannelFailing   = schema.ChannelFailing
	DeadLetters      = schema.DeadLetters
	StoreFull        = schema.StoreFull
	ModelUnavailable = schema.ModelUnavailable
	BudgetSpent      = schema.BudgetSpent
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

// ErrorBurstRule raises when a service logged at least Lines lines at error level Within, and at least Times as many as
// the mean of the hour before comes to in such a time, once it has been watched for History. It eases below Ease times
// that mean. Of a source without totals it raises when the sum of the last hour has risen above PerHour.
type ErrorBurstRule struct {
	Level
	Lines       int64
	Within      time.Duration
	Times, Ease float64
	History     time.Duration
	PerHour     int64
}

// LevelRule is for a number: true above Over, well below Under. In between, what is raised stays so and what is not
// does not become so.
type LevelRule struct {
	Level
	Over, Under float64
}

// DiskRule is for the file systems of a node, in percent of space or inodes used: true at Over and above, well below
// Under, of WorseSeverity at Worse and above, or, of one that is at Over in space, with less than WorseFree bytes free.
type DiskRule struct {
	LevelRule
	Worse         float64
	WorseFree     int64
	WorseSeverity string
}

// RebootRule raises when a node's boot time moved by more than Moved. Less is a clock being adjusted.
type RebootRule struct {
	Level
	Moved time.Duration
}

// CollectorsRule raises when a collector went on Times after snapshots of another one were refused. A collector is the
// cluster's while its newest snapshot was stored at most Fresh ago, and FreshMin at least.
type CollectorsRule struct {
	Level
	Times    int
	Fresh    Span
	FreshMin time.Duration
}

// SourceRule becomes WorseSeverity once the source could not be read for WorseAfter.
type SourceRule struct {
	Level
	WorseAfter    Span
	WorseSeverity string
}

// SilenceRule raises when nothing has come from a cluster for Hold, and for HoldMin at least. After a goodbye it has
// GoodbyeSeverity until GoodbyeFor after that. It clears once Snapshots have come without such a pause; its Level has no
// Clear.
type SilenceRule struct {
	Level
	HoldMin         time.Duration
	Snapshots       int
	GoodbyeSeverity string
	GoodbyeFor      time.Duration
}

// Rules is the one table of what is raised, when, for how long, and how bad it is. The order of its fields is the
// order among conditions of one object that are equally severe.
type Rules struct {
	ServiceDown     Level
	CrashLoop       CrashLoopRule
	OOMKilled       Level // Clear counts from the newest time it happened
	Unhealthy       UnhealthyRule
	ServiceDegraded Level
	ErrorBurst      ErrorBurstRule
	JobFailed       Level // Clear counts from the failure; a success clears at once
	NodeDown        NodeDownRule
	GPUErrors       Level // Clear counts from the newest error
	Disk            DiskRule
	LowMemory       LevelRule // percent of it in use
	GPUHot          LevelRule // degrees Celsius
	NodeRebooted    RebootRule
	CPU             LevelRule // percent busy
	GPUMemory       LevelRule // percent of it in use
	SourceBlind     SourceRule
	ClusterSilent   SilenceRule
	Storm           StormRule
	TwoCollectors   CollectorsRule

	ClockSkew        ClockRule
	ChannelFailing   OwnRule
	DeadLetters      LettersRule
	StoreFull        StoreRule
	ModelUnavailable ModelRule
	BudgetSpent      OwnRule

	DeployGrace GraceRule
	Flapping    FlapRule
	Explain     ExplainRule

	Changed   []Change   // what of the above somebody has set, in the order in which it was
	Overrides []Override // in the order in which they are made
}

// Default is the table as shipped.
func Default() Rules {
	r := Rules{
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
		ServiceDegraded: Level{Hold: intervals(8), Clear: intervals(4), Severity: schema.SeverityWarning},
		ErrorBurst: ErrorBurstRule{
			Level: Level{Hold: intervals(1), Clear: lasting(10 * time.Minute), Severity: schema.SeverityWarning},
			Lines: 30, Within: 5 * time.Minute, Times: 5, Ease: 2, History: 30 * time.Minute,
			PerHour: 100,
		},
		JobFailed: Level{Clear: lasting(24 * time.Hour), Severity: schema.SeverityWarning},
		TwoCollectors: CollectorsRule{
			Level: Level{Clear: intervals(4), Severity: schema.SeverityWarning},
			Times: 2, Fresh: intervals(4), FreshMin: time.Minute,
		},
	}
	r.defaultNodes()
	r.defaultCollection()
	r.defaultPolicies()
	r.defaultExplain()
	r.defaultOwn()
	return r
}

func (r *Rules) defaultCollection() {
	r.SourceBlind = SourceRule{
		Level:      Level{Hold: intervals(8), Clear: intervals(2), Severity: schema.SeverityWarning},
		WorseAfter: lasting(10 * time.Minute), WorseSeverity: schema.SeverityCritical,
	}
	r.ClusterSilent = SilenceRule{
		Level:   Level{Hold: intervals(8), Severity: schema.SeverityCritical},
		HoldMin: 2 * time.Minute, Snapshots: 2,
		GoodbyeSeverity: schema.SeverityInfo, GoodbyeFor: 15 * time.Minute,
	}
}

func (r *Rules) defaultNodes() {
	r.NodeDown = NodeDownRule{
		Level:            Level{Hold: intervals(1), Clear: intervals(4), Severity: schema.SeverityCritical},
		Unseen:           2 * time.Minute,
		DrainingSeverity: schema.SeverityInfo, DrainingFor: 30 * time.Minute,
	}
	r.GPUErrors = Level{Clear: lasting(time.Hour), Severity: schema.SeverityCritical}
	r.Disk = DiskRule{
		LevelRule: LevelRule{
			Level: Level{Hold: lasting(5 * time.Minute), Clear: lasting(5 * time.Minute), Severity: schema.SeverityWarning},
			Over:  90, Under: 87,
		},
		Worse: 97, WorseFree: 1e9, WorseSeverity: schema.SeverityCritical,
	}
	r.LowMemory = LevelRule{
		Level: Level{Hold: lasting(5 * time.Minute), Clear: lasting(5 * time.Minute), Severity: schema.SeverityWarning},
		Over:  95, Under: 92,
	}
	r.GPUHot = LevelRule{
		Level: Level{Hold: intervals(8), Clear: intervals(8), Severity: schema.SeverityWarning},
		Over:  90, Under: 85,
	}
	r.NodeRebooted = RebootRule{Level: Level{Clear: lasting(30 * time.Minute), Severity: schema.SeverityInfo}, Moved: time.Minute}
	r.CPU = LevelRule{
		Level: Level{Hold: lasting(30 * time.Minute), Clear: lasting(10 * time.Minute), Severity: schema.SeverityInfo},
		Over:  95, Under: 85,
	}
	r.GPUMemory = LevelRule{
		Level: Level{Hold: intervals(40), Clear: intervals(8), Severity: schema.SeverityInfo},
		Over:  98, Under: 95,
	}
}
