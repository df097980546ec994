package analyzer

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/decide"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// watch takes one snapshot: it detects, stores the detector's memory, and then brings the conversations in line with
// what was found. A crash in between heals when the message comes again, or with the next snapshot.
func (a *Analyzer) watch(ctx context.Context, m bus.Message) error {
	s, err := a.snapshot(m)
	if err != nil {
		a.metrics.snapshots.WithLabelValues("refused").Inc()
		return bus.Poison(err)
	}
	a.listening.later(schema.Token(s.ClusterName), m.At.Add(a.rules.For(s.ClusterName, detect.Cluster(s.ClusterName), nil).ClusterSilent.HoldMin))
	st := &step{Step: decide.New(s, detect.Position{Seq: m.Seq, Epoch: m.Epoch, At: m.At}, a.rules), hush: a.hushing(ctx, &s)}
	st.Links = a.links
	defer st.hush.began.end()
	result, err := a.detect(ctx, st)
	if errors.Is(err, errOtherCluster) {
		a.metrics.snapshots.WithLabelValues("refused").Inc()
		return bus.Poison(err)
	}
	if err != nil {
		return err
	}
	if result.Refused != nil {
		return a.refused(s, result.Refused)
	}
	if result.Dropped != "" {
		a.metrics.snapshots.WithLabelValues("dropped").Inc()
		a.log.Debug("snapshot dropped", "cluster", s.ClusterName, "seq", m.Seq, "reason", result.Dropped)
		return nil
	}
	a.metrics.snapshots.WithLabelValues("decided").Inc()
	return a.align(ctx, st)
}

// snapshot decodes and validates; a snapshot without a time gets that of its storage.
func (a *Analyzer) snapshot(m bus.Message) (schema.ClusterContext, error) {
	token, err := a.bus.Subjects().ParseContext(m.Subject)
	if err != nil {
		return schema.ClusterContext{}, err
	}
	s, err := schema.DecodeContext(m.Data)
	if err != nil {
		return s, err
	}
	if schema.Token(s.ClusterName) != token {
		return s, fmt.Errorf("take snapshot: cluster_name is %q, but it was published for %q; publish it on %s",
			s.ClusterName, token, a.bus.Subjects().Context(s.ClusterName))
	}
	if s.ClusterName == schema.OwnCluster {
		return s, fmt.Errorf("take snapshot: %q is the cluster of Bellbuoy itself; set BELLBUOY_CLUSTER to another name", s.ClusterName)
	}
	if s.TakenAt.IsZero() {
		s.TakenAt = m.At
	}
	return s, nil
}

// refused is the verdict on a snapshot of another collector than the cluster's own. Not each goes to the dead letters:
// it would be one with every interval, for ever.
func (a *Analyzer) refused(s schema.ClusterContext, r *detect.Refusal) error {
	a.metrics.snapshots.WithLabelValues("rival").Inc()
	if r.Told {
		return bus.Poison(errors.New(r.Reason))
	}
	a.log.Debug("snapshot of another collector dropped", "cluster", s.ClusterName, "collector", s.Collector, "host", s.Host)
	return nil
}

// detect folds the snapshot into the memory. Who loses the compare-and-set looks again: the other's snapshot may be
// the newer, and then this one is dropped, or the older.
func (a *Analyzer) detect(ctx context.Context, s *step) (detect.Result, error) {
	cluster := s.Snapshot.ClusterName
	for n := range attempts {
		before, err := a.memories.load(ctx, cluster, n > 0)
		if err != nil {
			return detect.Result{}, err
		}
		next, result := s.Detect(before.Memory)
		if result.Dropped != "" && n == 0 {
			continue // what this analyzer remembers may be another stream's or outdated: let the stored record say so
		}
		if result.Refused != nil {
			if err = a.memories.store(ctx, before, next); !errors.Is(err, bus.ErrConflict) {
				return result, err
			}
			continue
		}
		if result.Dropped != "" {
			return result, nil
		}
		again := next.Seq == before.Memory.Seq && next.Epoch.Equal(before.Memory.Epoch)
		if again {
			a.prepare(ctx, s)
			return result, nil
		}
		err = a.storeAndPrepare(ctx, before, next, s)
		if !errors.Is(err, bus.ErrConflict) {
			return result, err
		}
	}
	return detect.Result{}, fmt.Errorf("store the memory of cluster %q: others wrote first %d times in a row", cluster, attempts)
}

