package notifier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// deliver claims, posts and writes the receipt. Whoever has begun finishes, also when the process is to end: a claim
// left behind would keep the others waiting until it has run out.
func (l *loop) deliver(ctx context.Context, t *turn, p plan) (wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), claimFor)
	defer cancel()
	claim := &channel.Claim{Key: p.post.Key, Holder: l.holder, Until: l.now().Add(l.claimFor)}
	t.told.Claim = claim
	if err := l.put(ctx, t); err != nil {
		l.reported(l.target.unused(ctx))
		switch {
		case errors.Is(err, bus.ErrConflict) && t.unread:
			return 0, l.reread(ctx, t)
		case errors.Is(err, bus.ErrConflict):
			return t.newestWaits(busyDelay(t.m.Deliveries), errBusy)
		}
		return 0, fmt.Errorf("claim %s: %w", claim.Key, err)
	}
	began := l.now()
	ref, outcome := l.post(ctx, p)
	ended := l.now()
	l.window.took(ended.Sub(began))
	l.metrics.posts(outcomeName(outcome))
	l.trouble.went(attempt{t.id, p.post.Revision}, outcome, ended)
	// All who post there write what is known of the target, so that this takes its time: until the record is there, nobody
	// knows what became of the post. Only that nothing more is to go out is said before.
	if leavesAlone(outcome) {
		l.reported(l.target.report(ctx, outcome, began, ended))
		return l.failed(ctx, t, p, outcome)
	}
	if outcome != nil {
		wait, err = l.failed(ctx, t, p, outcome)
	} else {
		wait, err = l.took(ctx, t, p, ref)
	}
	l.reported(l.target.report(ctx, outcome, began, ended))
	return wait, err
}

// leavesAlone tells whether the receiver wants nothing more for now, or for good.
func leavesAlone(outcome error) bool {
	_, throttled := errors.AsType[channel.Throttled](outcome)
	return throttled || errors.Is(outcome, channel.ErrGone)
}

// took says that the receiver has the post, and writes the receipt.
func (l *loop) took(ctx context.Context, t *turn, p plan, ref string) (wait time.Duration, err error) {
	l.complained.Store(false)
	l.metrics.took(l.now().Sub(newestAt(p.of)))
	l.log.Info("posted", "key", p.post.Key, "kind", p.post.Kind, "attempts", t.told.Attempts+1)
	if err := l.receipt(ctx, t, p, ref); err != nil {
		return receiptAgain, err
	}
	return 0, nil
}

// reported logs a state of the target that could not be shared. The others learn it by themselves.
func (l *loop) reported(err error) {
	if err != nil {
		l.log.Warn("how a post went is not shared with other notifiers", "err", err)
	}
}

// receiptAgain is the pause after a receipt that could not be written. It does not grow: until the receipt is there,
// nobody knows that the receiver has the post.
const receiptAgain = time.Second

// post posts once, unless the post turns out to have arrived the time before.
func (l *loop) post(ctx context.Context, p plan) (ref string, err error) {
	if f, ok := l.ch.(channel.Finder); ok && p.unsure {
		ref, found, err := f.Find(ctx, *p.post)
		if err != nil {
			return "", notFound(p.post.Key, err)
		}
		if found {
			return ref, nil
		}
	}
	return l.ch.Post(ctx, *p.post)
}

// notFound is the verdict on a search in vain. That the receiver refuses to search says nothing of the post, which would be
// given up for it.
func notFound(key string, err error) error {
	if errors.Is(err, channel.ErrRefused) || errors.Is(err, channel.ErrTooBig) {
		return fmt.Errorf("look for the post %s: %w: %s", key, channel.ErrAmbiguous, err.Error())
	}
	return fmt.Errorf("look for the post %s: %w: %w", key, channel.ErrAmbiguous, err)
}

// receipt records what the receiver has now. Until it is written the post counts as one of unknown fate.
func (l *loop) receipt(ctx context.Context, t *turn, p plan, ref string) error {
	if ref == "" || p.post.Ref != "" && channel.Part(p.post.Key) != "" { // of a line below the card
		ref = p.post.Ref
	}
	told := channel.Told{
		Revision: p.post.Revision, Lines: max(t.told.Lines, p.post.Lines), Episode: p.of.Episode, Ref: ref, At: newestAt(p.of), GaveUp: t.told.GaveUp,
		StandsIn: t.told.StandsIn,
	}
	if err := l.settle(ctx, t, told); err != nil {
		return fmt.Errorf("write the receipt of %s: %w", p.post.Key, err)
	}
	return nil
}

