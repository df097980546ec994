package scrub

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Inert is s cleaned, and changed so that no program that shows it makes a link, a mention or markup of it: <!channel>,
// @everyone, https://…, [text](address). A person can still read what it was.
func Inert(s string) string {
	s = Clean(s)
	if strings.ContainsAny(s, "<>:]&") {
		s = inertMarks.Replace(s)
	}
	if mayLink(s) {
		s = inertScheme.ReplaceAllString(s, "$1 :$2")
		s = inertHost.ReplaceAllString(s, "${1}[.]")
	}
	if !strings.Contains(s, "@") {
		return s
	}
	s = inertCall.ReplaceAllString(s, "@ $1")
	return inertHandle.ReplaceAllString(s, "$1@ $2")
}

// mayLink tells whether a scheme or host can be in s: the patterns are costly, and most lines have none. Patterns take some
// other letters for ASCII ones.
func mayLink(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return true
		}
	}
	small := strings.ToLower(s)
	for _, word := range []string{"javascript:", "data:", "vbscript:", "mailto:", "tel:", "slack:", "tg:", "file:", "www."} {
		if strings.Contains(small, word) {
			return true
		}
	}
	return false
}

var (
	inertMarks  = strings.NewReplacer("<", "‹", ">", "›", "](", "] (", "][", "] [", "]:", "] :", "&lt;", "‹", "&gt;", "›", "&#", "& #", "://", ": //")
	inertScheme = regexp.MustCompile(`(?i)\b(javascript|data|vbscript|mailto|tel|slack|tg|file):(\S)`) // behind a space it is prose
	inertHost   = regexp.MustCompile(`(?i)\b(www)\.`)
	inertCall   = regexp.MustCompile(`(?i)@(everyone|here|channel|all|team|group|room)\b`)
	inertHandle = regexp.MustCompile(`(^|[^A-Za-z0-9_.])@([^\s@])`)
)
