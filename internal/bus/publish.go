package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// EventHeader names the kind of event on every ALERTS message. A message without it was not written by Append.
const EventHeader = "Bellbuoy-Event"

// Message is one stored message.
type Message struct {
	Subject    string
	Data       []byte
	Event      string // of EventHeader; empty outside ALERTS
	Seq        uint64 // in its stream
	At         time.Time
	Epoch      time.Time // when its stream was created: Seq compares within one Epoch only
	Deliveries int       // including this one; 0 if it was read and not delivered
	Newest     bool      // nothing else waited for its consumer when it was delivered
}

// Publish stores body under subject and returns its sequence. msgID, unless empty, makes the stream drop what has the
// same one within its window; the sequence is then the first one's. Conversations are written with Append, kept
// records with Kept.Put.
func (b *Bus) Publish(ctx context.Context, subject string, body []byte, msgID string) (seq uint64, err error) {
	m := nats.NewMsg(subject)
	m.Data = body
	if msgID != "" {
		m.Header.Set(jetstream.MsgIDHeader, msgID)
	}
	return b.store(ctx, m)
}

// PublishOver is Publish of what takes the place of the message with that sequence, the newest of its subject; 0: of none.
// ErrConflict says that another one is the newest by now.
func (b *Bus) PublishOver(ctx context.Context, subject string, body []byte, over uint64) (seq uint64, err error) {
	m := nats.NewMsg(subject)
	m.Data = body
	expect(m, subject, over)
	return b.store(ctx, m)
}

// PublishOnce is Publish for whoever wants to know whether msgID had been stored before.
func (b *Bus) PublishOnce(ctx context.Context, subject string, body []byte, msgID string) (repeated bool, err error) {
	m := nats.NewMsg(subject)
	m.Data = body
	m.Header.Set(jetstream.MsgIDHeader, msgID)
	ack, err := b.put(ctx, m)
	if err != nil {
		return false, err
	}
	return ack.Duplicate, nil
}

func (b *Bus) store(ctx context.Context, m *nats.Msg) (uint64, error) {
	ack, err := b.put(ctx, m)
	if err != nil {
		return 0, err
	}
	return ack.Sequence, nil
}

func (b *Bus) put(ctx context.Context, m *nats.Msg) (*jetstream.PubAck, error) {
	ack, err := b.js.PublishMsg(ctx, m)
	if isConflict(err) {
		b.metrics.conflicts.WithLabelValues(b.kind(m.Subject)).Inc()
		return nil, fmt.Errorf("store %s: %w", m.Subject, ErrConflict)
	}
	if errors.Is(err, jetstream.ErrNoStreamResponse) {
		return nil, fmt.Errorf("store %s: %w: run `bellbuoy setup`", m.Subject, err)
	}
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", m.Subject, err)
	}
	b.metrics.published.WithLabelValues(b.kind(m.Subject)).Inc()
	return ack, nil
}

// expect makes m be stored only if seq is still the last sequence of filter; 0: if there is none.
func expect(m *nats.Msg, filter string, seq uint64) {
	m.Header.Set(jetstream.ExpectedLastSubjSeqSubjHeader, filter)
	m.Header.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(seq, 10))
}

// isConflict knows both codes: replicated streams answer with the second.
func isConflict(err error) bool {
	var e *jetstream.APIError
	return errors.As(err, &e) && (e.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
		e.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}
