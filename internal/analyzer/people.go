package analyzer

import (
	"context"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/people"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// throughAPI is the channel of what is said to the micro service, and openSubject that of what anybody may publish.
const (
	throughAPI  = "api"
	openSubject = people.NATS
)

// caller is who asks the micro service: the user whom the NATS server attests, or else whoever the request claims.
func (a *Analyzer) caller(ctx context.Context, claimed string) (schema.Author, people.Role) {
	user := scrub.Line(bus.CallerOf(ctx).User, maxAuthor)
	if user != "" {
		claimed = ""
	}
	author, role := a.roster.Who(people.NATS, user, scrub.Line(claimed, maxAuthor))
	author.Channel = throughAPI
	return author, role
}

// allow gives who asks for something that is no reply, or refuses it.
func (a *Analyzer) allow(ctx context.Context, claimed, verb string) (schema.Author, error) {
	author, role := a.caller(ctx, claimed)
	if !a.roster.May(role, verb) {
		a.metrics.refused.WithLabelValues(throughAPI, "role").Inc()
		return author, &bus.APIError{Code: bus.CodeForbidden, Message: a.roster.Refusal(author.Name, verb)}
	}
	return author, nil
}

// deny is why the author of a reply may only ask, empty if they may do more; refused tells whether it says something that
// is denied.
func (a *Analyzer) deny(r schema.Reply) (why string, refused bool) {
	role := a.roster.RoleOf(r.Author)
	if role == people.Responder {
		return "", false
	}
	verb, _ := conversation.Intent(r)
	if refused = !a.roster.May(role, verb); !refused {
		verb = ""
	}
	return a.roster.Refusal(scrub.Line(r.Author.Name, maxAuthor), verb), refused
}
