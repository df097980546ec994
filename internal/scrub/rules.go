package scrub

import (
	"iter"
	"regexp"
	"strings"
)

// rule recognises one kind of secret within a line. Patterns are costly, so they are tried only where one of the
// rule's hints (in lower case) stands, or where starts says that one may match.
type rule struct {
	kind    string
	hints   []string
	back    func(line string, hint int) (start int) // where a match begins whose hint is there, negative: nowhere; nil: at the hint
	inside  bool                                    // a match may begin within a word
	starts  func(line string) iter.Seq[int]         // nil: the hints decide alone
	pattern *regexp.Regexp                          // anchored at the start
	// secret says which bytes of line are the secret, given the indexes of a match; false: it is harmless.
	secret func(line string, match []int) (from, to int, ok bool)
}

// rules in the order in which they apply. Private keys come before all of them. A cookie goes up to the end of its line,
// so that it comes after what it could take a half of.
var rules = []rule{
	{kind: "url", hints: []string{"://"}, back: schemeStart, pattern: urlPattern, secret: urlSecret},
	{kind: "auth", hints: []string{"authorization", "bearer", "basic"}, pattern: authPattern, secret: authSecret},
	{kind: "jwt", hints: []string{"eyj"}, pattern: jwtPattern, secret: wholeSecret},
	{kind: "credential", hints: vendorHints, back: vendorStart, pattern: vendorPattern, secret: vendorSecret},
	{kind: "nats-seed", starts: seedStarts, pattern: seedPattern, secret: wholeSecret},
	{kind: "secret", hints: valueHints, back: valueStart, inside: true, pattern: valuePattern, secret: valueSecret},
	{kind: "cookie", hints: []string{"cookie"}, pattern: cookiePattern, secret: cookieSecret},
	{kind: "email", starts: emailStarts, pattern: emailPattern, secret: emailSecret},
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
	var room [16]spot
	for range passes {
		spots := hints.in(line, room[:])
		if len(spots) == 0 {
			break
		}
		before := line
		for i := range rules {
			mine := of(i, spots)
			if len(mine) == 0 {
				continue
			}
			if out := rules[i].apply(line, mine, found); out != line {
				line, spots = out, hints.in(out, room[:])
			}
		}
		if line == before {
			break
		}
	}
	return line
}

// of gives those spots that are a rule's.
func of(rule int, spots []spot) []spot {
	from := 0
	for from < len(spots) && spots[from].rule < rule {
		from++
	}
	to := from
	for to < len(spots) && spots[to].rule == rule {
		to++
	}
	return spots[from:to]
}

// apply replaces what the rule finds at spots of line.
func (r *rule) apply(line string, spots []spot, found *tally) string {
	var b strings.Builder
	done, looked := 0, 0
	for _, s := range spots {
		if s.start < looked {
			continue
		}
		match := r.match(line, s.start)
		if match == nil {
			continue
		}
		looked = match[1]
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

// window is how much of a line a pattern sees at first: the longer a text is, the more each try costs.
const window = 256

// match is where the rule's pattern matches line at start, by the indexes of line; nil: nowhere.
func (r *rule) match(line string, start int) []int {
	end := min(len(line), start+window)
	m := r.pattern.FindStringSubmatchIndex(line[start:end])
	if end < len(line) && (m == nil || m[1] == end-start) { // the rest may be part of it
		m = r.pattern.FindStringSubmatchIndex(line[start:])
	}
	for i := range m {
		if m[i] >= 0 {
			m[i] += start
		}
	}
	return m
}
