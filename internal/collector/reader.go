package collector

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/scrub"
	"github.com/bellbuoy/bellbuoy/internal/source"
)

// reader reads one source in a goroutine of its own, so that a source that hangs delays nobody. At most one reading
// is under way at a time; its result waits until the collector takes it.
type reader struct {
	name     string // as configured
	kind     kind
	opening  opening
	optional bool // it is left out while this machine does not have it
	asks     chan ask
	answers  chan answer
	busy     bool // of the collector's goroutine: a reading is under way

	mu     sync.Mutex
	opened source.Source // nil: it is not open; guarded by mu

	// What it last gave, of the collector's goroutine.
	part   source.Reading
	read   time.Time // when part was read; zero: never
	failed error     // why the newest reading failed; nil: it did not
	absent error     // why an optional source is left out; nil: it is not
}

// ask is the wish for one reading, to be done by until.
type ask struct {
	state json.RawMessage // to open the source with, if it has to be opened
	until time.Time
}

// answer is what became of it.
type answer struct {
	reading source.Reading
	err     error
	took    time.Duration
	at      time.Time
}

func newReader(name string, k kind, o opening) *reader {
	return &reader{name: name, kind: k, opening: o, asks: make(chan ask, 1), answers: make(chan answer, 1)}
}

// run opens the source when it is first asked, reads it whenever it is asked, and closes it when ctx is done. wake
// receives, without blocking, when the source has something to say.
func (r *reader) run(ctx context.Context, wake chan<- struct{}) {
	var open source.Source
	var wakers sync.WaitGroup
	defer wakers.Wait()
	defer func() {
		if open == nil {
			return
		}
		r.is(nil)
		if err := open.Close(); err != nil {
			r.opening.log.Warn("closing the source", "error", err)
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case a := <-r.asks:
			var err error
			if open == nil {
				if open, err = r.open(ctx, a); err == nil {
					r.is(open)
					wakers.Go(func() { forward(ctx, open, wake) })
				}
			}
			r.answers <- r.readOpen(ctx, open, a, err)
		}
	}
}

// open opens the source. It is not bound by the time of one reading, because a source may keep using ctx.
func (r *reader) open(ctx context.Context, a ask) (source.Source, error) {
	o := r.opening
	o.state = a.state
	s, err := r.kind.open(ctx, o)
	if err != nil {
		return nil, openError{r.name, err}
	}
	return s, nil
}

// openError is why a source could not be opened.
type openError struct {
	name string
	err  error
}

func (e openError) Error() string { return "open source " + e.name + ": " + e.err.Error() }
func (e openError) Unwrap() error { return e.err }

// readOpen reads the source, unless it could not be opened.
func (r *reader) readOpen(ctx context.Context, s source.Source, a ask, err error) answer {
	if err != nil {
		return answer{err: err, at: time.Now()}
	}
	ctx, cancel := context.WithDeadline(ctx, a.until)
	defer cancel()
	start := time.Now()
	reading, err := s.Read(ctx)
	return answer{reading: reading, err: err, took: time.Since(start), at: time.Now()}
}

// forward passes on what the source wakes for.
func forward(ctx context.Context, s source.Source, wake chan<- struct{}) {
	w, ok := s.(source.Waker)
	if !ok {
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case _, open := <-w.Wake():
			if !open {
				return
			}
			select {
			case wake <- struct{}{}:
			default: // one is waiting already
			}
		}
	}
}

// begin asks for a reading, unless one is still under way.
func (r *reader) begin(state json.RawMessage, until time.Time) {
	if !r.busy {
		r.busy = true
		r.asks <- ask{state: state, until: until}
	}
}

// errLate is a source's failure to answer in time. Its answer is taken with the next snapshot.
var errLate = errors.New("no answer in time")

// finish waits for the reading under way until late is done.
func (r *reader) finish(late context.Context) answer {
	select {
	case a := <-r.answers:
		return r.finished(a)
	case <-late.Done():
	}
	select { // both may have been so
	case a := <-r.answers:
		return r.finished(a)
	default:
		return answer{err: errLate, at: time.Now()}
	}
}

func (r *reader) finished(a answer) answer {
	r.busy = false
	return a
}

// leaveOut tells whether the answer is that this machine does not have the source and nobody insists on it. One that
// was read before, in this process or an earlier one that left its state, is missed instead.
func (r *reader) leaveOut(a answer, state json.RawMessage, log *slog.Logger) bool {
	if !r.optional || !errors.Is(a.err, source.ErrAbsent) || !r.read.IsZero() || state != nil {
		r.absent = nil
		return false
	}
	err := a.err
	if opening, ok := errors.AsType[openError](err); ok {
		err = opening.err
	}
	if r.absent == nil {
		log.Info("this machine does not have the source, so it is left out and looked for again with every snapshot", "source", r.name, "reason", scrub.Line(err.Error(), maxTextBytes))
	}
	r.absent, r.failed = err, nil
	return true
}

// took notes the outcome of a reading and logs when a source begins or ceases to fail.
func (r *reader) took(a answer, log *slog.Logger) {
	switch {
	case a.err != nil && r.failed == nil:
		log.Error("the source cannot be read, its last part stands and is marked stale", "source", r.name, "error", scrub.Line(a.err.Error(), maxTextBytes))
	case a.err == nil && r.failed != nil:
		log.Info("the source can be read again", "source", r.name)
	}
	r.failed = a.err
	if a.err == nil {
		r.part, r.read = a.reading, a.at.UTC()
	}
}
