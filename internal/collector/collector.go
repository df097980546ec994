package collector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/process"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
)

// publisher is what the collector needs of the bus besides its records.
type publisher interface {
	Publish(ctx context.Context, subject string, body []byte, msgID string) (seq uint64, err error)
	Answer(ctx context.Context, subject string, handle func(ctx context.Context, subject string, body []byte) (any, error)) error
	Subjects() schema.Subjects
	Ready() error
}

// Collector publishes the snapshots of one cluster.
type Collector struct {
	cfg     Config
	cluster string
	host    string
	id      string // of this machine's collector of this cluster
	bus     publisher
	log     *slog.Logger
	metrics metrics
	readers []*reader
	wake    chan struct{}
	memory  memory
	claimed map[string]bool // names of recorded clusters that are known to have their tokens to themselves
	last    *schema.ClusterContext
	desk    *desk

	mu        sync.Mutex
	published time.Time // when a snapshot was last stored; guarded by mu
	rival     *owner    // who collects under the same name; guarded by mu
	since     time.Time // when the collector was made
}

// New makes a collector. It fails with ErrNone when the configuration wants none, and on every mistake in it that
// shows before anything runs. log and reg may be nil.
func New(cfg Config, b *bus.Bus, log *slog.Logger, reg prometheus.Registerer) (*Collector, error) {
	cfg = cfg.withDefaults()
	if !cfg.Collects() {
		return nil, ErrNone
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	readers, err := configured(cfg, log)
	if err != nil {
		return nil, err
	}
	return assemble(cfg, b, b.Kept("collector"), readers, log, reg)
}

// assemble puts a collector together from parts that have been checked.
func assemble(cfg Config, p publisher, k keeper, readers []*reader, log *slog.Logger, reg prometheus.Registerer) (*Collector, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("read the host's name, set BELLBUOY_CLUSTER instead: %w", err)
	}
	m, err := newMetrics(reg)
	if err != nil {
		return nil, err
	}
	cluster, err := cfg.named(host)
	if err != nil {
		return nil, err
	}
	id := identity(host, cluster)
	return &Collector{
		cfg: cfg, cluster: cluster, host: host, id: id, bus: p, log: log, metrics: m,
		readers: readers, wake: make(chan struct{}, 1), claimed: map[string]bool{cluster: true}, since: time.Now(), desk: newDesk(),
		memory: memory{
			keeper: k, log: log, cluster: cluster,
			self: owner{Collector: id, Host: host, Boot: bootOf(), Interval: cfg.Interval.Seconds()},
		},
	}, nil
}

// Part is the collector as a part of a process.
func (c *Collector) Part() process.Part {
	return process.Part{Name: "collector", Run: c.run, Ready: c.ready}
}

// run publishes snapshots until ctx is done, and then says goodbye. It returns early only where two clusters would
// share one subject.
func (c *Collector) run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var readers sync.WaitGroup
	for _, r := range c.readers {
		readers.Go(func() { r.run(ctx, c.wake) })
	}
	readers.Go(func() { c.answerLooks(ctx) })
	loop(ctx, c.cfg.Interval, c.wake, func(now time.Time) {
		if err := c.step(ctx, now); errors.Is(err, errTaken) && c.memory.record == nil {
			stop(err)
		} else if err != nil && ctx.Err() == nil {
			c.metrics.failed.Inc()
			c.log.Error("no snapshot this time", "cluster", c.cluster, "error", err)
		}
	})
	c.goodbye(context.WithoutCancel(ctx), time.Now())
	c.release(context.WithoutCancel(ctx), time.Now())
	readers.Wait()
	if err := context.Cause(ctx); errors.Is(err, errTaken) {
		return err
	}
	return nil
}

