package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const readerIdle = 30 * time.Second // after which the server forgets a reader that is gone

// reader reads a stream in order through a consumer of its own that the server forgets. It is good for one session of
// the connection: whatever happens to it, make another.
type reader struct {
	it       jetstream.MessagesContext
	pending  uint64 // messages that were there when it was made
	received uint64
}

// read makes a reader of filter: the newest of every subject and then what comes, or, after a sequence other than 0,
// everything behind it.
func (b *Bus) read(ctx context.Context, s *stream, filter string, after uint64) (*reader, error) {
	c := jetstream.ConsumerConfig{
		FilterSubject:     filter,
		DeliverPolicy:     jetstream.DeliverLastPerSubjectPolicy,
		AckPolicy:         jetstream.AckNonePolicy,
		MemoryStorage:     true,
		Replicas:          1,
		InactiveThreshold: readerIdle,
	}
	if after > 0 {
		c.DeliverPolicy, c.OptStartSeq = jetstream.DeliverByStartSequencePolicy, after+1
	}
	consumer, err := s.CreateConsumer(ctx, c)
	if err != nil {
		b.forgetStreams()
		return nil, fmt.Errorf("read %s: %w", filter, err)
	}
	it, err := consumer.Messages(jetstream.PullExpiry(pullExpires), jetstream.PullHeartbeat(pullHeartbeat))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", filter, err)
	}
	return &reader{it: it, pending: consumer.CachedInfo().NumPending}, nil
}

var errGap = errors.New("messages were lost on the way")

// next waits for the next message; caughtUp tells that none that was there before is left.
func (r *reader) next(ctx context.Context) (m jetstream.Msg, meta *jetstream.MsgMetadata, err error) {
	if m, err = r.it.Next(jetstream.NextContext(ctx)); err != nil {
		return nil, nil, fmt.Errorf("next message: %w", err)
	}
	if meta, err = m.Metadata(); err != nil {
		return nil, nil, fmt.Errorf("read metadata: %w", err)
	}
	if r.received++; meta.Sequence.Consumer != r.received {
		return nil, nil, errGap
	}
	return m, meta, nil
}

func (r *reader) close() { r.it.Stop() }

// newestOfEach hands the newest message of every subject of filter to each, in stream order. It reads what is there
// and does not wait for more.
func (b *Bus) newestOfEach(ctx context.Context, name, filter string, each func(Message) error) error {
	s, err := b.stream(ctx, name)
	if err != nil {
		return err
	}
	ctx, cancel := b.inSession(ctx)
	defer cancel()
	r, err := b.read(ctx, s, filter, 0)
	if err != nil {
		return err
	}
	defer r.close()
	for left := r.pending; left > 0; {
		m, meta, err := r.next(ctx)
		if err != nil {
			return fmt.Errorf("read %s: %w", filter, err)
		}
		left = meta.NumPending
		if err := each(delivered(m, meta, s.epoch)); err != nil {
			return err
		}
	}
	return nil
}

func delivered(m jetstream.Msg, meta *jetstream.MsgMetadata, epoch time.Time) Message {
	return Message{
		Subject: m.Subject(), Data: m.Data(), Event: m.Headers().Get(EventHeader),
		Seq: meta.Sequence.Stream, At: meta.Timestamp.UTC(), Epoch: epoch, Deliveries: int(meta.NumDelivered),
		Newest: meta.NumPending == 0,
	}
}
