package conversation

import (
	"fmt"
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// A critical conversation is not forgotten. One that nobody has is escalated, one that somebody has is brought back to
// its owner's mind: still_firing. When is read from the messages and from when it became critical.

// escalations are how long after it became critical, and nobody's, a conversation is escalated.
func escalations() []time.Duration {
	all := []time.Duration{15 * time.Minute, time.Hour}
	for d := 4 * time.Hour; d <= 24*time.Hour; d += 4 * time.Hour {
		all = append(all, d)
	}
	return all
}

// An owner is reminded this long after taking it, and then this often.
const (
	firstReminder = 8 * time.Hour
	nextReminder  = 24 * time.Hour
)

// pressing tells whether c is in one of the states and a critical condition is true of it.
func pressing(c schema.Conversation, states ...string) bool {
	return c.Severity == schema.SeverityCritical && stillTrue(c) && slices.Contains(states, State(c))
}

// nobodysSince is since when c is critical and nobody's, without a break.
func nobodysSince(c schema.Conversation) time.Time {
	since := c.CriticalSince
	i := last(c, schema.EventOpened, schema.EventReopened, schema.EventUnacknowledged, schema.EventUnsilenced, schema.EventStillFiring)
	if i >= 0 && c.Messages[i].At.After(since) {
		since = c.Messages[i].At
	}
	return since
}

// escalateAt is when c is to be escalated next; zero if it is not.
func escalateAt(c schema.Conversation) time.Time {
	if !pressing(c, schema.StateInvestigating, schema.StateDiagnosed) {
		return time.Time{}
	}
	since, done := nobodysSince(c), time.Time{}
	if i := last(c, schema.EventEscalated); i >= 0 {
		done = c.Messages[i].At
	}
	for _, d := range escalations() {
		if at := since.Add(d); at.After(done) {
			return at
		}
	}
	return time.Time{}
}

// escalate says once what is due, however much of it was missed.
func (s *step) escalate() {
	if at := escalateAt(s.c); !at.IsZero() && !s.at.Before(at) {
		s.say(schema.EventEscalated, schema.SenderSystem, sentences(fmt.Sprintf("Critical, and nobody has had it for %s: %s",
			span(s.at.Sub(nobodysSince(s.c))), title(s.c)))).SuggestedCommand = command(nextCommand(s.c))
	}
}

// remindAt is when c's owner is to be told next that it still fails; zero if not.
func remindAt(c schema.Conversation) time.Time {
	i := last(c, schema.EventAcknowledged, schema.EventUnsilenced, schema.EventStillFiring)
	switch {
	case i < 0 || !pressing(c, schema.StateAcknowledged):
		return time.Time{}
	case c.Messages[i].Kind == schema.EventStillFiring:
		return c.Messages[i].At.Add(nextReminder)
	}
	return c.Messages[i].At.Add(firstReminder)
}

func (s *step) remind() {
	if at := remindAt(s.c); !at.IsZero() && !s.at.Before(at) {
		s.say(schema.EventStillFiring, schema.SenderSystem, sentences(fmt.Sprintf("%s has it, still failing after %s: %s",
			s.c.Owner, span(s.at.Sub(s.c.StartedAt)), title(s.c))))
	}
}
