package notifier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/finding"
	"github.com/bellbuoy/bellbuoy/internal/pace"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const (
	// failingAfter is for how long posts have to fail, while one waits, until the channel counts as failing.
	failingAfter = 2 * time.Minute
	// failingTries is how many attempts in a row do as well.
	failingTries = 5
	// pausedFor is for how long a receiver may ask for pauses and take nothing, while something waits, until the channel does.
	pausedFor = 15 * time.Minute
	// troubleEvery is how often that is looked at.
	troubleEvery = 5 * time.Second

	clock = "15:04:05 UTC"
)

// trouble is how the posts of a channel have gone since the last one that went through.
type trouble struct {
	mu    sync.Mutex
	tries int       // in vain
	since time.Time // of the first of them
	why   string    // of the last
	last  attempt
}

// attempt is a post that did not go through.
type attempt struct {
	id       string // of the conversation
	revision int
}

// went notes the outcome of an attempt. A receiver that asks for a pause works, and a body that is too large, or a post
// that is gone, is not the channel's fault.
func (t *trouble) went(of attempt, outcome error, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var throttled channel.Throttled
	switch {
	case outcome == nil:
		t.tries, t.since, t.why, t.last = 0, time.Time{}, "", attempt{}
	case errors.As(outcome, &throttled), errors.Is(outcome, channel.ErrTooBig), errors.Is(outcome, channel.ErrLostRoot):
	default:
		if t.tries++; t.tries == 1 {
			t.since = now
		}
		t.why, t.last = problem(outcome), of
	}
}

// judge tells whether the channel of that name is failing. What has failed for long counts while a post waits; one that
// was given up, with nothing behind it, is in DEAD.
// A target that all notifiers leave alone counts, whoever found out.
func (t *trouble) judge(name string, now time.Time, w waits, target pace.State) []schema.Finding {
	t.mu.Lock()
	defer t.mu.Unlock()
	title, since, facts := fmt.Sprintf("channel %s: posts do not go through", name), target.Since, []string{}
	switch {
	case target.Gone():
		title, since = fmt.Sprintf("channel %s: its receiver answered that it is gone for good", name), target.GoneAt
		facts = append(facts, "nothing is posted to it until its URL is changed, or a test goes through: `bellbuoy test NAME`", "it said: "+target.Problem)
	case target.Open():
		facts = append(facts, fmt.Sprintf("%d attempts in vain since %s", target.Failures, since.UTC().Format(clock)), "the last: "+target.Problem)
	case !target.PausedAt.IsZero() && w.all > 0 && now.Sub(target.PausedAt) >= pausedFor:
		title, since = fmt.Sprintf("channel %s: its receiver asks for one pause after another and takes nothing", name), target.PausedAt
		facts = append(facts, "the present one lasts until "+target.NotBefore.UTC().Format(clock), fmt.Sprintf("%d conversations wait", w.all))
	case t.tries < failingTries && (t.tries == 0 || w.all == 0 || now.Sub(t.since) < failingAfter):
		return nil
	default:
		since = t.since
		facts = append(facts, fmt.Sprintf("%d attempts in vain since %s", t.tries, since.UTC().Format(clock)), "the last: "+t.why)
	}
	severity := schema.SeverityWarning
	if w.critical > 0 {
		severity = schema.SeverityCritical
		facts = append(facts, fmt.Sprintf("%d critical conversations wait for it", w.critical))
	}
	return []schema.Finding{{
		Object: schema.Object{Kind: schema.KindChannel, Name: name}, Condition: schema.ChannelFailing, Severity: severity, Since: since,
		Title: title, Facts: facts,
	}}
}

// waits is how many conversations wait for a channel. Those about Bellbuoy itself do not make its trouble worse.
type waits struct{ all, critical int }

func (w *waiting) waits(now time.Time, subjects schema.Subjects) waits {
	all := waits{all: w.count(now)}
	w.mu.Lock()
	defer w.mu.Unlock()
	for subject := range w.due {
		cluster, severity, _, err := subjects.ParseAlert(subject)
		if err == nil && severity == schema.SeverityCritical && cluster != schema.Token(schema.OwnCluster) {
			all.critical++
		}
	}
	return all
}

// tellTrouble says which channels are failing. A failing one tells of itself as of anything else, once it works again;
// people hear of it through the others.
func (n *Notifier) tellTrouble(ctx context.Context) error {
	tick := time.NewTicker(troubleEvery)
	defer tick.Stop()
	failed := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := n.troubleStep(ctx)
		if err != nil && !failed && ctx.Err() == nil {
			n.log.Warn("a channel's trouble cannot be told meanwhile", "err", err)
		}
		failed = err != nil
	}
}

func (n *Notifier) troubleStep(ctx context.Context) error {
	var firing []schema.Finding
	now := time.Now()
	for _, l := range n.loops {
		now = l.now()
		if err := l.overtaken(ctx); err != nil {
			return err
		}
		firing = append(firing, l.trouble.judge(l.name, now, l.waiting.waits(now, l.subjects), l.target.state())...)
	}
	return n.teller.Tell(ctx, now, firing)
}

// overtaken notes if what went wrong here last has gone through since: another notifier may have posted it, and there is
// nothing more to try here.
func (l *loop) overtaken(ctx context.Context) error {
	l.trouble.mu.Lock()
	last := l.trouble.last
	l.trouble.mu.Unlock()
	if last.id == "" {
		return nil
	}
	record, _, err := l.kept.Get(ctx, l.key(last.id))
	if err != nil {
		return fmt.Errorf("read what %s was told of %s: %w", l.name, last.id, err)
	}
	var told channel.Told
	if json.Unmarshal(record, &told) == nil && told.Revision >= last.revision {
		l.trouble.overtaken(last)
	}
	return nil
}

// overtaken notes that the attempt has gone through, unless another has failed since.
func (t *trouble) overtaken(by attempt) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == by {
		t.tries, t.since, t.why, t.last = 0, time.Time{}, "", attempt{}
	}
}

func newTeller(to finding.Publisher, holder string) *finding.Teller {
	host, err := os.Hostname()
	if err != nil {
		host = "an unknown host"
	}
	return finding.NewTeller(to, fmt.Sprintf("notifier %s on %s", holder, host))
}
