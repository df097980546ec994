package source_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func raw(texts ...string) []source.RawLine {
	var lines []source.RawLine
	for i, text := range texts {
		lines = append(lines, source.RawLine{At: noon.Add(time.Duration(i) * time.Second), Text: text})
	}
	return lines
}

// shown is a result as "12:00:01 text" for each line.
func shown(r schema.InspectionResult) []string {
	var all []string
	for _, line := range r.Lines {
		all = append(all, line.At.Format("04:05 ")+line.Text)
	}
	return all
}

func TestLinesAreRedactedBeforeTheyAreCutAndKeepTheirTimes(t *testing.T) {
	key := "-----BEGIN PRIVATE KEY-----"
	long := strings.Repeat("x", 390) + " password=hunter2hunter2"
	tests := []struct {
		name string
		raw  []string
		want []string
		cut  int
	}{
		{"plain", []string{"one", "", "two"}, []string{"00:00 one", "00:02 two"}, 0},
		{
			"key-over-lines",
			[]string{"one", key, "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "-----END PRIVATE KEY-----", "two"},
			[]string{"00:00 one", "00:01 [REDACTED:private-key]", "00:04 two"},
			0,
		},
		{"secret-at-the-cut", []string{long}, []string{"00:00 " + strings.Repeat("x", 390) + " password="}, 1},
		{"the-same-twice", []string{"a", "b", "a"}, []string{"00:00 a", "00:01 b", "00:02 a"}, 0},
		{"hostile", []string{"\x1b[31mred\x1b[0m", "a\rb", "\u202egnp"}, []string{"00:00 red", "00:01 a", "00:01 b", "00:02 gnp"}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r schema.InspectionResult
			source.Show(&r, "db-1", raw(tt.raw...))
			if diff := cmp.Diff(tt.want, shown(r)); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
			if r.Omitted[schema.OmittedCut] != tt.cut {
				t.Errorf("cut %v", r.Omitted)
			}
		})
	}
}

func TestNewestLinesOfSeveralAreKept(t *testing.T) {
	var r schema.InspectionResult
	var texts []string
	for i := range 30 {
		texts = append(texts, fmt.Sprint(i))
	}
	source.Show(&r, "a", raw(texts...))
	source.Show(&r, "b", raw(texts...))
	source.LeaveOut(&r, 2)
	source.Newest(&r)
	first, last := r.Lines[0], r.Lines[len(r.Lines)-1]
	if len(r.Lines) != schema.MaxInspectedLines || first.Text != "10" || first.From != "a" || last.Text != "29" || last.From != "b" {
		t.Errorf("%d lines, from %+v to %+v", len(r.Lines), first, last)
	}
	if diff := cmp.Diff(map[string]int{schema.OmittedLines: 20, schema.OmittedInstances: 2}, r.Omitted); diff != "" {
		t.Errorf("omitted (-want +got):\n%s", diff)
	}
}
