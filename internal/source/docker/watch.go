package docker

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/moby/moby/api/types/events"
)

const (
	ringSize   = 256              // events that the engine remembers, of all kinds together
	overlap    = 2 * time.Second  // asked for again on resuming: events are not stored strictly in order
	firstPause = time.Second      // before the stream is opened again
	lastPause  = 30 * time.Second // the longest
	maxPending = 20000            // events between two readings; more are a gap
)

// watcher follows the engine's events and resumes after a break.
type watcher struct {
	engine *engine
	log    *slog.Logger
	now    func() time.Time // by the engine's clock
	wake   chan struct{}    // something urgent has come
	caught chan struct{}    // closed when the past was asked for the first time

	mu      sync.Mutex
	pending []event
	gap     bool
	live    bool
	through time.Time // nothing up to then can be missed; while live it is now
}

// batch is what has come since the last one.
type batch struct {
	events  []event
	gap     bool
	through time.Time
}

// take gives what has come.
func (w *watcher) take() batch {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.live {
		w.through = w.now()
	}
	b := batch{w.pending, w.gap, w.through}
	w.pending, w.gap = nil, false
	return b
}

// run follows until ctx is done.
func (w *watcher) run(ctx context.Context) {
	first := sync.OnceFunc(func() { close(w.caught) })
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		began := w.now()
		err := w.session(ctx, first)
		first()
		w.broken()
		if ctx.Err() != nil {
			return
		}
		if w.now().Sub(began) > lastPause {
			pause = firstPause
		}
		w.report(err, pause)
		if !rest(ctx, pause) {
			return
		}
		if err := w.engine.redial(); err != nil {
			w.log.Warn("docker: new client refused", "error", err)
		}
	}
}

// report logs a break. A plain end is what a proxy does to a quiet stream.
func (w *watcher) report(err error, pause time.Duration) {
	level := slog.LevelWarn
	if errors.Is(err, io.EOF) {
		level = slog.LevelDebug
	}
	w.log.Log(context.Background(), level, "docker: event stream ended, opening it again", "error", err, "in", pause)
}

// rest waits; it is false when ctx is done first.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// session catches up with the past and follows the stream until it breaks.
func (w *watcher) session(ctx context.Context, caught func()) error {
	if err := w.catchUp(ctx); err != nil {
		return err
	}
	caught()
	stream := w.engine.follow(ctx, w.resumeAt())
	w.mu.Lock()
	w.live = true
	w.mu.Unlock()
	for {
		select {
		case m := <-stream.Messages:
			w.add(m)
		case err := <-stream.Err:
			if err == nil {
				err = io.EOF
			}
			return err
		}
	}
}

// catchUp takes what the engine remembers since we last followed, and sees whether it may have forgotten some.
func (w *watcher) catchUp(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, statsPatience)
	defer stop()
	since, until := w.resumeAt(), w.now()
	past, err := w.engine.replay(ctx, since, until)
	for _, m := range past {
		w.add(m)
	}
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if forgot(past, w.through) {
		w.gap = true
		w.log.Info("docker: the engine may have forgotten events, counting restarts instead", "since", w.through)
	}
	w.through = later(w.through, until)
	return nil
}

// forgot tells whether the engine may have dropped events after through: it gave all that it can remember, and not
// even the oldest is as old.
func forgot(past []events.Message, through time.Time) bool {
	return len(past) >= ringSize && past[0].TimeNano > through.UnixNano()
}

// resumeAt is from when on events are asked for again.
func (w *watcher) resumeAt() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.through.Add(-overlap)
}

// broken notes that the stream has ended; its last events may not have come through.
func (w *watcher) broken() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.live {
		w.live, w.through = false, later(w.through, w.now().Add(-overlap))
	}
}

// add takes one event in, and calls for a reading if it is urgent. It never blocks.
func (w *watcher) add(m events.Message) {
	e, ours := parseEvent(m)
	if !ours {
		return
	}
	w.mu.Lock()
	if len(w.pending) < maxPending {
		w.pending = append(w.pending, e)
	} else {
		w.gap = true
	}
	w.mu.Unlock()
	if e.urgent() {
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

// giveBack returns what was taken by a reading that failed.
func (w *watcher) giveBack(b batch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pending, w.gap = append(b.events, w.pending...), b.gap || w.gap
}
