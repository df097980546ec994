package bus

import (
	"context"
	"fmt"
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
