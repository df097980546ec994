package notifier

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/route"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// wouldTell answers who would be told of a conversation that might begin.
func (n *Notifier) wouldTell(_ context.Context, body []byte) (any, error) {
	var q client.RouteRequest
	if err := json.Unmarshal(body, &q); err != nil || q.Cluster == "" || q.Object.Name == "" || schema.SeverityRank(q.Severity) == 0 {
		return nil, &bus.APIError{
			Code:    bus.CodeBadRequest,
			Message: `route: ask with {"cluster":"…","object":{"kind":"service","namespace":"…","name":"…"},"severity":"info, warning or critical"}`,
		}
	}
	return WouldTell(&n.routes, q, time.Now()), nil
}

// WouldTell says who would be told of a conversation that begins as q says, and is open, nobody's and not silenced.
func WouldTell(r *route.Routes, q client.RouteRequest, now time.Time) client.RouteResponse {
	if q.At.IsZero() {
		q.At = now
	}
	c := schema.Conversation{
		Cluster: q.Cluster, Object: q.Object, Severity: q.Severity, Condition: q.Condition, Labels: q.Labels, State: schema.StateInvestigating,
	}
	c.Object.Kind = cmp.Or(c.Object.Kind, schema.KindService)
	if c.Severity == schema.SeverityCritical {
		c.CriticalSince = q.At
	}
	response := client.RouteResponse{At: q.At, Channels: []client.Routed{}}
	for _, x := range r.For(c, q.At) {
		response.Channels = append(response.Channels, asTold(c, x))
	}
	return response
}

// asTold is a choice as a channel would carry it out: what is only information is told together with others or not at all,
// what is critical never waits for others.
func asTold(c schema.Conversation, x route.Choice) client.Routed {
	to := client.Routed{Channel: x.Channel, Tell: x.Tell, Why: x.Why, Mention: x.Mention, Again: x.Again}
	if c.Severity != schema.SeverityCritical {
		to.Digest = x.Digest.String()
	}
	if c.Severity == schema.SeverityInfo && x.Tell && to.Digest == "" {
		to = client.Routed{Channel: x.Channel, Again: x.Again, Why: x.Why + "; but what is only information is told in digests alone, and it has none"}
	}
	return to
}
