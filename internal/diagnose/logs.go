package diagnose

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// Bounds of log evidence.
const (
	maxLogText       = 400 // bytes of one line
	maxTemplates     = 10  // of the object itself
	maxNearTemplates = 3   // of a neighbour in trouble
)

// template is a group of log lines that differ only in ids, addresses and numbers.
type template struct {
	text        string // the line itself while all are alike, else with the differences masked
	first, last time.Time
	count       int
	oldest      int // position of the oldest line, and of the newest; higher is later
	newest      int
	level       int
}

// templater groups lines. A View holds one: compiling its patterns costs more than using them.
type templater struct{ uuid, ip, hex, num *regexp.Regexp }

func newTemplater() templater {
	return templater{
		uuid: regexp.MustCompile(`(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`),
		ip:   regexp.MustCompile(`\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b`),
		hex:  regexp.MustCompile(`(?i)\b(?:0x)?[0-9a-f]{7,}\b`),
		num:  regexp.MustCompile(`\d+(?:\.\d+)?`),
	}
}

// mask puts placeholders where lines of one kind differ, the more specific ones first.
func (t templater) mask(s string) string {
	s = t.uuid.ReplaceAllLiteralString(s, "<uuid>")
	s = t.ip.ReplaceAllLiteralString(s, "<ip>")
	s = t.hex.ReplaceAllStringFunc(s, func(x string) string {
		if strings.ContainsAny(x, "0123456789") && strings.ContainsAny(x, "abcdefABCDEF") {
			return "<hex>"
		}
		return x // a word, or a plain number
	})
	return t.num.ReplaceAllLiteralString(s, "<num>")
}

// group makes templates of lines, oldest first, and gives at most limit of them, the most telling first, and how many
// there are in all. The first line that tells of an error is always among them: what came after it may be its echo.
func (t templater) group(lines []string, limit int) (groups []template, all int) {
	byMask := map[string]int{}
	for i, raw := range lines {
		at, text := splitTime(scrub.Line(raw, maxLogText))
		if text == "" {
			continue
		}
		key := t.mask(text)
		g, ok := byMask[key]
		if !ok {
			g = len(groups)
			byMask[key] = g
			groups = append(groups, template{text: text, first: at, oldest: i, level: level(text)})
		}
		groups[g].add(i, at, text, key)
	}
	slices.SortStableFunc(groups, func(a, b template) int {
		return cmp.Or(cmp.Compare(b.level, a.level), cmp.Compare(b.newest, a.newest))
	})
	raise(groups)
	return groups[:min(limit, len(groups))], len(groups)
}

// raise puts the oldest of the templates that tell of an error second, unless it is the first already.
func raise(groups []template) {
	oldest := -1
	for i, g := range groups {
		if g.level >= levelError && (oldest < 0 || g.oldest < groups[oldest].oldest) {
			oldest = i
		}
	}
	if oldest > 1 {
		first := groups[oldest]
		copy(groups[2:oldest+1], groups[1:oldest])
		groups[1] = first
	}
}

func (g *template) add(i int, at time.Time, text, masked string) {
	g.count++
	g.newest = i
	if text != g.text {
		g.text = masked
	}
	if !at.IsZero() {
		g.last = at
	}
}

// splitTime takes a leading RFC 3339 time off a line, as `docker logs --timestamps` prints it.
func splitTime(s string) (time.Time, string) {
	head, rest, _ := strings.Cut(s, " ")
	if at, err := time.Parse(time.RFC3339Nano, head); err == nil {
		return at.UTC(), strings.TrimSpace(rest)
	}
	return time.Time{}, s
}

// levelError is the level from which on a line tells of an error.
const levelError = 2

// level ranks how likely a line says what went wrong: 3 fatal, 2 error, 1 warning, 0 anything else.
func level(s string) int {
	low := strings.ToLower(s)
	for i, words := range [][]string{
		{"panic", "fatal", "segfault", "out of memory", "traceback", "unhandled", "uncaught"},
		{"error", "exception", "fail", "refused", "denied", "no route", "timed out", "timeout", "unable", "cannot", "not found", "no such"},
		{"warn"},
	} {
		for _, w := range words {
			if strings.Contains(low, w) {
				return 3 - i
			}
		}
	}
	return 0
}
