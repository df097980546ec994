package notifier

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/pace"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const (
	// digestEvery is how often a digest that may be due is looked at. That costs nothing while there is none.
	digestEvery = 2 * time.Second
	// After an outage what is open goes before the digest of what is over: as long as any of it waits, but for no longer than
	// backFor; backAfter is for what waits with other notifiers.
	backAfter = 5 * time.Second
	backFor   = time.Minute
)

// gather puts a conversation among those that the channel is told of together, if it belongs there. done tells that
// nothing is to be posted of it by itself; a wait is as that of attempt.
func (l *loop) gather(ctx context.Context, t *turn, r routing, p plan) (done bool, wait time.Duration, err error) {
	now := l.now()
	digester, ok := l.ch.(channel.Digester)
	if !ok || p.unsure {
		return false, 0, nil
	}
	reason, due := collects(r, p.of, t.told, l.target.state().Out, now)
	if reason == "" {
		return false, 0, nil
	}
	entry := collected{Entry: entryOf(p.of, t.told), Reason: reason, Since: now, Due: due}
	_, said := digester.Digest(channel.Digest{Key: "digest", Reason: reason, Since: now, Until: now, Entries: []channel.Entry{entry.Entry}})
	if !said {
		return false, 0, nil
	}
	if err := l.digests.change(ctx, schema.Token(l.name), func(d digest) (digest, bool) { return d.enter(entry) }); err != nil {
		return true, 0, fmt.Errorf("put conversation %s into the digest of %s: %w", t.id, l.name, err)
	}
	// No episode: there is no card that could be lost, and what comes next is told as news.
	t.told = channel.Told{Revision: p.of.Revision, Lines: p.of.Revision, At: newestAt(p.of), GaveUp: t.told.GaveUp}
	switch err := l.put(ctx, t); {
	case errors.Is(err, bus.ErrConflict):
		wait, err := t.newestWaits(busyDelay(t.m.Deliveries), errBusy)
		return true, wait, err
	case err != nil:
		return true, 0, fmt.Errorf("record that %s is told of %s in a digest: %w", l.name, t.id, err)
	}
	l.metrics.digested(reason, 1)
	return true, 0, nil
}

// entryOf is a conversation as a digest tells it.
func entryOf(c schema.Conversation, told channel.Told) channel.Entry {
	lead := channel.Lead(c, channel.After(c, told.Revision))
	return channel.Entry{
		ID: c.ID, Revision: c.Revision, Episode: c.Episode, Cluster: c.Cluster, Severity: c.Severity, ClosedAs: c.ClosedAs,
		At: newestAt(c), Line: channel.Headline(c, lead),
	}
}

// tellDigests posts digests as they become due.
func (l *loop) tellDigests(ctx context.Context) error {
	if _, ok := l.ch.(channel.Digester); !ok {
		return nil
	}
	tick := time.NewTicker(max(l.scale(digestEvery), time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := l.tellDigest(ctx); err != nil && ctx.Err() == nil {
			l.log.Warn("a digest did not go through; trying again", "err", err)
		}
	}
}

// tellDigest posts the digest that is due, if one is: claim, post, receipt, as for a conversation.
func (l *loop) tellDigest(ctx context.Context) error {
	now, name := l.now(), schema.Token(l.name)
	if l.digests.get(name).due(now, l.isBack(now)) == "" {
		return nil
	}
	answer, err := l.target.ask(ctx, schema.Conversation{}, now)
	if err != nil || answer.Why != pace.Free {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), claimFor)
	defer cancel()
	post, unsure, err := l.claimDigest(ctx, name, now)
	if err != nil || post.Key == "" {
		l.reported(l.target.unused(ctx))
		return err
	}
	began := l.now()
	_, outcome := l.post(ctx, plan{post: &post, unsure: unsure})
	l.reported(l.target.report(ctx, outcome, began, l.now()))
	l.metrics.posts(outcomeName(outcome))
	if outcome == nil {
		l.log.Info("posted a digest", "key", post.Key)
		return l.digests.change(ctx, name, func(d digest) (digest, bool) { return d.over(post.Key), d.batched(post.Key) })
	}
	return l.digestFailed(ctx, name, plan{post: &post, unsure: unsure}, outcome)
}

// isBack tells whether the receiver can be reached, and what is open has gone out to it.
func (l *loop) isBack(now time.Time) bool {
	s := l.target.state()
	return !s.Open() && !s.Gone() && !s.NotBefore.After(now) &&
		now.Sub(s.OutUntil) > backAfter && (l.waiting.count(now) == 0 || now.Sub(s.OutUntil) > backFor)
}

// claimDigest claims the post that is due; its key is empty if somebody else was faster, or the receiver is to hear
// nothing of it.
func (l *loop) claimDigest(ctx context.Context, name string, now time.Time) (post channel.Post, unsure bool, err error) {
	fresh := "digest-" + strings.ToLower(rand.Text()[:16])
	var claimed digest
	err = l.digests.change(ctx, name, func(d digest) (digest, bool) {
		claimed = digest{}
		reason := d.due(now, l.isBack(now))
		if reason == "" {
			return d, false
		}
		claimed = d.claim(reason, fresh, l.holder, now, now.Add(l.claimFor))
		return claimed, true
	})
	if err != nil || claimed.Claim == nil {
		return channel.Post{}, false, err
	}
	key := claimed.Claim.Key
	said := claimed.told(key)
	if said.Reason == channel.AfterOutage {
		said.Until = l.target.state().OutUntil
	}
	post, ok := l.ch.(channel.Digester).Digest(said)
	if !ok {
		return channel.Post{}, false, l.digests.change(ctx, name, func(d digest) (digest, bool) { return d.over(key), true })
	}
	post.Key = key
	return post, key != fresh, nil
}

func (l *loop) digestFailed(ctx context.Context, name string, p plan, outcome error) error {
	now, post := l.now(), p.post
	d := l.digests.get(name)
	firstTry := d.FirstTry
	if firstTry.IsZero() {
		firstTry = now
	}
	v := judge(outcome, d.Attempts+1, firstTry, now)
	if v.action == giveUp {
		letter := bus.DeadLetter{Reason: fmt.Sprintf("gave up digest %s to channel %s: %v", post.Key, l.name, outcome), Body: post.Body}
		if err := l.bus.Dead(ctx, l.name, letter); err != nil {
			return fmt.Errorf("give up digest %s: %w", post.Key, err)
		}
		l.metrics.posts("dead")
		return l.digests.change(ctx, name, func(d digest) (digest, bool) { return d.over(post.Key), true })
	}
	wait := l.pause(v)
	err := l.digests.change(ctx, name, func(d digest) (digest, bool) {
		if d.Claim == nil || d.Claim.Key != post.Key {
			return d, false
		}
		return d.failed(post.Key, v, p.unsure, wait, now), true
	})
	return errors.Join(outcome, err)
}
