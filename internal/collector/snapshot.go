package collector

import (
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// snapshot puts together what the sources last gave, what is kept, and what is known of the collector itself.
func (c *Collector) snapshot(now time.Time) schema.ClusterContext {
	names := c.names()
	s := schema.ClusterContext{
		Schema: schema.ContextVersion, ClusterName: c.cluster, Collector: c.id, Host: c.host, TakenAt: now.UTC(),
		IntervalSeconds: c.cfg.Interval.Seconds(), CountersSince: c.memory.record.Since, Recorded: c.recorded(),
		Nodes: c.nodes(names), Unread: c.unread(), Services: []schema.ServiceSummary{}, ActiveAlerts: []schema.AlertSummary{},
	}
	for _, r := range c.readers {
		c.add(&s, r, names, now)
	}
	if c.recorded() && !c.readers[0].read.IsZero() {
		c.playBack(&s, &c.readers[0].part.Snapshot)
	}
	s.RecentEvents = append(recent(s.RecentEvents, s.TakenAt), c.memory.record.Events...)
	slices.SortStableFunc(s.RecentEvents, func(a, b schema.ClusterEvent) int { return a.At.Compare(b.At) })
	return s
}

// recorded tells whether all there is is a recording of a cluster, with a name and a time of its own.
func (c *Collector) recorded() bool { return len(c.readers) == 1 && c.readers[0].kind.recorded }

// playBack keeps what a recorded snapshot says about itself.
func (c *Collector) playBack(s, played *schema.ClusterContext) {
	s.TakenAt, s.CountersSince, s.Goodbye = played.TakenAt, played.CountersSince, played.Goodbye
	if c.cfg.Cluster == "" {
		s.ClusterName = played.ClusterName
	}
	if played.IntervalSeconds > 0 {
		s.IntervalSeconds = played.IntervalSeconds
	}
}

// add puts one source's last part into the snapshot, but for its nodes; names are what those are called there.
func (c *Collector) add(s *schema.ClusterContext, r *reader, names map[string]string, now time.Time) {
	if r.absent != nil {
		return
	}
	if stale := r.stale(); stale != nil {
		s.Stale = append(s.Stale, *stale)
	}
	s.Source = joinSources(s.Source, or(r.part.Snapshot.Source, r.kind.name))
	part := r.part.Snapshot
	for _, service := range part.Services {
		if r.kind.counts {
			c.memory.record.report(&service, now)
		}
		rename(&service, names)
		service.Stale = service.Stale || r.failed != nil
		s.Services = append(s.Services, service)
	}
	s.RecentEvents = append(s.RecentEvents, part.RecentEvents...)
	s.ActiveAlerts = append(s.ActiveAlerts, part.ActiveAlerts...)
	s.Stale = append(s.Stale, part.Stale...)
	s.Baseline += part.Baseline
	for what, n := range part.Omitted {
		omit(s, what, n)
	}
}

// stale says since when the reader's part is old, and why; nil while it is new.
func (r *reader) stale() *schema.StalePart {
	if r.failed == nil {
		return nil
	}
	return &schema.StalePart{Source: r.name, Parts: r.partsRead(), Since: r.read, Error: scrub.Line(r.failed.Error(), maxTextBytes)}
}

func or(s, otherwise string) string {
	if s != "" {
		return s
	}
	return otherwise
}

// joinSources adds more to a comma-separated list, each source once.
func joinSources(list, more string) string {
	var names []string
	for name := range strings.SplitSeq(list+","+more, ",") {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

// recent drops the events that are too old for a snapshot taken at the given time. One without a time stays.
func recent(events []schema.ClusterEvent, taken time.Time) []schema.ClusterEvent {
	oldest := taken.Add(-schema.EventWindow)
	return slices.DeleteFunc(events, func(e schema.ClusterEvent) bool { return !e.At.IsZero() && e.At.Before(oldest) })
}

// omit counts what a bound has cut off a list of the snapshot.
func omit(s *schema.ClusterContext, what string, n int) {
	if n <= 0 {
		return
	}
	if s.Omitted == nil {
		s.Omitted = map[string]int{}
	}
	s.Omitted[what] += n
}
