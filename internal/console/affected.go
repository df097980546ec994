package console

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const (
	mostAffected = 8 // named where there is room
	fewAffected  = 3 // named in an event
)

// affects is who suffers from it, and how many they are; empty where nobody is known to.
func affects(c *schema.Conversation, most int) string {
	victims, count := c.Victims()
	if len(victims) == 0 {
		return ""
	}
	what := "service"
	if slices.ContainsFunc(victims, func(a schema.Affected) bool { return a.Object.Kind != schema.KindService }) {
		what = "object"
	}
	return Count(count, what) + ": " + named(victims, count, most)
}

// neededBy is who else declares to depend on it.
func neededBy(c *schema.Conversation, most int) string {
	victims, count := c.Victims()
	if len(victims) == len(c.Affected) {
		return ""
	}
	rest := slices.Clone(c.Affected)
	rest = slices.DeleteFunc(rest, func(a schema.Affected) bool { return !a.Since.IsZero() })
	return named(rest, max(c.AffectedCount, len(c.Affected))-count, most)
}

// named names the first of list, and counts the others.
func named(list []schema.Affected, count, most int) string {
	var names []string
	for _, a := range list[:min(len(list), most)] {
		names = append(names, clean(a.Object.Name))
	}
	text := strings.Join(names, ", ")
	if more := count - len(names); more > 0 {
		text += fmt.Sprintf(" (+%d)", more)
	}
	return text
}

// partOf is what explains a folded conversation and where it goes on; empty if it is not folded.
func (p *Printer) partOf(c *schema.Conversation) string {
	if c.State != schema.StateFolded {
		return ""
	}
	cause, id := c.Explainer()
	if schema.ValidID(c.FoldedInto) {
		id = p.ID(c.FoldedInto)
	}
	switch {
	case id == "":
		return "another incident, which explains it"
	case cause == "":
		return fmt.Sprintf("%s, which explains it: bellbuoy show %s", id, id)
	}
	return fmt.Sprintf("%s (%s), which explains it: bellbuoy show %s", p.explainer(cause, c.Cluster), id, id)
}

// explainer names a cause. The object that bears its cluster's name is the storm there.
func (p *Printer) explainer(cause, cluster string) string {
	if cause == cluster {
		return "the storm on " + clean(cluster)
	}
	return clean(cause)
}
