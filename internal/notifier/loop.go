package notifier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/pace"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// alerts is what a loop needs of the bus.
type alerts interface {
	Consume(ctx context.Context, consumer string, workers int, h bus.Handler) error
	Head(ctx context.Context, cluster, id string) (bus.Head, error)
	HeadUnless(ctx context.Context, cluster, id string, seq uint64) (h bus.Head, newest bool, err error)
	Dead(ctx context.Context, who string, d bus.DeadLetter) error
}

// records are the notifier's kept records.
type records interface {
	Get(ctx context.Context, key string) (data []byte, rev uint64, err error)
	Put(ctx context.Context, key string, data []byte, expect uint64) (rev uint64, err error)
}

// loop delivers through one channel. It keeps nothing that another notifier would miss.
type loop struct {
	name     string
	kind     string // of the channel
	ch       channel.Channel
	bus      alerts
	kept     records
	subjects schema.Subjects
	prefix   string // of the records' keys
	holder   string // who claims
	now      func() time.Time
	pause    func(verdict) time.Duration
	log      *slog.Logger
	metrics  channelMetrics
	waiting  *waiting
	trouble  trouble
	route    func(c schema.Conversation, now time.Time) routing

	window     *window
	target     *target
	digests    *shared[digest]
	scale      func(time.Duration) time.Duration // of every wait, for tests
	claimFor   time.Duration
	standIns   func() []*loop // who may tell in this one's place, best first
	complained atomic.Bool    // that the channel is set up wrongly
}

const (
	// claimFor is how long a claim stands: longer than any post takes, and longer than two notifiers' clocks differ.
	claimFor = 20 * time.Second
	// rounds bounds how many posts one nudge may cause; there is a second one after a post of unknown fate.
	rounds = 4
	// firstBusy and maxBusy bound how long a nudge waits when somebody else is posting.
	firstBusy = 20 * time.Millisecond
	maxBusy   = time.Second
)

// handle is the consumer's handler: it takes one step and says it in the bus's words.
func (l *loop) handle(ctx context.Context, m bus.Message) error {
	wait, err := l.step(ctx, m)
	switch {
	case errors.Is(err, errRouted): // it waits for its time, not for the receiver
		l.waiting.remove(m.Subject)
	case wait > 0:
		l.waiting.add(m.Subject, l.now().Add(wait))
	}
	if wait > 0 {
		return bus.Later(max(l.scale(wait), time.Millisecond), err)
	}
	if err == nil {
		l.waiting.remove(m.Subject)
	}
	return err
}

// turn is one nudge and all that was read for it.
type turn struct {
	m    bus.Message
	id   string
	head schema.Conversation
	told channel.Told
	rev  uint64 // of the record told

	lettered bool // a dead letter tells already that it was given up
	unread   bool // the record, because nobody can have been told yet

	cluster string // token
	inHand  *schema.Conversation
}

// hand is the state that came with the nudge. It is empty if that cannot be read or does not count, because it is not
// an event that Bellbuoy stored: such a message nudges all the same.
func (t *turn) hand() schema.Conversation {
	if t.inHand == nil {
		a, err := schema.DecodeAlert(t.m.Data, t.cluster, t.id)
		if err != nil || t.m.Event == "" {
			a.Conversation = schema.Conversation{}
		}
		t.inHand = &a.Conversation
	}
	return *t.inHand
}

// step does all that one nudge asks for. A wait means that the nudge is to come again then, its error why; an error
// without a wait is the bus's own verdict.
func (l *loop) step(ctx context.Context, m bus.Message) (wait time.Duration, err error) {
	t, err := l.read(ctx, m)
	if err != nil || t.head.ID == "" {
		return 0, err
	}
	wait, err = l.tell(ctx, t)
	return max(wait, 0), err
}

// tell makes one post after another until nothing is to be told. A wait of spokenFor ends it too.
func (l *loop) tell(ctx context.Context, t *turn) (wait time.Duration, err error) {
	for range rounds {
		now := l.now()
		r := l.route(t.head, now)
		p := decide(l.ch, r, t.head, t.hand, t.told, now)
		switch {
		case p.busy > 0:
			return t.newestWaits(min(p.busy, busyDelay(t.m.Deliveries)), errBusy)
		case p.post == nil && p.later.After(now):
			return t.newestWaits(p.later.Sub(now), errRouted)
		case p.post == nil && informs(r, t.head, t.told, now):
			_, wait, err := l.gather(ctx, t, r, plan{of: t.head})
			return wait, err
		case p.post == nil:
			return 0, nil
		}
		if done, wait, err := l.gather(ctx, t, r, p); done || err != nil {
			return wait, err
		}
		if wait, err := l.attempt(ctx, t, p); wait != 0 || err != nil {
			return l.orElse(ctx, t, p, wait, err)
		}
	}
	return t.newestWaits(firstBusy, errBusy)
}

