package bus

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// LastContext is the newest snapshot of a cluster, ErrNotFound if there is none.
func (b *Bus) LastContext(ctx context.Context, cluster string) (Message, error) {
	s, err := b.stream(ctx, StreamContext)
	if err != nil {
		return Message{}, err
	}
	m, err := b.last(ctx, s, b.subjects.Context(cluster))
	if err != nil {
		return Message{}, fmt.Errorf("newest snapshot of %s: %w", cluster, err)
	}
	return s.message(m), nil
}

// Contexts is the newest snapshot of every cluster, in stream order.
func (b *Bus) Contexts(ctx context.Context) ([]Message, error) {
	var all []Message
	err := b.newestOfEach(ctx, StreamContext, b.below("context.*"), func(m Message) error {
		all = append(all, m)
		return nil
	})
	return all, err
}

// Roll is which clusters have a snapshot, as subject tokens, and by how much the server's clock is ahead of this
// machine's: 0 where the round trip explains the difference. No snapshot is read for it.
func (b *Bus) Roll(ctx context.Context) (clusters map[string]bool, ahead time.Duration, err error) {
	s, err := b.stream(ctx, StreamContext)
	if err != nil {
		return nil, 0, err
	}
	began := time.Now()
	info, err := s.Info(ctx, jetstream.WithSubjectFilter(b.below("context.*")))
	if err != nil {
		return nil, 0, b.readError(StreamContext, err)
	}
	clusters = make(map[string]bool, len(info.State.Subjects))
	for subject := range info.State.Subjects {
		if token, err := b.subjects.ParseContext(subject); err == nil {
			clusters[token] = true
		}
	}
	return clusters, skew(began, time.Now(), info.TimeStamp), nil
}

// Reconnects counts how often the connection was lost and made again.
func (b *Bus) Reconnects() uint64 { return b.nc.Stats().Reconnects }
