package webhook

import (
	"slices"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// visible takes hidden runes out of the strings of a JSON document, be they written plainly or escaped. The document
// stays valid: outside strings JSON is ASCII, and what is taken out inside never begins or ends one.
func visible(doc []byte) []byte {
	if !slices.ContainsFunc(doc, mayHide) {
		return doc
	}
	out := doc[:0:0]
	begun := 0 // of what is kept and not yet copied
	for i := 0; i < len(doc); {
		n, keep := next(doc[i:])
		if !keep {
			out = append(out, doc[begun:i]...)
			begun = i + n
		}
		i += n
	}
	if begun == 0 {
		return doc
	}
	return append(out, doc[begun:]...)
}

// mayHide tells whether a byte can be of a hidden rune or of its escape.
func mayHide(b byte) bool { return b == '\\' || b >= 0x7f }

// next measures the rune or escape that doc begins with.
func next(doc []byte) (n int, keep bool) {
	switch {
	case doc[0] == '\\' && len(doc) >= 6 && doc[1] == 'u':
		r, err := strconv.ParseUint(string(doc[2:6]), 16, 32)
		return 6, err != nil || !hidden(rune(r))
	case doc[0] == '\\' && len(doc) >= 2:
		return 2, doc[1] != 'b' && doc[1] != 'f' && doc[1] != 'r'
	case doc[0] < utf8.RuneSelf:
		return 1, doc[0] != 0x7f
	}
	r, n := utf8.DecodeRune(doc)
	return n, !hidden(r)
}

// hidden tells whether a rune changes how others are shown, or shows nothing itself: control characters except
// newline and tab, direction marks, zero-width characters, selectors.
func hidden(r rune) bool {
	return r != '\n' && r != '\t' && (r == utf8.RuneError || r == '\u2028' || r == '\u2029' ||
		unicode.In(r, unicode.Cc, unicode.Cf, unicode.Variation_Selector))
}