// step takes one snapshot: read, fold, store the record, publish.
func (c *Collector) step(ctx context.Context, now time.Time) error {
	if c.memory.record == nil {
		if err := c.memory.load(ctx, now); err != nil {
			return err // errTaken ends the run
		}
	}
	if err := c.read(ctx, now); err != nil {
		return err
	}
	now = later(now, time.Now()) // reading takes time, and what has happened meanwhile is in it
	snapshot := c.compose(now)
	if err := c.claim(ctx, snapshot.ClusterName, now); err != nil {
		return err
	}
	if err := c.memory.save(ctx, now); err != nil {
		return err
	}
	c.mu.Lock()
	c.rival = c.memory.rival
	c.mu.Unlock()
	return c.publish(ctx, snapshot)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// compose prunes the record and makes the snapshot of it.
func (c *Collector) compose(now time.Time) schema.ClusterContext {
	present := map[schema.Object]bool{}
	for _, r := range c.readers {
		for i := range r.part.Snapshot.Services {
			present[r.part.Snapshot.Services[i].Object()] = true
		}
	}
	c.memory.record.prune(now, func(o schema.Object) bool { return present[o] })
	return c.snapshot(now)
}

// read asks every source for a reading and takes what comes within the budget. It fails only when ctx is done: then
// what sources say is about that, and their state has to stay as it was stored.
func (c *Collector) read(ctx context.Context, now time.Time) error {
	until := time.Now().Add(budget(c.cfg.Interval))
	for _, r := range c.readers {
		r.begin(c.memory.record.States[r.name], until)
	}
	late, cancel := context.WithDeadline(ctx, until.Add(grace))
	defer cancel()
	for _, r := range c.readers {
		a := r.finish(late)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		c.take(r, a, now)
	}
	return nil
}

// grace is for sources that give up when their time is over, so that their own error is what is told.
const grace = 200 * time.Millisecond

// budget is the time that sources have for one reading. It can be longer than a short interval, because some engines
// need a second or two.
func budget(interval time.Duration) time.Duration {
	return min(max(interval*2/3, 3*time.Second), 10*time.Second)
}

// take folds one reading into what is kept.
func (c *Collector) take(r *reader, a answer, now time.Time) {
	if r.leaveOut(a, c.memory.record.States[r.name], c.log) {
		return
	}
	if r.optional && errors.Is(a.err, source.ErrAbsent) {
		a.err = fmt.Errorf("%w; it was read here before. If it was taken away on purpose, set BELLBUOY_SOURCE to what is left", a.err)
	}
	change := change{at: later(now, a.at)}
	if own := ownHappening(r, a, change.at); own != nil {
		change.happened = append(change.happened, *own)
	}
	if a.err != nil {
		c.metrics.failures.WithLabelValues(r.name).Inc()
	} else {
		c.metrics.read.WithLabelValues(r.name).Observe(a.took.Seconds())
		change.happened = append(change.happened, a.reading.Happened...)
		change.source, change.state = r.name, a.reading.State
	}
	r.took(a, c.log)
	for _, h := range c.memory.fold(change) {
		c.metrics.happened.WithLabelValues(h.Kind).Inc()
	}
}

// ownHappening is what the collector itself has to tell about a reading: that a source fails, can be read again, or
// may have missed something.
func ownHappening(r *reader, a answer, at time.Time) *source.Happening {
	kind, text := "", ""
	switch {
	case a.err != nil && r.failed == nil:
		kind, text = "source_failed", a.err.Error()
	case a.err == nil && r.failed != nil:
		kind, text = "source_recovered", "source "+r.name+" can be read again"
	case a.err == nil && a.reading.GapBefore:
		kind, text = "source_gap", "source "+r.name+" may have missed what happened before this"
	default:
		return nil
	}
	return &source.Happening{
		Key: kind + " " + r.name + " " + at.UTC().Format(time.RFC3339Nano), At: at, Kind: source.Noted,
		Object: schema.Object{Kind: "source", Name: r.name}, Event: kind, Text: text,
	}
}

// claim makes sure that the token of a recorded cluster is not another cluster's.
func (c *Collector) claim(ctx context.Context, cluster string, now time.Time) error {
	if c.claimed[cluster] {
		return nil
	}
	m := memory{keeper: c.memory.keeper, log: c.log, cluster: cluster}
	if err := m.load(ctx, now); err != nil {
		return err
	}
	if err := m.save(ctx, now); err != nil {
		return err
	}
	c.claimed[cluster] = true
	return nil
}

// publish brings the snapshot within its bounds and stores it.
func (c *Collector) publish(ctx context.Context, s schema.ClusterContext) error {
	b, err := bounded(&s)
	if err != nil {
		return fmt.Errorf("snapshot of cluster %s: %w", s.ClusterName, err)
	}
	if _, err := c.bus.Publish(ctx, c.bus.Subjects().Context(s.ClusterName), b, ""); err != nil {
		return fmt.Errorf("publish snapshot of cluster %s: %w", s.ClusterName, err)
	}
	c.metrics.snapshots.Inc()
	c.metrics.bytes.Set(float64(len(b)))
	c.last = &s
	c.desk.show(c.readers)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.published = time.Now()
	return nil
}

// farewell is how long the last snapshot may take to be stored.
const farewell = 2 * time.Second

// goodbye publishes the last snapshot once more, saying that the collector stops on purpose. A recording has its own.
func (c *Collector) goodbye(ctx context.Context, now time.Time) {
	if c.last == nil || c.recorded() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	s := *c.last
	s.Goodbye, s.TakenAt = true, now.UTC()
	if err := c.publish(ctx, s); err != nil {
		c.log.Warn("goodbye was not stored, the cluster will look silent", "error", err)
	}
}

// release leaves the record to whoever comes next.
func (c *Collector) release(ctx context.Context, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	if err := c.memory.release(ctx, now); err != nil {
		c.log.Warn("another machine that takes over will wait until this one looks silent", "error", err)
	}
}

// ready says why snapshots do not come; nil while they do.
func (c *Collector) ready() error {
	if err := c.bus.Ready(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	patience := 3*c.cfg.Interval + budget(c.cfg.Interval)
	switch {
	case c.rival != nil:
		return fmt.Errorf("cluster %s is collected on two machines, %s and %s; set BELLBUOY_CLUSTER on one of them to a name of its own",
			c.cluster, c.host, c.rival.Host)
	case c.published.IsZero():
		return errors.New("no snapshot has been published yet")
	case time.Since(c.published) > patience:
		return fmt.Errorf("no snapshot has been published for %v", time.Since(c.published).Round(time.Second))
	}
	return nil
}
