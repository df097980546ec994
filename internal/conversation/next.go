package conversation

import (
	"fmt"
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Next folds e into c. Nothing happened exactly if next.Revision == c.Revision; then next is c, and reason says why.
// The zero conversation is that of an object which never had one; only a Found can begin it.
func Next(c schema.Conversation, e Event) (next schema.Conversation, reason string) {
	switch e := e.(type) {
	case Found:
		return found(c, e)
	case Said:
		return said(c, e)
	case Settled:
		return settled(c, e)
	case Woke:
		return woke(c, e)
	case Quieted:
		return quieted(c, e)
	case Forgotten:
		return forgotten(c, e)
	}
	return c, "no event"
}

// step is a conversation in the making: one event's worth of changes to a copy.
type step struct {
	c      schema.Conversation
	at     time.Time
	stored time.Time // of what was found; zero: at
}

// begin copies what a step writes to. Messages are clipped instead, so that the first one added copies them.
func begin(c schema.Conversation, at time.Time) *step {
	c.Messages = slices.Clip(c.Messages)
	c.Conditions = slices.Clone(c.Conditions)
	return &step{c: c, at: utc(at)}
}

// say adds a message. The result points into the conversation and is good until the next one is added.
func (s *step) say(kind, sender, content string) *schema.Message {
	s.c.Revision++
	s.c.Messages = append(s.c.Messages, schema.Message{
		ID:      fmt.Sprintf("%s-%d", s.c.ID, s.c.Revision),
		At:      s.at,
		Kind:    kind,
		Sender:  sender,
		Content: prose(content, maxContent),
	})
	return &s.c.Messages[len(s.c.Messages)-1]
}

// end closes the step: bounds, state and deadline follow from what happened.
func (s *step) end() (schema.Conversation, string) {
	if s.at.After(s.c.UpdatedAt) {
		s.c.UpdatedAt = s.at
	}
	bound(&s.c)
	s.c.State = State(s.c)
	s.c.WakeAt = wakeAt(s.c)
	return s.c, ""
}

// close ends the episode. The owner stays, as a record of who had it.
func (s *step) close(as string) {
	s.c.ClosedAs, s.c.ClosedAt = as, s.at
}

// unclose puts the conversation back in the hands of nobody.
func (s *step) unclose() {
	s.c.ClosedAs, s.c.ClosedAt, s.c.Owner, s.c.FoldedInto = "", time.Time{}, "", ""
}

// utc drops the monotonic clock and the zone, neither of which the wire has.
func utc(t time.Time) time.Time { return t.UTC().Round(0) }
