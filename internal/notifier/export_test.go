package notifier

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/pace"
	"github.com/bellbuoy/bellbuoy/internal/schema"
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

// SetChannels puts something between the loops and their channels.
func (n *Notifier) SetChannels(wrap func(channel.Channel) channel.Channel) {
	for _, l := range n.loops {
		l.ch = wrap(l.ch)
	}
}

// SetScale makes every wait as long as scale says.
func (n *Notifier) SetScale(scale func(time.Duration) time.Duration) {
	for _, l := range n.loops {
		l.scale = scale
	}
}

// SetClaim makes claims last that long.
func (n *Notifier) SetClaim(d time.Duration) {
	for _, l := range n.loops {
		l.claimFor = d
	}
}

// Learn reads what the notifiers share, which one that runs follows.
func (n *Notifier) Learn(ctx context.Context) error {
	var failed error
	for _, l := range n.loops {
		failed = errors.Join(failed, n.targets.reload(ctx, l.target.id), n.digests.reload(ctx, schema.Token(l.name)))
	}
	return failed
}

// Breaker is what is known of the target of the channel of that name.
func (n *Notifier) Breaker(name string) pace.State {
	l, err := n.loopOf(name)
	if err != nil {
		return pace.State{}
	}
	return l.target.state()
}

// Add gives the notifier one more channel, whose consumer has to be set up.
func (n *Notifier) Add(name string, ch channel.Channel) {
	n.loops = append(n.loops, n.newLoop(name, ch, false, n.metrics))
}

// Routing is what a test's routes say.
type Routing struct {
	Tell   bool
	Digest time.Time
}

// SetRoute routes the conversations for the channel of that name.
func (n *Notifier) SetRoute(name string, route func(c schema.Conversation, now time.Time) Routing) {
	l, err := n.loopOf(name)
	if err != nil {
		panic(err)
	}
	l.route = func(c schema.Conversation, now time.Time) routing {
		r := route(c, now)
		return routing{tell: r.Tell, digest: r.Digest}
	}
}

// TellDigest posts a channel's digest if it is due.
func (n *Notifier) TellDigest(ctx context.Context, name string) error {
	l, err := n.loopOf(name)
	if err != nil {
		return err
	}
	return l.tellDigest(ctx)
}

// StepThrough takes one step of the loop of that name.
func (n *Notifier) StepThrough(ctx context.Context, name string, m bus.Message) (time.Duration, error) {
	l, err := n.loopOf(name)
	if err != nil {
		return 0, err
	}
	return l.step(ctx, m)
}

// Handle is the consumer's handler of the loop of that name.
func (n *Notifier) Handle(ctx context.Context, name string, m bus.Message) error {
	l, err := n.loopOf(name)
	if err != nil {
		return err
	}
	return l.handle(ctx, m)
}

// Waiting is how many conversations wait for the channel of that name, until then or longer.
func (n *Notifier) Waiting(name string, until time.Time) int {
	l, err := n.loopOf(name)
	if err != nil {
		return 0
	}
	l.waiting.mu.Lock()
	defer l.waiting.mu.Unlock()
	waits := 0
	for _, due := range l.waiting.due {
		if !due.Before(until) {
			waits++
		}
	}
	return waits
}

// SetRate gives the channel of that name a rate.
func (n *Notifier) SetRate(name string, every time.Duration, burst int) {
	if l, err := n.loopOf(name); err == nil {
		l.target.rate = pace.Rate{Every: every, Burst: burst}
	}
}

// CountShared counts the reads and writes of what the notifiers share.
func (n *Notifier) CountShared() *atomic.Int64 {
	c := &counted{Records: n.targets.kept}
	n.targets.kept, n.digests.kept = c, c
	return &c.n
}

type counted struct {
	Records
	n atomic.Int64
}

func (c *counted) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	c.n.Add(1)
	return c.Records.Get(ctx, key)
}

func (c *counted) Put(ctx context.Context, key string, data []byte, expect uint64) (uint64, error) {
	c.n.Add(1)
	return c.Records.Put(ctx, key, data, expect)
}

// ConditionOf is the state of a target for people.
var ConditionOf = conditionOf

// Retry tells a conversation through the channel of that name, which has given it up.
func (n *Notifier) Retry(ctx context.Context, name string, c schema.Conversation) (client.RetryResponse, error) {
	l, err := n.loopOf(name)
	if err != nil {
		return client.RetryResponse{}, err
	}
	return l.retry(ctx, c)
}
