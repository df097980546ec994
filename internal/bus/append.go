package bus

import (
	"context"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const traceHeader = "traceparent"

// Write is one step of a conversation: the event, the whole conversation after it, and the sequence of the head that
// it was decided from (0: there was none).
type Write struct {
	Conversation schema.Conversation
	Event        schema.Message
	Expect       uint64

	body []byte // of its message, once Encoded
}

// Encoded is w with its message's body made, so that storing w does not have to. It fails where Append would; w is not
// to be changed any more.
func (w Write) Encoded() (Write, error) {
	if err := storable(w); err != nil {
		return w, fmt.Errorf("append to conversation %q: %w", w.Conversation.ID, err)
	}
	alert := schema.Alert{Event: w.Event, Conversation: w.Conversation}
	body, err := alert.MarshalJSON() // not through json.Marshal, which would read its result once more
	if err != nil {
		return w, fmt.Errorf("append to conversation %q: %w", w.Conversation.ID, err)
	}
	w.body = body
	return w, nil
}

// Append stores w and returns its sequence, in one round trip. ErrConflict says that the conversation's head is
// another one by now, under whatever severity. After any other error the write may or may not be stored: read the
// head to know.
func (b *Bus) Append(ctx context.Context, w Write) (seq uint64, err error) {
	m, err := b.entry(w)
	if err != nil {
		return 0, err
	}
	return b.store(ctx, m)
}

// entry is the ALERTS message of w.
func (b *Bus) entry(w Write) (*nats.Msg, error) {
	if w.body == nil {
		var err error
		if w, err = w.Encoded(); err != nil {
			return nil, err
		}
	}
	c := w.Conversation
	m := nats.NewMsg(b.subjects.Alert(c.Cluster, c.Severity, c.ID))
	m.Data = w.body
	m.Header.Set(EventHeader, w.Event.Kind)
	if trace := traceparent(c); trace != "" {
		m.Header.Set(traceHeader, trace)
	}
	expect(m, b.subjects.Conversation(c.Cluster, c.ID), w.Expect)
	return m, nil
}

// storable refuses what no reader would accept as a head.
func storable(w Write) error {
	c := w.Conversation
	switch {
	case !strings.HasPrefix(c.Schema, strings.TrimRight(schema.ConversationVersion, "0123456789")):
		return fmt.Errorf("schema is %q, not %q", c.Schema, schema.ConversationVersion)
	case c.ID != schema.ConversationID(c.Cluster, c.Object):
		return fmt.Errorf("the id is not that of %s %s in cluster %q", c.Object.Kind, c.Object, c.Cluster)
	case schema.SeverityRank(c.Severity) == 0:
		return fmt.Errorf("severity %q is none", c.Severity)
	case w.Event.Kind == "":
		return fmt.Errorf("the event has no kind")
	}
	return nil
}

// traceparent continues the trace that the conversation was opened in; its own id stands for the span.
func traceparent(c schema.Conversation) string {
	if len(c.TraceID) != 32 {
		return ""
	}
	return "00-" + c.TraceID + "-" + c.ID + "-01"
}
