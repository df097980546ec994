package slack

import (
	"regexp"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// marked is what Slack puts in angle brackets: people, channels, groups, dates and links.
var marked = regexp.MustCompile(`<([^<>]*)>`)

// unescaped turns back what Slack escapes. An ampersand comes last, so that nothing is turned back twice.
var unescaped = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// typed is what a person typed, from what Slack makes of it: without mentions of ourselves, and with people by name.
func typed(text string, me self, name func(user string) string) string {
	text = marked.ReplaceAllStringFunc(text, func(m string) string {
		what, label, labelled := strings.Cut(m[1:len(m)-1], "|")
		switch {
		case strings.HasPrefix(what, "@"):
			user := what[1:]
			if user == me.user || user == me.bot {
				return ""
			}
			return "@" + escaped.Replace(strings.TrimPrefix(name(user), "@"))
		case strings.HasPrefix(what, "#"):
			if label == "" {
				label = what[1:]
			}
			return "#" + label
		case strings.HasPrefix(what, "!"):
			return special(what[1:], label)
		case !labelled || strings.HasSuffix(what, label):
			return strings.TrimPrefix(what, "mailto:")
		}
		return label + " (" + what + ")"
	})
	return within(strings.TrimSpace(unescaped.Replace(text)))
}

// special is a group, a date, or everybody.
func special(what, label string) string {
	name, _, _ := strings.Cut(what, "^")
	switch {
	case name == "date" && label != "":
		return label
	case label != "":
		return "@" + strings.TrimPrefix(label, "@")
	}
	return "@" + name
}

// within bounds a text as replies are bounded.
func within(text string) string { return bounded(text, schema.MaxMessageBytes) }
