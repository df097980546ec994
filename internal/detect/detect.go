package detect

import (
	"fmt"
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Position is where a snapshot lies in its stream. Epoch is the stream's creation: sequences are compared only within
// one, and another one counts as newer. At is when the snapshot was stored there, by the stream's clock: by it two
// collectors of one cluster are told apart. Played says that nobody stored it: At follows from the snapshots themselves,
// and tells nothing of a clock.
type Position struct {
	Seq    uint64
	Epoch  time.Time
	At     time.Time
	Played bool
}

const (
	stepIntervals   = 2         // one step counts for at most so many; fewer than any hold of several
	goneIntervals   = 8         // absent for so many: gone
	clearIntervals  = 8         // memory covers so many: "not found" means well
	blindIntervals  = 8         // not judged for so many, because nothing reads its part: dropped
	rebaseIntervals = 8         // a snapshot so much older was taken by a clock that was set back, not delivered late
	forgetAbsent    = time.Hour // an absent object is remembered so long, marks excepted
	slackDivisor    = 50        // the collector's ticks are this part of an interval inexact
)

// Detect folds the snapshot s at its position in the stream into m and tells what is true now.
//
// A snapshot that is older than m, by its sequence or by taken_at, is dropped and m returned as it was. One at m's own
// sequence gives the same result again and leaves m as it was, so that a caller that stored m and then died can go on.
// A taken_at that is a good deal older at a newer sequence is a clock set back: time goes on from there. One of another
// collector, while the cluster's own goes on, is dropped too, but m then remembers it.
func Detect(m Memory, s schema.ClusterContext, at Position, r Rules) (Memory, Result) {
	r = r.in(s.ClusterName)
	if m.holds(at) {
		return m, m.result(&s, &r)
	}
	if why := m.superseded(at); why != "" {
		return m, Result{Dropped: why}
	}
	if next, refused := m.refuse(&s, at, &r.TwoCollectors); refused != nil {
		return next, Result{Dropped: refused.Reason, Refused: refused}
	}
	if why := m.outdated(&s); why != "" {
		return m, Result{Dropped: why}
	}
	next := m.advance(&s, at, &r)
	return next, next.result(&s, &r)
}

func (m *Memory) fresh() bool { return m.TakenAt.IsZero() }

func (m *Memory) holds(at Position) bool {
	return !m.fresh() && at.Seq == m.Seq && at.Epoch.Equal(m.Epoch)
}

func (m *Memory) superseded(at Position) string {
	if !m.fresh() && at.Seq < m.Seq && at.Epoch.Equal(m.Epoch) {
		return fmt.Sprintf("superseded: sequence %d is older than %d", at.Seq, m.Seq)
	}
	return ""
}

func (m *Memory) outdated(s *schema.ClusterContext) string {
	age := m.TakenAt.Sub(s.TakenAt)
	switch {
	case s.TakenAt.IsZero():
		return "no taken_at"
	case m.fresh():
	case age > 0 && age < rebaseIntervals*interval(s):
		return fmt.Sprintf("superseded: taken %v before the newest", age)
	}
	return ""
}

// interval bounds below what a snapshot says of itself, so that a hold is never nothing by a slip of the pen.
func interval(s *schema.ClusterContext) time.Duration { return max(s.Interval(), time.Millisecond) }

// tick is one snapshot's place in time, and what all objects are judged by.
type tick struct {
	now      time.Time
	since    time.Time // of the memory's first snapshot
	interval time.Duration
	step     time.Duration // how far holds advance
	gap      time.Duration // since the snapshot before, uncapped
	jumped   bool          // the clock or the snapshots jumped: an age in this snapshot means nothing yet
	first    bool          // nothing before it is news
	anew     bool          // the totals started anew
	counted  uint64        // fingerprint of the services whose restarts are known
	same     bool          // exactly the services whose restarts are known now were so before
	logs     logsKnown
	running  seenRunning
	before   time.Time // of the snapshot before
	complete map[string]bool
	unread   map[string]string
	cluster  *judging // what all of the cluster is judged by
	rules    *Rules   // what holds for the object that is being looked at
}

func (t *tick) reached(got, want time.Duration) bool { return got+t.interval/slackDivisor >= want }

func (m *Memory) tick(s *schema.ClusterContext, r *Rules) tick {
	t := tick{now: s.TakenAt.UTC(), since: m.Since, interval: interval(s), rules: r, first: m.Since.IsZero()}
	most := stepIntervals * t.interval
	t.before = m.TakenAt
	if !m.fresh() {
		t.gap = t.now.Sub(m.TakenAt)
		t.step = min(max(t.gap, 0), most)
		t.jumped = t.gap < 0 || t.gap > most
	}
	if t.first || t.now.Before(t.since) { // or else nothing would be news until a clock that was set back has caught up
		t.since = t.now
	}
	t.anew = !s.CountersSince.Equal(m.CountersSince)
	t.counted = fingerprint(s.Services, restartsKnown)
	t.same = t.counted == m.Counted
	t.logs = m.logs(s, &t)
	t.running = seenRunning{there: m.Ran, left: m.RanBefore}
	t.unread = unreadParts(s)
	t.complete = completeness(s)
	t.cluster = t.judging(r)
	return t
}

// completeness tells of which kinds of object the snapshot has all there are.
func completeness(s *schema.ClusterContext) map[string]bool {
	missing := func(parts ...string) bool {
		return slices.ContainsFunc(s.Stale, func(p schema.StalePart) bool {
			return len(p.Parts) == 0 || slices.ContainsFunc(p.Parts, func(part string) bool { return slices.Contains(parts, part) })
		})
	}
	return map[string]bool{
		schema.KindService: !s.Goodbye && s.Omitted["services"] == 0 && !missing(schema.PartServices),
		schema.KindNode: !s.Goodbye && s.Omitted["nodes"] == 0 &&
			!missing(schema.PartNodes, schema.PartMachine, schema.PartDisks, schema.PartGPUs, schema.PartGPUErrors),
		schema.KindSource: !s.Goodbye,
	}
}

// advance folds a snapshot that is newer into a copy of the memory.
func (m *Memory) advance(s *schema.ClusterContext, at Position, r *Rules) Memory {
	t := m.tick(s, r)
	next := *m
	next.Seq, next.Epoch, next.TakenAt = at.Seq, at.Epoch.UTC(), t.now
	next.Since = t.since
	if !slices.ContainsFunc(s.Services, func(s schema.ServiceSummary) bool { return s.Stale }) {
		next.Age += t.step
	}
	if !slices.ContainsFunc(s.Nodes, func(n schema.NodeSummary) bool { return n.Stale }) {
		next.NodeAge += t.step
	}
	next.CountersSince, next.Counted = s.CountersSince.UTC(), t.counted
	next.Logged, next.LoggedSince, next.LogsRead = t.logs.which, t.logs.since, t.logs.read
	next.Collector = m.Collector.heard(s, at, &r.TwoCollectors)
	next.Clock = m.Clock.seen(s, at, &r.ClockSkew)
	next.Heard = m.Heard.next(s, at, &r.ClusterSilent)
	next.Objects = t.observe(m.Objects, s)
	next.Ran, next.RanBefore = t.running.kept(t.now)
	next.Explained, next.InStorm = t.explain(next.Objects, m, s)
	return next
}

// observe brings the records up to date and drops those that have nothing left to say.
func (t *tick) observe(before []record, s *schema.ClusterContext) []record {
	old := make(map[schema.Object]record, len(before))
	for _, r := range before {
		old[r.Object] = r
	}
	var kept []record
	keep := func(r record) {
		if r.worth() {
			kept = append(kept, r)
		}
	}
	v := view{t: t} // one for all: the memory of a large cluster should not cost a large heap
	take := func(o schema.Object) {
		v.rec = old[o]
		delete(old, o)
		v.rec.Object, v.rec.Absent, v.rec.Missing, v.rec.Gone = o, time.Time{}, 0, false
	}
	for i := range s.Services {
		if o := s.Services[i].Object(); s.Services[i].Stale {
			keep(old[o]) // stands still
			delete(old, o)
			t.running.stands(o)
		} else {
			take(o)
			keep(v.service(&s.Services[i], t.judgedBy(o, s.Services[i].Labels).service))
		}
	}
	for i := range s.Nodes {
		if o := (schema.Object{Kind: schema.KindNode, Name: s.Nodes[i].ID}); s.Nodes[i].Stale {
			keep(old[o])
			delete(old, o)
		} else {
			take(o)
			keep(v.machine(&s.Nodes[i], t.judgedBy(o, nil).node))
		}
	}
	t.rules = t.cluster.rules // a source is judged by what holds for all of the cluster
	t.sources(old, s, func(o schema.Object, stale *schema.StalePart) {
		take(o)
		keep(v.reading(stale))
	})
	for o, r := range old {
		t.judgedBy(o, nil)
		keep(t.absent(r))
	}
	slices.SortFunc(kept, func(a, b record) int { return compareObjects(a.Object, b.Object) })
	t.boundHistories(kept)
	bound(kept)
	boundPlaces(kept)
	return kept
}

// absent judges an object that the snapshot lacks: what was true of it stays so until it is gone.
func (t *tick) absent(r record) record {
	if !t.complete[r.Object.Kind] {
		return r
	}
	if r.Absent.IsZero() {
		r.Absent = t.now
		return r
	}
	r.Missing += t.step
	if t.reached(r.Missing, goneIntervals*t.interval) {
		r.Gone = r.Gone || r.firing()
		r.Conditions = nil
	}
	return t.forget(r)
}

// forget drops, bit by bit, what an absent object could still need were it to come back.
func (t *tick) forget(r record) record {
	if r.Missing >= forgetAbsent && len(r.Conditions) == 0 {
		r.Restarts, r.Errors, r.GPUErrors, r.Boot, r.Draining, r.Gone = nil, nil, nil, 0, false, false
		r.Deploy, r.Flaps = nil, nil
	}
	if r.Missing >= t.rules.OOMKilled.Clear.Of(t.interval) {
		r.OOM = time.Time{}
	}
	if r.Missing >= t.rules.JobFailed.Clear.Of(t.interval) {
		r.Job = time.Time{}
	}
	return r
}
