package conversation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// affected adopts whom the object explains as of f, then who depends on it, then who was affected earlier in the episode:
// at most schema.MaxAffected of them. The count is that of all, as far as it is known, and never falls within an episode.
func (s *step) affected(f Found) {
	before := s.c.Affected
	all := make([]schema.Affected, 0, len(f.Victims)+len(f.Affected)+len(before))
	seen := make(map[schema.Object]bool, cap(all))
	for i, list := range [][]schema.Affected{f.Victims, f.Affected, before} {
		for _, a := range list[:min(len(list), schema.MaxAffected)] {
			if i < 2 {
				a = tidyAffected(a)
			}
			if i == 0 && a.Since.IsZero() {
				a.Since = f.At // is how a victim is told from one that only depends on it
			}
			if !seen[a.Object] {
				seen[a.Object] = true
				all = append(all, a)
			}
		}
	}
	s.c.AffectedCount = max(s.c.AffectedCount, len(all), f.VictimCount, f.Dependents)
	s.c.Affected = slices.Clip(all[:min(len(all), schema.MaxAffected)])
}

func tidyAffected(a schema.Affected) schema.Affected {
	a.Object.Kind, a.Object.Namespace, a.Object.Name = line(a.Object.Kind, maxName), line(a.Object.Namespace, maxName), line(a.Object.Name, maxName)
	a.Condition, a.Since = line(a.Condition, maxName), utc(a.Since)
	return a
}

// maxNeeders is how many of those that are affected a message names.
const maxNeeders = 3

// neededBy names who depends on what is down, worst first, and how many more there are.
func neededBy(c schema.Conversation) string {
	return naming("Needed by ", c.Affected, c.AffectedCount)
}

// naming is what and the first of all, and how many of count those are not.
func naming(what string, all []schema.Affected, count int) string {
	var names []string
	for _, a := range all[:min(len(all), maxNeeders)] {
		names = append(names, tidyAffected(a).Object.String())
	}
	more := count - len(names)
	switch {
	case len(names) == 0 && more <= 0:
		return ""
	case len(names) == 0:
		return fmt.Sprintf("%s%d more", what, more)
	case more > 0:
		return fmt.Sprintf("%s%s (+%d)", what, strings.Join(names, ", "), more)
	}
	return what + strings.Join(names, ", ")
}
