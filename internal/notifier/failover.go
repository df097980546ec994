package notifier

import (
	"context"
	"fmt"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/pace"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const (
	// failoverAfter is how long a critical conversation waits for its channel before another one tells of it too.
	failoverAfter = 2 * time.Minute
	// failoverAgain is how soon that is tried again where no other channel took it.
	failoverAgain = 30 * time.Second
)

// orElse sees to it that somebody hears of a critical conversation that this channel cannot take: through another one,
// once it has waited for long. Here it goes on waiting, and is told once the channel works again.
func (l *loop) orElse(ctx context.Context, t *turn, p plan, wait time.Duration, err error) (time.Duration, error) {
	now := l.now()
	since := stuckSince(p.of, t.told, l.target.state())
	if wait <= 0 || since.IsZero() || !calls(t.head, t.told, p) {
		return wait, err
	}
	others := l.standIns()
	if len(others) == 0 {
		return wait, err
	}
	if left := failoverAfter - now.Sub(since); left > 0 {
		return min(wait, left), err
	}
	if l.standInFor(ctx, t, others) {
		return wait, err
	}
	return min(wait, failoverAgain), err
}

// calls tells whether somebody has to hear of it: a critical conversation that is open, and that these people do not
// know of yet or are to be called for again.
func calls(c schema.Conversation, told channel.Told, p plan) bool {
	return c.Severity == schema.SeverityCritical && !c.Closed() && (!channel.Knows(c, told) || p.post.Sound > channel.Quietly)
}

// stuckSince is since when a conversation has waited for a channel that does not take it; zero: it does not wait for that.
func stuckSince(c schema.Conversation, told channel.Told, s pace.State) time.Time {
	if !told.FirstTry.IsZero() {
		return told.FirstTry
	}
	since := s.BlockedSince()
	news := channel.After(c, told.Revision)
	if since.IsZero() || len(news) == 0 || news[0].At.Before(since) {
		return since
	}
	return news[0].At
}

// standInFor tells of it through another channel. It is true if some other channel's people know.
func (l *loop) standInFor(ctx context.Context, t *turn, others []*loop) bool {
	for _, other := range others {
		told, err := other.toldOf(ctx, t.id)
		if err == nil && channel.Knows(t.head, told) {
			return true
		}
	}
	for _, other := range others {
		taken, err := other.standIn(ctx, t.m, l.name)
		if err != nil {
			l.log.Warn("another channel cannot stand in", "conversation", t.id, "through", other.name, "err", err)
		}
		if taken {
			l.log.Warn("told through another channel", "conversation", t.id, "through", other.name)
			l.metrics.failover(other.name)
			return true
		}
	}
	return false
}

// standIn tells of a conversation in the place of the channel from. Its own record sees to it that this happens once,
// whoever tries.
func (l *loop) standIn(ctx context.Context, m bus.Message, from string) (taken bool, err error) {
	m.Newest = false // it was when it came
	t, err := l.read(ctx, m)
	if err != nil || t.head.ID == "" {
		return false, err
	}
	for range rounds {
		now := l.now()
		r := l.route(t.head, now)
		r.tell, r.terms.StandsInFor = true, from
		p := decide(l.ch, r, t.head, t.hand, t.told, now)
		if p.post == nil {
			return p.busy == 0 && channel.Knows(t.head, t.told), nil
		}
		answer, err := l.target.ask(ctx, t.head, now)
		if err != nil || answer.Why != pace.Free {
			return false, err
		}
		t.told.StandsIn = from
		if wait, err := l.deliver(ctx, t, p); wait != 0 || err != nil {
			return false, fmt.Errorf("stand in for %s: %w", from, err)
		}
	}
	return channel.Knows(t.head, t.told), nil
}

// others are the channels that may tell in the place of l, in the order in which they are configured: those that have
// another target, and of which nothing is known to be wrong.
func (n *Notifier) others(l *loop) []*loop {
	var list []*loop
	for _, other := range n.loops {
		if other != l && other.target.id != l.target.id && other.target.state().BlockedSince().IsZero() && !other.complained.Load() {
			list = append(list, other)
		}
	}
	return list
}
