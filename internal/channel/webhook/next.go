package webhook

import (
	"slices"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Next posts every event that the receiver has not seen, in one body. It posts nothing of a conversation that is only
// information or silenced, unless the receiver still believes an incident open that is not.
func (c *Channel) Next(conv schema.Conversation, told channel.Told) (channel.Post, bool) {
	events := channel.After(conv, told.Revision)
	if len(events) == 0 || quiet(conv, told, events) {
		return channel.Post{}, false
	}
	lead := leading(conv, events)
	body, ok := render(conv, events, lead)
	if !ok {
		return channel.Post{}, false
	}
	post := channel.Post{Key: key(conv), Revision: conv.Revision, Kind: lead.Kind, Body: body}
	if told.Episode == conv.Episode {
		post.Ref = told.Ref
	}
	return post, true
}

// quiet tells whether the receiver is to hear nothing for now. What it was told of an episode it is told to its end;
// otherwise information and whatever nobody wanted to hear of stays unsaid, and so does what another conversation tells by
// now. A conversation that opens silently is told: the receiver has to know of it.
func quiet(c schema.Conversation, told channel.Told, events []schema.Message) bool {
	if c.State == schema.StateSilenced {
		return true
	}
	if knows(c, told) {
		return false
	}
	return c.Severity == schema.SeverityInfo || c.ClosedAs == schema.StateFolded || c.Closed() && endedSilenced(c, events) ||
		!slices.ContainsFunc(events, begins)
}

// begins tells whether an event is worth a first post.
func begins(m schema.Message) bool { return isOpening(m) || !m.Silent }

// knows tells whether the receiver has been told of this episode, or still believes an earlier one open.
func knows(c schema.Conversation, told channel.Told) bool {
	return told.Revision > 0 && (told.Episode == c.Episode || slices.ContainsFunc(c.Episodes, func(e schema.Episode) bool {
		return e.Number == told.Episode && e.ClosedAt.After(told.At)
	}))
}

// endedSilenced tells whether a silence covered the end of a closed conversation.
func endedSilenced(c schema.Conversation, events []schema.Message) bool {
	if c.SilencedUntil.After(c.ClosedAt) {
		return true
	}
	for _, m := range slices.Backward(events) {
		switch m.Kind {
		case schema.EventSilenced:
			return true
		case schema.EventUnsilenced, schema.EventWorsened, schema.EventOpened, schema.EventReopened:
			return false
		}
	}
	return false
}

// leading picks the event that gives the post its type: the newest opening one, else the one that closed the
// conversation, else the newest.
func leading(c schema.Conversation, events []schema.Message) schema.Message {
	for _, m := range slices.Backward(events) {
		if isOpening(m) {
			return m
		}
	}
	for _, m := range slices.Backward(events) {
		if c.Closed() && isClosing(m) {
			return m
		}
	}
	return events[len(events)-1]
}

func isOpening(m schema.Message) bool {
	return m.Kind == schema.EventOpened || m.Kind == schema.EventReopened
}

func isClosing(m schema.Message) bool {
	switch m.Kind {
	case schema.EventCleared, schema.EventResolved, schema.EventDismissed, schema.EventFolded:
		return true
	}
	return false
}
