package webhook

import (
	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Next posts every event that the receiver has not seen, in one body. It posts nothing of a conversation that is only
// information or silenced, unless the receiver still believes an incident open that is not.
func (c *Channel) Next(conv schema.Conversation, told channel.Told, _ channel.Terms) (channel.Post, bool) {
	events := channel.After(conv, told.Revision)
	if len(events) == 0 || channel.Quiet(conv, told, events) {
		return channel.Post{}, false
	}
	lead := channel.Lead(conv, events)
	body, ok := render(conv, events, lead)
	if !ok {
		return channel.Post{}, false
	}
	post := channel.Post{Key: channel.Key(conv.ID, conv.Revision, ""), Revision: conv.Revision, Kind: lead.Kind, Body: body, Sound: channel.Loudest(channel.Pager, conv, events)}
	if told.Episode == conv.Episode {
		post.Ref = told.Ref
	}
	return post, true
}
