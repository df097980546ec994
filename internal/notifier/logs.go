package notifier

import (
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// showing has whatever routes say also say how much of log lines channels may show: Config.Logs.
func showing(logs string, route func(schema.Conversation, time.Time) routing) func(schema.Conversation, time.Time) routing {
	return func(c schema.Conversation, now time.Time) routing {
		r := route(c, now)
		r.terms.Logs = logs
		return r
	}
}