// settle ends our claim with a new record. Somebody else may have written since if our claim had run out.
func (l *loop) settle(ctx context.Context, t *turn, told channel.Told) error {
	claim := t.told.Claim
	t.told = told
	for ctx.Err() == nil {
		err := l.put(ctx, t)
		if !errors.Is(err, bus.ErrConflict) {
			return err
		}
		if err := l.reread(ctx, t); err != nil {
			return err
		}
		t.told = merge(told, t.told, claim)
	}
	return ctx.Err()
}

// put writes the record, expecting nobody to have written since it was read.
func (l *loop) put(ctx context.Context, t *turn) error {
	data, err := json.Marshal(t.told)
	if err != nil {
		return err
	}
	rev, err := l.kept.Put(ctx, l.key(t.id), data, t.rev)
	if err == nil {
		t.rev = rev
	}
	return err
}

// failed records a post that did not go through, so that any notifier may try again, and says when.
func (l *loop) failed(ctx context.Context, t *turn, p plan, outcome error) (wait time.Duration, err error) {
	now, told := l.now(), t.told
	if told.FirstTry.IsZero() {
		told.FirstTry = now
	}
	v := judge(outcome, told.Attempts+1, told.FirstTry, now)
	l.complain(p, v, outcome)
	if v.action == giveUp {
		return 0, l.bury(ctx, t, p, outcome)
	}
	if err := l.settle(ctx, t, after(told, v, outcome, p.unsure, now)); err != nil {
		l.log.Warn("the claim of a post that failed stays until it has run out", "key", p.post.Key, "err", err)
	}
	return t.newestWaits(l.pause(v), outcome)
}

// after is the record after an attempt in vain. Of a post that may have arrived before (repeated) that stays so, however
// this attempt ended: anything new under another key would tell its events again.
func after(told channel.Told, v verdict, outcome error, repeated bool, now time.Time) channel.Told {
	told.Problem = problem(outcome)
	if v.action != hold && v.action != gone {
		told.Attempts++
	}
	switch {
	case v.action == renew:
		told.Ref, told.Claim = "", nil
	case v.action == unsure, repeated:
		claim := *told.Claim // stays, for the key; anybody may take it over
		claim.Until = now
		told.Claim = &claim
	default:
		told.Claim = nil
	}
	return told
}

// maxProblem bounds what a record says of a failure, in bytes.
const maxProblem = 300

func problem(outcome error) string { return scrub.Line(outcome.Error(), maxProblem) }

// bury gives a post up. Its events go with the next post of the conversation.
func (l *loop) bury(ctx context.Context, t *turn, p plan, outcome error) error {
	letter := bus.DeadLetter{
		Reason:  fmt.Sprintf("gave up post %s to channel %s: %v", p.post.Key, l.name, outcome),
		Subject: t.m.Subject, Seq: t.m.Seq, Body: p.post.Body,
	}
	if !t.lettered {
		if err := l.bus.Dead(ctx, l.name, letter); err != nil {
			return fmt.Errorf("give up post %s: %w", p.post.Key, err)
		}
		l.metrics.posts("dead")
	}
	told := channel.Told{Revision: t.told.Revision, Lines: t.told.Lines, Episode: t.told.Episode, Ref: t.told.Ref, At: t.told.At, GaveUp: p.post.Revision, Problem: problem(outcome), StandsIn: t.told.StandsIn}
	return l.settle(ctx, t, told)
}

// complain logs a failure: loudly where a person has to act, once until it works again.
func (l *loop) complain(p plan, v verdict, outcome error) {
	args := []any{"key", p.post.Key, "outcome", outcomeName(outcome), "err", outcome}
	switch {
	case v.action == giveUp:
		l.log.Error("post given up; it is in DEAD", args...)
	case v.action == gone && !l.complained.Swap(true):
		l.log.Error("the receiver says that it is gone for good: nobody is told through this channel until its URL is another one, or a test goes through", args...)
	case v.action == slow && !l.complained.Swap(true):
		l.log.Error("the channel is set up wrongly: nobody is told through it until that is put right", args...)
	default:
		l.log.Warn("post did not go through; trying again", args...)
	}
}
