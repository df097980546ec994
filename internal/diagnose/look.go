package diagnose

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// Bounds of what was looked up as answers show it, in bytes as JSON encodes them.
const (
	maxQuoted = 7000 // of an answer that consists of it
	maxBeside = 3000 // of an answer that a model gave, or the rules
	beside    = 5    // lines of each look-up that a model cited nothing of
)

// headingTokens are kept free for what a prompt says of a look-up before its lines.
const headingTokens = 120

// lookedRoom is how much of a budget look-ups may take: a third of what the system text leaves.
func lookedRoom(tokens int, system string) int { return max(0, tokens-Tokens(system)) / 3 }

// Looked is what became of one look-up.
type Looked struct {
	Asked   schema.Inspection
	Result  *schema.InspectionResult // nil: there is none
	Problem string                   // then the reason, in words for people
}

// label is "logs of shop/db".
func (l Looked) label() string {
	return l.Asked.Kind + " of " + scrub.Line(l.Asked.Object.String(), maxFactText)
}

// seen is one line that was looked up. Its number is that by which an answer cites it.
type seen struct {
	ID     string    `json:"id"` // L1, L2, … over all look-ups of a question; E is for what was frozen
	Kind   string    `json:"kind"`
	Object string    `json:"object"`
	From   string    `json:"from,omitempty"`
	At     time.Time `json:"at,omitzero"`
	Text   string    `json:"text"`
}

// number gives the lines of each look-up, redacted once more: a collector may be an older one.
func number(looks []Looked) [][]seen {
	all, n := make([][]seen, len(looks)), 0
	for i, l := range looks {
		if l.Result == nil {
			continue
		}
		kind := map[string]string{schema.LookLogs: KindLog, schema.LookEvents: KindEvent}[l.Asked.Kind]
		if kind == "" {
			kind = l.Asked.Kind
		}
		for _, line := range l.Result.Lines[:min(len(l.Result.Lines), schema.MaxInspectedLines)] {
			text := scrub.Line(line.Text, schema.MaxLogLineBytes)
			if text == "" {
				continue
			}
			n++
			all[i] = append(all[i], seen{
				ID: fmt.Sprintf("L%d", n), Kind: kind, Object: scrub.Line(l.Asked.Object.String(), maxFactText),
				From: scrub.Line(line.From, 80), At: line.At.UTC(), Text: text,
			})
		}
	}
	return all
}

// lookedUp is the block of a prompt that holds what was looked up, within limit tokens; of each look-up the newest lines.
// It has a nonce of its own, made of everything in it, so that the first block stays as it was.
func lookedUp(looks []Looked, limit int) string {
	if len(looks) == 0 {
		return ""
	}
	lines := number(looks)
	sum := sha256.Sum256([]byte(compact(looks)))
	mark := hex.EncodeToString(sum[:8])
	var b strings.Builder
	fmt.Fprintf(&b, "DATA %s\n", mark)
	share := limit / len(looks)
	for i, l := range looks {
		room, first := share-headingTokens, len(lines[i])
		for first > 0 {
			if room -= Tokens(compact(lines[i][first-1])) + 1; room < 0 {
				break
			}
			first--
		}
		b.WriteString(compact(l.heading(first)) + "\n")
		for _, line := range lines[i][first:] {
			b.WriteString(compact(line) + "\n")
		}
	}
	fmt.Fprintf(&b, "END %s\n", mark)
	return b.String()
}

// heading tells a model of a look-up, and how many of its lines were left out for want of room.
func (l Looked) heading(leftOut int) any {
	h := struct {
		LookedUp string         `json:"looked_up"`
		At       time.Time      `json:"at,omitzero"`
		Omitted  map[string]int `json:"omitted,omitempty"`
		LeftOut  int            `json:"left_out,omitempty"`
		Note     string         `json:"note,omitempty"`
		Problem  string         `json:"problem,omitempty"`
	}{LookedUp: cut(l.label(), 120), LeftOut: leftOut}
	if l.Result == nil {
		h.Problem = scrub.Line(l.Problem, 200)
		return h
	}
	h.At, h.Note = l.Result.At.UTC(), scrub.Line(l.Result.Note, 200)
	if n := l.Result.Omitted[schema.OmittedLines]; n > 0 {
		h.Omitted = map[string]int{schema.OmittedLines: n}
	}
	return h
}

