// Package bustest gives tests a real NATS server in their own process, set up and empty, and waits for what happens
// on it. Nothing here sleeps for luck: every function waits for an event, or fails the test at a deadline and says
// what it saw.
package bustest

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/embed"
)

// Within is how long anything here waits before it fails the test.
const Within = 30 * time.Second

// New is a bus on a server of its own that has no port, set up with the channel "webhook".
func New(t testing.TB) *bus.Bus {
	t.Helper()
	return start(t, embed.Options{NoListen: true}).Connect(t)
}

// NATS is a NATS server for several connections, or processes.
type NATS struct {
	options embed.Options

	mu      sync.Mutex
	running *embed.Server // nil while it is stopped
}

// Server is a running server on a loopback port, set up with the channel "webhook". It ends with the test.
func Server(t testing.TB) *NATS {
	t.Helper()
	return start(t, embed.Options{Listen: "127.0.0.1:0"})
}

// ServerUnsynced is Server, but it leaves it to the operating system when writes reach the disk.
func ServerUnsynced(t testing.TB) *NATS {
	t.Helper()
	return start(t, embed.Options{Listen: "127.0.0.1:0", NoSync: true})
}

func start(t testing.TB, o embed.Options) *NATS {
	t.Helper()
	o.Dir = t.TempDir()
	s := &NATS{options: o}
	s.Start(t)
	t.Cleanup(s.stop)
	b := s.Connect(t)
	if err := b.Setup(t.Context(), bus.Setup{Channels: []string{"webhook"}}); err != nil {
		t.Fatal(err)
	}
	return s
}

// Connect is a new connection to the server, closed when the test ends.
func (s *NATS) Connect(t testing.TB) *bus.Bus {
	t.Helper()
	return s.ConnectWith(t, bus.Options{})
}

// ConnectWith is Connect with options of the caller's; where the server is, and a log unless there is one, is filled in.
func (s *NATS) ConnectWith(t testing.TB, o bus.Options) *bus.Bus {
	t.Helper()
	o.InProcess = s
	if o.Log == nil {
		o.Log = Log(t)
	}
	if o.Name == "" {
		o.Name = "test"
	}
	b, err := bus.Connect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// InProcessConn connects to the server that runs at the moment.
func (s *NATS) InProcessConn() (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		return nil, errors.New("the test server is stopped")
	}
	return s.running.InProcessConn()
}

// URL is where other processes reach the server. It stays the same over a restart.
func (s *NATS) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return "nats://" + s.options.Listen
}

// Stop stops the server; what was stored stays.
func (s *NATS) Stop(t testing.TB) {
	t.Helper()
	s.stop()
}

func (s *NATS) stop() {
	s.mu.Lock()
	running := s.running
	s.running = nil
	s.mu.Unlock()
	if running != nil {
		running.Close()
	}
}

// Start starts the server after Stop, on the same port, with what was stored.
func (s *NATS) Start(t testing.TB) {
	t.Helper()
	running, err := embed.Start(t.Context(), s.options)
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = running
	if !s.options.NoListen {
		s.options.Listen = running.Addr()
	}
}

// Restart is Stop and Start.
func (s *NATS) Restart(t testing.TB) {
	t.Helper()
	s.Stop(t)
	s.Start(t)
}

// Start runs a loop until the test ends, or until stop is called, which waits for it. The test fails unless the loop
// goes on until then and returns nil.
func Start(t testing.TB, run func(ctx context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		err := run(ctx)
		if ctx.Err() == nil {
			t.Errorf("the loop ended by itself: %v", err)
			err = nil
		}
		ended <- err
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		late := time.NewTimer(Within)
		defer late.Stop()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the loop did not stop cleanly: %v", err)
			}
		case <-late.C:
			t.Errorf("the loop did not stop within %s", Within)
		}
	})
	t.Cleanup(stop)
	return stop
}

// Log is a logger into the test's own output.
func Log(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}
