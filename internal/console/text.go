package console

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// clean makes one line of text that came from somewhere else, with nothing in it that a reader cannot see.
func clean(s string) string {
	return strings.Join(strings.FieldsFunc(scrub.Clean(s), func(r rune) bool { return r == '\n' || r == '\t' }), " ")
}

// columns is how wide s is. Characters count as one column each; the few that are wider make a line a little longer.
func columns(s string) int { return utf8.RuneCountInString(s) }

// pad fills s up to n columns.
func pad(s string, n int) string { return s + strings.Repeat(" ", max(n-columns(s), 0)) }

// shorten cuts s to at most n columns, and shows that it did.
func shorten(s string, n int) string {
	if columns(s) <= n {
		return s
	}
	return strings.TrimRight(string([]rune(s)[:max(n-1, 0)]), " ") + "…"
}

// wrap breaks s into lines: the first has room for first columns, the others for rest. Words longer than a line are
// left whole, so that what is to be copied can be.
func wrap(s string, first, rest int) []string {
	lines, room := []string{""}, first
	for word := range strings.FieldsSeq(s) {
		last := &lines[len(lines)-1]
		switch n := columns(*last); {
		case n == 0 && (len(lines) > 1 || columns(word) <= room):
			*last = word
		case n > 0 && n+1+columns(word) <= room:
			*last += " " + word
		default:
			lines, room = append(lines, word), rest
		}
	}
	return lines
}

// paragraphs cleans text of several lines and wraps each of them.
func paragraphs(s string, first, rest int) []string {
	var all []string
	for line := range strings.SplitSeq(strings.TrimSpace(scrub.Clean(s)), "\n") {
		line = strings.ReplaceAll(line, "\t", " ")
		if columns(line) <= first { // as it is, with its spaces
			all, first = append(all, strings.TrimRight(line, " ")), rest
			continue
		}
		all, first = append(all, wrap(line, first, rest)...), rest
	}
	return all
}

// lowerFirst makes a sentence of the rules go on where it stands.
func lowerFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToLower(r)) + s[n:]
}

// Span is a length of time as people say it, in one unit and rounded down.
func Span(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}

// Count is a number with its word, which gets an s unless it is one.
func Count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Notice prints a line of Bellbuoy's own about what was asked for.
func (p *Printer) Notice(text string) {
	p.write(strings.Join(wrap(clean(text), p.width(), p.width()), "\n") + "\n")
}
