package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Errors that callers compare with errors.Is.
var (
	// ErrConflict says that somebody else wrote first: read again, decide again.
	ErrConflict = errors.New("somebody else wrote first")
	// ErrNotFound says that nothing of that name is stored.
	ErrNotFound = errors.New("not found")
)

// Bus is one connection to NATS with Bellbuoy's streams behind it. Connect makes one.
type Bus struct {
	nc       *nats.Conn
	js       jetstream.JetStream
	subjects schema.Subjects
	log      *slog.Logger
	metrics  metrics
	closed   chan struct{} // closed when the connection is over for good

	mu       sync.Mutex
	streams  map[string]*stream // handles by name
	bad      map[badHead]bool   // heads already reported as invalid
	refusals refusals           // what the server forbids
	session  context.Context    // ends with the connection's present session
	next     context.CancelFunc // ends it
}

// Subjects builds and reads the subjects below this bus's root.
func (b *Bus) Subjects() schema.Subjects { return b.subjects }

// Conn is the connection itself. It is for the packages below bus, which test and embed it; nobody else needs it.
func (b *Bus) Conn() *nats.Conn { return b.nc }

// Ready is nil while the connection stands, else it says what is the matter.
func (b *Bus) Ready() error {
	if b.nc.IsConnected() {
		return nil
	}
	return fmt.Errorf("not connected to NATS: %s", b.nc.Status())
}

const closeWithin = 5 * time.Second

// Close lets what is on its way through, for at most 5 s, and ends the connection. Loops that use the bus have to
// have ended before.
func (b *Bus) Close() {
	defer b.endSession()
	defer b.nc.Close()
	if b.nc.Drain() != nil {
		return
	}
	within := time.NewTimer(closeWithin)
	defer within.Stop()
	select {
	case <-b.closed:
	case <-within.C:
	}
}

// inSession is ctx until the connection's present session is over: a reconnect ends it.
func (b *Bus) inSession(ctx context.Context) (context.Context, context.CancelFunc) {
	b.mu.Lock()
	session := b.session
	b.mu.Unlock()
	in, cancel := context.WithCancel(ctx)
	unhook := context.AfterFunc(session, cancel)
	return in, func() { unhook(); cancel() }
}

func (b *Bus) endSession() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next()
}

// newSession ends the present session and begins the next one.
func (b *Bus) newSession() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next != nil {
		b.next()
	}
	b.session, b.next = context.WithCancel(context.Background())
	clear(b.streams)
}
