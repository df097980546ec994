package conversation

import (
	"fmt"
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// byScope tells whether c is silenced by a silence by scope, not by somebody's reply.
func byScope(c schema.Conversation) bool { return c.SilencedBy != "" && !c.SilencedUntil.IsZero() }

// hushes tells whether it changes c, which is open, that h is the silence by scope which covers it now. One that is over
// for c, because its time came or because a person said so, stays over for the episode; but a weekly window comes again,
// unless a person took c out of it, or of another one.
func hushes(c schema.Conversation, h *Silence) bool {
	switch {
	case h == nil:
		return byScope(c)
	case byScope(c) && h.ID == c.SilencedBy: // what is said of a window may have changed
		return h.Until.After(c.SilencedUntil)
	case !byScope(c) && !h.From.IsZero() && c.SilencedBy != "" && !h.again(c):
		return false
	case h.From.IsZero() && h.ID == c.SilencedBy:
		return false
	}
	return byScope(c) || h.Until.After(c.SilencedUntil)
}

// again tells whether h began after a window ended for c that was left to its time.
func (h *Silence) again(c schema.Conversation) bool {
	for _, m := range slices.Backward(c.Messages) {
		switch m.Kind {
		case schema.EventSilenced:
			return h.From.After(m.At)
		case schema.EventUnsilenced, schema.EventResolved, schema.EventDismissed, schema.EventReopened:
			if m.Sender == schema.SenderOperator {
				return false
			}
			if m.Kind == schema.EventUnsilenced {
				return h.From.After(m.At)
			}
		}
	}
	return true
}

// hush does that, and says so. By is who ended the silence that no longer covers it, if that is known.
func (s *step) hush(h *Silence, by string) {
	switch {
	case !hushes(s.c, h):
	case h == nil:
		s.c.SilencedUntil = time.Time{}
		s.say(schema.EventUnsilenced, schema.SenderSystem, liftedText(s.c, by))
	default:
		s.c.SilencedUntil, s.c.SilencedBy = utc(h.Until), line(h.ID, maxName)
		s.say(schema.EventSilenced, schema.SenderSystem, hushedText(*h, s.at))
	}
}

// quieted folds in a change to the silences by scope that did not come with a snapshot.
func quieted(c schema.Conversation, e Quieted) (schema.Conversation, string) {
	switch {
	case c.ID == "":
		return c, "no such conversation"
	case c.Closed():
		return c, "closed"
	case !hushes(c, e.Silence):
		return c, "nothing has changed"
	}
	s := begin(c, e.At)
	s.hush(e.Silence, e.By)
	return s.end()
}

func hushedText(h Silence, at time.Time) string {
	text := fmt.Sprintf("Silenced by %s until %s, with silence %s.", who(&schema.Author{Name: line(h.By, maxName)}), clock(utc(h.Until), at), line(h.ID, maxName))
	if why := line(h.Why, maxLine); why != "" {
		text += fmt.Sprintf(" “%s”", why)
	}
	return text
}

func liftedText(c schema.Conversation, by string) string {
	what := fmt.Sprintf("Silence %s no longer covers it", c.SilencedBy)
	if by = line(by, maxName); by != "" {
		what = fmt.Sprintf("%s ended silence %s", by, c.SilencedBy)
	}
	if !stillTrue(c) {
		return sentences(what, "Nothing is failing")
	}
	return sentences(what, "Still failing: "+title(c))
}
