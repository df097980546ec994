package conversation

import (
	"strings"
	"unicode/utf8"

	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// Bounds of texts, in bytes as JSON encodes them, so that a message stays within schema.MaxMessageBytes and a
// conversation without its messages well within half of schema.MaxConversationBytes.
const (
	maxContent = 11 << 10
	maxCommand = 2 << 10
	maxProse   = 4 << 10
	maxLine    = 400
	maxName    = 256
	maxLabels  = 64
	maxList    = 12
)

// prose is s cleaned and within limit, its lines kept.
func prose(s string, limit int) string { return fit(clean(s, limit), limit) }

// line is s cleaned, on one line and within limit.
func line(s string, limit int) string {
	return fit(strings.Join(strings.Fields(clean(s, limit)), " "), limit)
}

// clean is s without secrets and what hides, cut long after limit so that an endless text costs little.
func clean(s string, limit int) string {
	if most := 8*limit + 4096; len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return strings.TrimSpace(scrub.Clean(s))
}

// command is s if it can be shown for somebody to run: one line, nothing hidden in it and not too long. Half a
// command is worse than none.
func command(s string) string {
	s = strings.TrimSpace(s)
	if encoded(s) > maxCommand || strings.Contains(s, "\n") || scrub.Clean(s) != s {
		return ""
	}
	return s
}

// fit cuts s at a character's boundary so that JSON encodes it in at most limit bytes.
func fit(s string, limit int) string {
	const mark = "…"
	if 6*len(s) <= limit { // nothing encodes into more
		return strings.ToValidUTF8(s, "")
	}
	s = strings.ToValidUTF8(s, "")
	size, cut := 0, 0
	for i, r := range s {
		if size <= limit-len(mark) {
			cut = i
		}
		if size += width(r); size > limit {
			return strings.TrimRight(s[:cut], " \n") + mark
		}
	}
	return s
}

// encoded is the number of bytes that JSON needs for s, without the quotes.
func encoded(s string) int {
	n := 0
	for _, r := range s {
		n += width(r)
	}
	return n
}

func width(r rune) int {
	switch {
	case r == '"' || r == '\\' || r == '\n' || r == '\r' || r == '\t':
		return 2
	case r < ' ' || r == '<' || r == '>' || r == '&' || r == '\u2028' || r == '\u2029' || r == utf8.RuneError:
		return 6
	}
	return utf8.RuneLen(r)
}
