package notifier

import (
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// routing is what the routes say of a conversation and a channel now.
type routing struct {
	tell  bool
	terms channel.Terms

	digest time.Time // the end of the present window of a route that collects; zero: told at once
	again  time.Time // when it may be told otherwise without an event; zero: only an event changes it
}

// everything tells a channel of every conversation: there are no routes.
func everything(schema.Conversation, time.Time) routing { return routing{tell: true} }
