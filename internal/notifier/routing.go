package notifier

import (
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/route"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// routing is what the routes say of a conversation and a channel now.
type routing struct {
	tell  bool
	terms channel.Terms

	digest time.Time // the end of the present window of a route that collects; zero: told at once
	again  time.Time // when it may be told otherwise without an event; zero: only an event changes it
}

// lookAgain is how long a nudge waits at most that the routes do not send here yet: a notifier that is started with other
// routes finds it waiting.
const lookAgain = 10 * time.Minute

// routed says what the routes say of one channel.
func routed(r *route.Routes, channelName string) func(schema.Conversation, time.Time) routing {
	return func(c schema.Conversation, now time.Time) routing {
		x := r.One(c, channelName, now)
		again := x.Again
		if latest := now.Add(lookAgain); again.After(latest) {
			again = latest
		}
		return routing{tell: x.Tell, terms: channel.Terms{Mention: x.Mention}, digest: x.Digest.End(now), again: again}
	}
}