// citedLine is how an answer refers to a line.
var citedLine = regexp.MustCompile(`\bL\d{1,3}\b`)

// WithLooked adds to a model's answer what was looked up for it: the lines that it cites, or else the newest few.
func WithLooked(answer string, looks []Looked) string {
	if len(looks) == 0 {
		return answer
	}
	cited := citedLine.FindAllString(answer, -1)
	lines := number(looks)
	for i := range lines {
		all := lines[i]
		chosen := slices.DeleteFunc(slices.Clone(all), func(s seen) bool { return !slices.Contains(cited, s.ID) })
		if len(chosen) == 0 && len(cited) == 0 {
			chosen = all[max(0, len(all)-beside):]
		}
		lines[i] = chosen
	}
	return answer + "\n\n" + quoted(looks, lines, maxBeside)
}

// quoted shows lines of look-ups to people, within limit bytes as JSON encodes them; of each look-up the newest ones.
func quoted(looks []Looked, lines [][]seen, limit int) string {
	var parts []string
	share := limit / max(1, len(looks))
	for i, l := range looks {
		if l.Result == nil {
			continue
		}
		now := l.Result.At
		var shown []string
		room := share - 300
		for _, line := range slices.Backward(lines[i]) {
			text := line.shown(now)
			if room -= width(text); room < 0 {
				break
			}
			shown = append(shown, text)
		}
		slices.Reverse(shown)
		parts = append(parts, strings.Join(append([]string{l.said(len(shown))}, shown...), "\n"))
	}
	return strings.Join(append(parts, problems(looks)...), "\n")
}

// shown is one line for people: L3 08:00:41 UTC shop-db-1 “ready”.
func (s seen) shown(now time.Time) string {
	words := []string{s.ID}
	if !s.At.IsZero() {
		words = append(words, clock(s.At, now))
	}
	if s.From != "" {
		words = append(words, s.From)
	}
	return strings.Join(append(words, "“"+s.Text+"”"), " ")
}

// said introduces the lines of a look-up.
func (l Looked) said(shown int) string {
	r := l.Result
	text := fmt.Sprintf("Looked up at %s: %s", clock(r.At, r.At), l.label())
	more := len(r.Lines) - shown + r.Omitted[schema.OmittedLines]
	if more > 0 {
		text += fmt.Sprintf(", %d of at least %d lines", shown, shown+more)
	}
	if n := r.Omitted[schema.OmittedInstances]; n > 0 {
		text += fmt.Sprintf(", without %d more of its containers", n)
	}
	if note := scrub.Line(r.Note, schema.MaxInspectedNote); note != "" {
		text += "; " + note
	}
	if shown == 0 {
		return text + "."
	}
	return text + ":"
}

// problems says what could not be looked up, those for the same reason together.
func problems(looks []Looked) []string {
	var reasons []string
	for _, l := range looks {
		if l.Result == nil && !slices.Contains(reasons, l.Problem) {
			reasons = append(reasons, l.Problem)
		}
	}
	var all []string
	for _, reason := range reasons {
		var labels []string
		for _, l := range looks {
			if l.Result == nil && l.Problem == reason {
				labels = append(labels, l.label())
			}
		}
		all = append(all, fmt.Sprintf("Not looked up: %s; %s: the answer is from the frozen evidence.", strings.Join(labels, ", "), scrub.Line(reason, maxFactText)))
	}
	return all
}

// answered tells whether a kind was looked up of some object.
func answered(looks []Looked, kind string) bool {
	return slices.ContainsFunc(looks, func(l Looked) bool { return l.Result != nil && l.Asked.Kind == kind })
}

// width is how many bytes JSON needs for s.
func width(s string) int {
	b, err := json.Marshal(s)
	if err != nil {
		return 6 * len(s)
	}
	return len(b)
}
