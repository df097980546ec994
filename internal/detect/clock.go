package detect

import (
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// ClockRule raises when Snapshots in a row were stored more than Off after, or before, they say they were taken, and
// clears after as many that were not.
type ClockRule struct {
	Level
	Off       time.Duration
	Snapshots int
}

func (l *ClockRule) fields() []field {
	return []field{
		set(ClockSkew, "off_by", UnitTime, &l.Off).within(time.Second, 24*time.Hour),
		set(ClockSkew, "snapshots", UnitCount, &l.Snapshots).upTo(1000),
		l.severity(ClockSkew),
	}
}

// clockMemory is how the clock of a cluster's collector compares with the server's.
type clockMemory struct {
	Off    time.Duration `json:"off"`              // of the newest snapshot: how much later it was stored than taken
	Times  int           `json:"times,omitempty"`  // in a row, so far off; or, while firing, so far not
	Since  time.Time     `json:"since,omitzero"`   // when the first of those that raised it was stored
	Firing bool          `json:"firing,omitempty"` // it was raised, and has not been cleared
	By     string        `json:"by,omitempty"`     // the collector's host, or its id
	At     time.Time     `json:"at"`               // when the newest one was stored
}

// seen notes a snapshot. A recording and what is made up are as old as they like, and so are snapshots that name no
// collector.
func (c *clockMemory) seen(s *schema.ClusterContext, at Position, r *ClockRule) *clockMemory {
	if s.Collector == "" || s.Recorded || s.Source == schema.SourceTest || at.Played {
		return nil
	}
	next := clockMemory{}
	if c != nil {
		next = *c
	}
	next.Off, next.At, next.By = at.At.Sub(s.TakenAt), at.At.UTC(), s.Host
	if next.By == "" {
		next.By = s.Collector
	}
	off := next.Off.Abs() > r.Off
	switch {
	case off == next.Firing: // it goes on
		next.Times = 0
		if !off {
			next.Since = time.Time{}
		}
		return &next
	case next.Times == 0 && off:
		next.Since = next.At
	}
	if next.Times++; next.Times >= r.Snapshots {
		next.Firing, next.Times = off, 0
	}
	if !next.Firing && !off {
		next.Since = time.Time{}
	}
	return &next
}

// Clock is the object that the clock of a cluster's collector is, in schema.OwnCluster.
func Clock(cluster string) schema.Object { return schema.Object{Kind: schema.KindClock, Name: cluster} }

// Watched are the objects of schema.OwnCluster that the snapshots of a cluster are judged for.
func Watched(cluster string) []schema.Object {
	return []schema.Object{Collector(cluster), Clock(cluster)}
}

// found is what is true of the clock.
func (c *clockMemory) found(cluster string, r *ClockRule) []Finding {
	if c == nil || !c.Firing || r.Severity == "" {
		return nil
	}
	return []Finding{{Object: Clock(cluster), Conditions: []schema.Condition{{
		Name: ClockSkew, Severity: r.Severity, Since: c.Since,
		Title: titled("%s: the clock of its collector is off", cluster), Facts: facts(c.tell(), "the collector is on "+c.By),
	}}}}
}

func (c *clockMemory) tell() string {
	if c.Off < 0 {
		return "its snapshots are dated " + span(-c.Off) + " after they are stored"
	}
	return "its snapshots are dated " + span(c.Off) + " before they are stored"
}

// why says where the condition stands.
func (c *clockMemory) why(rules *Rules) Reason {
	r, reason := &rules.ClockSkew, Reason{Condition: ClockSkew, Verdict: VerdictWell}
	switch {
	case r.Severity == "":
		reason.Verdict, reason.Text = VerdictOff, rules.offReason(ClockSkew)
	case c == nil:
		reason.Verdict, reason.Text = VerdictUnknown, "not judged, what is published names no collector, is made up or a recording"
	case c.Firing && c.Times > 0:
		reason.Verdict, reason.Since, reason.Text = VerdictClearHold, c.Since, "alerting, but "+plural(int64(c.Times), "snapshot")+" were right since"
	case c.Firing:
		reason.Verdict, reason.Since, reason.Text = VerdictFiring, c.Since, "alerting since "+clock(c.Since)+", "+c.tell()
	case c.Times > 0:
		reason.Verdict, reason.Since, reason.Text = VerdictHold, c.Since, "holding, "+c.tell()
	default:
		reason.Text = "well, " + c.tell()
	}
	if changed := rules.changed(ClockSkew); changed != "" && reason.Verdict != VerdictOff {
		reason.Text += "; " + changed
	}
	reason.Text = ClockSkew + ": " + reason.Text
	return reason
}
