package conversation

import (
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// woke does what is due at e.At, all of it.
func woke(c schema.Conversation, e Woke) (schema.Conversation, string) {
	if c.WakeAt.IsZero() || e.At.Before(c.WakeAt) {
		return c, "nothing is due"
	}
	s := begin(c, e.At)
	if watch := watchEnd(c); !watch.IsZero() && !s.at.Before(watch) {
		s.endWatch()
	}
	if until := s.c.SilencedUntil; !s.c.Closed() && !until.IsZero() && !s.at.Before(until) {
		s.c.SilencedUntil = time.Time{}
		s.say(schema.EventUnsilenced, schema.SenderSystem, unsilencedText(s.c))
	}
	if !e.Calm {
		s.escalate()
		s.remind()
	}
	if s.c.Revision == c.Revision {
		return c, "nothing is due"
	}
	return s.end()
}

// Calls tells whether somebody is called for c at the given time, if it is not calm: an escalation or a reminder is due.
func Calls(c schema.Conversation, at time.Time) bool {
	due := earliest(escalateAt(c), remindAt(c))
	return !c.Closed() && !due.IsZero() && !at.Before(due)
}

func (s *step) endWatch() {
	if stillTrue(s.c) {
		s.say(schema.EventStillFiring, schema.SenderSystem, sentences("Still failing, stays open: "+title(s.c)))
		return
	}
	by := who(s.c.Messages[watched(s.c)].Author)
	s.say(schema.EventCleared, schema.SenderSystem, "Nothing came up while watching. Resolved by "+by+".")
	s.close(schema.StateResolved)
}

func unsilencedText(c schema.Conversation) string {
	if !stillTrue(c) {
		return "The silence is over. Nothing is failing."
	}
	return sentences("The silence is over, still failing: " + title(c))
}
