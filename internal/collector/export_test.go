package collector

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
)

type (
	// Publisher and Keeper are what a collector needs of the bus.
	Publisher = publisher
	Keeper    = keeper
)

// Fake is a source of a test's own. Recorded: it plays a recording and counts nothing. Optional: it may be absent.
type Fake struct {
	Name     string
	Recorded bool
	Optional bool
	Parts    []string
	Open     func(ctx context.Context, state json.RawMessage) (source.Source, error)
}

// NewWith is a collector of a test's own sources.
func NewWith(cfg Config, p Publisher, k Keeper, log *slog.Logger, reg prometheus.Registerer, fakes ...Fake) (*Collector, error) {
	var readers []*reader
	for _, f := range fakes {
		open := func(ctx context.Context, o opening) (source.Source, error) { return f.Open(ctx, o.state) }
		r := newReader(f.Name, kind{name: f.Name, counts: !f.Recorded, recorded: f.Recorded, parts: f.Parts, open: open}, opening{log: log, config: cfg})
		r.optional = f.Optional
		readers = append(readers, r)
	}
	return assemble(cfg.withDefaults(), p, k, readers, log, reg)
}

// Sources starts what reads the sources, for tests that call Step themselves. It ends with the test, or by stop.
func (c *Collector) Sources(t testing.TB) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var readers sync.WaitGroup
	for _, r := range c.readers {
		readers.Go(func() { r.run(ctx, c.wake) })
	}
	stop = sync.OnceFunc(func() {
		cancel()
		readers.Wait()
	})
	t.Cleanup(stop)
	return stop
}

// At makes the collector that of another machine.
func (c *Collector) At(host string) { c.In(host, host) }

// In makes the collector that of a container on another machine.
func (c *Collector) In(name, machine string) {
	c.host, c.id = name, name+"-00000000"
	c.memory.self.Host, c.memory.self.Collector, c.memory.self.Boot = c.host, c.id, machine
}

// Stop says goodbye and releases the record, as a collector does that ends.
func (c *Collector) Stop(ctx context.Context, now time.Time) {
	c.goodbye(ctx, now)
	c.release(ctx, now)
}

// Unasked are the sources of a configuration that nobody named.
func Unasked(cfg Config) (names []string, err error) {
	readers, err := configured(cfg, slog.New(slog.DiscardHandler))
	for _, r := range readers {
		if r.opening.unasked && r.optional {
			names = append(names, r.name)
		}
	}
	return names, err
}

// Step takes one snapshot as if it were now.
func (c *Collector) Step(ctx context.Context, now time.Time) error { return c.step(ctx, now) }

// Bounded brings a snapshot within the bounds.
func Bounded(s schema.ClusterContext) (schema.ClusterContext, []byte, error) {
	b, err := bounded(&s)
	return s, b, err
}

// Fit is the last part of Bounded with a limit of one's own.
func Fit(s schema.ClusterContext, limit int) (schema.ClusterContext, []byte, error) {
	b, err := fit(&s, limit)
	return s, b, err
}

// The loop's parts.
var (
	Loop   = loop
	Varied = varied
	Budget = budget
	// Identity is the id of this machine's collector.
	Identity = identity
)

// NewRation tells of each moment whether one more look-up is allowed then.
func NewRation() func(time.Time) bool { return new(rate).take }
