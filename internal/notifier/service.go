package notifier

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// serviceVersion is that of the requests and answers, which NATS wants in three numbers.
const serviceVersion = "0.1.0"

// service is what people may ask any notifier: the records are the notifiers' own, and nobody else reads them. All
// notifiers of one server are taken to have the same channels.
func (n *Notifier) service() bus.Service {
	return bus.Service{
		Name: "bellbuoy-notifier", Version: serviceVersion, Description: "What Bellbuoy's channels have been told: told",
		Endpoints: []bus.Endpoint{{Verb: client.VerbTold, Handle: n.told}},
	}
}

func (n *Notifier) told(ctx context.Context, body []byte) (any, error) {
	var r client.ToldRequest
	if err := json.Unmarshal(body, &r); err != nil || !schema.ValidID(r.ID) {
		return nil, &bus.APIError{Code: bus.CodeBadRequest, Message: `told: ask with {"id":"…"}, a conversation's whole id`}
	}
	response := client.ToldResponse{Channels: []client.ChannelTold{}}
	for _, l := range n.loops {
		record, _, err := l.kept.Get(ctx, l.key(r.ID))
		if err != nil {
			return nil, fmt.Errorf("read what %s was told of %s: %w", l.name, r.ID, err)
		}
		var told channel.Told
		if len(record) > 0 {
			if err := json.Unmarshal(record, &told); err != nil {
				return nil, fmt.Errorf("read what %s was told of %s: %w", l.name, r.ID, err)
			}
		}
		_, shadowed := l.ch.(shadow)
		response.Channels = append(response.Channels, client.ChannelTold{
			Channel: l.name, Shadow: shadowed, Revision: told.Revision, Attempts: told.Attempts, GaveUp: told.GaveUp, Problem: told.Problem,
		})
	}
	return response, nil
}
