package channel

import (
	"slices"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Quiet tells whether the receiver is to hear nothing for now. What it was told of an episode it is told to its end;
// otherwise information and whatever nobody wanted to hear of stays unsaid, and so does what another conversation tells by
// now. A conversation that opens silently is told: the receiver has to know of it.
func Quiet(c schema.Conversation, told Told, events []schema.Message) bool {
	if c.State == schema.StateSilenced {
		return true
	}
	if Knows(c, told) {
		return false
	}
	return c.Severity == schema.SeverityInfo || c.ClosedAs == schema.StateFolded || c.Closed() && endedSilenced(c, events) ||
		!slices.ContainsFunc(events, begins)
}

// begins tells whether an event is worth a first post.
func begins(m schema.Message) bool { return Opens(m) || !m.Silent }

// Knows tells whether the receiver has been told of this episode, or still believes an earlier one open.
func Knows(c schema.Conversation, told Told) bool {
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

// Lead picks the event that gives the post its type: the newest opening one, else the one that closed the
// conversation, else the newest.
func Lead(c schema.Conversation, events []schema.Message) schema.Message {
	for _, m := range slices.Backward(events) {
		if Opens(m) {
			return m
		}
	}
	for _, m := range slices.Backward(events) {
		if c.Closed() && Closes(m) {
			return m
		}
	}
	return events[len(events)-1]
}

// Opens tells whether an event begins or reopens an episode.
func Opens(m schema.Message) bool {
	return m.Kind == schema.EventOpened || m.Kind == schema.EventReopened
}

// Closes tells whether an event is one that ends an episode.
func Closes(m schema.Message) bool {
	switch m.Kind {
	case schema.EventCleared, schema.EventResolved, schema.EventDismissed, schema.EventFolded:
		return true
	}
	return false
}