// attempt makes the post, unless its target is to be left alone now. That burns nothing.
func (l *loop) attempt(ctx context.Context, t *turn, p plan) (wait time.Duration, err error) {
	if err := l.window.enter(ctx); err != nil {
		return 0, err
	}
	defer l.window.leave()
	now := l.now()
	if t.head.Severity != schema.SeverityCritical && l.waiting.criticalComes(now) {
		return t.newestWaits(giveWay, errGivesWay)
	}
	answer, err := l.target.ask(ctx, t.head, now)
	if err != nil {
		return 0, fmt.Errorf("ask whether %s may be posted to: %w", l.name, err)
	}
	if answer.Why != pace.Free {
		l.metrics.held(answer.Why)
		wait := turnAfter(answer, t.head.Severity, l.waiting.ahead(t.m.Subject, schema.SeverityRank(t.head.Severity)), l.target.rate.Every)
		return t.newestWaits(wait, heldError(answer.Why))
	}
	if t.told.Revision > 0 && !channel.Knows(p.of, t.told) {
		t.told.StandsIn = "" // that was another episode
	}
	return l.deliver(ctx, t, p)
}

var (
	errBusy = errors.New("somebody else is posting of this conversation")

	errRouted   = errors.New("the routes do not send it here yet")
	errGivesWay = errors.New("a critical one goes first")
)

// heldError says why nothing is posted.
type heldError pace.Why

func (e heldError) Error() string {
	switch pace.Why(e) {
	case pace.Gone:
		return "the receiver is gone for good"
	case pace.Opened:
		return "the receiver has failed too often; waiting for a probe"
	case pace.Limited:
		return "the receiver takes no more posts in that time"
	case pace.Paused:
		return "the receiver has asked for a pause"
	case pace.Free:
	}
	return "the receiver may be posted to"
}

// busyDelay grows with the deliveries of a nudge, because a receiver may keep the other one for long.
func busyDelay(deliveries int) time.Duration {
	return min(firstBusy<<min(max(deliveries-1, 0), 10), maxBusy)
}

// read reads the head and the record, both at once: their two ways to the server are most of a nudge's time that is
// not spent on writing. What need not be read is not: the newest message of the whole stream is its conversation's head,
// and nobody can have been told of what has just begun; if somebody was after all, the claim fails. The head is empty if
// the conversation has been erased.
func (l *loop) read(ctx context.Context, m bus.Message) (*turn, error) {
	cluster, _, id, err := l.subjects.ParseAlert(m.Subject)
	if err != nil {
		return nil, bus.Poison(fmt.Errorf("read a nudge: %w", err))
	}
	t := &turn{m: m, cluster: cluster, id: id}
	var record []byte
	g, gctx := errgroup.WithContext(ctx)
	t.unread = m.Deliveries == 1 && t.hand().Revision == 1
	if t.isNewest() {
		t.head = t.hand()
	} else {
		g.Go(func() (err error) { t.head, err = l.head(gctx, t); return err })
	}
	if !t.unread {
		g.Go(func() (err error) { record, t.rev, err = l.kept.Get(gctx, l.key(id)); return err })
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("read conversation %s and what %s was told of it: %w", id, l.name, err)
	}
	if t.unread && t.head.Revision > 1 {
		return t, l.reread(ctx, t)
	}
	l.decode(t, record)
	return t, nil
}

// head is the conversation's newest state, which most often is the one in hand.
func (l *loop) head(ctx context.Context, t *turn) (schema.Conversation, error) {
	if t.hand().ID == "" {
		head, err := l.bus.Head(ctx, t.cluster, t.id)
		return head.Conversation, err
	}
	head, newest, err := l.bus.HeadUnless(ctx, t.cluster, t.id, t.m.Seq)
	if newest {
		return t.hand(), nil
	}
	return head.Conversation, err
}

// isNewest tells whether the message in hand was the newest of the whole stream when it came, and so the head of its
// conversation: reading that again would give it back.
func (t *turn) isNewest() bool { return t.m.Newest && t.m.Deliveries == 1 && t.hand().ID != "" }

// reread reads again what the receiver has been told.
func (l *loop) reread(ctx context.Context, t *turn) error {
	record, rev, err := l.kept.Get(ctx, l.key(t.id))
	if err != nil {
		return fmt.Errorf("read what %s was told of %s: %w", l.name, t.id, err)
	}
	t.rev, t.unread = rev, false
	l.decode(t, record)
	return nil
}

// decode takes a record for what the receiver was told of this conversation. A receiver that hears twice is better
// off than one that never hears, so a record that is not readable, or of another life, is as good as none.
func (l *loop) decode(t *turn, record []byte) {
	t.told = channel.Told{}
	if len(record) == 0 {
		return
	}
	if err := json.Unmarshal(record, &t.told); err != nil {
		l.log.Error("record of what was told is not readable; telling all of the conversation again", "conversation", t.id, "err", err)
		t.told = channel.Told{}
	}
	if begunAnew(t.head, t.told) {
		t.told = channel.Told{}
	}
}

func (l *loop) key(id string) string { return l.prefix + "." + schema.Token(l.name) + "." + id }

// spokenFor is the wait of a message that does not come again.
const spokenFor = -1

// newestWaits lets only the newest message of a conversation come again: for the others it speaks.
func (t *turn) newestWaits(wait time.Duration, err error) (time.Duration, error) {
	if hand := t.hand(); hand.ID != "" && hand.Revision < t.head.Revision {
		return spokenFor, nil
	}
	return max(wait, time.Millisecond), err
}
