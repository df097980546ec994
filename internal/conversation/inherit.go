package conversation

import (
	"cmp"
	"fmt"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// What people said to a conversation goes on in the one that it is folded into. Each thing that moves bears the id of the
// reply that it came with, or one made of where it stood, so that moving it twice does nothing.

// heirloom is the id under which a message of a folded conversation moves.
func heirloom(h schema.Conversation, m schema.Message) string {
	return fit(cmp.Or(m.ReplyID, h.ID+"/"+m.ID), 6*maxName)
}

// inherits tells whether anything of f's heirs has not moved to c yet.
func inherits(c schema.Conversation, f Found) bool {
	if len(f.Heirs) == 0 {
		return false
	}
	s := begin(c, f.At)
	s.inherit(f)
	return s.c.Revision > c.Revision
}

// foundTwice is about a snapshot that c knows. Of the heirs it may have to take what was said to them since.
func foundTwice(c schema.Conversation, f Found) (schema.Conversation, string) {
	if c.Closed() || f.Seq < c.SnapshotSeq || f.Cause != nil || !inherits(c, f) {
		return c, "superseded snapshot"
	}
	at := f.At
	if !at.After(c.UpdatedAt) { // the messages of a step share one time, and no other step's do
		at = c.UpdatedAt.Add(time.Millisecond)
	}
	s := begin(c, at)
	s.inherit(f)
	return s.end()
}

// inherit takes over the owner, if there is none, and the questions that wait.
func (s *step) inherit(f Found) {
	for _, h := range f.Heirs {
		s.inheritOwner(h)
	}
	left, key := 0, ""
	for _, h := range f.Heirs {
		for _, t := range Owed(h) {
			m := message(h, t.Message)
			switch id := heirloom(h, m); {
			case t.Kind != TaskAnswer || Heard(s.c, id):
			case openQuestions(s.c) >= maxOpenQuestions:
				left, key = left+1, h.ID+"/"+m.ID+"/left"
			default:
				s.move(m, schema.EventAsked, id, m.Content)
			}
		}
	}
	if left > 0 && !Heard(s.c, key) {
		s.say(schema.EventRefused, schema.SenderSystem, fmt.Sprintf(
			"%d more questions came with what this explains; %d wait already, so ask again when there are fewer.", left, maxOpenQuestions)).ReplyID = key
	}
}

// inheritOwner makes the owner of h that of a conversation which has none, unless it is worse than what the owner saw.
func (s *step) inheritOwner(h schema.Conversation) {
	if s.c.Owner != "" || !acknowledged(h) || !covers(h, schema.EventAcknowledged, s.c.Severity) {
		return
	}
	m := h.Messages[last(h, schema.EventAcknowledged)]
	if id := heirloom(h, m); !Heard(s.c, id) {
		s.c.Owner = h.Owner
		s.move(m, schema.EventAcknowledged, id, fmt.Sprintf("%s has it, having taken %s, which this explains.", h.Owner, line(h.Object.String(), maxName)))
	}
}

// inheritSilence silences what has just been opened if people silenced each of those whom it explains, and saw as high a
// severity then. Of several silences the shortest one counts.
func (s *step) inheritSilence(f Found) {
	if len(f.Heirs) == 0 || f.VictimCount > len(f.Heirs) || !s.c.SilencedUntil.IsZero() || f.Silence != nil {
		return
	}
	first := f.Heirs[0]
	for _, h := range f.Heirs {
		if byScope(h) || !s.at.Before(h.SilencedUntil) || !covers(h, schema.EventSilenced, s.c.Severity) {
			return
		}
		if h.SilencedUntil.Before(first.SilencedUntil) {
			first = h
		}
	}
	i := last(first, schema.EventSilenced)
	if i < 0 {
		return
	}
	m := first.Messages[i]
	s.c.SilencedUntil, s.c.SilencedBy = first.SilencedUntil, ""
	s.move(m, schema.EventSilenced, heirloom(first, m), fmt.Sprintf("Silenced until %s, as %s silenced %s, which this explains.",
		clock(first.SilencedUntil, s.at), who(m.Author), line(first.Object.String(), maxName)))
}

// move says here what m said in a conversation that is folded into this one.
func (s *step) move(m schema.Message, kind, id, content string) {
	n := s.say(kind, schema.SenderOperator, content)
	n.Author, n.ReplyID = m.Author, id
}

func message(c schema.Conversation, id string) schema.Message {
	for _, m := range c.Messages {
		if m.ID == id {
			return m
		}
	}
	return schema.Message{}
}
