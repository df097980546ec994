package scrub

import (
	"regexp"
	"strings"
)

// kindKey is the kind of a private key in PEM armour.
const kindKey = "private-key"

// maxKeyBytes is the longest text between BEGIN and END that is taken for one key. A key whose end lies farther off,
// or is missing, ends where its lines stop looking like one.
const maxKeyBytes = 32 << 10

var (
	keyBegin = regexp.MustCompile(`-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----`)
	keyEnd   = regexp.MustCompile(`-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----`)
	// keyBody matches what may follow a BEGIN without its END: base64, headers and (escaped) line breaks.
	keyBody = regexp.MustCompile(`^(?:\s|\\[nr]|(?:Proc-Type|DEK-Info|Version|Comment): [^\n]*\n|[A-Za-z0-9+/=]{16,}(?:\s|\\[nr]|$))*`)
	// keyTail matches what may precede an END whose BEGIN was cut off: whole lines of base64.
	keyTail = regexp.MustCompile(`(?:(?:^|\n|\\n)[A-Za-z0-9+/=]{16,76})*(?:\s|\\[nr])*$`)
)

// redactKeys takes private keys out of s. They span lines, so this comes before anything that works by line.
func redactKeys(s string, found *tally) string {
	if !strings.Contains(s, "PRIVATE KEY") {
		return s
	}
	k := keys{text: s, begins: keyBegin.FindAllStringIndex(s, -1), ends: keyEnd.FindAllStringIndex(s, -1)}
	var b strings.Builder
	for done := 0; ; {
		from, to := k.next(done)
		if from < 0 {
			b.WriteString(s[done:])
			return b.String()
		}
		found.add(kindKey)
		b.WriteString(s[done:from])
		b.WriteString(marker(kindKey))
		done = to
	}
}

// keys is a text with the places in it where private keys begin and end.
type keys struct {
	text         string
	begins, ends [][]int
}

// next finds the first private key after the first done bytes, or what is left of one; from is negative when there
// is none.
func (k *keys) next(done int) (from, to int) {
	k.begins, k.ends = after(k.begins, done), after(k.ends, done)
	switch {
	case len(k.begins) == 0 && len(k.ends) == 0:
		return -1, -1
	case len(k.begins) == 0 || len(k.ends) > 0 && k.ends[0][0] < k.begins[0][0]:
		end := k.ends[0]
		return done + keyTail.FindStringIndex(k.text[done:end[0]])[0], end[1]
	}
	begin := k.begins[0]
	if len(k.ends) > 0 && k.ends[0][1]-begin[0] <= maxKeyBytes &&
		(len(k.begins) == 1 || k.ends[0][0] < k.begins[1][0]) { // else the end is another key's
		return begin[0], k.ends[0][1]
	}
	return begin[0], begin[1] + keyBody.FindStringIndex(k.text[begin[1]:])[1]
}

// after drops the places that begin before the first done bytes are over.
func after(places [][]int, done int) [][]int {
	for len(places) > 0 && places[0][0] < done {
		places = places[1:]
	}
	return places
}
