package webhook

import (
	"fmt"
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

// headline is the one line for people: what is wrong where, or what happened.
func headline(c schema.Conversation, e schema.Message) string {
	name := line(c.Object.Name, maxPart)
	where := " on " + line(c.Cluster, maxPart)
	if c.Object.Kind == schema.KindCluster {
		where = ""
	}
	switch {
	case isOpening(e) || e.Kind == schema.EventWorsened || e.Kind == schema.EventEscalated || e.Kind == schema.EventStillFiring:
		return line(spaced(name, wrong(c, e))+where+": "+detail(c, e)+over(c)+nobodys(e)+likely(c)+neededBy(c), maxHeadline)
	case c.Closed() && isClosing(e):
		return line(name+" "+ended(c)+where+lasted(c)+" (was: "+detail(c, e)+")", maxHeadline)
	}
	return line(name+where+", "+words(e.Kind)+by(e)+": "+firstLine(e.Content), maxHeadline)
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
	switch e.Kind {
	case schema.EventReopened:
		return spaced(phrase, "again")
	case schema.EventStillFiring, schema.EventEscalated:
		return spaced("still", phrase)
	}
	return phrase
}

// detail is the title without the name that the line has begun with, or else what the event says.
func detail(c schema.Conversation, e schema.Message) string {
	title := line(c.Title, maxPart)
	for _, name := range []string{c.Object.String(), c.Object.Name} {
		if rest, ok := strings.CutPrefix(title, line(name, maxPart)+": "); ok {
			return rest
		}
	}
	if title == "" {
		return firstLine(e.Content)
	}
	return title
}

func ended(c schema.Conversation) string {
	if c.ClosedAs == schema.StateFolded {
		return "explained by another incident"
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
	if cause == "" {
		cause = firstLine(c.Diagnosis.Summary)
	}
	if cause == "" {
		return ""
	}
	return ". Likely: " + cause
}

// maxNeeders is how many of those that depend on the object the line names.
const maxNeeders = 3

// neededBy names who depends on what is down, worst first, and how many more there are.
func neededBy(c schema.Conversation) string {
	var names []string
	for _, a := range c.Affected[:min(len(c.Affected), maxNeeders)] {
		names = append(names, line(a.Object.Name, 40))
	}
	if len(names) == 0 {
		return ""
	}
	text := ". Needed by " + strings.Join(names, ", ")
	if more := max(c.AffectedCount, len(c.Affected)) - len(names); more > 0 {
		text += fmt.Sprintf(" (+%d)", more)
	}
	return text
}

func by(e schema.Message) string {
	if e.Author == nil || e.Author.Name == "" {
		return ""
	}
	return " by " + line(e.Author.Name, maxPart)
}

func words(token string) string { return line(strings.ReplaceAll(token, "_", " "), maxPart) }

func firstLine(text string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line(first, maxPart)
}

// line makes one clean line of at most limit bytes, without secrets. It looks at the first maxLooked bytes only.
func line(text string, limit int) string { return scrub.Line(cut(text, maxLooked), limit) }

// cut ends a text after at most limit bytes, with an ellipsis and never within a rune.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := limit - len("…")
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// hidden tells whether a rune changes how others are shown, or shows nothing itself: control characters except
// newline and tab, direction marks, zero-width characters, selectors.
func hidden(r rune) bool {
	return r != '\n' && r != '\t' && (r == utf8.RuneError || r == '\u2028' || r == '\u2029' ||
		unicode.In(r, unicode.Cc, unicode.Cf, unicode.Variation_Selector))
}
