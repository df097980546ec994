package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Head is the newest state of a conversation. Without any, Conversation.ID is empty.
type Head struct {
	Conversation schema.Conversation
	Event        schema.Message // the step that led there
	Seq          uint64         // what a write has to expect
}

// badHead names an invalid message.
type badHead struct {
	subject string
	seq     uint64
}

const maxBadHeads = 1024

// Head is the newest valid state of a conversation. If messages follow it that are not valid (no EventHeader, not
// JSON, another version, another conversation's), Seq is the last of those, so that the next write replaces them.
func (b *Bus) Head(ctx context.Context, cluster, id string) (Head, error) {
	h, _, err := b.newest(ctx, b.subjects.Conversation(cluster, id))
	return h, err
}

// HeadUnless is Head for whoever has the message seq in hand. If that is the newest of the conversation, newest is true and
// the head is left empty: reading it would give back what is known.
func (b *Bus) HeadUnless(ctx context.Context, cluster, id string, seq uint64) (h Head, newest bool, err error) {
	filter := b.subjects.Conversation(cluster, id)
	s, err := b.stream(ctx, StreamAlerts)
	if err != nil {
		return Head{}, false, err
	}
	m, err := b.last(ctx, s, filter)
	if errors.Is(err, ErrNotFound) {
		return Head{}, false, nil
	}
	if err != nil || m.Sequence == seq {
		return Head{}, err == nil, err
	}
	h, _, err = b.valid(ctx, s, filter, m)
	return h, false, err
}

// HeadByID is Head for whoever knows only the id. It returns ErrNotFound if there is no such conversation.
func (b *Bus) HeadByID(ctx context.Context, id string) (Head, error) {
	h, clean, err := b.newest(ctx, b.below("alerts.*.*."+id))
	switch {
	case err != nil:
		return Head{}, err
	case h.Conversation.ID == "":
		return Head{}, fmt.Errorf("conversation %s: %w", id, ErrNotFound)
	case clean:
		return h, nil
	}
	return b.Head(ctx, h.Conversation.Cluster, id) // what followed may not be in the filter that a write expects
}

// newest is the last valid message of filter; clean tells whether none follows it.
func (b *Bus) newest(ctx context.Context, filter string) (h Head, clean bool, err error) {
	s, err := b.stream(ctx, StreamAlerts)
	if err != nil {
		return Head{}, false, err
	}
	m, err := b.last(ctx, s, filter)
	if errors.Is(err, ErrNotFound) {
		return Head{}, true, nil
	}
	if err != nil {
		return Head{}, false, err
	}
	return b.valid(ctx, s, filter, m)
}

// valid is the head that m, the last message of filter, makes, or else the last valid one before it does.
func (b *Bus) valid(ctx context.Context, s *stream, filter string, m *jetstream.RawStreamMsg) (h Head, clean bool, err error) {
	if h, err = b.readHead(m.Subject, m.Header, m.Data, m.Sequence); err == nil {
		return h, true, nil
	}
	b.skip(m.Subject, m.Sequence, err)
	h, err = b.lastGood(ctx, s, filter, m.Sequence)
	h.Seq = m.Sequence
	return h, false, err
}

// readHead reads an ALERTS message and refuses one that does not count.
func (b *Bus) readHead(subject string, header nats.Header, data []byte, seq uint64) (Head, error) {
	cluster, _, id, err := b.subjects.ParseAlert(subject)
	if err != nil {
		return Head{}, err
	}
	if header.Get(EventHeader) == "" {
		return Head{}, fmt.Errorf("no header %s", EventHeader)
	}
	a, err := schema.DecodeAlert(data, cluster, id)
	if err != nil {
		return Head{}, err
	}
	return Head{Conversation: a.Conversation, Event: a.Event, Seq: seq}, nil
}

// skip says once that a message does not count.
func (b *Bus) skip(subject string, seq uint64, why error) {
	bad := badHead{subject, seq}
	b.mu.Lock()
	seen := b.bad[bad]
	if !seen {
		if len(b.bad) >= maxBadHeads {
			clear(b.bad)
		}
		b.bad[bad] = true
	}
	b.mu.Unlock()
	if seen {
		return
	}
	b.metrics.badHeads.Inc()
	b.log.Error("message in ALERTS is not valid and does not count", "subject", logged(subject), "seq", seq, "err", logged(why.Error()))
}

// lastGood is the last valid message of filter before end. The store only reads forward, so it looks at stretches
// that grow backwards from end.
func (b *Bus) lastGood(ctx context.Context, s *stream, filter string, end uint64) (Head, error) {
	for length := uint64(1); end > 1; length *= 4 {
		start := uint64(1)
		if length < end {
			start = end - length
		}
		h, err := b.lastGoodBetween(ctx, s, filter, start, end)
		if err != nil || h.Conversation.ID != "" {
			return h, err
		}
		end = start
	}
	return Head{}, nil
}

func (b *Bus) lastGoodBetween(ctx context.Context, s *stream, filter string, start, end uint64) (Head, error) {
	var good Head
	for seq := start; seq < end; seq++ {
		m, err := b.from(ctx, s, filter, seq)
		if errors.Is(err, ErrNotFound) {
			break
		}
		if err != nil {
			return Head{}, err
		}
		if seq = m.Sequence; seq < end {
			good = b.better(good, m)
		}
	}
	return good, nil
}

// better is m's head if it is valid, else good.
func (b *Bus) better(good Head, m *jetstream.RawStreamMsg) Head {
	h, err := b.readHead(m.Subject, m.Header, m.Data, m.Sequence)
	if err != nil {
		b.skip(m.Subject, m.Sequence, err)
		return good
	}
	return h
}
