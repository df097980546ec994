package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Kept is one part's own small records. A key is tokens of [A-Za-z0-9_-] separated by dots.
type Kept struct {
	bus  *Bus
	part string
}

// Kept opens the records of a part: PartCollector, PartAnalyzer or PartNotifier.
func (b *Bus) Kept(part string) Kept { return Kept{b, part} }

// Get is a record and its revision. One that is missing is nil with revision 0; one that was dropped a moment ago is nil
// too, but is to be put on top of the revision given.
func (k Kept) Get(ctx context.Context, key string) (data []byte, rev uint64, err error) {
	if err := validKey(key); err != nil {
		return nil, 0, err
	}
	s, err := k.bus.stream(ctx, keptStream(k.part))
	if err != nil {
		return nil, 0, err
	}
	m, err := k.bus.last(ctx, s, k.bus.subjects.Kept(k.part, key))
	if errors.Is(err, ErrNotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	if len(m.Data) == 0 {
		return nil, m.Sequence, nil
	}
	return m.Data, m.Sequence, nil
}

// Put stores a record on top of revision expected (0: it must be missing) and returns its new revision. ErrConflict
// says that it has another one by now.
func (k Kept) Put(ctx context.Context, key string, data []byte, expected uint64) (rev uint64, err error) {
	if err := validKey(key); err != nil {
		return 0, err
	}
	return k.put(ctx, key, data, expected, 0)
}

// PutFor is Put of a record that goes by itself when nothing has been put on top of it for that long: whole seconds, one
// at least.
func (k Kept) PutFor(ctx context.Context, key string, data []byte, expected uint64, d time.Duration) (rev uint64, err error) {
	if err := validKey(key); err != nil {
		return 0, err
	}
	return k.put(ctx, key, data, expected, max(d.Round(time.Second), time.Second))
}

func (k Kept) put(ctx context.Context, key string, data []byte, expected uint64, ttl time.Duration) (rev uint64, err error) {
	m := nats.NewMsg(k.bus.subjects.Kept(k.part, key))
	m.Data = data
	if ttl > 0 {
		m.Header.Set(jetstream.MsgTTLHeader, ttl.String())
	}
	expect(m, m.Subject, expected)
	return k.bus.store(ctx, m)
}

// droppedFor is how long the server keeps what stands for a dropped record: the least that it takes.
const droppedFor = time.Second

// Drop removes a record that has the revision expected. It needs no more permission than Put does: an empty message
// takes the record's place, and goes by itself. ErrConflict says that it has another revision by now.
func (k Kept) Drop(ctx context.Context, key string, expected uint64) error {
	if err := validKey(key); err != nil {
		return err
	}
	m := nats.NewMsg(k.bus.subjects.Kept(k.part, key))
	m.Header.Set(jetstream.MsgTTLHeader, droppedFor.String())
	expect(m, m.Subject, expected)
	_, err := k.bus.store(ctx, m)
	return err
}

// Each hands every record whose key begins with the tokens of prefix, and has more, to do; an empty prefix means all.
// It ends with do's first error.
func (k Kept) Each(ctx context.Context, prefix string, do func(key string, data []byte, rev uint64) error) error {
	prefix = strings.TrimSuffix(prefix, ".")
	pattern := ">"
	if prefix != "" {
		if err := validKey(prefix); err != nil {
			return err
		}
		pattern = prefix + ".>"
	}
	below := k.bus.subjects.Kept(k.part, "")
	return k.bus.newestOfEach(ctx, keptStream(k.part), below+pattern, func(m Message) error {
		if len(m.Data) == 0 { // dropped
			return nil
		}
		return do(strings.TrimPrefix(m.Subject, below), m.Data, m.Seq)
	})
}

func validKey(key string) error {
	for token := range strings.SplitSeq(key, ".") {
		if !schema.ValidToken(token) {
			return fmt.Errorf("kept record %q: a key is tokens of [A-Za-z0-9_-] separated by dots", key)
		}
	}
	return nil
}
