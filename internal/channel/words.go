package channel

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

const (
	maxHeadline = 400 // bytes
	maxPart     = 160
	maxLooked   = 2 << 10 // well behind the end of any line, so that no half of a secret stays
)

// Headline is the one line for people: what is wrong where, or what happened. Receivers pass it on to chats, so that no
// link, mention or markup may be in it, whoever wrote it.
func Headline(c schema.Conversation, e schema.Message) string {
	return Line(scrub.Inert(plainly(c, e)), maxHeadline)
}

func plainly(c schema.Conversation, e schema.Message) string {
	name := Line(c.Object.Name, maxPart)
	where := " on " + Line(c.Cluster, maxPart)
	if c.Object.Kind == schema.KindCluster {
		where = ""
	}
	switch {
	case Opens(e) || e.Kind == schema.EventWorsened || e.Kind == schema.EventEscalated || e.Kind == schema.EventStillFiring:
		return Line(spaced(name, wrong(c, e))+where+": "+detail(c, e)+over(c)+nobodys(e)+affected(c)+likely(c)+neededBy(c), maxHeadline)
	case c.Closed() && Closes(e):
		return Line(closing(c, name, where), maxHeadline)
	case e.Kind == schema.EventGrown:
		return Line(name+where+": "+lowerFirst(firstLine(e.Content)), maxHeadline)
	}
	return Line(name+where+", "+words(e.Kind)+by(e)+": "+firstLine(e.Content), maxHeadline)
}

// closing says how it ended, and what it was.
func closing(c schema.Conversation, name, where string) string {
	if c.ClosedAs == schema.StateFolded {
		return partOf(c, name, where)
	}
	text := name + " " + ended(c) + where + lasted(c)
	if was := was(c); was != "" {
		text += " (was: " + was + ")"
	}
	return text
}

// partOf says in which incident a folded one goes on.
func partOf(c schema.Conversation, name, where string) string {
	if c.Object.Kind == schema.KindCluster {
		name = "what failed on " + name
	}
	cause, _ := c.Explainer()
	switch cause = Line(cause, maxPart); cause {
	case "":
		return name + " is part of another incident" + where + " now"
	case Line(c.Cluster, maxPart):
		return name + " is part of the storm" + where + " now"
	}
	return name + " is part of " + cause + where + " now"
}

// spaced is a name and, if there is a word for what is wrong with it, that.
func spaced(name, word string) string { return strings.TrimSpace(name + " " + word) }

// wrong says in a word or two what the worst condition means; nothing where only its title says that.
func wrong(c schema.Conversation, e schema.Message) string {
	phrase := map[string]string{
		"service_down": "down", "node_down": "down", "service_degraded": "degraded", "crash_loop": "crash-looping",
		"oom_killed": "out of memory", "unhealthy": "unhealthy", "job_failed": "failed", "node_rebooted": "rebooted",
		"cluster_silent": "silent",
	}[c.Condition]
	again := e.Kind == schema.EventReopened || e.Kind == schema.EventStillFiring || e.Kind == schema.EventEscalated
	if again && c.Condition == "storm" {
		phrase = "failing"
	}
	switch e.Kind {
	case schema.EventReopened:
		return spaced(phrase, "again")
	case schema.EventStillFiring, schema.EventEscalated:
		return spaced("still", phrase)
	}
	return phrase
}

// detail is the title without the name that the line has begun with, or else what the event says. Where the title says
// no more than the beginning of the line, it is what the rule saw.
func detail(c schema.Conversation, e schema.Message) string {
	title := titled(c)
	if c.Condition == "node_down" && title == "node "+Line(c.Object.Name, maxPart)+" is down" {
		if facts := seen(c); facts != "" {
			return facts
		}
	}
	if title == "" {
		return firstLine(e.Content)
	}
	return title
}

func titled(c schema.Conversation) string {
	title := Line(c.Title, maxPart)
	for _, name := range []string{c.Object.String(), c.Object.Name} {
		if rest, ok := strings.CutPrefix(title, Line(name, maxPart)+": "); ok {
			return rest
		}
	}
	return title
}

// was is what was wrong with what is over; empty if nothing tells.
func was(c schema.Conversation) string { return cmp.Or(titled(c), words(c.Condition)) }

