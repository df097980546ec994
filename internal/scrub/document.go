package scrub

import (
	"encoding/json"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Value is Clean for what stands under a name, such as a label or a field: where the name says that it is a secret, all
// of it is one. A placeholder, or what says where the secret is, stays.
func Value(name, value string) string {
	clean := Clean(value)
	if clean == "" || strings.Contains(clean, markerOpen) {
		return clean
	}
	const probe = "=x1y2z3" // stands for any value
	if probed := name + probe; Text(probed) != probed && !placeholder(clean) {
		return marker("secret")
	}
	return clean
}

// JSON takes the secrets, and what deceives a reader, out of every string of a JSON document, also of names; what
// stands under the name of a secret goes as a whole. The document stays valid, and what is no string stays as it is.
// What is not JSON is cleaned as text.
func JSON(doc []byte) []byte {
	if harmless(string(doc)) { // JSON or not
		return doc
	}
	if !json.Valid(doc) {
		return []byte(Clean(string(doc)))
	}
	return eachString(doc)
}

// harmless tells, in one look at a whole document, that none of its strings has anything that may be a secret or deceive.
// Most documents are, and looking at string after string takes twenty times as long. What stands between two strings begins and
// ends no word, so a hint in one of them is one in the whole too; but for that of a signature's name, which has its
// separator behind the quote.
func harmless(doc string) bool {
	if !plain(doc) || strings.Contains(doc, `\`) || strings.Contains(doc, "PRIVATE KEY") {
		return false
	}
	for i := 3; i < len(doc); i++ {
		if doc[i] == '"' && strings.EqualFold(doc[i-3:i], "sig") {
			return false
		}
	}
	var room [16]spot
	return len(hints.in(doc, room[:])) == 0
}

// eachString is JSON, string by string, of a valid document.
func eachString(doc []byte) []byte {
	out := doc[:0:0]
	done, name := 0, ""
	var key keyLines
	for i := 0; i < len(doc); i++ {
		switch doc[i] {
		case '{', '}':
			name = ""
			continue
		case '"':
		default:
			continue
		}
		end := stringEnd(doc, i)
		isName := followedByColon(doc[end:])
		if isName {
			name = ""
		}
		clean, text := literal(doc[i:end], name)
		if key.next(text) {
			clean = []byte(`"` + marker(kindKey) + `"`)
		}
		if clean != nil {
			out = append(append(out, doc[done:i]...), clean...)
			done = end
		}
		if isName {
			name = text
		}
		i = end - 1
	}
	if done == 0 {
		return doc
	}
	return append(out, doc[done:]...)
}

// stringEnd is the end of the string literal that begins at i, behind its quote.
func stringEnd(doc []byte, i int) int {
	for i++; doc[i] != '"'; i++ {
		if doc[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// followedByColon tells whether a string literal is a name, by what follows it.
func followedByColon(rest []byte) bool {
	for _, c := range rest {
		switch c {
		case ' ', '\n', '\t', '\r':
			continue
		case ':':
			return true
		}
		return false
	}
	return false
}

// literal is the string literal that quoted becomes, nil if it stays, and what it says.
func literal(quoted []byte, name string) (clean []byte, text string) {
	text = string(quoted[1 : len(quoted)-1])
	if strings.IndexByte(text, '\\') >= 0 || !utf8.ValidString(text) {
		var unquoted string
		if json.Unmarshal(quoted, &unquoted) != nil {
			return nil, text
		}
		text = unquoted
	}
	scrubbed := Value(name, text)
	if scrubbed == text {
		return nil, text
	}
	clean, err := json.Marshal(scrubbed)
	if err != nil {
		return nil, text
	}
	return clean, text
}

// keyLines follows a private key whose lines are strings of their own.
type keyLines struct{ inside bool }

// next tells whether a string is a further line of a key that began before it.
func (k *keyLines) next(text string) bool {
	within := k.inside && (keyLine.MatchString(text) || keyEnd.MatchString(text))
	k.inside = (within || keyBegin.MatchString(text)) && !keyEnd.MatchString(text)
	return within
}

var keyLine = regexp.MustCompile(`^\s*[A-Za-z0-9+/=]{16,}\s*$`)

// Found counts the secrets that were taken out of a text, by kind, from the marks that are left of them.
func Found(s string) map[string]int {
	var found tally
	for {
		_, rest, ok := strings.Cut(s, markerOpen)
		if !ok {
			return found.byKind
		}
		kind, _, ok := strings.Cut(rest, "]")
		if ok && known(kind) {
			found.add(kind)
		}
		s = rest
	}
}

func known(kind string) bool {
	if kind == kindKey {
		return true
	}
	for i := range rules {
		if rules[i].kind == kind {
			return true
		}
	}
	return false
}
