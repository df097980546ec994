package source

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// Inspector is a source that can look one object up for somebody who asks, without changing anything.
type Inspector interface {
	// Inspect fills in Lines, oldest first, Omitted and Note; the rest is the collector's. It is called from any
	// goroutine, beside Read. The object is one that the source has shown. The error is told to people, and redacted before.
	Inspect(ctx context.Context, i schema.Inspection) (schema.InspectionResult, error)
}

// RawLine is a line as the platform gave it, and when that says it was written; zero: unknown.
type RawLine struct {
	At   time.Time
	Text string
}

// Show adds what was read of one container or unit to a result. It takes secrets out of the text as a whole, because
// some span lines, and then cuts.
func Show(r *schema.InspectionResult, from string, raw []RawLine) {
	texts, alone := make([]string, len(raw)), make([]string, len(raw))
	for i, line := range raw {
		texts[i], alone[i] = line.Text, scrub.Line(line.Text, schema.MaxLogLineBytes)
	}
	next := 0 // in raw: lines before it are shown, or were taken out
	for text := range strings.Lines(scrub.Clean(strings.Join(texts, "\n"))) {
		line := scrub.Line(text, schema.MaxLogLineBytes)
		if line == "" {
			continue
		}
		if len(strings.TrimSpace(text)) > schema.MaxLogLineBytes {
			omit(r, schema.OmittedCut, 1)
		}
		var at time.Time
		if same := slices.Index(alone[next:], line); same >= 0 {
			at, next = raw[next+same].At, next+same+1
		} else if next < len(raw) {
			at = raw[next].At // a part of what was taken out or split
		}
		r.Lines = append(r.Lines, schema.InspectedLine{At: at.UTC(), From: scrub.Line(from, schema.MaxName), Text: line})
	}
}

// Newest puts the lines of a result in the order of time and keeps as many as it may have.
func Newest(r *schema.InspectionResult) {
	slices.SortStableFunc(r.Lines, func(a, b schema.InspectedLine) int { return a.At.Compare(b.At) })
	more := max(0, len(r.Lines)-schema.MaxInspectedLines)
	r.Lines = r.Lines[more:]
	omit(r, schema.OmittedLines, more)
}

// LeaveOut counts instances that were not looked at.
func LeaveOut(r *schema.InspectionResult, instances int) { omit(r, schema.OmittedInstances, instances) }

func omit(r *schema.InspectionResult, what string, n int) {
	if n <= 0 {
		return
	}
	if r.Omitted == nil {
		r.Omitted = map[string]int{}
	}
	r.Omitted[what] += n
}
