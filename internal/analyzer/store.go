package analyzer

import (
	"context"
	"errors"
	"fmt"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// attempts is how often a write that lost its compare-and-set is decided anew before the message is given back.
const attempts = 10

// fold lets decide make events of the newest state of a conversation and stores the result, until nothing is lost to
// somebody else's write. decide gives false when there is nothing to do.
func (a *Analyzer) fold(ctx context.Context, cluster, id string, decide func(schema.Conversation) (conversation.Event, bool)) error {
	for range attempts {
		head, err := a.bus.Head(ctx, cluster, id)
		if err != nil {
			return err
		}
		event, ok := decide(head.Conversation)
		if !ok {
			return nil
		}
		next, _ := conversation.Next(head.Conversation, event)
		if next.Revision == head.Conversation.Revision {
			return nil
		}
		switch err := a.append(ctx, head, next); {
		case err == nil:
			return nil
		case !errors.Is(err, bus.ErrConflict):
			return err
		}
	}
	return errBusy(id)
}

func errBusy(id string) error {
	return fmt.Errorf("store an event of conversation %s: others wrote first %d times in a row", id, attempts)
}

// append stores next as the successor of head.
func (a *Analyzer) append(ctx context.Context, head bus.Head, next schema.Conversation) error {
	w := write(head, next)
	seq, err := a.store.Append(ctx, w)
	if errors.Is(err, bus.ErrConflict) {
		a.metrics.conflicts.Inc()
	}
	if err != nil {
		return err
	}
	a.stored(w, seq)
	return nil
}

func (a *Analyzer) stored(w bus.Write, seq uint64) {
	a.metrics.events.WithLabelValues(w.Event.Kind).Inc()
	if seq > 0 { // a batch does not tell; the index then learns it from the stream
		_ = a.index.put(bus.Head{Conversation: w.Conversation, Event: w.Event, Seq: seq})
	}
}

func write(head bus.Head, next schema.Conversation) bus.Write {
	return bus.Write{Conversation: next, Event: telling(next, head.Conversation.Revision), Expect: head.Seq}
}

// telling is the event that a step is told as: its opening if it has one, else what closed it, else its newest.
func telling(c schema.Conversation, before int) schema.Message {
	var closing *schema.Message
	fresh := c.Messages[max(0, len(c.Messages)-(c.Revision-before)):]
	for i := range fresh {
		switch fresh[i].Kind {
		case schema.EventOpened, schema.EventReopened:
			return fresh[i]
		case schema.EventCleared, schema.EventDismissed, schema.EventFolded:
			closing = &fresh[i]
		}
	}
	if closing != nil {
		return *closing
	}
	return c.Messages[len(c.Messages)-1]
}
