package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Handler handles one message. Its context is Consume's; its error is the verdict on the message:
//
//	nil                  handled, never again
//	Poison(err)          to DEAD, never again
//	Later(d, err)        again after d
//	Undecodable(err)     again after a delay; the fifth time in a row with the same words, to DEAD
//	a panic              the same; it is recovered and logged
//	any other            again after a delay that grows from 250 ms to 5 min
//
// Once the context is done, whatever is not nil or to DEAD hands the message to another worker at once.
type Handler func(ctx context.Context, m Message) error

const (
	pullExpires   = 30 * time.Second
	pullHeartbeat = 2 * time.Second // two missed, and the consumer is opened again
	reopenAfter   = 250 * time.Millisecond
	drainWithin   = 2 * time.Second
)

// Consume hands the messages of a durable consumer to h, workers at a time (at least one). Up to 16 workers have a request
// of their own each standing at the server, so that no message waits behind another worker's; more share one request for
// many, which is cheaper, and then up to half as many messages as there are workers, 64 at most, wait in this process for
// one of them. Consume survives lost connections and restarted servers, and returns nil only after ctx is done and the running
// handlers have ended; what arrived meanwhile goes back. A consumer that is not in the topology is an error; one that
// is not set up is waited for.
func (b *Bus) Consume(ctx context.Context, consumer string, workers int, h Handler) error {
	row := consumerOf(consumer)
	if row.Name == "" {
		return fmt.Errorf("consume: there is no consumer %q", consumer)
	}
	c := &consumption{bus: b, row: row, handle: h, log: b.log.With("consumer", consumer)}
	if workers > ownRequestUpTo {
		c.crew(ctx, workers)
		return nil
	}
	var wg sync.WaitGroup
	for range max(1, workers) {
		w := &worker{consumption: c, ahead: 1}
		w.hand = func(d delivery) { w.deliver(ctx, d) }
		wg.Go(func() { w.work(ctx) })
	}
	wg.Wait()
	return nil
}

const (
	// ownRequestUpTo is how many workers have requests of their own.
	ownRequestUpTo = 16
	// mostAhead bounds what waits in this process for a worker: nobody keeps it alive, so it has to get one within AckWait.
	mostAhead = 64
)

// crew lets workers share one request. A message is handed over as soon as one of them is free.
func (c *consumption) crew(ctx context.Context, workers int) {
	hands := make(chan delivery)
	w := &worker{consumption: c, ahead: min(workers/2, mostAhead), hand: func(d delivery) { hands <- d }}
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for d := range hands {
				w.deliver(ctx, d)
			}
		})
	}
	w.work(ctx)
	close(hands)
	wg.Wait()
}

// delivery is a message as it came, and as it is read.
type delivery struct {
	raw jetstream.Msg
	m   Message
	// alive is how often a long handler reports that it is at work.
	alive time.Duration
}

type consumption struct {
	bus     *Bus
	row     Consumer
	handle  Handler
	log     *slog.Logger
	streaks streaks
}

// worker has a request for messages standing at the server.
type worker struct {
	*consumption
	ahead int            // messages that it asks for at once
	hand  func(delivery) // to who handles it; it may block
	alive time.Duration  // how often a long handler reports that it is at work
	seen  uint64         // the newest delivery, as the consumer counts them
}

// work opens the consumer again and again until ctx is done.
func (c *worker) work(ctx context.Context) {
	for ctx.Err() == nil {
		if err := c.pull(ctx); err != nil && ctx.Err() == nil {
			c.log.Warn("consumer interrupted; opening it again", "err", err)
			c.bus.forgetStreams()
			pause(ctx, reopenAfter)
		}
	}
}

// pull hands on one message after the other, until ctx is done or the consumer is lost.
func (c *worker) pull(ctx context.Context) error {
	consumer, err := c.bus.js.Consumer(ctx, c.row.Stream, c.row.Name)
	if err != nil {
		return fmt.Errorf("open consumer %s: %w", c.row.Name, err)
	}
	it, err := consumer.Messages(jetstream.PullMaxMessages(c.ahead), jetstream.PullExpiry(pullExpires), jetstream.PullHeartbeat(pullHeartbeat))
	if err != nil {
		return fmt.Errorf("pull from %s: %w", c.row.Name, err)
	}
	defer it.Stop()
	stop := stopWith(ctx, it)
	defer stop()
	c.alive, c.seen = consumer.CachedInfo().Config.AckWait/3, 0
	for {
		m, err := it.Next()
		switch {
		case errors.Is(err, jetstream.ErrMsgIteratorClosed):
			return nil
		case err != nil:
			return fmt.Errorf("next of %s: %w", c.row.Name, err)
		case ctx.Err() != nil:
			c.giveBack(m)
		default:
			c.take(ctx, m)
		}
	}
}

