// Package notifier tells people: one delivery loop per configured channel over ALERTS. Any number of notifiers run
// side by side.
//
// A message is a nudge. Each one makes the loop read the conversation's head and the record of what the channel has
// been told of it, and ask the channel what comes next; whatever is stored under told.<channel>.<conversation> says
// how far the receiver is. Before a post the record is claimed by compare-and-set, after it the receipt is written,
// then the message is acknowledged. So a receiver hears everything of one conversation in order, each revision under
// one key, and a post is repeated only if its fate is unknown: then under the same key, of the same revision.
// Conversations are delivered concurrently. Of several messages of one conversation only the newest waits for a
// receiver that does not take it.
//
// A post that is given up goes to DEAD; its events go with the conversation's next post. Nothing is posted with
// NOTIFY=shadow, and the records are kept apart (shadow.<channel>.<conversation>), so that the first real post of a
// conversation has everything that was never sent.
package notifier

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/finding"
	"github.com/bellbuoy/bellbuoy/internal/gateway"
	"github.com/bellbuoy/bellbuoy/internal/pace"
	"github.com/bellbuoy/bellbuoy/internal/people"
	"github.com/bellbuoy/bellbuoy/internal/process"
	"github.com/bellbuoy/bellbuoy/internal/route"
)

// workers is how many conversations one notifier delivers to one channel at a time, at most. Most of that time each waits
// for the server or the receiver.
const workers = 256

// Notifier delivers to every configured channel.
type Notifier struct {
	bus    *bus.Bus
	log    *slog.Logger
	loops  []*loop
	routes route.Routes
	shadow bool // nothing is sent
	teller *finding.Teller
	in     http.Handler // takes replies by webhook; nil: none are taken
	ears   []ear        // of the channels that bring replies back
	who    people.Roster

	metrics metrics
	targets *shared[pace.State] // by target
	digests *shared[digest]     // by channel
	records *bus.Joined         // what the channels have been told
}

// New makes a notifier of a valid configuration. reg may be nil.
func New(cfg Config, b *bus.Bus, log *slog.Logger, reg prometheus.Registerer) (*Notifier, error) {
	n := &Notifier{
		bus: b, log: log, shadow: cfg.Notify == NotifyShadow, teller: newTeller(b, rand.Text()[:10]),
		records: b.Kept(bus.PartNotifier).Joined(),
	}
	n.targets = newShared[pace.State](b.Kept(bus.PartNotifier), "target", log)
	n.digests = newShared[digest](b.Kept(bus.PartNotifier), "digest", log)
	m, err := newMetrics(reg)
	if err != nil {
		return nil, fmt.Errorf("register the notifier's metrics: %w", err)
	}
	n.metrics = m
	declared, err := Declared(cfg)
	if err != nil {
		return nil, fmt.Errorf("read what channels there are: %w", err)
	}
	if n.routes, err = Routes(cfg); err != nil {
		return nil, fmt.Errorf("read the routes: %w", err)
	}
	if n.in, err = n.opened(cfg, m); err != nil {
		return nil, fmt.Errorf("open %s: %w", gateway.Path, err)
	}
	if n.who, err = People(cfg); err != nil {
		return nil, fmt.Errorf("read who may say what: %w", err)
	}
	for _, d := range declared {
		ch, err := open(d)
		if err != nil {
			return nil, err
		}
		n.hearing(d, ch, n.shadow)
		l := n.newLoop(d.Name, ch, n.shadow, m)
		l.kind = d.Kind
		l.route = showing(cfg.Logs, l.route)
		if err := m.watch(d.Name, l.waiting, l.target); err != nil {
			return nil, fmt.Errorf("register the metrics of channel %s: %w", d.Name, err)
		}
		if err := m.degrades(d.Name, ch); err != nil {
			return nil, fmt.Errorf("register the metrics of channel %s: %w", d.Name, err)
		}
		n.loops = append(n.loops, l)
	}
	return n, nil
}

func (n *Notifier) newLoop(name string, ch channel.Channel, shadowed bool, m metrics) *loop {
	log := n.log.With("channel", name)
	l := &loop{
		name: name, ch: ch, bus: n.bus, kept: n.records, subjects: n.bus.Subjects(), prefix: "told",
		holder: rand.Text()[:10], now: time.Now, pause: jittered, log: log, metrics: m.of(name), waiting: newWaiting(), window: newWindow(), route: routed(&n.routes, name),
		digests: n.digests, claimFor: claimFor, scale: func(d time.Duration) time.Duration { return d },
	}
	l.target = targetOf(name, ch, l.holder, n.targets)
	if shadowed {
		l.ch, l.prefix = shadow{ch, log}, "shadow"
		l.target = targetOf("shadow-"+name, l.ch, l.holder, n.targets)
	}
	l.standIns = func() []*loop { return n.others(l) }
	return l
}

// Part is the notifier as a part of a process.
func (n *Notifier) Part() process.Part {
	return process.Part{Name: "notifier", Run: n.run, Ready: n.bus.Ready, Handle: n.pages}
}

func (n *Notifier) run(ctx context.Context) error {
	var consumers []string
	for _, l := range n.loops {
		consumers = append(consumers, bus.Notify(l.name))
	}
	if err := n.bus.Check(ctx, consumers...); err != nil {
		return fmt.Errorf("start the notifier: %w", err)
	}
	n.announce()
	g, ctx := errgroup.WithContext(ctx)
	known := n.follow(ctx, g)
	for _, l := range n.loops {
		g.Go(func() error {
			select {
			case <-known:
				return l.run(ctx)
			case <-ctx.Done():
				return nil
			}
		})
	}
	for _, e := range n.ears {
		g.Go(func() error { return n.listen(ctx, e) })
	}
	g.Go(func() error { return n.tellTrouble(ctx) })
	g.Go(func() error { return n.bus.Serve(ctx, n.service()) })
	return g.Wait()
}

// follow keeps the shared records in memory. known is closed once all that was there is.
func (n *Notifier) follow(ctx context.Context, g *errgroup.Group) (known <-chan struct{}) {
	kept, done := n.bus.Kept(bus.PartNotifier), make(chan struct{})
	var left atomic.Int32
	left.Store(2)
	caughtUp := func() {
		if left.Add(-1) == 0 {
			close(done)
		}
	}
	g.Go(func() error { return n.targets.follow(ctx, kept, caughtUp) })
	g.Go(func() error { return n.digests.follow(ctx, kept, caughtUp) })
	return done
}

func (n *Notifier) announce() {
	if len(n.loops) == 0 {
		n.log.Info("no channel is configured, so nothing is posted anywhere; set BELLBUOY_WEBHOOK_URL or BELLBUOY_CHANNELS_FILE")
	}
	for _, l := range n.loops {
		l.log.Info("notifying", "records", l.prefix)
	}
}

// run delivers until ctx is done. A post that is on its way then is waited for, at most as long as a claim lasts.
func (l *loop) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return l.bus.Consume(ctx, bus.Notify(l.name), workers, l.handle) })
	g.Go(func() error { return l.tellDigests(ctx) })
	err := g.Wait()
	if c, ok := l.ch.(io.Closer); ok {
		err = errors.Join(err, c.Close())
	}
	return err
}
