package detect

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Unit says what a setting is measured in, and which field of a Value holds it.
type Unit int

// Units.
const (
	UnitSpan     Unit = iota // Value.Span: so many intervals, or so much time
	UnitTime                 // Value.Span.Time
	UnitPercent              // Value.Number, as all below it
	UnitCelsius              // degrees
	UnitBytes                // 1 GB is 1e9
	UnitCount                // a whole number
	UnitTimes                // a factor
	UnitSeverity             // Value.Word: info, warning or critical; empty: off
	UnitSwitch               // Value.Word: on; empty: off
)

// Value is what a setting is set to.
type Value struct {
	Span   Span
	Number float64
	Word   string
}

// Text writes v as people write it: 4I, 10m, 85%, 90C, 1GB, 30, warning.
func (u Unit) Text(v Value) string {
	switch u {
	case UnitSpan, UnitTime:
		return v.Span.text()
	case UnitSeverity, UnitSwitch:
		if v.Word == "" {
			return "off"
		}
		return v.Word
	case UnitPercent:
		return number(v.Number) + "%"
	case UnitCelsius:
		return number(v.Number) + "C"
	case UnitBytes:
		return bytesText(v.Number)
	case UnitCount, UnitTimes:
	}
	return number(v.Number)
}

func number(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// text leaves out the zeroes that Go's own form of a duration ends in.
func (s Span) text() string {
	if s.Intervals > 0 && s.Time == 0 {
		return strconv.Itoa(s.Intervals) + "I"
	}
	text := s.Time.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func bytesText(x float64) string {
	for _, u := range []struct {
		size float64
		name string
	}{{1e12, "TB"}, {1e9, "GB"}, {1e6, "MB"}, {1e3, "KB"}} {
		if x >= u.size {
			return number(x/u.size) + u.name
		}
	}
	return number(x) + "B"
}

// Setting is one thing that can be set of a condition, or of a policy. Least and Most bound its number, or its time in seconds; of a
// span given in intervals, none.
type Setting struct {
	Condition   string
	Name        string
	Unit        Unit
	Least, Most float64
}

func (s *Setting) is(condition, name string) bool { return s.Condition == condition && s.Name == name }

// field is a setting in one Rules.
type field struct {
	Setting
	at any
}

// Settings lists all that can be set: of each condition that Conditions lists, then of each of Policies, in their order. A condition that has no
// hold, or whose clearing no time decides, has no such setting.
func Settings() []Setting {
	r := Default()
	var all []Setting
	for _, f := range r.fields() {
		all = append(all, f.Setting)
	}
	return all
}

// bounds of a unit, where a setting has none of its own.
func (u Unit) bounds() (least, most float64) {
	switch u {
	case UnitPercent:
		return 0, 100
	case UnitCelsius:
		return 0, 200
	case UnitBytes:
		return 0, 1e15
	case UnitCount:
		return 1, 1e9
	case UnitTimes:
		return 0, 1000
	case UnitSpan, UnitTime, UnitSeverity, UnitSwitch:
	}
	return 0, (7 * 24 * time.Hour).Seconds()
}

func set(condition, name string, unit Unit, at any) field {
	least, most := unit.bounds()
	return field{Setting{condition, name, unit, least, most}, at}
}

func (f field) within(least, most time.Duration) field {
	f.Least, f.Most = least.Seconds(), most.Seconds()
	return f
}

// Names of the settings that several conditions have.
const (
	SettingRaise      = "raise"
	SettingClear      = "clear"
	SettingHold       = "hold"
	SettingClearAfter = "clear_after"
	SettingSeverity   = "severity"
)

func (l *Level) severity(c string) field { return set(c, SettingSeverity, UnitSeverity, &l.Severity) }

// happens is of what happens at once.
func (l *Level) happens(c string) []field {
	return []field{set(c, SettingClearAfter, UnitSpan, &l.Clear), l.severity(c)}
}

// lasts is of what has to last.
func (l *Level) lasts(c string) []field {
	return append([]field{set(c, SettingHold, UnitSpan, &l.Hold)}, l.happens(c)...)
}

func (l *LevelRule) fields(c string, unit Unit) []field {
	return append([]field{set(c, SettingRaise, unit, &l.Over), set(c, SettingClear, unit, &l.Under)}, l.lasts(c)...)
}

// fields lists the settings of r, in the order of Conditions.
func (r *Rules) fields() []field {
	return slices.Concat(
		r.ServiceDown.lasts(ServiceDown),
		r.CrashLoop.fields(),
		r.OOMKilled.happens(OOMKilled),
		r.Unhealthy.fields(),
		r.ServiceDegraded.lasts(ServiceDegraded),
		r.ErrorBurst.fields(),
		r.JobFailed.happens(JobFailed),
		r.NodeDown.fields(),
		r.GPUErrors.happens(GPUErrors),
		r.Disk.fields(),
		r.LowMemory.fields(LowMemory, UnitPercent),
		r.GPUHot.fields(GPUHot, UnitCelsius),
		append(r.NodeRebooted.happens(NodeRebooted), set(NodeRebooted, "moved", UnitTime, &r.NodeRebooted.Moved)),
		r.CPU.fields(CPU, UnitPercent),
		r.GPUMemory.fields(GPUMemory, UnitPercent),
		r.SourceBlind.fields(),
		r.ClusterSilent.fields(),
		r.Storm.fields(),
		r.TwoCollectors.fields(),
		r.ClockSkew.fields(),
		r.ownFields(),
		r.policyFields(),
		r.Explain.fields(),
	)
}

func (l *CrashLoopRule) fields() []field {
	const c = CrashLoop
	return []field{
		set(c, "restarts", UnitCount, &l.Restarts),
		set(c, "within", UnitTime, &l.Within).within(time.Minute, loopMax),
		set(c, "last_run", UnitTime, &l.LastRun),
		set(c, "per_day", UnitCount, &l.PerDay),
		set(c, SettingHold, UnitSpan, &l.Hold),
		set(c, "quiet_gaps", UnitCount, &l.QuietGaps).upTo(100),
		set(c, "quiet_min", UnitTime, &l.QuietMin),
		set(c, "quiet_max", UnitTime, &l.QuietMax),
		l.severity(c),
	}
}

func (f field) upTo(most float64) field {
	f.Most = most
	return f
}

func (l *UnhealthyRule) fields() []field {
	return append(l.lasts(Unhealthy),
		set(Unhealthy, "worse_after", UnitSpan, &l.WorseAfter), set(Unhealthy, "worse_severity", UnitSeverity, &l.WorseSeverity))
}

// loopMax bounds how long restarts are remembered one by one.
const loopMax = time.Hour

const (
	burstMin = time.Minute      // lines are kept by the minute
	burstMax = 30 * time.Minute // a longer one would make the memory of many services too large for its record
)

func (l *ErrorBurstRule) fields() []field {
	const c = ErrorBurst
	return append([]field{
		set(c, "lines", UnitCount, &l.Lines),
		set(c, "within", UnitTime, &l.Within).within(burstMin, burstMax),
		set(c, "times", UnitTimes, &l.Times),
		set(c, "ease", UnitTimes, &l.Ease),
		set(c, "history", UnitTime, &l.History).within(0, errorHour),
		set(c, "per_hour", UnitCount, &l.PerHour),
	}, l.lasts(c)...)
}

func (l *NodeDownRule) fields() []field {
	return append(l.lasts(NodeDown),
		set(NodeDown, "unseen", UnitTime, &l.Unseen),
		set(NodeDown, "draining_severity", UnitSeverity, &l.DrainingSeverity),
		set(NodeDown, "draining_for", UnitTime, &l.DrainingFor))
}

func (l *DiskRule) fields() []field {
	return append(l.LevelRule.fields(Disk, UnitPercent),
		set(Disk, "worse", UnitPercent, &l.Worse),
		set(Disk, "worse_free", UnitBytes, &l.WorseFree),
		set(Disk, "worse_severity", UnitSeverity, &l.WorseSeverity))
}

func (l *SourceRule) fields() []field {
	return append(l.lasts(SourceBlind),
		set(SourceBlind, "worse_after", UnitSpan, &l.WorseAfter), set(SourceBlind, "worse_severity", UnitSeverity, &l.WorseSeverity))
}

func (l *SilenceRule) fields() []field {
	const c = ClusterSilent
	return []field{
		set(c, SettingHold, UnitSpan, &l.Hold),
		set(c, "hold_min", UnitTime, &l.HoldMin),
		set(c, "snapshots", UnitCount, &l.Snapshots).upTo(1000),
		l.severity(c),
		set(c, "goodbye_severity", UnitSeverity, &l.GoodbyeSeverity),
		set(c, "goodbye_for", UnitTime, &l.GoodbyeFor),
	}
}

func (l *CollectorsRule) fields() []field {
	return append(l.happens(TwoCollectors),
		set(TwoCollectors, "times", UnitCount, &l.Times).upTo(1000),
		set(TwoCollectors, "fresh", UnitSpan, &l.Fresh),
		set(TwoCollectors, "fresh_min", UnitTime, &l.FreshMin))
}

// value reads the field.
func (f field) value() Value {
	switch p := f.at.(type) {
	case *Span:
		return Value{Span: *p}
	case *time.Duration:
		return Value{Span: Span{Time: *p}}
	case *float64:
		return Value{Number: *p}
	case *int64:
		return Value{Number: float64(*p)}
	case *int:
		return Value{Number: float64(*p)}
	case *string:
		return Value{Word: *p}
	case *bool:
		if *p {
			return Value{Word: "on"}
		}
	}
	return Value{}
}

func (f field) set(v Value) {
	switch p := f.at.(type) {
	case *Span:
		*p = v.Span
	case *time.Duration:
		*p = v.Span.Time
	case *float64:
		*p = v.Number
	case *int64:
		*p = int64(v.Number)
	case *int:
		*p = int(v.Number)
	case *string:
		*p = v.Word
	case *bool:
		*p = v.Word == "on"
	}
}

// compare orders two values of one unit that is no span: in intervals and in time, those have no order.
func (u Unit) compare(a, b Value) float64 {
	switch u {
	case UnitTime:
		return float64(a.Span.Time - b.Span.Time)
	case UnitSeverity:
		return float64(schema.SeverityRank(a.Word) - schema.SeverityRank(b.Word))
	case UnitSpan, UnitPercent, UnitCelsius, UnitBytes, UnitCount, UnitTimes, UnitSwitch:
	}
	return a.Number - b.Number
}
