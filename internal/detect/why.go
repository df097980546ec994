package detect

import (
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Verdicts of Why.
const (
	VerdictFiring    = "firing"     // alerting, and still true
	VerdictClearHold = "clear_hold" // alerting, but no longer true: being watched before it is called well
	VerdictExplained = "explained"  // true, and told as what another object explains
	VerdictStorm     = "storm"      // true, and told as a part of a storm
	VerdictHold      = "hold"       // true, but not for long enough
	VerdictGrace     = "grace"      // true, but kept back after a deploy
	VerdictFlapping  = "flapping"   // alerting, but no longer true: kept open because it has come back so often
	VerdictWell      = "well"
	VerdictNotWanted = "not_wanted" // stopped on purpose
	VerdictByHand    = "by_hand"    // stopped by a person
	VerdictBaseline  = "baseline"   // older than what Bellbuoy has watched
	VerdictUnknown   = "unknown"    // what the rule needs to know is not known
	VerdictOff       = "off"        // the rules switch it off, for this object or all, or nothing reads what it is judged by
)

// Reason is why a condition of an object is, or is not, alerting. Condition is empty where nothing is known of the
// object. Since is when the condition began, or ceased, to be true; Until is when its hold is over if nothing changes.
type Reason struct {
	Condition string    `json:"condition,omitempty"`
	Verdict   string    `json:"verdict"`
	Text      string    `json:"text"`
	Since     time.Time `json:"since,omitzero"`
	Until     time.Time `json:"until,omitzero"`
}

// Why tells for each condition of o why it is or is not alerting, by the memory and the newest snapshot, which may be
// nil. An object that neither knows has one reason, that it is unknown. The object that Collector gives is explained by
// the memory of the cluster that it names. Of a whole cluster it tells whether there is a storm; the rest is WhySilent's.
func Why(m Memory, s *schema.ClusterContext, r Rules, o schema.Object) []Reason {
	switch o.Kind {
	case schema.KindCollector:
		r = r.in(o.Name)
		return []Reason{m.Collector.why(o.Name, &r)}
	case schema.KindClock:
		r = r.in(o.Name)
		return []Reason{m.Clock.why(&r)}
	}
	if o.Kind == schema.KindCluster {
		return []Reason{m.whyStorm(o.Name, r)}
	}
	v := m.look(s, &r, o)
	if !v.present() && len(v.rec.Conditions) == 0 {
		return []Reason{absentReason(&v.rec, o)}
	}
	var reasons []Reason
	for _, rule := range v.t.marked(v.t.rules.declaredFor(o.Kind)) {
		reasons = append(reasons, v.standing(v.why(&rule)))
	}
	return reasons
}

// standing says of a reason that it cannot change while what is known of the object is stale.
func (v *view) standing(reason Reason) Reason {
	if !v.stale() || reason.Verdict == VerdictOff {
		return reason
	}
	if reason.Verdict == VerdictWell {
		reason.Verdict = VerdictUnknown
	}
	reason.Text += "; what is known of it is stale, so nothing is raised or cleared"
	reason.Until = time.Time{}
	return reason
}

// present tells whether the snapshot has the object.
func (v *view) present() bool { return v.svc != nil || v.node != nil || v.read }

func (v *view) stale() bool { return v.svc != nil && v.svc.Stale || v.node != nil && v.node.Stale }

// look finds o in the snapshot and in the memory. It judges nothing anew: that is Detect's.
func (m *Memory) look(s *schema.ClusterContext, r *Rules, o schema.Object) view {
	t := tick{now: m.TakenAt, since: m.Since, interval: schema.DefaultInterval, rules: r}
	v := view{t: &t, rec: m.recall(o), m: m}
	if s == nil {
		return v
	}
	t.interval, t.unread = interval(s), unreadParts(s)
	for i := range s.Services {
		if s.Services[i].Object() == o {
			v.svc = &s.Services[i]
		}
	}
	for i := range s.Nodes {
		if o.Kind == schema.KindNode && o.Namespace == "" && s.Nodes[i].ID == o.Name {
			v.node = &s.Nodes[i]
		}
	}
	if o.Kind == schema.KindSource && o.Namespace == "" {
		v.unread = staleOf(s, o.Name)
		v.read = v.unread != nil || HasSource(s, o.Name)
	}
	t.rules = new(r.For(s.ClusterName, o, v.labels()))
	return v
}

func (v *view) labels() map[string]string {
	if v.svc == nil {
		return nil
	}
	return v.svc.Labels
}

func (r *Rules) declaredFor(kind string) []rule {
	switch kind {
	case schema.KindNode:
		return r.nodeRules()
	case schema.KindSource:
		return r.sourceRules()
	}
	return r.serviceRules()
}

// absentReason says that nothing is known of o, or that it has left.
func absentReason(r *record, o schema.Object) Reason {
	if r.Gone {
		return Reason{Verdict: VerdictUnknown, Text: o.String() + " has left the cluster; it was alerting when it did", Since: r.Absent}
	}
	return Reason{Verdict: VerdictUnknown, Text: o.String() + " is in no snapshot that is remembered"}
}

func (v *view) why(r *rule) Reason {
	c := v.rec.find(r.name)
	v.condition = c
	var seen sight
	if v.present() {
		seen = r.see(v)
		v.linger(&seen)
		if seen.why == "" && r.reads != nil {
			seen.why = r.reads(v)
		}
	}
	reason := v.elsewhere(v.reason(r, &c, seen))
	if changed := v.t.rules.changed(r.name); changed != "" && reason.Verdict != VerdictOff {
		reason.Text += "; " + changed
	}
	reason.Condition, reason.Text = r.name, r.name+": "+reason.Text
	return reason
}

func (v *view) reason(r *rule, c *condition, seen sight) Reason {
	absent := !v.present()
	switch {
	case r.level.Severity == "":
		return Reason{Verdict: VerdictOff, Text: v.t.rules.offReason(r.name)}
	case r.off:
		return v.offReason(r, c)
	case c.idle():
		return idleReason(seen, absent)
	case c.Firing && c.Well.IsZero():
		return Reason{Verdict: VerdictFiring, Text: "alerting since " + clock(c.Since) + ", " + c.Title, Since: c.Since}
	case absent:
		return v.absentReason(c)
	case seen.lingers:
		return v.flapReason(c, seen.clear)
	case c.Firing:
		return v.waiting(VerdictClearHold, "alerting, but "+v.over(c)+" for ", c.Well, c.Quiet, seen.clear)
	case v.keptBack(c):
		return v.graceReason(c)
	}
	return v.waiting(VerdictHold, "holding, ", c.Since, c.Held, seen.hold)
}

// offReason is that of a condition whose part of the snapshot nothing reads.
func (v *view) offReason(r *rule, c *condition) Reason {
	reason := Reason{Verdict: VerdictOff, Text: "off, nothing reads it: " + v.t.unread[r.part]}
	if c.Firing {
		reason.Text += "; it was alerting, and is dropped if nothing reads it for " + span(blindIntervals*v.t.interval)
	}
	return reason
}

func idleReason(seen sight, absent bool) Reason {
	switch {
	case absent:
		return Reason{Verdict: VerdictUnknown, Text: "not in the snapshot"}
	case seen.truth == unknown:
		return Reason{Verdict: VerdictUnknown, Text: "not judged, " + seen.why}
	case seen.truth == yes: // the snapshot is newer than the memory
		return Reason{Verdict: VerdictHold, Text: "holding, seen in a snapshot that is still to be judged"}
	case seen.as != "" && seen.as != VerdictWell:
		return Reason{Verdict: seen.as, Text: "not alerted, " + seen.why}
	case seen.why != "":
		return Reason{Verdict: VerdictWell, Text: "well, " + seen.why}
	}
	return Reason{Verdict: VerdictWell, Text: "well"}
}

// absentReason is that of a condition that stands still because the snapshot lacks its object.
func (v *view) absentReason(c *condition) Reason {
	if c.Firing {
		return Reason{Verdict: VerdictClearHold, Text: "alerting, but standing still: not in the snapshot", Since: c.Well}
	}
	return Reason{Verdict: VerdictHold, Text: "holding, but standing still: not in the snapshot", Since: c.Since}
}

// over says what lasts during a clear hold.
func (v *view) over(c *condition) string {
	switch {
	case happens(c.Name):
		return "not again"
	case v.svc != nil && v.svc.NotWanted != "":
		return "not wanted"
	}
	return "well"
}

// waiting tells how far a hold has come.
func (v *view) waiting(verdict, what string, since time.Time, done, whole time.Duration) Reason {
	text := what + span(done) + " of " + span(whole)
	return Reason{Verdict: verdict, Text: text, Since: since, Until: v.t.now.Add(max(whole-done, 0))}
}
