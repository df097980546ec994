package conversation

import (
	"slices"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// shelve makes one line of the episode that is over. Of its messages only what still holds is carried along:
// questions without an answer and the silence.
func (s *step) shelve() {
	c := &s.c
	list := slices.Clone(c.Episodes)
	list = append(list, summary(*c))
	c.Episodes = list[max(0, len(list)-schema.MaxEpisodes):]
	silence := last(*c, schema.EventSilenced)
	var kept []schema.Message
	for i, m := range c.Messages {
		question := m.Kind == schema.EventAsked && settler(*c, m.ID) < 0
		if question || i == silence && s.at.Before(c.SilencedUntil) {
			kept = append(kept, m)
		}
	}
	c.Messages = kept
}

func summary(c schema.Conversation) schema.Episode {
	e := schema.Episode{
		Number:    c.Episode,
		StartedAt: c.StartedAt,
		ClosedAt:  c.ClosedAt,
		ClosedAs:  c.ClosedAs,
		Condition: c.Condition,
		Severity:  c.Severity,
		EndedBy:   endedBy(c),
	}
	for _, x := range c.Conditions {
		if rank(x.Severity) > rank(e.Severity) {
			e.Condition, e.Severity = x.Name, x.Severity
		}
	}
	if c.Diagnosis != nil {
		e.Diagnosis = line(c.Diagnosis.Summary, maxLine)
	}
	return e
}

// endedBy names the person who ended the episode; otherwise the rules did.
func endedBy(c schema.Conversation) string {
	kind := map[string]string{
		schema.StateResolved:  schema.EventResolved,
		schema.StateDismissed: schema.EventDismissed,
	}[c.ClosedAs]
	if i := last(c, kind); i >= 0 {
		return who(c.Messages[i].Author)
	}
	return schema.SourceRules
}
