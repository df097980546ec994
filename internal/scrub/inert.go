package scrub

import (
	"regexp"
	"strings"
)

// Inert is s cleaned, and changed so that no program that shows it makes a link, a mention or markup of it: <!channel>,
// @everyone, https://…, [text](address). A person can still read what it was.
func Inert(s string) string {
	s = Clean(s)
	if !strings.ContainsAny(s, "<>@:]&") && !strings.Contains(strings.ToLower(s), "www.") {
		return s
	}
	s = inertMarks.Replace(s)
	s = inertScheme.ReplaceAllString(s, "$1 :$2")
	s = inertHost.ReplaceAllString(s, "${1}[.]")
	s = inertCall.ReplaceAllString(s, "@ $1")
	return inertHandle.ReplaceAllString(s, "$1@ $2")
}

var (
	inertMarks  = strings.NewReplacer("<", "‹", ">", "›", "](", "] (", "][", "] [", "]:", "] :", "&lt;", "‹", "&gt;", "›", "&#", "& #", "://", ": //")
	inertScheme = regexp.MustCompile(`(?i)\b(javascript|data|vbscript|mailto|tel|slack|tg|file):(\S)`) // behind a space it is prose
	inertHost   = regexp.MustCompile(`(?i)\b(www)\.`)
	inertCall   = regexp.MustCompile(`(?i)@(everyone|here|channel|all|team|group|room)\b`)
	inertHandle = regexp.MustCompile(`(^|[^A-Za-z0-9_.])@([^\s@])`)
)