// storeAndPrepare decides what to write while the memory is on its way to the disk. Nothing of that is written before
// the memory is. The memory does not wait for a goroutine to be woken: it is what the alert waits for.
func (a *Analyzer) storeAndPrepare(ctx context.Context, before memory, next detect.Memory, s *step) error {
	var prepared sync.WaitGroup
	prepared.Go(func() { a.prepare(ctx, s) })
	err := a.memories.store(ctx, before, next)
	prepared.Wait()
	return err
}

func (a *Analyzer) prepare(ctx context.Context, s *step) {
	s.founds, s.folds = apart(s.Founds(a.index))
	s.writes, s.err = a.decide(ctx, s.founds, s, false)
	if len(s.writes) > encodeAhead {
		return
	}
	for i, w := range s.writes {
		if encoded, err := w.Encoded(); err == nil { // else storing it says what is wrong
			s.writes[i] = encoded
		}
	}
}

// encodeAhead is how many writes are encoded before the memory is stored. More are stored in batches, one after the
// other, and need not be in memory all at once.
const encodeAhead = 5

// step is one snapshot on its way into the conversations.
type step struct {
	*decide.Step
	hush hush

	founds []conversation.Found // what the conversations have to be told
	folds  []conversation.Found // what those have to be told that others explain
	writes []bus.Write          // what founds come to
	err    error                // of finding that out
}

// align fires what was found, clears what is open and was not, and then folds what is explained by something that is
// stored by now.
func (a *Analyzer) align(ctx context.Context, s *step) error {
	if err := a.alignFounds(ctx, s); err != nil {
		return err
	}
	return a.alignFolds(ctx, s)
}

// alignFounds stores what the conversations become that stand for themselves. Conflicts are decided again from the newest
// state.
func (a *Analyzer) alignFounds(ctx context.Context, s *step) error {
	founds, writes, err := s.founds, s.writes, s.err
	for range attempts {
		if err != nil || len(writes) == 0 {
			return err
		}
		var lost []conversation.Found
		stored, failed := a.store.AppendAll(ctx, writes)
		for i, w := range writes {
			if i < len(stored) && stored[i] {
				a.stored(w, 0)
				continue
			}
			lost = append(lost, foundFor(founds, w.Conversation.Object))
		}
		if failed != nil || len(lost) == 0 {
			return failed
		}
		a.metrics.conflicts.Add(float64(len(lost)))
		founds = lost
		writes, err = a.decide(ctx, founds, s, true)
	}
	return errBusy(schema.ConversationID(founds[0].Cluster, founds[0].Object))
}

func foundFor(founds []conversation.Found, o schema.Object) conversation.Found {
	for _, f := range founds {
		if f.Object == o {
			return f
		}
	}
	return conversation.Found{}
}

// decide folds each found into its conversation and gives what there is to write.
func (a *Analyzer) decide(ctx context.Context, founds []conversation.Found, s *step, reread bool) ([]bus.Write, error) {
	var writes []bus.Write
	for _, f := range founds {
		head, err := a.head(ctx, f, reread)
		if err != nil {
			return nil, err
		}
		if f.Silence, err = s.hush.covering(ctx, f, head.Conversation); err != nil {
			return nil, err
		}
		next, _ := s.Next(head.Conversation, f, newTraceID)
		if next.Revision != head.Conversation.Revision {
			writes = append(writes, write(head, next))
		}
	}
	return writes, nil
}

// head gives the conversation from the index where that is enough; the compare-and-set finds out if it was not.
func (a *Analyzer) head(ctx context.Context, f conversation.Found, reread bool) (bus.Head, error) {
	id := schema.ConversationID(f.Cluster, f.Object)
	h, whole, known := a.index.get(id)
	if !reread && (whole || !known) {
		return h, nil
	}
	h, err := a.bus.Head(ctx, f.Cluster, id)
	if err == nil && h.Conversation.ID != "" {
		err = a.index.put(h)
	}
	return h, err
}
