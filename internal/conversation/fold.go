package conversation

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// One failure is told once. What another conversation explains is folded into it: it closes, says where it goes on, and
// rests there until it stands for itself again. The one that explains it grows.

// grownEvery is the time between two events that say who else is affected, unless they are twice as many by then.
const grownEvery = time.Minute

// heardOf is how long an owner counts as knowing what is going on, once people were told something.
const heardOf = 30 * time.Minute

// foundExplained is about something true that another conversation explains.
func foundExplained(c schema.Conversation, f Found) (schema.Conversation, string) {
	if c.Closed() || f.Cause.ID == c.ID {
		return c, explained(*f.Cause)
	}
	s := begin(c, f.At)
	s.input(f)
	s.track(compare(c, nil, s.at)) // what is still true is the cause's to tell
	s.say(schema.EventFolded, schema.SenderSystem, foldedText(*f.Cause)).Silent = true
	s.close(schema.StateFolded)
	s.c.FoldedInto = line(f.Cause.ID, maxName)
	return s.end()
}

// Texts of folding. What explained a folded conversation is read from its own message: its state names only the id.
const (
	foldedBefore = "Explained by "
	foldedAfter  = ": goes on there."
)

func foldedText(by Cause) string { return foldedBefore + by.String() + foldedAfter }

func explained(by Cause) string { return "explained by " + by.String() }

func wentOnText(to Cause) string { return fmt.Sprintf("That went on to %s, which explains this.", to) }

// explainer names what c was folded into.
func explainer(c schema.Conversation) string {
	if i := last(c, schema.EventFolded); i >= 0 {
		name, after := strings.CutPrefix(c.Messages[i].Content, foldedBefore)
		name, before := strings.CutSuffix(name, foldedAfter)
		if before && after {
			return name
		}
	}
	return short(c.FoldedInto)
}

// String names the cause, and its id as far as people type it.
func (x Cause) String() string {
	return fmt.Sprintf("%s (%s)", line(x.Object.String(), maxName), short(x.ID))
}

// shortID is how many digits of an id people are shown.
const shortID = 8

func short(id string) string { return line(id[:min(len(id), shortID)], maxName) }

// fresh lists the victims that c does not name as such yet.
func fresh(c schema.Conversation, f Found) []schema.Affected {
	if len(f.Victims) == 0 {
		return nil
	}
	named := make(map[schema.Object]bool, len(c.Affected))
	for _, a := range c.Affected {
		named[a.Object] = !a.Since.IsZero()
	}
	var list []schema.Affected
	for _, v := range f.Victims {
		if !named[tidyAffected(v).Object] {
			list = append(list, v)
		}
	}
	return list
}

// growing tells whether it is time to say who else is affected. Where not all are named any more, only their number tells
// that there are others.
func growing(c schema.Conversation, f Found) bool {
	more := f.VictimCount > c.AffectedCount
	unnamed := c.AffectedCount > len(c.Affected)
	if !more && (unnamed || len(fresh(c, f)) == 0) {
		return false
	}
	i := last(c, schema.EventGrown)
	return i < 0 || f.At.Sub(c.Messages[i].At) >= grownEvery || more && f.VictimCount >= 2*c.AffectedCount
}

// grow adopts the victims of f and says which of them are new, if it is time to.
func (s *step) grow(f Found) {
	if !growing(s.c, f) {
		return
	}
	text, loud := alsoAffected(s.c, f), takesMore(s.c, f)
	s.affected(f)
	s.say(schema.EventGrown, schema.SenderSystem, sentences(text)).Silent = !loud
}

// takesMore tells whether people are to look up for who is new: something critical joins what its owner has had for so long
// that he need not be looking. What is silenced stays silent, and what is nobody's is escalated anyway.
func takesMore(c schema.Conversation, f Found) bool {
	if State(c) != schema.StateAcknowledged || c.AffectedCount > len(c.Affected) {
		return false
	}
	for _, m := range slices.Backward(c.Messages) {
		if !m.Silent {
			if f.At.Sub(m.At) < heardOf {
				return false
			}
			break
		}
	}
	heard := func(o schema.Object) bool { // of it, when it opened a conversation of its own
		return slices.ContainsFunc(f.Heirs, func(h schema.Conversation) bool { return h.Object == o })
	}
	return slices.ContainsFunc(fresh(c, f), func(a schema.Affected) bool { return slices.Contains(f.Critical, a.Object) && !heard(a.Object) })
}

// alsoAffected names the victims that c does not name yet.
func alsoAffected(c schema.Conversation, f Found) string {
	list := fresh(c, f)
	return naming("Also affected: ", list, max(len(list), f.VictimCount-c.AffectedCount))
}

// alsoFailing names all victims of f. Those of a storm are what its title counts.
func alsoFailing(f Found) string {
	what := "Also failing because of it: "
	if f.Object.Kind == schema.KindCluster {
		what = "Among them: "
	}
	return naming(what, f.Victims, max(len(f.Victims), f.VictimCount))
}
