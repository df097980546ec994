package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"
)

const (
	singlyUpTo    = 5
	maxBatch      = 500
	maxBatchBytes = 16 * mib
)

// AppendAll stores many writes: up to five one by one, more in atomic batches of at most 500, each of which costs about
// as much as one write. stored[i] is false where somebody else wrote first; everything else that keeps a write from
// being stored is the error, and then what is not marked stored may be stored all the same. Two writes to one
// conversation are stored in their order.
func (b *Bus) AppendAll(ctx context.Context, ws []Write) (stored []bool, err error) {
	stored = make([]bool, len(ws))
	if len(ws) <= singlyUpTo {
		return stored, b.appendSingly(ctx, ws, stored)
	}
	for start := 0; start < len(ws); {
		end, msgs, err := b.batch(ws, start)
		if err != nil {
			return stored, err
		}
		if err := b.commit(ctx, msgs, ws[start:end], stored[start:end]); err != nil {
			return stored, err
		}
		start = end
	}
	return stored, nil
}

func (b *Bus) appendSingly(ctx context.Context, ws []Write, stored []bool) error {
	for i, w := range ws {
		_, err := b.Append(ctx, w)
		if err != nil && !errors.Is(err, ErrConflict) {
			return err
		}
		stored[i] = err == nil
	}
	return nil
}

// batch takes writes from start on that may go together: not too many, not too large, no conversation twice, because
// a batch is checked against what was stored before it.
func (b *Bus) batch(ws []Write, start int) (end int, msgs []*nats.Msg, err error) {
	in, size := map[string]bool{}, 0
	for end = start; end < len(ws) && len(msgs) < maxBatch; end++ {
		m, err := b.entry(ws[end])
		if err != nil {
			return 0, nil, err
		}
		size += len(m.Data)
		if in[ws[end].Conversation.ID] || len(msgs) > 0 && size > maxBatchBytes {
			break
		}
		in[ws[end].Conversation.ID] = true
		msgs = append(msgs, m)
	}
	return end, msgs, nil
}

// commit stores msgs, the messages of ws, as one batch. If the server refuses it, nothing of it is stored, and each
// write is tried by itself.
func (b *Bus) commit(ctx context.Context, msgs []*nats.Msg, ws []Write, stored []bool) error {
	_, err := jetstreamext.PublishMsgBatch(ctx, b.js, msgs)
	var refused *jetstream.APIError
	switch {
	case err == nil:
	case errors.As(err, &refused):
		b.log.Debug("batch refused; storing one by one", "err", err, "writes", len(ws))
		return b.appendSingly(ctx, ws, stored)
	default:
		return fmt.Errorf("store a batch of %d events: %w", len(ws), err)
	}
	b.metrics.published.WithLabelValues("alerts").Add(float64(len(ws)))
	for i := range stored {
		stored[i] = true
	}
	return nil
}
