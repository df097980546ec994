package notifier

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/pace"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// target is the far end of a channel: its breaker, its rate and its pauses, which all notifiers share.
type target struct {
	id     string
	rate   pace.Rate
	holder string
	shared *shared[pace.State]
}

// targetOf is that of a channel. One that does not say whom it posts to has one of its own.
func targetOf(name string, ch channel.Channel, holder string, s *shared[pace.State]) *target {
	t := &target{id: "channel-" + schema.Token(name), holder: holder, shared: s}
	if said, ok := ch.(channel.Targeted); ok {
		of := said.Target()
		t.id, t.rate = schema.Token(of.ID), pace.Rate{Every: of.Every, Burst: of.Burst}
	}
	return t
}

func (t *target) state() pace.State { return t.shared.get(t.id) }

// ask says whether a post about c may go out now. Nothing is read or written for a target that works and has no rate.
func (t *target) ask(ctx context.Context, c schema.Conversation, now time.Time) (pace.Answer, error) {
	return t.try(ctx, c, trial(c), now)
}

// try is ask, also as a person's trial of a target that is to be left alone.
func (t *target) try(ctx context.Context, c schema.Conversation, trial bool, now time.Time) (pace.Answer, error) {
	a := pace.Ask{Holder: t.holder, Urgent: c.Severity == schema.SeverityCritical, Trial: trial, Rate: t.rate}
	var answer pace.Answer
	err := t.shared.change(ctx, t.id, func(s pace.State) (next pace.State, changed bool) {
		next, answer = s.Next(a, now)
		return next, next != s
	})
	return answer, err
}

// trial tells whether c is what a person's test made up.
func trial(c schema.Conversation) bool { return strings.HasPrefix(c.Cluster, schema.TestCluster) }

// report notes how a post went that was on its way since began.
func (t *target) report(ctx context.Context, outcome error, began, now time.Time) error {
	return t.shared.change(ctx, t.id, func(s pace.State) (pace.State, bool) {
		next := t.after(s, outcome, began, now)
		return next, next != s
	})
}

func (t *target) after(s pace.State, outcome error, began, now time.Time) pace.State {
	var throttled channel.Throttled
	switch {
	case outcome == nil:
		return s.Went(now)
	case errors.As(outcome, &throttled):
		return s.Throttled(throttled.Until.UTC(), now)
	case errors.Is(outcome, channel.ErrGone):
		return s.SaidGone(problem(outcome), now)
	case errors.Is(outcome, channel.ErrTooBig), errors.Is(outcome, channel.ErrRefused), errors.Is(outcome, channel.ErrLostRoot):
		return s.Answered(now)
	}
	return s.Failed(t.holder, problem(outcome), began, now)
}

// unused gives back a probe that was not posted.
func (t *target) unused(ctx context.Context) error {
	return t.shared.change(ctx, t.id, func(s pace.State) (pace.State, bool) {
		next := s.Unused(t.holder)
		return next, next != s
	})
}

// The critical ones come back first after a pause, and the others a little later.
const (
	lagWarning = 2 * time.Second
	lagInfo    = 4 * time.Second
	// openAgain bounds the wait for an open breaker, which a person's test may close at any time.
	openAgain = time.Minute
	// giveWay is how long what is not critical waits while critical ones are about to come.
	giveWay = 250 * time.Millisecond
)

// turnAfter is how long a nudge waits that was kept back: of that severity, with so many of its rank or worse ahead of
// it (none once it has waited).
func turnAfter(a pace.Answer, severity string, ahead int, every time.Duration) time.Duration {
	switch a.Why {
	case pace.Free:
		return 0
	case pace.Limited:
		return a.Wait + min(time.Duration(ahead)*every, maxDelay)
	case pace.Opened:
		a.Wait = min(a.Wait, openAgain)
	case pace.Paused, pace.Gone:
	}
	switch schema.SeverityRank(severity) {
	case schema.SeverityRank(schema.SeverityCritical):
		return a.Wait
	case schema.SeverityRank(schema.SeverityWarning):
		return a.Wait + lagWarning
	}
	return a.Wait + lagInfo
}

// keptBack says for people why nothing is posted to the target for now; empty: it may be posted to.
func (t *target) keptBack(now time.Time) string {
	s := t.state()
	switch {
	case s.Gone():
		return heldError(pace.Gone).Error() + ": " + s.Problem
	case s.Open():
		return heldError(pace.Opened).Error() + ": " + s.Problem
	case s.NotBefore.After(now):
		return heldError(pace.Paused).Error() + " until " + s.NotBefore.UTC().Format(clock)
	}
	return ""
}
