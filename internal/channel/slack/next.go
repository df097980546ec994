package slack

import (
	"slices"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// partThread is the part of a post's key that tells lines of the thread from the card.
const partThread = "thread"

// Next posts the card of an episode, or changes it, and then what is new in the episode's thread, in one post.
func (ch *Channel) Next(c schema.Conversation, told channel.Told, terms channel.Terms) (channel.Post, bool) {
	if c.Revision == 0 || told.Revision > c.Revision {
		return channel.Post{}, false
	}
	v := ch.view(c, terms)
	has := told.Revision > 0 && told.Episode == c.Episode // a card of this episode, though it may be lost
	switch {
	case has && told.Ref == "":
		return ch.first(v, told)
	case told.Revision < c.Revision && has:
		return ch.edit(v, told)
	case told.Revision < c.Revision:
		return ch.first(v, told)
	case has && told.Lines < c.Revision:
		return ch.thread(v, told)
	}
	return channel.Post{}, false
}

// first posts a new card. It tells all that has happened; one in place of a card that is lost does not, as the lines of
// the thread are still owed.
func (ch *Channel) first(v view, told channel.Told) (channel.Post, bool) {
	lost := told.Revision > 0 && told.Episode == v.c.Episode
	events := channel.After(v.c, told.Revision)
	if lost && len(events) == 0 {
		events = v.c.Messages
	}
	if len(events) == 0 || !lost && channel.Quiet(v.c, told, events) {
		return channel.Post{}, false
	}
	p := channel.Post{Key: channel.Key(v.c.ID, v.c.Revision, ""), Revision: v.c.Revision, Kind: channel.Lead(v.c, events).Kind}
	if !lost {
		p.Lines, p.Sound = v.c.Revision, opening(v, events)
	}
	body := v.card(p.Key)
	body.Method = methodPost
	return filled(p, body)
}

// opening is how loud a new card is: what is over by then, or somebody's, calls nobody.
func opening(v view, events []schema.Message) channel.Sound {
	sound := channel.Loudest(channel.Chat, v.c, events)
	if !v.urgent() {
		sound = min(sound, channel.Loud)
	}
	return sound
}

// edit changes the card, which nobody hears: so it is done during a silence too, or the card would not show it.
func (ch *Channel) edit(v view, told channel.Told) (channel.Post, bool) {
	events := channel.After(v.c, told.Revision)
	if len(events) == 0 {
		return channel.Post{}, false
	}
	p := channel.Post{Key: channel.Key(v.c.ID, v.c.Revision, ""), Revision: v.c.Revision, Kind: channel.Lead(v.c, events).Kind, Ref: told.Ref}
	body := v.card(p.Key)
	body.Method = methodUpdate
	return filled(p, body)
}

// thread posts the lines that are owed. During a silence there are none; they come with what ends it.
func (ch *Channel) thread(v view, told channel.Told) (channel.Post, bool) {
	events := channel.After(v.c, told.Lines)
	if v.c.State == schema.StateSilenced {
		return channel.Post{}, false
	}
	events = slices.DeleteFunc(events, func(m schema.Message) bool { return !v.deserves(m) })
	if len(events) == 0 {
		return channel.Post{}, false
	}
	p := channel.Post{
		Key: channel.Key(v.c.ID, v.c.Revision, partThread), Revision: v.c.Revision, Lines: v.c.Revision, Kind: v.loudest(events).Kind, Ref: told.Ref,
		Sound: v.sound(events),
	}
	return filled(p, v.lines(p.Key, events))
}

// filled is the post with its body.
func filled(p channel.Post, c call) (channel.Post, bool) {
	var ok bool
	p.Body, ok = c.encode()
	return p, ok
}
