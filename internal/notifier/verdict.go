package notifier

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/pace"
)

// action is what becomes of a post that did not go through.
type action int

const (
	again  action = iota // it has not arrived: post the newest state after the delay
	unsure               // it may have arrived: the same post under the same key after the delay
	hold                 // the receiver wants nothing for the delay, of any conversation
	slow                 // only a person can help: look now and then whether one has
	gone                 // only a person can help, and nothing is tried before
	renew                // post it anew, without the post that it continued
	giveUp               // to DEAD
)

// verdict is an action and how long to wait before it, without jitter.
type verdict struct {
	action action
	delay  time.Duration
}

const (
	firstDelay  = time.Second
	maxDelay    = 5 * time.Minute
	giveUpAfter = 24 * time.Hour
)

// judge decides on the given attempt, counted from 1, of a post first tried at firstTry.
func judge(outcome error, attempt int, firstTry, now time.Time) verdict {
	var throttled channel.Throttled
	switch {
	case errors.Is(outcome, channel.ErrGone): // whoever sets up another target gets all that waited
		return verdict{gone, pace.GoneAgain}
	case errors.Is(outcome, channel.ErrRefused), errors.Is(outcome, channel.ErrTooBig), now.Sub(firstTry) >= giveUpAfter:
		return verdict{action: giveUp}
	case errors.As(outcome, &throttled):
		return verdict{hold, min(max(throttled.Until.Sub(now), 0), pace.MaxPause)}
	case errors.Is(outcome, channel.ErrLostRoot):
		return verdict{action: renew}
	case errors.Is(outcome, channel.ErrSetup):
		return verdict{slow, maxDelay}
	case errors.Is(outcome, channel.ErrAmbiguous):
		return verdict{unsure, backoff(attempt)}
	}
	return verdict{again, backoff(attempt)}
}

// backoff doubles from firstDelay to maxDelay.
func backoff(attempt int) time.Duration {
	return min(firstDelay<<min(max(attempt-1, 0), 20), maxDelay)
}

// jittered spreads waits, so that what failed together does not come back together. A wait that was asked for is
// never cut short.
func jittered(v verdict) time.Duration {
	switch v.action {
	case hold, slow, gone:
		return v.delay + rand.N(v.delay/10+time.Millisecond)
	default:
		return rand.N(v.delay + time.Millisecond)
	}
}

// outcomeName is an outcome's label in metrics and logs.
func outcomeName(err error) string {
	var throttled channel.Throttled
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &throttled):
		return "throttled"
	case errors.Is(err, channel.ErrRefused):
		return "refused"
	case errors.Is(err, channel.ErrTooBig):
		return "too_big"
	case errors.Is(err, channel.ErrLostRoot):
		return "lost_root"
	case errors.Is(err, channel.ErrGone):
		return "gone"
	case errors.Is(err, channel.ErrSetup):
		return "setup"
	case errors.Is(err, channel.ErrAmbiguous):
		return "ambiguous"
	}
	return "passing"
}
