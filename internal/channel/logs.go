package channel

import (
	"regexp"
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// evidenceLog is the kind of evidence that is a line of a log.
const evidenceLog = "log"

// Withheld stands where a log line may not be shown.
const Withheld = "(log line not shown)"

// Shown is c with as much of its log lines as may be shown: LogsFull all of them, LogsOff none, else the most telling
// one of the evidence. Where none may be shown, those that others quote go too: rules and models do, and so does the answer
// to who asked for logs. What a model says of a line in words of its own stays. c itself is not changed.
func Shown(c schema.Conversation, logs string) schema.Conversation {
	if logs == LogsFull {
		return c
	}
	all := c.Evidence
	telling := mostTelling(c)
	if logs == LogsOff {
		telling = -1
	}
	c.Evidence = nil
	var hidden []string
	for i, e := range all {
		switch {
		case e.Kind != evidenceLog || i == telling:
			c.Evidence = append(c.Evidence, e)
		default:
			hidden = append(hidden, e.Text)
		}
	}
	if logs == LogsOff {
		return withhold(c, hidden)
	}
	return c
}

// mostTelling is the place of the log line that says most: evidence has them in that order, and the object's own come
// before those of others. -1: there is none.
func mostTelling(c schema.Conversation) int {
	own := slices.IndexFunc(c.Evidence, func(e schema.Evidence) bool { return e.Kind == evidenceLog && e.Object == c.Object.String() })
	if own >= 0 {
		return own
	}
	return slices.IndexFunc(c.Evidence, func(e schema.Evidence) bool { return e.Kind == evidenceLog })
}

// withhold takes the lines out of whatever quotes them.
func withhold(c schema.Conversation, lines []string) schema.Conversation {
	without := func(text string) string { return unquoted(text, lines) }
	c.Title = without(c.Title)
	c.Conditions = slices.Clone(c.Conditions)
	for i := range c.Conditions {
		x := &c.Conditions[i]
		x.Title, x.Facts = without(x.Title), each(x.Facts, without)
	}
	c.Evidence = slices.Clone(c.Evidence)
	for i := range c.Evidence {
		c.Evidence[i].Text = without(c.Evidence[i].Text)
	}
	c.Messages = slices.Clone(c.Messages)
	for i := range c.Messages {
		c.Messages[i].Content = without(c.Messages[i].Content)
	}
	c.Episodes = slices.Clone(c.Episodes)
	for i := range c.Episodes {
		c.Episodes[i].Diagnosis = without(c.Episodes[i].Diagnosis)
	}
	if c.Diagnosis != nil {
		d := discreet(*c.Diagnosis, without)
		c.Diagnosis = &d
	}
	return c
}

// discreet is a diagnosis that quotes nothing that without takes out.
func discreet(d schema.Diagnosis, without func(string) string) schema.Diagnosis {
	for _, text := range []*string{&d.Summary, &d.RootCause.Statement, &d.ConfidenceWhy, &d.Action.Reason} {
		*text = without(*text)
	}
	d.Evidence, d.Alternatives = slices.Clone(d.Evidence), slices.Clone(d.Alternatives)
	for i := range d.Evidence {
		d.Evidence[i].Why = without(d.Evidence[i].Why)
	}
	for i := range d.Alternatives {
		a := &d.Alternatives[i]
		a.Statement, a.Check = without(a.Statement), without(a.Check)
	}
	return d
}

func each(all []string, change func(string) string) []string {
	all = slices.Clone(all)
	for i := range all {
		all[i] = change(all[i])
	}
	return all
}

// lookedUp is a line of a look-up as an answer quotes it: L3 08:00:41 UTC shop-db-1 “ready”.
var lookedUp = regexp.MustCompile(`(?m)^(L\d{1,3} [^“\n]*)“[^\n]*”[^\S\n]*$`)

// minQuoted is how long the beginning of a line has to be, in bytes, to be told from other words.
const minQuoted = 6

// unquoted is text without the lines, whole or from their beginning on, and without what an answer has looked up.
func unquoted(text string, lines []string) string {
	for _, line := range lines {
		text = unquote(text, strings.TrimSpace(line))
	}
	if strings.HasPrefix(text, "L") || strings.Contains(text, "\nL") {
		text = lookedUp.ReplaceAllString(text, "${1}"+Withheld)
	}
	return text
}

// unquote takes out a line wherever its beginning stands, as far as the text goes on as it does.
func unquote(text, line string) string {
	begin := line[:min(len(line), 4*minQuoted)]
	if len(begin) < minQuoted {
		return text
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, begin)
		out.WriteString(before)
		if !found {
			return out.String()
		}
		out.WriteString(Withheld)
		text = rest[common(rest, line[len(begin):]):]
	}
}

// common is how many bytes a and b have in common at their beginning.
func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
