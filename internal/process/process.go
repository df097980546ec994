// Package process is what every daemon does the same way: signals, exit codes, flags, the logger, the HTTP server with
// health and metrics, and stopping in order. It knows nothing of what its parts do.
//
// Main is the only place with signals and os.Exit; Run needs neither, so tests run whole daemons in process. Parts
// start together and stop one after the other, the last one first; the HTTP server stops after all of them. The first
// part to end by itself, whether with an error or without, ends the process.
package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Part is one of the things that a process does. In `bellbuoy up` three of them live in one.
type Part struct {
	Name string
	// Run does the work. It returns nil only once ctx is done and its work is put away.
	Run func(ctx context.Context) error
	// Ready says why the part cannot do its work now; nil: it can. It answers at once and may be called at any time
	// and from several goroutines. A part without it is always ready.
	Ready func() error
	// Handle adds the part's own pages to the HTTP server; may be nil.
	Handle func(mux *http.ServeMux)
}

// DefaultGrace is how long all parts together may take to stop.
const DefaultGrace = 10 * time.Second

// Options say what a process consists of. The zero value runs nothing until its context is done.
type Options struct {
	Name     string
	Log      *slog.Logger         // nil: nothing is logged
	HTTPAddr string               // without a host: loopback; empty: no server
	Listener net.Listener         // instead of HTTPAddr; Run closes it
	Registry *prometheus.Registry // nil: one of its own
	Parts    []Part
	Grace    time.Duration // 0: DefaultGrace
}

// Run runs all parts until ctx is done or one of them ends, then stops them in reverse order within Grace. It returns
// nil if it was ctx that ended it and every part stopped well; else the errors of all parts, each with its part's name.
func Run(ctx context.Context, o Options) error {
	o = o.withDefaults()
	parts := o.Parts
	var stopping stopping
	if o.HTTPAddr != "" || o.Listener != nil {
		server, err := newServer(o, &stopping)
		if err != nil {
			return err
		}
		parts = slices.Insert(slices.Clone(parts), 0, server.part())
	}
	first := make(chan *running, len(parts))
	all := start(ctx, parts, first)
	o.Log.Info("started", "process", o.Name, "version", Version(), "parts", names(o.Parts))

	early := waitForEnd(ctx, first)
	stopping.begin()
	o.Log.Info("stopping", "process", o.Name, "why", why(ctx, early))
	drain(all, o.Grace)
	return outcome(all, o.Grace)
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	if o.Grace <= 0 {
		o.Grace = DefaultGrace
	}
	return o
}

func names(parts []Part) []string {
	var all []string
	for _, p := range parts {
		all = append(all, p.Name)
	}
	return all
}

// waitForEnd gives the part that ended by itself, or nil once ctx is done.
func waitForEnd(ctx context.Context, first <-chan *running) *running {
	select {
	case <-ctx.Done():
		return nil
	case r := <-first:
		return r
	}
}

func why(ctx context.Context, early *running) string {
	if early != nil {
		return early.problem().Error()
	}
	return context.Cause(ctx).Error()
}

// running is a part that has been started.
type running struct {
	Part
	ctx   context.Context
	stop  context.CancelFunc
	ended chan struct{} // closed after the fields below are set
	err   error
	early bool // ended before it was told to
}

// start gives every part a context of its own, as they are not to stop all at once when ctx is done.
func start(ctx context.Context, parts []Part, first chan<- *running) []*running {
	var all []*running
	for _, p := range parts {
		r := &running{Part: p, ended: make(chan struct{})}
		r.ctx, r.stop = context.WithCancel(context.WithoutCancel(ctx))
		all = append(all, r)
		go r.run(first)
	}
	return all
}

func (r *running) run(first chan<- *running) {
	r.err = r.Run(r.ctx)
	r.early = r.ctx.Err() == nil
	close(r.ended)
	first <- r
}

// drain stops the parts from the last to the first, each once the one before has ended or has used its share of the
// time that is left. Those that were slow get what remains at the end.
func drain(all []*running, grace time.Duration) {
	deadline := time.Now().Add(grace)
	for i, r := range slices.Backward(all) {
		r.stop()
		r.await(time.Until(deadline) / time.Duration(i+1))
	}
	for _, r := range all {
		r.await(time.Until(deadline))
	}
}

func (r *running) await(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-r.ended:
	case <-timer.C:
	}
}

// outcome joins what went wrong with each part.
func outcome(all []*running, grace time.Duration) error {
	var errs []error
	for _, r := range all {
		select {
		case <-r.ended:
			errs = append(errs, r.problem())
		default:
			errs = append(errs, fmt.Errorf("%s: still busy %v after it was told to stop", r.Name, grace))
		}
	}
	return errors.Join(errs...)
}

// problem is what was wrong about how the part ended. To be called after ended is closed.
func (r *running) problem() error {
	switch {
	case r.early && r.err == nil:
		return fmt.Errorf("%s: ended although nobody told it to", r.Name)
	case r.err == nil, !r.early && errors.Is(r.err, context.Canceled):
		return nil
	}
	return fmt.Errorf("%s: %w", r.Name, r.err)
}
