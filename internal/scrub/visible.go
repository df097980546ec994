package scrub

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ansi matches terminal sequences: CSI, OSC and its like up to their end, and two-character escapes.
var ansi = regexp.MustCompile("(?:\x1b\\[|\u009b)[0-?]*[ -/]*[@-~]" +
	"|(?:\x1b[\\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\x07\x1b\u009c\n]*(?:\x07|\x1b\\\\|\u009c)?" +
	"|\x1b[ -/]*[0-~]?")

// visible makes s valid UTF-8 of characters that a reader can see, newlines and tabs.
func visible(s string) string {
	if plain(s) {
		return s
	}
	s = strings.ToValidUTF8(s, string(utf8.RuneError))
	if strings.ContainsAny(s, "\x1b\u0090\u0098\u009b\u009d\u009e\u009f") {
		s = ansi.ReplaceAllString(s, "")
	}
	return strings.Map(keepVisible, strings.ReplaceAll(s, "\r\n", "\n"))
}

// plain tells whether s is printable ASCII, newlines and tabs only, as most logs are.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < ' ' && c != '\n' && c != '\t') || c > '~' {
			return false
		}
	}
	return true
}

// keepVisible is a mapping for strings.Map: -1 drops the character.
func keepVisible(r rune) rune {
	switch {
	case r == '\n' || r == '\t':
		return r
	case r == '\r' || r == '\v' || r == '\f' || r == '\u0085' || r == '\u2028' || r == '\u2029':
		return '\n'
	case r == '\u115f' || r == '\u1160' || r == '\u3164' || r == '\uffa0' || r == '\u2800':
		return -1 // fillers: characters by class, blank to the eye
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Variation_Selector):
		return -1 // controls, bidirectional, zero-width and tag characters; selectors can smuggle text
	}
	return r
}
