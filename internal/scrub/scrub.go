// Package scrub takes secrets, and characters that deceive a reader, out of text that came from somewhere else: logs,
// event texts, labels, replies. What it takes out for being a secret it replaces by [REDACTED:kind].
//
// It is pure: no I/O, no clock, no state; every function may be called from any goroutine. Scrub text before cutting
// it and before splitting it into lines, because half a secret is no longer recognised and a private key spans lines.
// It never logs or returns what it took out, only how much of which kind. It recognises shapes, so it can miss a
// secret that looks like a word and can take out a word that looks like a secret; it prefers the second.
package scrub

import (
	"strings"
	"unicode/utf8"
)

// Text replaces every secret in s by [REDACTED:kind] and leaves everything else as it is. Scrubbing twice gives the
// same as scrubbing once.
func Text(s string) string {
	out, _ := Count(s)
	return out
}

// Count is Text that also says how many secrets of each kind it took out; nil when there was none.
func Count(s string) (string, map[string]int) {
	var found tally
	s = redactKeys(s, &found)
	return redactLines(s, &found), found.byKind
}

// Clean makes s valid UTF-8 without ANSI sequences, control, bidirectional, zero-width and other invisible
// characters, and without secrets. Newlines and tabs stay; every other line break becomes a newline.
func Clean(s string) string { return Text(visible(s)) }

// Line makes one log line of s: cleaned as by Clean, line breaks and tabs turned into spaces, no spaces around it,
// and then cut to at most limit bytes without splitting a character.
func Line(s string, limit int) string {
	s = oneLine(Clean(s))
	for range passes {
		next := strings.TrimSpace(cut(Text(s), limit))
		if next == s {
			break
		}
		s = next
	}
	return s
}

// oneLine joins the lines of s.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		return r
	}, s))
}

// cut shortens s to at most limit bytes at a character's boundary.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	limit = max(limit, 0)
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// tally counts what was taken out. Its zero value counts from nothing.
type tally struct{ byKind map[string]int }

func (t *tally) add(kind string) {
	if t.byKind == nil {
		t.byKind = map[string]int{}
	}
	t.byKind[kind]++
}

const markerOpen = "[REDACTED:"

func marker(kind string) string { return markerOpen + kind + "]" }

// redacted tells whether a value has already been taken out, with or without the bracket before it.
func redacted(value string) bool {
	return strings.HasPrefix(strings.TrimLeft(value, "["), markerOpen[1:])
}
