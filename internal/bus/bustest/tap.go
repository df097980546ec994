package bustest

import (
	"slices"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/bellbuoy/bellbuoy/internal/bus"
)

// Seen is one message that went over the server, stored or not.
type Seen struct {
	Subject string
	Data    []byte
}

// Tap hears every message below bellbuoy. from now on, in order. What it returns gives those so far.
func Tap(t testing.TB, b *bus.Bus) (all func() []Seen) {
	t.Helper()
	var mu sync.Mutex
	var seen []Seen
	sub, err := b.Conn().Subscribe("bellbuoy.>", func(m *nats.Msg) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, Seen{m.Subject, m.Data})
	})
	if err == nil {
		err = sub.SetPendingLimits(-1, -1)
	}
	if err == nil {
		err = b.Conn().Flush()
	}
	if err != nil {
		t.Fatalf("listen to everything: %v", err)
	}
	return func() []Seen {
		_ = b.Conn().Flush() // what the server has sent by now has been taken
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(seen)
	}
}