// seen is what the rule saw of the worst condition, in at most two facts.
func seen(c schema.Conversation) string {
	for _, x := range c.Conditions {
		if x.Name == c.Condition {
			return Line(strings.Join(x.Facts[:min(len(x.Facts), 2)], ", "), maxPart)
		}
	}
	return ""
}

func ended(c schema.Conversation) string {
	if c.ClosedAs == schema.StateFolded {
		cause, _ := c.Explainer()
		return "part of " + cmp.Or(Line(cause, maxPart), "another incident")
	}
	return words(c.ClosedAs)
}

// lasted says how long the episode was, if that is known.
func lasted(c schema.Conversation) string {
	d := c.ClosedAt.Sub(c.StartedAt)
	if c.StartedAt.IsZero() || d <= 0 {
		return ""
	}
	return " after " + d.Round(time.Second).String()
}

// over says of an opening that is told late that it has ended since.
func over(c schema.Conversation) string {
	if !c.Closed() {
		return ""
	}
	return ". Over by now: " + ended(c) + lasted(c)
}

// nobodys says why an escalated one is told again.
func nobodys(e schema.Message) string {
	if e.Kind != schema.EventEscalated {
		return ""
	}
	return ". Nobody has it"
}

func likely(c schema.Conversation) string {
	if c.Diagnosis == nil {
		return ""
	}
	cause := firstLine(c.Diagnosis.RootCause.Statement)
	if cause == "" || c.Condition == "storm" { // of which the title and the names say the rest
		cause = firstLine(c.Diagnosis.Summary)
	}
	if cause == "" {
		return ""
	}
	switch {
	case !c.Diagnosis.InsufficientData:
	case c.Diagnosis.Source != schema.SourceRules: // its summary says that there is not enough data
		return ". " + cmp.Or(firstLine(c.Diagnosis.Summary), cause)
	case c.Condition == "storm":
		return ". " + cause
	}
	return ". Likely: " + cause
}

// maxNamed is how many of those that are affected, or that depend on the object, the line names.
const maxNamed = 3

// affected says who suffers from it. Those of a storm are what its title counts.
func affected(c schema.Conversation) string {
	victims, count := c.Victims()
	switch {
	case len(victims) == 0:
		return ""
	case c.Object.Kind == schema.KindCluster:
		return ". Among them " + names(victims, count)
	}
	return ". " + counted(victims, count) + " affected: " + names(victims, count)
}

func counted(victims []schema.Affected, count int) string {
	what := "service"
	if slices.ContainsFunc(victims, func(a schema.Affected) bool { return a.Object.Kind != schema.KindService }) {
		what = "object"
	}
	if count != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", count, what)
}

// neededBy names who depends on what is down, worst first, where nobody is known to suffer from it.
func neededBy(c schema.Conversation) string {
	if victims, _ := c.Victims(); len(victims) > 0 || len(c.Affected) == 0 {
		return ""
	}
	return ". Needed by " + names(c.Affected, max(c.AffectedCount, len(c.Affected)))
}

// names are the first of list, and how many more of count there are.
func names(list []schema.Affected, count int) string {
	var all []string
	for _, a := range list[:min(len(list), maxNamed)] {
		all = append(all, Line(a.Object.Name, 40))
	}
	text := strings.Join(all, ", ")
	if more := count - len(all); more > 0 {
		text += fmt.Sprintf(" (+%d)", more)
	}
	return text
}

func by(e schema.Message) string {
	if e.Author == nil || e.Author.Name == "" {
		return ""
	}
	return " by " + Line(e.Author.Name, maxPart)
}

func words(token string) string { return Line(strings.ReplaceAll(token, "_", " "), maxPart) }

func lowerFirst(text string) string {
	r, n := utf8.DecodeRuneInString(text)
	if n == 0 {
		return text
	}
	return string(unicode.ToLower(r)) + text[n:]
}

func firstLine(text string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return Line(first, maxPart)
}

// Line makes one clean line of at most limit bytes, without secrets. It looks at the first maxLooked bytes only.
func Line(text string, limit int) string { return scrub.Line(Cut(text, maxLooked), limit) }

// Cut ends a text after at most limit bytes, with an ellipsis and never within a rune.
func Cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := limit - len("…")
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}
