package conversation

import (
	"fmt"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// byScope tells whether c is silenced by a silence by scope, not by somebody's reply.
func byScope(c schema.Conversation) bool { return c.SilencedBy != "" && !c.SilencedUntil.IsZero() }

// hushes tells whether it changes c, which is open, that h is the silence by scope which covers it now. One that is over
// for c, because its time came or because a person said so, stays over for the episode.
func hushes(c schema.Conversation, h *Silence) bool {
	switch {
	case h == nil:
		return byScope(c)
	case h.ID == c.SilencedBy:
		return false
	}
	return byScope(c) || h.Until.After(c.SilencedUntil)
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
