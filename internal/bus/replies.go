package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// maxReplies bounds what RepliesAfter returns at once.
const maxReplies = 256

// RepliesAfter is what was said to a conversation after sequence seq, vouched for or not, in stream order: the first
// 256 of it. A last reply that is not the newest has successors: ask again behind it.
func (b *Bus) RepliesAfter(ctx context.Context, id string, seq uint64) ([]Message, error) {
	s, err := b.stream(ctx, StreamReplies)
	if err != nil {
		return nil, err
	}
	said := &cursor{bus: b, of: s, filter: b.subjects.Replies(id), after: seq}
	heard := &cursor{bus: b, of: s, filter: b.below("heard.*." + id), after: seq}
	var all []Message
	for len(all) < maxReplies {
		m, err := earlier(ctx, said, heard)
		if err != nil {
			return nil, fmt.Errorf("replies to %s: %w", id, err)
		}
		if m == nil {
			break
		}
		all = append(all, s.message(m))
	}
	return all, nil
}

// RepliesBetween is what was said on the open subject to what is named there, an id or its beginning, in stream order:
// after one sequence, up to another one, which is the last of them.
func (b *Bus) RepliesBetween(ctx context.Context, name string, after, upTo uint64) ([]Message, error) {
	s, err := b.stream(ctx, StreamReplies)
	if err != nil {
		return nil, err
	}
	c := &cursor{bus: b, of: s, filter: b.subjects.Replies(name), after: after}
	var all []Message
	for {
		m, err := c.peek(ctx)
		if err != nil {
			return nil, fmt.Errorf("replies to %s: %w", name, err)
		}
		if m == nil || m.Sequence > upTo {
			return all, nil
		}
		all, c.front = append(all, s.message(m)), nil
	}
}

// RepliesEpoch is when the stream of replies was created: sequences of replies compare within it only.
func (b *Bus) RepliesEpoch(ctx context.Context) (time.Time, error) {
	s, err := b.stream(ctx, StreamReplies)
	if err != nil {
		return time.Time{}, err
	}
	return s.epoch, nil
}

// cursor walks over the messages of one filter, one look-up each.
type cursor struct {
	bus    *Bus
	of     *stream
	filter string
	after  uint64
	front  *jetstream.RawStreamMsg // read and not yet taken
	over   bool
}

// peek reads the next message, nil if there is none.
func (c *cursor) peek(ctx context.Context) (*jetstream.RawStreamMsg, error) {
	if c.front != nil || c.over {
		return c.front, nil
	}
	m, err := c.bus.from(ctx, c.of, c.filter, c.after+1)
	if errors.Is(err, ErrNotFound) {
		c.over = true
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c.front, c.after = m, m.Sequence
	return m, nil
}

// earlier takes the next message of two cursors, nil if both are over.
func earlier(ctx context.Context, a, b *cursor) (*jetstream.RawStreamMsg, error) {
	x, err := a.peek(ctx)
	if err != nil {
		return nil, err
	}
	y, err := b.peek(ctx)
	if err != nil {
		return nil, err
	}
	if x == nil || y != nil && y.Sequence < x.Sequence {
		x, a = y, b
	}
	a.front = nil
	return x, nil
}
