package conversation

import (
	"cmp"
	"fmt"
	"math"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// settled folds the result of a task in. A result that comes during a silence is taken too, though it would not be
// asked for then.
func settled(c schema.Conversation, e Settled) (schema.Conversation, string) {
	switch e.Task.Kind {
	case TaskDiagnose:
		i := openDiagnosis(c)
		switch {
		case i < 0 || c.Messages[i].ID != e.Task.Message:
			return c, "already settled"
		case c.Closed():
			return c, "closed meanwhile"
		case e.Diagnosis != nil:
			return diagnosed(c, e)
		case e.Failed != "":
			return undiagnosed(c, e)
		}
	case TaskAnswer:
		switch {
		case !Owes(c, e.Task):
			return c, "already settled"
		case e.Answer != "" || e.Failed != "":
			return answered(c, e)
		}
	}
	return c, "no result"
}

func diagnosed(c schema.Conversation, e Settled) (schema.Conversation, string) {
	s := begin(c, e.At)
	d := tidyDiagnosis(*e.Diagnosis)
	s.c.Diagnosis = &d
	s.settle(e, schema.EventDiagnosed, schema.SenderAssistant, cmp.Or(d.Summary, d.RootCause.Statement), d.Command)
	return s.end()
}

func undiagnosed(c schema.Conversation, e Settled) (schema.Conversation, string) {
	s := begin(c, e.At)
	what := "The model gave no usable verdict"
	if e.Unasked {
		what = "The model was not asked"
	}
	text := fmt.Sprintf("%s: %s", what, line(e.Failed, maxLine))
	stands := ""
	if c.Diagnosis != nil {
		stands = "What the rules say stands"
		if byModel(c.Diagnosis) {
			stands = "The earlier verdict stands"
		}
	}
	s.settle(e, schema.EventDiagnosed, schema.SenderSystem, sentences(text, stands), "")
	return s.end()
}

func answered(c schema.Conversation, e Settled) (schema.Conversation, string) {
	s := begin(c, e.At)
	why := line(e.Failed, maxLine)
	sender, text := cmp.Or(e.Sender, schema.SenderAssistant), prose(e.Answer, maxContent-2*maxLine)
	switch {
	case text == "":
		sender, text = schema.SenderSystem, sentences("No answer: "+cmp.Or(why, "it was empty"))
	case why != "":
		text = join(text, sentences("The model gave no usable answer: "+why))
	}
	s.settle(e, schema.EventAnswered, sender, text, e.Command)
	return s.end()
}

// settle adds the message that settles e's task, and what it cost.
func (s *step) settle(e Settled, kind, sender, content, next string) {
	m := s.say(kind, sender, content)
	m.Settles, m.SuggestedCommand = e.Task.Message, command(next)
	u := &s.c.Usage
	u.Calls, u.Tokens = u.Calls+e.Usage.Calls, u.Tokens+e.Usage.Tokens
	u.Cost = math.Round((u.Cost+e.Usage.Cost)*1e8) / 1e8 // a sum of fractions is none that people would write
	u.Currency = cmp.Or(e.Usage.Currency, u.Currency)
}
