package notifier

import (
	"cmp"
	"context"
	"encoding/json"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// serviceVersion is that of the requests and answers, which NATS wants in three numbers.
const serviceVersion = "0.1.0"

// service is what people may ask any notifier: the records are the notifiers' own, and nobody else reads them. All
// notifiers of one server are taken to have the same channels.
func (n *Notifier) service() bus.Service {
	return bus.Service{
		Name: "bellbuoy-notifier", Version: serviceVersion, Description: "What Bellbuoy's channels have been told, would be told, and how they are",
		Endpoints: []bus.Endpoint{
			{Verb: client.VerbTold, Handle: n.told},
			{Verb: client.VerbShown, Handle: n.shown},
			{Verb: client.VerbRoute, Handle: n.wouldTell},
			{Verb: client.VerbChannels, Handle: n.channels},
			{Verb: client.VerbRetry, Handle: n.retry},
		},
	}
}

func (n *Notifier) told(ctx context.Context, body []byte) (any, error) {
	var r client.ToldRequest
	if err := json.Unmarshal(body, &r); err != nil || !schema.ValidID(r.ID) {
		return nil, &bus.APIError{Code: bus.CodeBadRequest, Message: `told: ask with {"id":"…"}, a conversation's whole id`}
	}
	response := client.ToldResponse{Channels: []client.ChannelTold{}}
	for _, l := range n.loops {
		told, err := l.toldOf(ctx, r.ID)
		if err != nil {
			return nil, err
		}
		response.Channels = append(response.Channels, client.ChannelTold{
			Channel: l.name, Shadow: l.shadowed(), Revision: told.Revision, Attempts: told.Attempts, GaveUp: told.GaveUp,
			Problem: cmp.Or(told.Problem, l.target.keptBack(l.now())),
		})
	}
	return response, nil
}
