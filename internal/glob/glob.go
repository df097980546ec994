// Package glob matches names with the patterns of the files of rules and of channels. It is pure.
package glob

import "strings"

// Like tells whether the pattern, which is empty or has any number of *, is that of text. An empty one is that of any.
func Like(pattern, text string) bool {
	head, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == "" || pattern == text
	}
	text, ok := strings.CutPrefix(text, head)
	for ok && wild {
		head, rest, wild = strings.Cut(rest, "*")
		if !wild {
			return strings.HasSuffix(text, head)
		}
		_, text, ok = strings.Cut(text, head)
	}
	return ok
}
