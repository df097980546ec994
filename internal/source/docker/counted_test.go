package docker

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// stamped is a log with times a second apart, of which the first is at.
func stamped(at time.Time, lines ...string) string {
	var all strings.Builder
	for i, line := range lines {
		all.WriteString(at.Add(time.Duration(i)*time.Second).Format(time.RFC3339Nano) + " " + line + "\n")
	}
	return all.String()
}

func TestLinesAtErrorLevelAreCounted(t *testing.T) {
	since := time.Date(2026, 11, 24, 16, 0, 0, 0, time.UTC)
	many := make([]string, countLines)
	for i := range many {
		many[i] = "ERROR"
	}
	tests := []struct {
		name string
		body string
		want counted
	}{
		{"nothing", "", counted{To: since}},
		{"boundary-comes-again", stamped(since, "ERROR old", "ERROR new"), counted{To: since.Add(time.Second), Errors: 1}},
		{"fine-lines-move-on", stamped(since.Add(time.Second), "INFO a", "INFO b"), counted{To: since.Add(2 * time.Second)}},
		{"older-lines", stamped(since.Add(-time.Minute), "ERROR a", "ERROR b"), counted{To: since}},
		{
			"frames-of-two-streams",
			frame(1, stamped(since.Add(time.Second), "ERROR out")) + frame(2, stamped(since.Add(2*time.Second), "Traceback (most recent call last):")) +
				frame(1, stamped(since.Add(3*time.Second), "INFO between")) + frame(2, stamped(since.Add(4*time.Second), `  File "a.py"`, "ValueError: x")),
			counted{To: since.Add(5 * time.Second), Errors: 2},
		},
		{"as-many-as-were-asked-for", stamped(since.Add(time.Second), many...), counted{To: since.Add(countLines * time.Second), Errors: countLines, Least: true}},
		{"last-line-without-an-end", strings.TrimSpace(stamped(since.Add(time.Second), "ERROR")), counted{To: since.Add(time.Second), Errors: 1}},
		{"no-times", "ERROR\nERROR\n", counted{To: since}},
		{"terminal", strings.ReplaceAll(stamped(since.Add(time.Second), "ERROR"), "\n", "\r\n"), counted{To: since.Add(time.Second), Errors: 1}},
		{
			"too-long-an-answer",
			stamped(since.Add(time.Second), "ERROR first") + stamped(since.Add(2*time.Second), "INFO "+strings.Repeat("x", countBytes), "ERROR unseen"),
			counted{To: since.Add(time.Second), Errors: 1, Least: true},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.want.From = since
			if diff := cmp.Diff(tt.want, countErrors(strings.NewReader(tt.body), since)); diff != "" {
				t.Errorf("counted (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCountIsTakenOnlyWhereItBegan(t *testing.T) {
	at := time.Date(2026, 11, 24, 16, 0, 0, 0, time.UTC)
	m := &memory{Containers: map[string]*container{"a": {LogsTo: at}}}
	got := counted{ID: "a", From: at, To: at.Add(time.Second), Errors: 3, Least: true}
	if h, told := m.log(got); !told || h.Count != 3 || h.Text != "at least 3 lines at error level" {
		t.Errorf("told %v: %+v", told, h)
	}
	for _, again := range []counted{got, {ID: "gone", From: at, Errors: 1}} {
		if h, told := m.log(again); told {
			t.Errorf("told again: %+v", h)
		}
	}
}
