package notifier

import (
	"context"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
)

// Records is what a loop keeps its records in.
type Records = records

// Step takes one step of the first channel's loop.
func (n *Notifier) Step(ctx context.Context, m bus.Message) (time.Duration, error) {
	return n.loops[0].step(ctx, m)
}

// SetNow gives the loops another clock.
func (n *Notifier) SetNow(now func() time.Time) {
	for _, l := range n.loops {
		l.now = now
	}
}

// Trouble has a look at the channels as of now.
func (n *Notifier) Trouble(ctx context.Context) error { return n.troubleStep(ctx) }

// SetPause makes every pause between two attempts as long as pause says.
func (n *Notifier) SetPause(pause func(delay time.Duration) time.Duration) {
	for _, l := range n.loops {
		l.pause = func(v verdict) time.Duration { return pause(v.delay) }
	}
}

// SetRecords puts something between the loops and their records.
func (n *Notifier) SetRecords(wrap func(Records) Records) {
	for _, l := range n.loops {
		l.kept = wrap(l.kept)
	}
}
