package bustest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/bellbuoy/bellbuoy/internal/bus"
)

const pollEvery = 2 * time.Millisecond

// ownPrefix begins the names of the consumers that Next makes.
const ownPrefix = "bustest-"

// Settled waits until everything that was stored has been handled: no consumer of any stream has a message to deliver
// or one in hand, twice in a row with nothing stored in between. It is the barrier before asserting that something
// did not happen. unread names consumers that nobody in this test reads, which would never settle.
func Settled(t testing.TB, b *bus.Bus, unread ...string) {
	t.Helper()
	settled(t, b, Within, unread)
}

func settled(t testing.TB, b *bus.Bus, within time.Duration, unread []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	var before map[string]uint64
	for {
		now, busy, err := look(ctx, b, unread)
		if err != nil && ctx.Err() == nil {
			t.Fatalf("settled: %v", err)
		}
		if err == nil && len(busy) == 0 && before != nil && maps.Equal(before, now) {
			return
		}
		if before = now; len(busy) > 0 {
			before = nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("not settled within %s; still at work: %s (consumers that nobody reads here are to be named)", within, strings.Join(busy, ", "))
		}
	}
}

// look is the last sequence of every stream, and the consumers that have something to do.
func look(ctx context.Context, b *bus.Bus, unread []string) (last map[string]uint64, busy []string, err error) {
	js, err := jetstream.New(b.Conn())
	if err != nil {
		return nil, nil, err
	}
	last = map[string]uint64{}
	for _, row := range bus.Streams() {
		s, err := js.Stream(ctx, row.Name)
		if err != nil {
			return nil, nil, fmt.Errorf("look at stream %s: %w", row.Name, err)
		}
		last[row.Name] = s.CachedInfo().State.LastSeq
		if s.CachedInfo().State.Consumers == 0 {
			continue
		}
		consumers := s.ListConsumers(ctx)
		for c := range consumers.Info() {
			work := c.NumPending + uint64(c.NumAckPending)
			last[row.Name+" "+c.Name] = c.Delivered.Consumer
			if work == 0 || c.Config.Durable == "" || strings.HasPrefix(c.Name, ownPrefix) || slices.Contains(unread, c.Name) {
				continue
			}
			busy = append(busy, fmt.Sprintf("%s (%d to deliver, %d in hand)", c.Name, c.NumPending, c.NumAckPending))
		}
		if err := consumers.Err(); err != nil {
			return nil, nil, fmt.Errorf("look at the consumers of %s: %w", row.Name, err)
		}
	}
	return last, busy, nil
}

// Pending is how many messages a consumer has still to deliver for the first time.
func Pending(ctx context.Context, b *bus.Bus, name string) (uint64, error) {
	js, err := jetstream.New(b.Conn())
	if err != nil {
		return 0, err
	}
	for _, row := range bus.Consumers(bus.Setup{}) {
		if row.Name != name {
			continue
		}
		c, err := js.Consumer(ctx, row.Stream, name)
		if err != nil {
			return 0, fmt.Errorf("look at consumer %s: %w", name, err)
		}
		return c.CachedInfo().NumPending, nil
	}
	return 0, fmt.Errorf("there is no consumer %s", name)
}
