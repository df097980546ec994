package webhook

import (
	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Next posts what is new to the receiver in one body: of a conversation that is only information or silenced nothing,
// unless the receiver still believes an incident open that is not. Which events it tells is the format's.
func (c *Channel) Next(conv schema.Conversation, told channel.Told, terms channel.Terms) (channel.Post, bool) {
	s, ok := c.format.step(conv, told, terms)
	if !ok {
		return channel.Post{}, false
	}
	body, ok := c.format.body(s, c.format.limit)
	if !ok {
		return channel.Post{}, false
	}
	post := channel.Post{Key: s.key, Revision: s.revision, Kind: s.lead.Kind, Body: body, Sound: s.sound}
	if told.Episode == conv.Episode {
		post.Ref = told.Ref
	}
	return post, true
}
