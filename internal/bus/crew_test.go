package bus_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
)

func TestManyWorkersHandleEachMessageOnceAndAllAtOnce(t *testing.T) {
	t.Parallel()
	const workers = 64
	b := bustest.New(t)
	for i := range 3 * workers {
		mustAppend(t, b, write(fmt.Sprintf("service-%d", i), 1, "critical", 0))
	}
	var seen sync.Map
	var busy atomic.Int64
	full := make(chan struct{})
	consume(t, b, bus.Notify("webhook"), workers, func(_ context.Context, m bus.Message) error {
		if _, twice := seen.LoadOrStore(m.Seq, true); twice {
			t.Errorf("message %d came twice", m.Seq)
		}
		if busy.Add(1) == workers {
			close(full)
		}
		<-full // nobody goes on before all have a message
		return nil
	})
	receive(t, full)
	bustest.Settled(t, b, unread(bus.Notify("webhook"))...)
	n := 0
	seen.Range(func(any, any) bool { n++; return true })
	if n != 3*workers {
		t.Errorf("%d messages were handled, want %d", n, 3*workers)
	}
}

// What many workers have asked for and not begun with when they are stopped is another's at once: its time to be
// acknowledged is a minute.
func TestManyWorkersGiveBackWhatTheyHaveNotBegun(t *testing.T) {
	t.Parallel()
	const workers = 32
	s := bustest.Server(t)
	b := s.Connect(t)
	for i := range 4 * workers {
		mustAppend(t, b, write(fmt.Sprintf("service-%d", i), 1, "critical", 0))
	}
	var handled atomic.Int64
	full, release := make(chan struct{}), make(chan struct{})
	stop := consume(t, b, bus.Notify("webhook"), workers, func(context.Context, bus.Message) error {
		if handled.Add(1) == workers {
			close(full)
		}
		<-release
		return nil
	})
	receive(t, full)
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	consume(t, s.Connect(t), bus.Notify("webhook"), workers, func(context.Context, bus.Message) error {
		handled.Add(1)
		return nil
	})
	close(release)
	receive(t, stopped)
	bustest.Settled(t, b, unread(bus.Notify("webhook"))...)
	if n := handled.Load(); n != 4*workers {
		t.Errorf("%d messages were handled, want each of %d once", n, 4*workers)
	}
}
