// Package socket keeps connections of Slack's Socket Mode open and hands on what comes in. It knows nothing of what the
// envelopes say.
//
// Several connections are open at a time, so that there is no gap while Slack takes one away. Each is opened anew when it
// ends, falls silent or is told to go, the new one before the old one is closed. Slack sends an envelope over one of them,
// and an event again over another if it is not acknowledged: whatever comes may come twice.
package socket

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// Defaults of a Client.
const (
	Connections = 2 // of the ten that Slack allows an app
	Silence     = 25 * time.Second

	maxPause = 30 * time.Second
	steady   = time.Minute     // a connection that lasted as long was a good one, as is one that brought something
	goodbye  = 5 * time.Second // what was heard on a connection that goes may still be acknowledged
)

// Envelope is what Slack sends, one thing at a time.
type Envelope struct {
	ID      string          `json:"envelope_id"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload"`
}

// Settle ends the handling of an envelope, with an acknowledgement or without: Slack sends an event again then. It is
// called once, from any goroutine.
type Settle func(ack bool) error

// Client is what to do with connections. Its fields are set before Run, and not changed.
type Client struct {
	Open    func(ctx context.Context) (address string, err error) // gives an address that can be dialled once
	Handle  func(ctx context.Context, e Envelope, settle Settle)
	Odd     func()          // a frame that nothing can be made of; may be nil
	Renewed func(err error) // a connection is opened in place of one that ended, or in vain; may be nil

	Silence time.Duration             // a connection on which nothing came for so long is over; 0: the default
	Pause   func(n int) time.Duration // before the nth attempt in a row; nil: the default
}

// fatal is an error after which no attempt helps.
type fatal struct{ error }

func (f fatal) Unwrap() error { return f.error }

// Fatal marks an error of Open after which Run is to end with it.
func Fatal(err error) error { return fatal{err} }

// Run keeps the connections until ctx is done, which is no error, or until Open says that it is of no use. Handle is
// called for one envelope of a connection after another, in the order in which they came, and may block: that holds back
// the connection.
func (c Client) Run(ctx context.Context) error {
	if c.Silence == 0 {
		c.Silence = Silence
	}
	if c.Pause == nil {
		c.Pause = pause
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var keeps sync.WaitGroup
	for range Connections {
		keeps.Go(func() {
			if err := c.keep(ctx); err != nil {
				cancel(err)
			}
		})
	}
	keeps.Wait()
	if f, ok := errors.AsType[fatal](context.Cause(ctx)); ok {
		return f.error
	}
	return nil
}

// keep keeps one connection open.
func (c Client) keep(ctx context.Context) error {
	var old *conn
	var closing sync.WaitGroup
	defer closing.Wait()
	for failed := 0; ; {
		fresh, err := c.dial(ctx)
		if old != nil {
			going := old
			closing.Go(func() { going.retire(ctx) })
			old = nil
		}
		if err != nil {
			if _, ok := errors.AsType[fatal](err); ok {
				return err
			}
			failed++
			c.renewed(err)
			if !wait(ctx, c.Pause(failed)) {
				return nil
			}
			continue
		}
		since := time.Now()
		select {
		case <-fresh.over:
		case <-fresh.leave:
		case <-ctx.Done():
			fresh.close()
			<-fresh.over
			return nil
		}
		old = fresh
		if fresh.used.Load() || time.Since(since) > steady {
			failed = 0
		}
		failed++
		c.renewed(nil)
		if failed > 1 && !wait(ctx, c.Pause(failed-1)) {
			old.close()
			<-old.over
			return nil
		}
	}
}

func (c Client) renewed(err error) {
	if c.Renewed != nil {
		c.Renewed(err)
	}
}

func (c Client) odd() {
	if c.Odd != nil {
		c.Odd()
	}
}

// pause grows from half a second, and is anything up to that: not all notifiers come back at once.
func pause(n int) time.Duration {
	most := min(500*time.Millisecond<<min(n-1, 10), maxPause)
	return most/2 + rand.N(most/2)
}

// wait tells whether the time passed before ctx was done.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
