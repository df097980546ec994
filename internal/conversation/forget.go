package conversation

import (
	"fmt"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// forgotten closes c as removed, whatever is true of it: nobody knows whether the object is well. If it is found again
// it opens again.
func forgotten(c schema.Conversation, e Forgotten) (schema.Conversation, string) {
	switch {
	case c.ID == "":
		return c, "no such conversation"
	case c.Closed() && !stillTrue(c):
		return c, "closed already"
	}
	by := tidyAuthor(e.By)
	s := begin(c, e.At)
	s.track(compare(c, nil, s.at))
	m := s.say(schema.EventCleared, schema.SenderOperator, fmt.Sprintf("Forgotten by %s. Whether it is well is not known.", who(&by)))
	m.Author = &by
	if !c.Closed() {
		s.close(schema.StateRemoved)
	}
	return s.end()
}
