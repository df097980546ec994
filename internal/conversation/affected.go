package conversation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// affected adopts who depends on the object as of f, at most schema.MaxAffected of them.
func (s *step) affected(f Found) {
	list := slices.Clone(f.Affected[:min(len(f.Affected), schema.MaxAffected)])
	for i := range list {
		a := &list[i]
		a.Object.Kind, a.Object.Namespace, a.Object.Name = line(a.Object.Kind, maxName), line(a.Object.Namespace, maxName), line(a.Object.Name, maxName)
		a.Condition, a.Since = line(a.Condition, maxName), utc(a.Since)
	}
	s.c.Affected, s.c.AffectedCount = list, max(f.Dependents, len(f.Affected))
}

// maxNeeders is how many of those that depend on the object a message names.
const maxNeeders = 3

// neededBy names who depends on what is down, worst first, and how many more there are.
func neededBy(c schema.Conversation) string {
	var names []string
	for _, a := range c.Affected[:min(len(c.Affected), maxNeeders)] {
		names = append(names, a.Object.String())
	}
	if len(names) == 0 {
		return ""
	}
	text := "Needed by " + strings.Join(names, ", ")
	if more := c.AffectedCount - len(names); more > 0 {
		text += fmt.Sprintf(" (+%d)", more)
	}
	return text
}
