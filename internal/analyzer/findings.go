package analyzer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/decide"
	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// maxFoundObjects bounds the open conversations that others may begin in one cluster.
const maxFoundObjects = 2000

// watchFinding takes what somebody else has found: it stores that he says so, and then brings the conversation in line
// with all that is said of the object. A crash in between heals when the message comes again, or with the next one.
func (a *Analyzer) watchFinding(ctx context.Context, m bus.Message) error {
	f, err := a.finding(ctx, m)
	if err != nil {
		return err
	}
	if err := a.sayings.note(ctx, &f, m); err != nil {
		return err
	}
	return a.foldSayings(ctx, f.Cluster, f.Object, m.At)
}

// finding decodes and validates.
func (a *Analyzer) finding(ctx context.Context, m bus.Message) (schema.Finding, error) {
	token, err := a.bus.Subjects().ParseFinding(m.Subject)
	if err != nil {
		return schema.Finding{}, bus.Poison(err)
	}
	f, err := schema.DecodeFinding(m.Data)
	if err != nil {
		return f, bus.Poison(err)
	}
	if schema.Token(f.Cluster) != token {
		return f, bus.Poison(fmt.Errorf("take finding: cluster is %q, but it was published for %q; publish it on %s",
			f.Cluster, token, a.bus.Subjects().Finding(f.Cluster)))
	}
	if f.Cluster != schema.OwnCluster {
		_, err = a.memories.load(ctx, f.Cluster, false)
	}
	if errors.Is(err, errOtherCluster) {
		return f, bus.Poison(fmt.Errorf("take finding: %w", err))
	}
	if err == nil && a.tooMany(&f) {
		return f, bus.Poison(fmt.Errorf("take finding: %d objects of cluster %q are being told of already; publish fewer, or under the names of several clusters",
			maxFoundObjects, f.Cluster))
	}
	return f, err
}

// tooMany tells whether the finding would begin one conversation more than there may be.
func (a *Analyzer) tooMany(f *schema.Finding) bool {
	if c, known := a.index.Last(schema.ConversationID(f.Cluster, f.Object)); !f.Firing || known && !decide.Resting(c) {
		return false
	}
	n := 0
	for _, c := range a.index.Live(f.Cluster) {
		if !schema.OfSnapshots(c.Object.Kind) {
			n++
		}
	}
	return n >= maxFoundObjects
}

// foldSayings brings the conversation about an object in line with what is said of it. The record is read after the
// head that the result is stored on top of: of two that race, the one whose write counts has seen the newer record.
func (a *Analyzer) foldSayings(ctx context.Context, cluster string, o schema.Object, at time.Time) error {
	nothing := schema.ClusterContext{ClusterName: cluster, TakenAt: at}
	view, h := diagnose.NewView(&nothing), a.hushing(ctx, &nothing)
	defer h.began.end()
	var failed error
	err := a.fold(ctx, cluster, schema.ConversationID(cluster, o), func(c schema.Conversation) (conversation.Event, bool) {
		var r saidRecord
		if r, _, failed = a.sayings.load(ctx, cluster, o); failed != nil {
			return nil, false
		}
		f := r.found(&c, a.rules, at)
		if f.Silence, failed = h.covering(ctx, f, c); failed != nil {
			return nil, false
		}
		return decide.WithEvidence(f, c, view, a.links, newTraceID), true
	})
	return errors.Join(err, failed)
}

const (
	// lapseEvery is the time between two looks at what is said of one object.
	lapseEvery = 30 * time.Second
	// lapseAttention is for how long an analyzer must have listened, at most, before it means anything that nobody has
	// said something again.
	lapseAttention = schema.DefaultValidFor
)

// lapse ends what has not been said again in time: nobody knows whether it is over. It is done at the given time of the
// server's clock, after as long as this analyzer has been attentive.
func (a *Analyzer) lapse(ctx context.Context, now time.Time, attentive time.Duration) {
	for _, c := range a.index.found() {
		if !a.lapses.due(c.ID, now) {
			continue
		}
		a.lapses.later(c.ID, now.Add(lapseEvery))
		lapsed, err := a.sayings.lapse(ctx, c.Cluster, c.Object, now, attentive)
		if err == nil && lapsed {
			err = a.foldSayings(ctx, c.Cluster, c.Object, now)
		}
		if err != nil && ctx.Err() == nil {
			a.log.Error("looking whether something is still said", "conversation", c.ID, "error", err)
		}
	}
	a.lapses.forget(now)
}
