package notifier

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// shown says what a channel would post of a conversation now, and posts nothing. Where the receiver has all of it, it is
// what one would be posted that has nothing.
func (n *Notifier) shown(ctx context.Context, body []byte) (any, error) {
	var r client.ShownRequest
	if err := json.Unmarshal(body, &r); err != nil || !schema.ValidID(r.ID) {
		return nil, &bus.APIError{Code: bus.CodeBadRequest, Message: `shown: ask with {"id":"…","channel":"…"}, a conversation's whole id`}
	}
	l, err := n.loopOf(r.Channel)
	if err != nil {
		return nil, err
	}
	head, err := n.bus.HeadByID(ctx, r.ID)
	if err != nil {
		return nil, fmt.Errorf("read conversation %s: %w", r.ID, err)
	}
	told, err := l.toldOf(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	response := client.ShownResponse{Channel: l.name, Shadow: l.shadowed()}
	terms := l.route(head.Conversation, l.now()).terms
	post, due := l.ch.Next(head.Conversation, told, terms)
	would := due
	if !due {
		post, would = l.ch.Next(head.Conversation, channel.Told{}, terms)
	}
	if !would {
		response.Silent = true
		return response, nil
	}
	response.Due, response.Kind, response.Key, response.Body = due, post.Kind, post.Key, post.Body
	return response, nil
}

func (n *Notifier) loopOf(name string) (*loop, error) {
	var names []string
	for _, l := range n.loops {
		if l.name == name {
			return l, nil
		}
		names = append(names, l.name)
	}
	there := "no channel is configured: set BELLBUOY_SLACK_BOT_TOKEN, BELLBUOY_WEBHOOK_URL or BELLBUOY_CHANNELS_FILE"
	if len(names) > 0 {
		there = "there is " + strings.Join(names, ", ")
	}
	return nil, &bus.APIError{Code: bus.CodeBadRequest, Message: fmt.Sprintf("no channel is called %q; %s", name, there)}
}

// toldOf is the record of what the channel was told.
func (l *loop) toldOf(ctx context.Context, id string) (channel.Told, error) {
	var told channel.Told
	record, _, err := l.kept.Get(ctx, l.key(id))
	if err == nil && len(record) > 0 {
		err = json.Unmarshal(record, &told)
	}
	if err != nil {
		return told, fmt.Errorf("read what %s was told of %s: %w", l.name, id, err)
	}
	return told, nil
}
