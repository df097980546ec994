package analyzer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/decide"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const (
	// listenEvery is how often it is asked who is silent: the delay that this may have.
	listenEvery = 5 * time.Second
	// inattentive is a pause between two such questions after which this analyzer was not listening: it was stopped, or
	// the machine slept.
	inattentive = 30 * time.Second
	// askAgain is the time between two looks at a cluster that is silent.
	askAgain = 30 * time.Second
)

// listening is since when this analyzer has been able to hear without a break, and hints that save reads. All times are
// by the server's clock.
type listening struct {
	every       time.Duration // between two steps; 0: listenEvery
	since, last time.Time     // of the listen loop's steps
	reconnects  uint64
	failing     bool

	mu   sync.Mutex
	look map[string]time.Time // by cluster token: not to be looked at before
}

// attend notes a step and gives for how long there has been no break.
func (l *listening) attend(now time.Time, reconnects uint64) time.Duration {
	if gap := now.Sub(l.last); gap < 0 || gap > inattentive || reconnects != l.reconnects {
		l.since = now
	}
	l.last, l.reconnects = now, reconnects
	return now.Sub(l.since)
}

// later notes that a cluster cannot be silent before a time.
func (l *listening) later(token string, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.look == nil {
		l.look = map[string]time.Time{}
	}
	l.look[token] = at
}

func (l *listening) due(token string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !now.Before(l.look[token])
}

// listen looks for clusters that have fallen silent. All analyzers do; the first one's write counts.
func (a *Analyzer) listen(ctx context.Context) error {
	tick := time.NewTicker(cmp.Or(a.listening.every, listenEvery))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			a.listenStep(ctx, now.UTC().Round(0)) // without the monotonic clock, which stops while a machine sleeps
		}
	}
}

// listenStep looks at every cluster that may be silent at the given time of this machine's clock. What is judged is the
// newest snapshot as it is then read.
func (a *Analyzer) listenStep(ctx context.Context, now time.Time) {
	l := &a.listening
	known, ahead, err := a.roll(ctx)
	if err != nil {
		l.last = time.Time{} // whatever comes meanwhile is not heard
		if !l.failing && ctx.Err() == nil {
			a.log.Warn("nobody's silence is noticed meanwhile", "error", err)
		}
		l.failing = true
		return
	}
	l.failing = false
	now = now.Add(ahead)
	attentive := l.attend(now, a.bus.Reconnects())
	for _, token := range a.index.clusters() {
		known[token] = true
	}
	own := schema.Token(schema.OwnCluster)
	for _, c := range a.index.Live(own) {
		if schema.OfSnapshots(c.Object.Kind) { // it bears the name of the cluster that it is about
			known[schema.Token(c.Object.Name)] = true
		}
	}
	delete(known, own) // nobody publishes it
	for _, token := range slices.Sorted(maps.Keys(known)) {
		if !l.due(token, now) {
			continue
		}
		if err := a.listenTo(ctx, token, now, attentive); err != nil && ctx.Err() == nil {
			a.log.Error("looking whether a cluster is silent", "cluster", token, "error", err)
		}
	}
	a.lapse(ctx, now, attentive)
}

func (a *Analyzer) roll(ctx context.Context) (map[string]bool, time.Duration, error) {
	if err := a.bus.Ready(); err != nil {
		return nil, 0, err
	}
	return a.bus.Roll(ctx)
}

// listenTo judges one cluster, after as long as this analyzer has been attentive.
func (a *Analyzer) listenTo(ctx context.Context, token string, now time.Time, attentive time.Duration) error {
	m, err := a.memories.read(ctx, token)
	if err != nil {
		return err
	}
	head, err := a.bus.LastContext(ctx, token)
	purged := errors.Is(err, bus.ErrNotFound)
	if err != nil && !purged {
		return err
	}
	if purged {
		head.At = m.Memory.Heard.At
	}
	s := detect.Silent(m.Cluster, m.Memory, head.At, now, a.rules)
	switch {
	case now.Before(s.Due):
		a.listening.later(token, s.Due)
		return nil
	case !s.Known: // no analyzer has taken a snapshot of it
		a.listening.later(token, now.Add(askAgain))
		return nil
	case attentive < s.Attention:
		a.listening.later(token, now.Add(min(s.Attention-attentive, askAgain)))
		return nil
	}
	a.listening.later(token, now.Add(askAgain))
	if purged {
		return a.forget(ctx, m, now)
	}
	if len(s.Conditions) == 0 {
		return nil
	}
	return a.silent(ctx, m.Cluster, head, append(s.Conditions, m.Memory.Storm(m.Cluster, a.rules)...), now)
}

