package eval

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Truth is what is true of a recording. All times are by the clock of its snapshots.
type Truth struct {
	Sounds    int // the most there may be
	Incidents []Incident
	Noted     []Incident // kept, and told to nobody
	Quiet     []Quiet
	Asked     []Ask
}

// Incident is something that a person on call would name.
type Incident struct {
	Objects  []string // whose card may carry it: CLUSTER/NAMESPACE/NAME or CLUSTER/NAME
	Causes   []string // what is to blame, likewise; empty: what carries the card
	Severity string   // the worst that people are told
	From, To time.Time
	By, Over time.Time // when it has to be told, and to be closed, at the latest
	Worst    time.Time // since when it is of its Severity
	Worse    time.Time // when that has to be told at the latest
	line     int
}

// Quiet is an object about which nothing may be posted, in a time or, with zero times, at all.
type Quiet struct {
	Object   string
	From, To time.Time
}

// Ask is a moment at which `why` of an object is golden.
type Ask struct {
	At     time.Time
	Object string
}

// reader reads a truth. Its day is the one that times without a date are on.
type reader struct {
	name  string
	day   time.Time
	line  int
	truth Truth
	open  *Incident // whose indented lines follow
	kinds map[string]bool
	wrong []error
}

// ParseTruth reads the text of the file of that name. Times without a date are on the day of the first snapshot. Its error
// lists every mistake with its line.
func ParseTruth(name, text string, first time.Time) (Truth, error) {
	r := reader{name: name, day: first.UTC().Truncate(24 * time.Hour), truth: Truth{Sounds: -1}}
	for line := range strings.Lines(text) {
		r.line++
		said, _, _ := strings.Cut(line, "#")
		words := strings.Fields(said)
		switch {
		case len(words) == 0:
		case said[0] == ' ' || said[0] == '\t':
			r.detail(words)
		default:
			r.statement(words)
		}
	}
	r.close()
	if r.truth.Sounds < 0 {
		r.mistake("it does not say how many sounds there may be at most: add a line like `sounds 1`")
	}
	if len(r.truth.Asked) == 0 {
		r.mistake("no moment is marked at which somebody would ask why: add a line like `why 08:05:00 prod/shop/db`")
	}
	return r.truth, errors.Join(r.wrong...)
}

func (r *reader) mistake(format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Errorf("%s:%d: %s", r.name, r.line, fmt.Sprintf(format, args...)))
}

func (r *reader) statement(words []string) {
	r.close()
	switch n := len(words); {
	case words[0] == "sounds" && n == 2:
		sounds, err := strconv.Atoi(words[1])
		if err != nil || sounds < 0 || r.truth.Sounds >= 0 {
			r.mistake("sounds is one number, and is said once")
		}
		r.truth.Sounds = sounds
	case words[0] == "incident" && n == 3:
		r.incident(&r.truth.Incidents, words, schema.SeverityWarning, schema.SeverityCritical)
	case words[0] == "noted" && n == 3:
		r.incident(&r.truth.Noted, words, schema.SeverityInfo, schema.SeverityWarning, schema.SeverityCritical)
	case words[0] == "quiet" && n == 2:
		r.truth.Quiet = append(r.truth.Quiet, Quiet{Object: r.object(words[1])})
	case words[0] == "quiet" && n == 4:
		q := Quiet{r.object(words[1]), r.time(words[2]), r.time(words[3])}
		if !q.From.Before(q.To) {
			r.mistake("it is quiet until %s, which is not after %s", words[3], words[2])
		}
		r.truth.Quiet = append(r.truth.Quiet, q)
	case words[0] == "why" && n == 3:
		r.truth.Asked = append(r.truth.Asked, Ask{r.time(words[1]), r.object(words[2])})
	default:
		r.mistake("%q is none of: sounds N, incident OBJECT SEVERITY, noted OBJECT SEVERITY, quiet OBJECT [FROM TO], why TIME OBJECT", strings.Join(words, " "))
	}
}

func (r *reader) incident(to *[]Incident, words []string, severities ...string) {
	if !slices.Contains(severities, words[2]) {
		r.mistake("%q is no severity of what is %s: %s", words[2], words[0], strings.Join(severities, " or "))
	}
	*to = append(*to, Incident{Objects: []string{r.object(words[1])}, Severity: words[2], line: r.line})
	r.open, r.kinds = &(*to)[len(*to)-1], map[string]bool{}
}

// detail is a line that belongs to the incident above it.
func (r *reader) detail(words []string) {
	switch {
	case r.open == nil:
		r.mistake("an indented line belongs to an incident, and there is none above it")
		return
	case len(words) != 2:
		r.mistake("%q is not one word and what it says", strings.Join(words, " "))
		return
	case words[0] == "or":
		r.open.Objects = append(r.open.Objects, r.object(words[1]))
		return
	case words[0] == "cause":
		r.open.Causes = append(r.open.Causes, r.object(words[1]))
		return
	}
	at, known := map[string]*time.Time{
		"from": &r.open.From, "by": &r.open.By, "to": &r.open.To, "over": &r.open.Over, "worst": &r.open.Worst, "worse": &r.open.Worse,
	}[words[0]]
	switch {
	case !known:
		r.mistake("%q is none of from, by, to, over, worst, worse, or, cause", words[0])
	case r.kinds[words[0]]:
		r.mistake("%s is said twice", words[0])
	default:
		r.kinds[words[0]], *at = true, r.time(words[1])
	}
}

// close tells what the incident whose lines end here lacks.
func (r *reader) close() {
	x := r.open
	if r.open = nil; x == nil {
		return
	}
	line := r.line
	r.line = x.line
	defer func() { r.line = line }()
	order := []struct {
		name      string
		low, high time.Time
	}{
		{"by is not after from", x.From, x.By},
		{"to is not after from", x.From, x.To},
		{"over is before to", x.To.Add(-1), x.Over},
		{"worse is before worst", x.Worst.Add(-1), x.Worse},
		{"worst is not after from", x.From, x.Worst},
	}
	if x.From.IsZero() || x.By.IsZero() {
		r.mistake("it has to say from when it is true, and by when it is told")
		return
	}
	for _, o := range order {
		if !o.high.IsZero() && !o.low.Before(o.high) {
			r.mistake("%s", o.name)
		}
	}
}

func (r *reader) object(name string) string {
	if parts := strings.Split(name, "/"); len(parts) < 2 || len(parts) > 3 || slices.Contains(parts, "") {
		r.mistake("%q is no object: CLUSTER/NAMESPACE/NAME, or CLUSTER/NAME", name)
	}
	return name
}

func (r *reader) time(text string) time.Time {
	for _, layout := range []string{"15:04:05", "15:04", "2006-01-02T15:04:05"} {
		at, err := time.Parse(layout, text)
		switch {
		case err != nil:
		case at.Year() == 0:
			return r.day.Add(at.Sub(at.Truncate(24 * time.Hour)))
		default:
			return at
		}
	}
	r.mistake("%q is no time: 15:04, 15:04:05, or 2006-01-02T15:04:05", text)
	return cmp.Or(r.day, time.Time{})
}