// stopWith ends it once ctx is done: what is on its way still comes out of it, but not for ever.
func stopWith(ctx context.Context, it jetstream.MessagesContext) (stop func()) {
	over := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		select {
		case <-over:
			return
		case <-ctx.Done():
		}
		it.Drain()
		within := time.NewTimer(drainWithin)
		defer within.Stop()
		select {
		case <-over:
		case <-within.C:
			it.Stop()
		}
	})
	return func() { close(over); wg.Wait() }
}

func (c *consumption) giveBack(m jetstream.Msg) {
	c.bus.metrics.consumed.WithLabelValues(c.row.Name, stopped).Inc()
	if err := m.Nak(); err != nil {
		c.log.Debug("message not given back; it comes again by itself", "err", err)
	}
}

func (c *worker) take(ctx context.Context, raw jetstream.Msg) {
	m, err := c.message(ctx, raw)
	if err != nil {
		c.log.Warn("message not readable now; it comes again", "err", err)
		c.giveBack(raw)
		return
	}
	c.hand(delivery{raw, m, c.alive})
}

// deliver handles a message and answers the server with the verdict.
func (c *consumption) deliver(ctx context.Context, d delivery) {
	if ctx.Err() != nil {
		c.giveBack(d.raw)
		return
	}
	release := c.keepAlive(d)
	err := sheltered(func() error { return c.handle(ctx, d.m) })
	release()
	same := c.streaks.count(d.m.Seq, err)
	v := judge(err, d.m.Deliveries, same, chance())
	if ctx.Err() != nil && v.outcome != acked && v.outcome != dead {
		c.giveBack(d.raw)
		return
	}
	c.report(d.m, v, err)
	c.answer(ctx, d.raw, d.m, v)
}

func (c *worker) message(ctx context.Context, raw jetstream.Msg) (Message, error) {
	meta, err := raw.Metadata()
	if err != nil {
		return Message{}, fmt.Errorf("read metadata: %w", err)
	}
	if meta.Sequence.Consumer <= c.seen {
		c.bus.forgetStreams() // the consumer began to count anew, so its stream may be another one
	}
	c.seen = meta.Sequence.Consumer
	s, err := c.bus.stream(ctx, c.row.Stream)
	if err != nil {
		return Message{}, err
	}
	return delivered(raw, meta, s.epoch), nil
}

// keepAlive tells the server, until released, that a message is being worked on.
func (c *consumption) keepAlive(d delivery) (release func()) {
	if !c.row.KeptAlive || d.alive <= 0 {
		return func() {}
	}
	over := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(d.alive)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
				if err := d.raw.InProgress(); err != nil {
					c.log.Debug("message not kept alive", "err", err)
				}
			}
		}
	})
	return func() { close(over); wg.Wait() }
}

func (c *consumption) report(m Message, v verdict, err error) {
	if err == nil {
		return
	}
	log := c.log.With("subject", logged(m.Subject), "seq", m.Seq, "deliveries", m.Deliveries)
	if p, ok := errors.AsType[panicError](err); ok {
		log.Error("handler panicked", "err", p, "stack", string(p.stack))
	}
	switch v.outcome {
	case dead:
		log.Error("message given up", "reason", logged(v.reason))
	case retried:
		log.Warn("message not handled; it comes again", "err", logged(err.Error()), "after", v.delay)
	}
}

// answer counts the verdict before the server learns it, so that whoever sees a message settled sees it counted.
func (c *consumption) answer(ctx context.Context, raw jetstream.Msg, m Message, v verdict) {
	var tell func() error
	switch v.outcome {
	case acked:
		tell = raw.Ack
	case dead:
		v.outcome, tell = c.bury(ctx, raw, m, v.reason)
	default:
		tell = func() error { return raw.NakWithDelay(v.delay) }
	}
	c.bus.metrics.consumed.WithLabelValues(c.row.Name, v.outcome).Inc()
	if err := tell(); err != nil {
		c.log.Debug("verdict did not reach the server; the message comes again", "err", err, "verdict", v.outcome)
	}
}

// bury stores a dead letter; tell then ends the message. What cannot be stored is not dead.
func (c *consumption) bury(ctx context.Context, raw jetstream.Msg, m Message, reason string) (outcome string, tell func() error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWithin)
	defer cancel()
	letter := DeadLetter{Reason: reason, Consumer: c.row.Name, Subject: m.Subject, Seq: m.Seq, Body: m.Data}
	if err := c.bus.Dead(ctx, c.row.Part, letter); err != nil {
		c.log.Error("dead letter not stored; the message comes again", "err", err)
		return retried, func() error { return raw.NakWithDelay(backoff(m.Deliveries, chance())) }
	}
	return dead, func() error { return raw.TermWithReason(clip(reason, maxTermReason)) }
}

const maxTermReason = 200

// pause waits for d or until ctx is done.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
