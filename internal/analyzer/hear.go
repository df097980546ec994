package analyzer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const (
	// patience is how long a reply waits for a conversation that is not there: it may be older than the event that
	// the person saw in another place.
	patience = 5 * time.Second
	// lookAgain is the pause between two looks for it.
	lookAgain = 500 * time.Millisecond
)

// hear is woken by one reply and folds in every reply of its conversation that is not folded in yet, in stream order.
func (a *Analyzer) hear(ctx context.Context, m bus.Message) error {
	channel, id, err := a.bus.Subjects().ParseReply(m.Subject)
	if err != nil {
		return bus.Poison(err)
	}
	if channel == "" && !schema.ValidID(id) {
		return a.hearPrefix(ctx, m, id)
	}
	if _, err := a.reply(m); err != nil {
		return bus.Poison(err)
	}
	head, err := a.bus.HeadByID(ctx, id)
	if errors.Is(err, bus.ErrNotFound) {
		if time.Since(m.At) < patience {
			return bus.Later(lookAgain, err)
		}
		return bus.Poison(fmt.Errorf("hear reply: no conversation has the id %q: bellbuoy list --all shows those there are", id))
	}
	if err != nil {
		return err
	}
	return a.catchUp(ctx, head.Conversation.Cluster, id, m)
}

// catchUp folds in replies until the one of m is among them.
func (a *Analyzer) catchUp(ctx context.Context, cluster, id string, m bus.Message) error {
	var behind uint64                          // replies up to here are done with, whether they changed anything or not
	passed := map[uint64]*conversation.Cause{} // what took which reply, as long as that is not written here
	for lost := 0; lost < attempts; {
		head, err := a.bus.Head(ctx, cluster, id)
		if err != nil {
			return err
		}
		behind = max(behind, heardSeq(head.Conversation, m.Epoch))
		if behind >= m.Seq {
			return nil
		}
		replies, err := a.bus.RepliesAfter(ctx, id, behind)
		if err != nil || len(replies) == 0 {
			return err
		}
		err = a.hearAll(ctx, head, replies, passed)
		switch {
		case errors.Is(err, bus.ErrConflict):
			lost++
		case err != nil:
			return err
		default:
			behind = replies[len(replies)-1].Seq
		}
	}
	return errBusy(id)
}

// heardSeq is the sequence up to which replies are folded in; those of another stream's life do not count.
func heardSeq(c schema.Conversation, epoch time.Time) uint64 {
	if !c.HeardEpoch.Equal(epoch) {
		return 0
	}
	return c.HeardSeq
}

// hearAll stores one event after the other, each on top of the one before.
func (a *Analyzer) hearAll(ctx context.Context, head bus.Head, replies []bus.Message, passed map[uint64]*conversation.Cause) error {
	for _, m := range replies {
		r, err := a.reply(m)
		if err != nil {
			continue // goes to the dead letters by its own nudge
		}
		said := conversation.Said{At: m.At, Seq: m.Seq, Epoch: m.Epoch, Reply: r, To: passed[m.Seq]}
		var refused bool
		said.Deny, refused = a.deny(r)
		outdated := conversation.Outdated(head.Conversation, r)
		if said.To == nil && !outdated && head.Conversation.ClosedAs == schema.StateFolded {
			if said, err = a.passOn(ctx, head.Conversation, said); err != nil {
				return err
			}
			passed[m.Seq] = said.To
		}
		next, _ := conversation.Next(head.Conversation, said)
		if next.Revision == head.Conversation.Revision {
			continue
		}
		w := write(head, next)
		seq, err := a.store.Append(ctx, w)
		if err != nil {
			return err
		}
		a.stored(w, seq)
		switch {
		case outdated:
			a.metrics.refused.WithLabelValues(a.through(m), "episode").Inc()
		case refused:
			a.metrics.refused.WithLabelValues(a.through(m), "role").Inc()
		}
		head = bus.Head{Conversation: next, Event: w.Event, Seq: seq}
	}
	return nil
}

// through is the channel that a reply came through.
func (a *Analyzer) through(m bus.Message) string {
	channel, _, _ := a.bus.Subjects().ParseReply(m.Subject)
	return cmp.Or(channel, openSubject)
}

// reply decodes, and says who speaks: on the open subject the author is a claim, whatever the body says.
func (a *Analyzer) reply(m bus.Message) (schema.Reply, error) {
	channel, id, err := a.bus.Subjects().ParseReply(m.Subject)
	if err != nil {
		return schema.Reply{}, err
	}
	if !schema.ValidID(id) {
		return schema.Reply{}, fmt.Errorf("hear reply: %q is not a conversation's id, which has %d hex digits: bellbuoy list shows them", id, schema.IDLength)
	}
	r, err := schema.DecodeReply(m.Data)
	if err != nil {
		return r, err
	}
	if r.Conversation != "" && r.Conversation != id {
		return r, fmt.Errorf("hear reply: its body is for conversation %q, its subject for %q", r.Conversation, id)
	}
	if channel == "" {
		r.Author.Channel, r.Author.Verified = openSubject, false
	} else if r.Author.Channel == "" {
		r.Author.Channel = channel
	}
	return r, nil
}