// silent brings the conversation about the cluster itself in line. A storm that was on when the cluster fell silent
// stands still meanwhile, and is among conditions.
func (a *Analyzer) silent(ctx context.Context, cluster string, head bus.Message, conditions []schema.Condition, now time.Time) error {
	last, err := a.snapshot(head)
	if err != nil || last.ClusterName != cluster { // whoever watches it says what is wrong with it
		last = schema.ClusterContext{ClusterName: cluster, TakenAt: now}
	}
	view, object := diagnose.NewView(&last), detect.Cluster(cluster)
	found := conversation.Found{
		At: now, Cluster: cluster, Source: last.Source, Object: object, Conditions: conditions,
		Seq: head.Seq, Epoch: head.Epoch, Late: true, Interval: last.Interval(), Stored: now,
	}
	var failed error
	h := a.hushing(ctx, &last)
	defer h.began.end()
	err = a.fold(ctx, cluster, schema.ConversationID(cluster, object), func(c schema.Conversation) (conversation.Event, bool) {
		f := found
		if f.Silence, failed = h.covering(ctx, f, c); failed != nil {
			return nil, false
		}
		return decide.WithEvidence(f, c, view, a.links, newTraceID), true
	})
	return errors.Join(err, failed)
}

// forget closes what is open about a cluster of which no snapshot is kept any more: it has been silent for as long as
// they are kept, or somebody has purged the last one.
func (a *Analyzer) forget(ctx context.Context, m memory, now time.Time) error {
	open := a.index.Live(m.Cluster)
	for _, own := range detect.Watched(m.Cluster) {
		if c, known := a.index.Last(schema.ConversationID(schema.OwnCluster, own)); known && !decide.Resting(c) {
			open = append(open, c)
		}
	}
	var failed []error
	for _, c := range open {
		if c.Cluster != m.Cluster && c.Cluster != schema.OwnCluster || !schema.OfSnapshots(c.Object.Kind) {
			continue
		}
		found := conversation.Found{
			At: now, Cluster: c.Cluster, Object: c.Object, Seq: m.Memory.Seq, Epoch: m.Memory.Epoch, Late: true, Removed: true,
			Unjudged: fmt.Sprintf("no snapshot of %s is kept any more, the last one came %s", m.Cluster, m.Memory.Heard.At.Format("2 Jan 15:04 UTC")),
		}
		failed = append(failed, a.fold(ctx, c.Cluster, c.ID, func(schema.Conversation) (conversation.Event, bool) { return found, true }))
	}
	return errors.Join(failed...)
}

// whySilent explains a cluster as a whole: whether it is silent, whether there is a storm, and whether two collectors
// publish it.
func (a *Analyzer) whySilent(ctx context.Context, cluster string, m detect.Memory) ([]detect.Reason, error) {
	rest := append(detect.Why(m, nil, a.rules, detect.Cluster(cluster)), detect.Why(m, nil, a.rules, detect.Collector(cluster))...)
	head, err := a.bus.LastContext(ctx, cluster)
	if errors.Is(err, bus.ErrNotFound) {
		gone := detect.Reason{Condition: detect.ClusterSilent, Verdict: detect.VerdictUnknown, Text: detect.ClusterSilent + ": not judged, no snapshot of it is kept any more"}
		return append([]detect.Reason{gone}, rest...), nil
	}
	if err != nil {
		return nil, err
	}
	_, ahead, err := a.bus.Roll(ctx)
	if err != nil {
		return nil, err
	}
	return append([]detect.Reason{detect.WhySilent(cluster, m, head.At, time.Now().UTC().Add(ahead), a.rules)}, rest...), nil
}
