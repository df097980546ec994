package conversation

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// What messages say. Contents are for people: one or two short sentences, times in UTC.

// openedText tells what is wrong, what the rule saw, what the rules make of it and who suffers.
func openedText(c schema.Conversation, f Found) string {
	facts := worstFacts(c)
	return sentences(withFacts(title(c), facts[:min(len(facts), 3)]), likely(c), cmp.Or(alsoFailing(f), neededBy(c)))
}

// withFacts adds the facts that what does not already say.
func withFacts(what string, facts []string) string {
	for _, f := range facts {
		if f = line(f, maxLine); !strings.Contains(what, f) {
			what = strings.TrimSuffix(what, ".") + "; " + f
		}
	}
	return what
}

func worstFacts(c schema.Conversation) []string {
	if len(c.Conditions) == 0 {
		return nil
	}
	return c.Conditions[0].Facts
}

// likely is the summary of the diagnosis, unless it only repeats the title.
func likely(c schema.Conversation) string {
	d := c.Diagnosis
	switch {
	case d == nil || d.Summary == "" || d.Summary == c.Title:
		return ""
	case d.InsufficientData || strings.HasPrefix(strings.ToLower(d.Summary), "likely"):
		return d.Summary
	}
	return "Likely: " + d.Summary
}

func reopenedText(was, c schema.Conversation, after time.Duration) string {
	what := "Back after " + span(after) + ": "
	switch {
	case was.ClosedAs == schema.StateFolded:
		what = fmt.Sprintf("On its own again, no longer explained by %s: ", explainer(was))
	case stillTrue(was):
		what = fmt.Sprintf("Worse than when it was dismissed, now %s: ", c.Severity)
	}
	facts := worstFacts(c)
	return sentences(what + withFacts(title(c), facts[:min(len(facts), 2)]))
}

// worsenedText names what is new or worse, worst first.
func worsenedText(was schema.Conversation, d change) string {
	w := d.more[0]
	what := "Also: "
	if rank(w.Severity) > rank(was.Severity) || !stillTrue(was) {
		what = fmt.Sprintf("Now %s: ", w.Severity)
	}
	parts := []string{what + withFacts(label(w), w.Facts[:min(len(w.Facts), 2)])}
	if len(d.more) > 1 {
		parts = append(parts, fmt.Sprintf("And: %s", labelsOf(d.more[1:])))
	}
	return sentences(parts...)
}

// easedText names what is over, what got less, and what is still true.
func easedText(d change) string {
	var parts []string
	if len(d.ended) > 0 {
		parts = append(parts, "Over: "+labelsOf(d.ended))
	}
	if len(d.less) > 0 {
		parts = append(parts, fmt.Sprintf("Down to %s: %s", d.less[0].Severity, labelsOf(d.less)))
	}
	if len(d.more)+len(d.less) == 0 && len(d.now) > 0 {
		parts = append(parts, "Still true: "+label(d.now[0]))
	}
	return sentences(parts...)
}

func clearedText(was schema.Conversation, f Found, at time.Time) string {
	after := span(at.Sub(was.StartedAt))
	switch {
	case f.Unjudged != "":
		return fmt.Sprintf("No longer judged: %s. Whether it is well is not known.", f.Unjudged)
	case f.Unwanted != "" && stillTrue(was):
		return sentences(fmt.Sprintf("No longer wanted after %s: %s", after, line(f.Unwanted, maxLine)))
	case f.Removed:
		return fmt.Sprintf("No longer there: %s has left the cluster.", f.Object)
	case was.Object.Kind == schema.KindCluster && was.Condition == "storm" && watched(was) < 0 && !was.Closed():
		return fmt.Sprintf("The storm is over after %s. What still fails goes on by itself.", after)
	case was.Closed():
		return "Well again. It was dismissed; the next failure will be told."
	case watched(was) >= 0:
		return fmt.Sprintf("Well again after %s, as %s said.", after, who(was.Messages[watched(was)].Author))
	}
	return fmt.Sprintf("Well again after %s.", after)
}

func brokenText(c schema.Conversation, what string) string {
	return fmt.Sprintf("It is %s now, which breaks through %s.", c.Severity, what)
}

// title is what is wrong, in a line.
func title(c schema.Conversation) string {
	return label(schema.Condition{Title: c.Title, Name: c.Condition})
}

func label(x schema.Condition) string {
	if t := line(x.Title, maxLine); t != "" {
		return t
	}
	return strings.ReplaceAll(x.Name, "_", " ")
}

func labelsOf(list []schema.Condition) string {
	var names []string
	for _, x := range list[:min(len(list), 3)] {
		names = append(names, label(x))
	}
	if more := len(list) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, "; ")
}

// sentences joins what is not empty, each ended by a full stop unless it ends itself.
func sentences(parts ...string) string {
	var all []string
	for _, p := range parts {
		if p = strings.TrimSpace(p); p == "" {
			continue
		}
		if !strings.ContainsAny(p[len(p)-1:], ".!?") && !strings.HasSuffix(p, "…") {
			p += "."
		}
		all = append(all, p)
	}
	return strings.Join(all, " ")
}

// who names an author.
func who(a *schema.Author) string {
	if a == nil || a.Name == "" {
		return "somebody"
	}
	return a.Name
}

// clock is a time of day, with the day if that is not from's.
func clock(t, from time.Time) string {
	if t.Format(time.DateOnly) == from.Format(time.DateOnly) {
		return t.Format("15:04 UTC")
	}
	return t.Format("2 Jan 15:04 UTC")
}

// span is a length of time in at most two units.
func span(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 24*time.Hour:
		return units(d, time.Hour, "h", time.Minute, "min")
	}
	return units(d, 24*time.Hour, "d", time.Hour, "h")
}

func units(d, big time.Duration, bigName string, small time.Duration, smallName string) string {
	if rest := d % big / small; rest > 0 {
		return fmt.Sprintf("%d %s %d %s", d/big, bigName, rest, smallName)
	}
	return fmt.Sprintf("%d %s", d/big, bigName)
}
