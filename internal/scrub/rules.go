package scrub

import (
	"regexp"
	"strings"
)

// rule recognises one kind of secret within a line. Patterns are costly, so they run only on lines that contain one
// of the rule's hints (in lower case), or that hinted says can match.
type rule struct {
	kind    string
	hints   []string
	hinted  func(line string) bool // nil: the hints decide alone
	pattern *regexp.Regexp
	// secret says which bytes of line are the secret, given the indexes of a match; false: it is harmless.
	secret func(line string, match []int) (from, to int, ok bool)
}

// rules in the order in which they apply. Private keys come before all of them.
var rules = []rule{
	{kind: "url", hints: []string{"://"}, pattern: urlPattern, secret: urlSecret},
	{kind: "auth", hints: []string{"authorization", "bearer", "basic"}, pattern: authPattern, secret: authSecret},
	{kind: "cookie", hints: []string{"cookie"}, pattern: cookiePattern, secret: cookieSecret},
	{kind: "jwt", hints: []string{"eyj"}, pattern: jwtPattern, secret: wholeSecret},
	{kind: "credential", hints: vendorHints, pattern: vendorPattern, secret: vendorSecret},
	{kind: "nats-seed", hinted: seedRun, pattern: seedPattern, secret: wholeSecret},
	{kind: "secret", hints: valueHints, pattern: valuePattern, secret: valueSecret},
	{kind: "email", hinted: hasAt, pattern: emailPattern, secret: emailSecret},
}

// passes bounds how often a text is gone over until nothing changes any more; the second finds nothing almost always.
const passes = 4

// redactLines applies every rule to every line of s.
func redactLines(s string, found *tally) string {
	var b strings.Builder
	done := 0 // everything before it is in b
	for start := 0; start < len(s); {
		end := lineEnd(s, start)
		line := s[start:end]
		if out := redactLine(line, found); out != line {
			b.WriteString(s[done:start])
			b.WriteString(out)
			done = end
		}
		start = end + 1
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

func lineEnd(s string, start int) int {
	if i := strings.IndexByte(s[start:], '\n'); i >= 0 {
		return start + i
	}
	return len(s)
}

// redactLine goes over one line until nothing changes.
func redactLine(line string, found *tally) string {
	for range passes {
		before := line
		hinted := hints.in(line)
		for i := range rules {
			if hinted&(1<<i) != 0 {
				line = rules[i].apply(line, found)
			}
		}
		if line == before {
			break
		}
	}
	return line
}

// apply replaces what the rule finds in line.
func (r *rule) apply(line string, found *tally) string {
	var b strings.Builder
	done := 0
	for _, match := range r.pattern.FindAllStringSubmatchIndex(line, -1) {
		from, to, ok := r.secret(line, match)
		if !ok || from < done || redacted(line[from:to]) {
			continue
		}
		found.add(r.kind)
		b.WriteString(line[done:from])
		b.WriteString(marker(r.kind))
		done = to
	}
	if done == 0 {
		return line
	}
	b.WriteString(line[done:])
	return b.String()
}
