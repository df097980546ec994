package detect

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Refusal is a snapshot that was dropped because another collector's snapshots of the same cluster are being taken.
// Told is whether people are to be told in the dead letters: once an hour for each collector.
type Refusal struct {
	Reason string
	Told   bool
}

const (
	tellRival = time.Hour // between two dead letters about one collector
	maxRivals = 8         // remembered at once
)

// collector is whose snapshots of the cluster are taken. Those without an id, which people and files publish, belong to
// nobody and meet nobody.
type collector struct {
	ID       string        `json:"id"`
	Host     string        `json:"host,omitempty"`
	At       time.Time     `json:"at"` // when its newest snapshot was stored
	Interval time.Duration `json:"interval"`
	Goodbye  bool          `json:"goodbye,omitempty"`
	Rivals   []rival       `json:"rivals,omitempty"`
}

// rival is another collector that published the same cluster while the first went on.
type rival struct {
	ID       string        `json:"id"`
	Host     string        `json:"host,omitempty"`
	Since    time.Time     `json:"since"`          // when the first of those of its snapshots was stored that belong together
	At       time.Time     `json:"at"`             // the newest of them
	Seen     bool          `json:"seen,omitempty"` // the first collector has published since At
	Went     int           `json:"went,omitempty"` // how often it has done so
	Told     time.Time     `json:"told"`           // when people were last told
	Seq      uint64        `json:"seq,omitempty"`  // of the snapshot that they were told about
	Interval time.Duration `json:"interval,omitempty"`
}

// refuse tells whether the snapshot is another collector's than the one that goes on. The memory that it gives then
// differs by no more than what is remembered of the other one.
func (m *Memory) refuse(s *schema.ClusterContext, at Position, r *CollectorsRule) (Memory, *Refusal) {
	c := m.Collector
	if c == nil || s.Collector == "" || s.Collector == c.ID || c.Goodbye || at.At.Sub(c.At) > c.freshFor(r) {
		return *m, nil
	}
	next := *c
	next.Rivals = slices.Clone(c.Rivals)
	i := slices.IndexFunc(next.Rivals, func(x rival) bool { return x.ID == s.Collector })
	if i < 0 {
		if len(next.Rivals) >= maxRivals {
			next.Rivals = slices.Delete(next.Rivals, 0, 1)
		}
		i = len(next.Rivals)
		next.Rivals = append(next.Rivals, rival{ID: s.Collector})
	}
	refused := &Refusal{Reason: next.refusal(s), Told: next.Rivals[i].refused(s, at)}
	memory := *m
	memory.Collector = &next
	return memory, refused
}

// refused notes a snapshot of the rival, and tells whether people are to be told of it. A redelivery of the one that
// they were to be told of gives the same answer, in case whoever asked died.
func (x *rival) refused(s *schema.ClusterContext, at Position) bool {
	x.Host, x.Interval = s.Host, interval(s)
	if s.Goodbye { // it is not going on
		return false
	}
	if at.At.After(x.At) {
		x.At, x.Seen = at.At.UTC(), false
	}
	if x.Since.IsZero() {
		x.Since = x.At
	}
	if x.Told.IsZero() || at.At.Sub(x.Told) >= tellRival {
		x.Told, x.Seq = at.At.UTC(), at.Seq
	}
	return x.Seq == at.Seq
}

func (c *collector) freshFor(r *CollectorsRule) time.Duration {
	return max(r.Fresh.Of(c.Interval), r.FreshMin)
}

func (c *collector) refusal(s *schema.ClusterContext) string {
	return fmt.Sprintf("take snapshot: cluster %q is published by %s, and now by %s too; both cannot be the same cluster: "+
		"set BELLBUOY_CLUSTER to another name on one of them, or stop it",
		s.ClusterName, by(c.ID, c.Host), by(s.Collector, s.Host))
}

// by names a collector for people.
func by(id, host string) string { return "collector " + id + " on " + cmp.Or(host, "an unknown host") }

// heard notes an accepted snapshot. Another collector than before begins with no rivals but those that it has itself.
func (c *collector) heard(s *schema.ClusterContext, at Position, r *CollectorsRule) *collector {
	if s.Collector == "" {
		return c
	}
	next := collector{ID: s.Collector, Host: s.Host, At: at.At.UTC(), Interval: interval(s), Goodbye: s.Goodbye}
	if c == nil {
		return &next
	}
	for _, x := range c.Rivals {
		quiet := at.At.Sub(x.At)
		switch {
		case x.ID == next.ID, quiet >= tellRival:
			continue
		case c.ID != next.ID, quiet >= r.Clear.Of(max(next.Interval, x.Interval)): // not both at once, or no longer
			x.Seen, x.Went, x.Since = true, 0, time.Time{}
		case !x.Seen:
			x.Seen = true
			x.Went++
		}
		next.Rivals = append(next.Rivals, x)
	}
	return &next
}

func (c *collector) contested(r *CollectorsRule) []rival {
	if c == nil || r.Severity == "" {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(c.Rivals), func(x rival) bool { return x.Went < r.Times })
}

// Collector is the object that two collectors of one cluster are a finding about, in schema.OwnCluster.
func Collector(cluster string) schema.Object {
	return schema.Object{Kind: schema.KindCollector, Name: cluster}
}

// found is what is true of the collectors of the cluster.
func (c *collector) found(cluster string, r *CollectorsRule) []Finding {
	rivals := c.contested(r)
	if len(rivals) == 0 {
		return nil
	}
	title, told := c.tell(cluster, rivals)
	since := slices.MinFunc(rivals, func(a, b rival) int { return a.Since.Compare(b.Since) }).Since
	return []Finding{{Object: Collector(cluster), Conditions: []schema.Condition{
		{Name: TwoCollectors, Severity: r.Severity, Since: since, Title: title, Facts: told},
	}}}
}

func (c *collector) tell(cluster string, rivals []rival) (string, []string) {
	all := []string{by(c.ID, c.Host) + " is taken"}
	for _, x := range rivals {
		all = append(all, by(x.ID, x.Host)+" is refused")
	}
	title := titled("two collectors say they are %s", cluster)
	if len(rivals) > 1 {
		title = titled(fmt.Sprintf("%d collectors say they are", len(rivals)+1)+" %s", cluster)
	}
	return title, facts(all...)
}

// why says where the one condition of a cluster's collectors stands.
func (c *collector) why(cluster string, rules *Rules) Reason {
	r := &rules.TwoCollectors
	reason := Reason{Condition: TwoCollectors, Verdict: VerdictWell}
	rivals := c.contested(r)
	waits := c != nil && slices.ContainsFunc(c.Rivals, func(x rival) bool { return !x.Since.IsZero() })
	switch {
	case r.Severity == "":
		reason.Verdict, reason.Text = VerdictOff, rules.offReason(TwoCollectors)
	case len(rivals) > 0:
		f := c.found(cluster, r)[0].Conditions[0]
		reason.Verdict, reason.Since = VerdictFiring, f.Since
		reason.Text = "alerting since " + clock(f.Since) + ", " + f.Title
	case c == nil:
		reason.Verdict, reason.Text = VerdictUnknown, "not judged, no collector that names itself has published it"
	case waits:
		reason.Verdict, reason.Text = VerdictHold, "holding, another collector published it too; alerted if both go on"
	default:
		reason.Text = "well, only " + by(c.ID, c.Host) + " publishes it"
	}
	if changed := rules.changed(TwoCollectors); changed != "" && reason.Verdict != VerdictOff {
		reason.Text += "; " + changed
	}
	reason.Text = TwoCollectors + ": " + reason.Text
	return reason
}
