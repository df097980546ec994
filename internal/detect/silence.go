package detect

import (
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// heard is the newest snapshot that was folded in, whoever published it. It outlives whoever publishes.
type heard struct {
	At       time.Time     `json:"at"` // when it was stored
	Interval time.Duration `json:"interval"`
	By       string        `json:"by,omitempty"` // the collector's id
	Host     string        `json:"host,omitempty"`
	Goodbye  bool          `json:"goodbye,omitempty"`
	Played   bool          `json:"played,omitempty"` // made up or a recording: nobody misses it
	Timed    bool          `json:"timed,omitempty"`  // it says by whom or how often it is published
	Times    int           `json:"times"`            // how many have come without silence in between, counted up to enough
}

// next is what is remembered once s has come. A goodbye does not count towards being back.
func (h heard) next(s *schema.ClusterContext, at Position, r *SilenceRule) heard {
	n := heard{
		At: at.At.UTC(), Interval: interval(s), By: s.Collector, Host: s.Host, Goodbye: s.Goodbye,
		Played: s.Recorded || s.Source == schema.SourceTest,
		Timed:  s.Collector != "" || s.IntervalSeconds > 0,
	}
	switch {
	case s.Goodbye:
	case h.At.IsZero(), n.At.Sub(h.At) >= r.after(max(h.Interval, n.Interval)):
		n.Times = 1
	default:
		n.Times = min(h.Times+1, r.Snapshots)
	}
	return n
}

// missed tells whether people want to know that no more comes. One snapshot that says neither who publishes it nor how
// often promises no other; two in a row do.
func (h *heard) missed() bool {
	return !h.At.IsZero() && !h.Played && (h.Timed || h.Times > 1)
}

func (r *SilenceRule) after(interval time.Duration) time.Duration {
	return max(r.Hold.Of(interval), r.HoldMin)
}

// attention is for how many intervals one must have listened.
const attention = 3

// Cluster is the object that a whole cluster is, in that cluster itself.
func Cluster(name string) schema.Object { return schema.Object{Kind: schema.KindCluster, Name: name} }

// Silence is what it comes to that nothing has come from a cluster.
type Silence struct {
	Known      bool               // a snapshot of it was folded in
	Due        time.Time          // when so much time has passed that it is, or was, silent
	Missed     bool               // people are to be told then
	Attention  time.Duration      // how long whoever judges must have been able to hear it before that means anything
	Conditions []schema.Condition // none before Due, or where nobody misses it
}

// Silent judges a cluster by its memory, by when its newest snapshot was stored, and by now: both by the clock of the
// server that stores them. Whether the caller could have heard anything is the caller's to know.
func Silent(cluster string, m Memory, stored, now time.Time, r Rules) Silence {
	r = r.in(cluster)
	h, l := &m.Heard, &r.ClusterSilent
	s := Silence{
		Known: !h.At.IsZero(), Due: stored.Add(l.after(h.Interval)),
		Missed: l.Severity != "" && h.missed(), Attention: attention * h.Interval,
	}
	if !s.Missed || now.Before(s.Due) {
		return s
	}
	bye := h.Goodbye && !stored.After(h.At) // or else another came after it, which was not taken
	severity := l.Severity
	if bye && now.Sub(stored) < l.GoodbyeFor {
		severity = l.GoodbyeSeverity
	}
	if severity != "" {
		title, told := h.tell(cluster, stored, bye)
		s.Conditions = []schema.Condition{{Name: ClusterSilent, Severity: severity, Since: stored.UTC(), Title: title, Facts: told}}
	}
	return s
}

func (h *heard) tell(cluster string, stored time.Time, bye bool) (string, []string) {
	who := "its snapshots name no collector"
	if h.By != "" {
		who = by(h.By, h.Host)
	}
	last := "last heard " + clock(stored) + ", due every " + span(h.Interval)
	if bye {
		return titled("%s: not watched since its collector was stopped", cluster), facts("it said goodbye at "+clock(stored), who)
	}
	return titled("%s: no snapshot comes any more", cluster), facts(last, who)
}

// WhySilent says where cluster_silent of a cluster stands, as Silent judges it.
func WhySilent(cluster string, m Memory, stored, now time.Time, r Rules) Reason {
	s, reason := Silent(cluster, m, stored, now, r), Reason{Condition: ClusterSilent, Verdict: VerdictWell}
	r = r.in(cluster)
	heard := "heard " + span(max(now.Sub(stored), 0)) + " ago"
	switch {
	case r.ClusterSilent.Severity == "":
		reason.Verdict, reason.Text = VerdictOff, r.offReason(ClusterSilent)
	case m.Heard.Played:
		reason.Verdict, reason.Text = VerdictNotWanted, "not alerted, it is made up or a recording, which nobody misses"
	case !s.Missed:
		reason.Verdict, reason.Text = VerdictUnknown, "not judged, nothing says that another snapshot is to come"
	case len(s.Conditions) > 0:
		reason.Verdict, reason.Since = VerdictFiring, stored.UTC()
		reason.Text = "nothing since " + clock(stored) + ", " + s.Conditions[0].Title
	default:
		reason.Text = "well, " + heard + "; told after " + span(r.ClusterSilent.after(m.Heard.Interval)) + " without a snapshot"
	}
	if changed := r.changed(ClusterSilent); changed != "" && reason.Verdict != VerdictOff {
		reason.Text += "; " + changed
	}
	reason.Text = ClusterSilent + ": " + reason.Text
	return reason
}
