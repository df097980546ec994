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
	back    func(line string, hint int) (start int)     // where a match begins whose hint is there, negative: nowhere; nil: at the hint
	inside  bool                                        // a match may begin within a word
	starts  func(line string) iter.Seq[int]             // nil: the hints decide alone; it gives nil where none is
	pattern *regexp.Regexp                              // anchored at the start
	find    func(line string, start int) (places, bool) // instead of a pattern
	// secret says which bytes of line are the secret, given a match; false: it is harmless.
	secret func(line string, m places) (from, to int, ok bool)
}

// rules in the order in which they apply. Private keys come before all of them. A cookie goes up to the end of its line,
// so that it comes after what it could take a half of.
var rules = []rule{
	{kind: "url", hints: []string{"://"}, back: schemeStart, find: findURL, secret: urlSecret},
	{kind: "auth", hints: []string{"authorization", "bearer", "basic"}, pattern: authPattern, secret: authSecret},
	{kind: "jwt", hints: []string{"eyj"}, pattern: jwtPattern, secret: wholeSecret},
	{kind: "credential", hints: vendorHints, back: vendorStart, pattern: vendorPattern, secret: vendorSecret},
	{kind: "nats-seed", starts: seedStarts, pattern: seedPattern, secret: wholeSecret},
	{kind: "secret", hints: valueHints, back: valueStart, inside: true, find: findValue, secret: valueSecret},
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
			if done == 0 {
				b.Grow(len(s) + len(s)/8)
			}
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
		for len(spots) > 0 {
			n := 1 // of the first one's rule
			for n < len(spots) && spots[n].rule == spots[0].rule {
				n++
			}
			line = rules[spots[0].rule].apply(line, spots[:n], spots[n:], found)
			spots = spots[n:]
		}
		if line == before {
			break
		}
	}
	return line
}

// apply replaces what the rule finds at spots of line. Later ones are moved along with what they stand at; the next pass
// finds those in what has become new.
func (r *rule) apply(line string, spots, later []spot, found *tally) string {
	var b strings.Builder
	mark := marker(r.kind)
	done, looked := 0, 0
	for _, s := range spots {
		if s.start < looked {
			continue
		}
		m, ok := r.match(line, s.start)
		if !ok {
			continue
		}
		looked = m[1]
		from, to, ok := r.secret(line, m)
		if !ok || from < done || redacted(line[from:to]) {
			continue
		}
		found.add(r.kind)
		if done == 0 {
			b.Grow(len(line) + 2*len(mark))
		}
		b.WriteString(line[done:from])
		move(later, b.Len(), to-from, len(mark))
		b.WriteString(mark)
		done = to
	}
	if done == 0 {
		return line
	}
	b.WriteString(line[done:])
	return b.String()
}

// move moves spots along as the old bytes at a place become new ones. What began in them and goes by no hint, a mailbox,
// can begin behind them; a hint that stood in them is gone.
func move(spots []spot, at, old, now int) {
	for i := range spots {
		switch s := &spots[i]; {
		case s.start >= at+old:
			s.start += now - old
		case s.start >= at && rules[s.rule].starts != nil:
			s.start = at + now
		case s.start >= at:
			s.start = -1
		}
	}
}

// window is how much of a line a pattern sees at first: the longer a text is, the more each try costs.
const window = 256

// match is where the rule's pattern matches line at start, by the indexes of line.
func (r *rule) match(line string, start int) (m places, ok bool) {
	if r.find != nil {
		return r.find(line, start)
	}
	end := min(len(line), start+window)
	found := r.pattern.FindStringSubmatchIndex(line[start:end])
	if end < len(line) && (found == nil || found[1] == end-start) { // the rest may be part of it
		found = r.pattern.FindStringSubmatchIndex(line[start:])
	}
	m = nowhere()
	for i, at := range found {
		if at >= 0 {
			m[i] = start + at
		}
	}
	return m, found != nil
}
