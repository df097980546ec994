package analyzer

import (
	"context"
	"errors"
	"fmt"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Folding is two writes in this order: the conversation that explains takes what was said to the one that it explains,
// and then that one closes. Whoever dies in between leaves both open, and the next who looks goes on: what has moved bears
// an id, so that it does not move again. The second write expects the very head from which the first one took, or else
// the first is made good before it, so that nothing that is said in between is lost.

// apart divides what has to be told into what stands for itself and what is explained, which stands last.
func apart(founds []conversation.Found) (standing, explained []conversation.Found) {
	for i := range founds {
		if founds[i].Cause != nil {
			return founds[:i], founds[i:]
		}
	}
	return founds, nil
}

// alignFolds folds what is open and explained.
func (a *Analyzer) alignFolds(ctx context.Context, s *step) error {
	folds := s.folds
	for n := range attempts {
		if len(folds) == 0 {
			return nil
		}
		writes, err := a.foldWrites(ctx, folds, s, n > 0)
		if err != nil || len(writes) == 0 {
			return err
		}
		stored, failed := a.store.AppendAll(ctx, writes)
		var lost []conversation.Found
		for i, w := range writes {
			if i < len(stored) && stored[i] {
				a.stored(w, 0)
				continue
			}
			lost = append(lost, foundFor(folds, w.Conversation.Object))
		}
		if failed != nil {
			return failed
		}
		a.metrics.conflicts.Add(float64(len(lost)))
		folds = lost
	}
	if len(folds) == 0 {
		return nil
	}
	return errBusy(schema.ConversationID(folds[0].Cluster, folds[0].Object))
}

// foldWrites decides what folds, once what explains it has taken over all that was said to it.
func (a *Analyzer) foldWrites(ctx context.Context, folds []conversation.Found, s *step, reread bool) ([]bus.Write, error) {
	heads := make([]bus.Head, len(folds))
	heirs, causes := map[string][]schema.Conversation{}, []conversation.Cause{}
	for i, f := range folds {
		var err error
		if heads[i], err = a.head(ctx, f, reread); err != nil {
			return nil, err
		}
		if c := heads[i].Conversation; c.ID != "" && !c.Closed() {
			if heirs[f.Cause.ID] == nil {
				causes = append(causes, *f.Cause)
			}
			heirs[f.Cause.ID] = append(heirs[f.Cause.ID], c)
		}
	}
	took := map[string]bool{}
	for _, cause := range causes {
		var err error
		if took[cause.ID], err = a.handDown(ctx, cause, heirs[cause.ID], s); err != nil {
			return nil, err
		}
	}
	var writes []bus.Write
	for i, f := range folds {
		if !took[f.Cause.ID] {
			continue
		}
		next, _ := s.Next(heads[i].Conversation, f, newTraceID)
		if next.Revision != heads[i].Conversation.Revision {
			writes = append(writes, write(heads[i], next))
		}
	}
	return writes, nil
}

// handDown sees to it that the cause has taken over all that was said to its heirs as they are now. It is false where
// nothing may fold into it: it is not open, or another analyzer has decided on a newer snapshot.
func (a *Analyzer) handDown(ctx context.Context, cause conversation.Cause, heirs []schema.Conversation, s *step) (took bool, err error) {
	found := foundFor(s.founds, cause.Object)
	if found.Cluster == "" {
		return false, nil
	}
	found.Heirs = heirs
	var failed error
	err = a.fold(ctx, found.Cluster, cause.ID, func(c schema.Conversation) (conversation.Event, bool) {
		newer := c.SnapshotEpoch.Equal(found.Epoch) && c.SnapshotSeq > found.Seq
		if took = c.ID != "" && !c.Closed() && !newer; !took {
			return nil, false
		}
		f := found
		if f.Silence, failed = s.hush.covering(ctx, f, c); failed != nil {
			took = false
			return nil, false
		}
		return s.Full(c, f, newTraceID), true
	})
	return took, errors.Join(err, failed)
}

// maxPassedOn is how many conversations a reply goes through to the one that explains them all.
const maxPassedOn = 4

// passOn applies what was said to c, which is folded, to the open conversation that explains it, and says so of it. Where
// there is none any more it is for c itself. Whoever dies in between does it again: the other one knows the reply's id.
func (a *Analyzer) passOn(ctx context.Context, c schema.Conversation, said conversation.Said) (conversation.Said, error) {
	passed := said
	passed.From, passed.Reply.Episode = c.ID, 0 // the other one has episodes of its own
	if passed.Reply.ID == "" {
		passed.Reply.ID = fmt.Sprintf("%s/%d", c.ID, said.Seq)
	}
	cause, err := a.explaining(ctx, c, passed.Reply.ID)
	if err != nil || cause.ID == "" {
		return said, err
	}
	took := false
	err = a.fold(ctx, cause.Cluster, cause.ID, func(x schema.Conversation) (conversation.Event, bool) {
		took = !x.Closed() || conversation.Heard(x, passed.Reply.ID)
		return passed, took
	})
	if err != nil || !took {
		return said, err
	}
	said.Reply, said.To = passed.Reply, &conversation.Cause{ID: cause.ID, Object: cause.Object}
	return said, nil
}

// explaining follows c to the open conversation that explains it, or to one that has the reply already; none if there is
// none.
func (a *Analyzer) explaining(ctx context.Context, c schema.Conversation, reply string) (schema.Conversation, error) {
	cluster := c.Cluster
	for range maxPassedOn {
		head, err := a.bus.Head(ctx, cluster, c.FoldedInto)
		if err != nil {
			return schema.Conversation{}, err
		}
		folded := c.ID
		c = head.Conversation
		switch {
		case c.ID != "" && c.ID != folded && (!c.Closed() || conversation.Heard(c, reply)):
			return c, nil
		case c.ClosedAs != schema.StateFolded || c.FoldedInto == "":
			return schema.Conversation{}, nil
		}
	}
	return schema.Conversation{}, nil
}
