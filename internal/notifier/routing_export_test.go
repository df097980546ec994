package notifier

import (
	"context"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
)

// StepOf takes one step of the loop of that channel.
func (n *Notifier) StepOf(ctx context.Context, channel string, m bus.Message) (time.Duration, error) {
	l, err := n.loopOf(channel)
	if err != nil {
		return 0, err
	}
	return l.step(ctx, m)
}

// LookAgain is how long a nudge waits at most that the routes do not send here yet.
const LookAgain = lookAgain
