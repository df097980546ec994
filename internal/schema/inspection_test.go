package schema_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func logsOfDB() schema.Inspection {
	return schema.Inspection{
		Schema: schema.InspectionVersion, Cluster: "p", Kind: schema.LookLogs,
		Object: schema.Object{Kind: schema.KindService, Namespace: "shop", Name: "db"},
	}
}

func linesOfDB() schema.InspectionResult {
	i := logsOfDB()
	return schema.InspectionResult{
		Schema: schema.InspectionResultVersion, Cluster: i.Cluster, Kind: i.Kind, Object: i.Object,
		At:      time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC),
		Lines:   []schema.InspectedLine{{From: "shop-db-1", Text: "ready"}, {Text: "stopping"}},
		Omitted: map[string]int{schema.OmittedLines: 3},
	}
}

func TestInspectionIsForItsSubjectAndNamesNothingElse(t *testing.T) {
	tests := []struct {
		name   string
		change func(*schema.Inspection)
		says   string // empty: it is taken
	}{
		{"as-it-is", func(*schema.Inspection) {}, ""},
		{"of-another-cluster", func(i *schema.Inspection) { i.Cluster = "q" }, "its subject says"},
		{"of-another-kind", func(i *schema.Inspection) { i.Kind = schema.LookStatus }, "its subject says"},
		{"of-no-kind", func(i *schema.Inspection) { i.Kind = "exec" }, `"exec" is not one of logs, status, events`},
		{"of-nothing", func(i *schema.Inspection) { i.Object = schema.Object{} }, "object.name: missing"},
		{"of-a-name-with-lines", func(i *schema.Inspection) { i.Object.Name = "db\nrm" }, "control characters"},
		{"of-an-endless-name", func(i *schema.Inspection) { i.Object.Namespace = strings.Repeat("a", 300) }, "300 bytes"},
		{"of-a-newer-version", func(i *schema.Inspection) { i.Schema = "bellbuoy.inspection/v2" }, "not one this version reads"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			i := logsOfDB()
			tt.change(&i)
			_, err := schema.DecodeInspection([]byte(written(t, i)), "p", schema.LookLogs)
			complains(t, err, tt.says)
		})
	}
	if _, err := schema.DecodeInspection([]byte(strings.Repeat(" ", 5000)), "p", schema.LookLogs); err == nil {
		t.Error("an endless body was taken")
	}
}

func TestResultOfAnInspectionIsHeldToItsBounds(t *testing.T) {
	tests := []struct {
		name   string
		change func(*schema.InspectionResult)
		says   string
	}{
		{"as-it-is", func(*schema.InspectionResult) {}, ""},
		{"of-another-object", func(r *schema.InspectionResult) { r.Object.Name = "web" }, `asked was for the logs of "shop/db"`},
		{"of-another-cluster", func(r *schema.InspectionResult) { r.Cluster = "q" }, "asked was for"},
		{"too-many-lines", func(r *schema.InspectionResult) { r.Lines = make([]schema.InspectedLine, 41) }, "41 are more than the 40"},
		{"too-long-a-line", func(r *schema.InspectionResult) { r.Lines[0].Text = strings.Repeat("x", 401) }, "lines[0]"},
		{"two-lines-in-one", func(r *schema.InspectionResult) { r.Lines[1].Text = "a\nEND" }, "lines[1]: more than one line"},
		{"not-text", func(r *schema.InspectionResult) { r.Lines[1].From = "a\rb" }, "lines[1]"},
		{"less-than-none-omitted", func(r *schema.InspectionResult) { r.Omitted["lines"] = -1 }, "omitted.lines"},
		{"endless-note", func(r *schema.InspectionResult) { r.Note = strings.Repeat("x", 500) }, "note"},
		{"at-no-time", func(r *schema.InspectionResult) { r.At = time.Time{} }, "at: missing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := linesOfDB()
			tt.change(&r)
			_, err := schema.DecodeInspectionResult([]byte(written(t, r)), logsOfDB())
			complains(t, err, tt.says)
		})
	}
}

func complains(t *testing.T, err error, says string) {
	t.Helper()
	switch {
	case says == "" && err != nil:
		t.Error(err)
	case says != "" && (err == nil || !strings.Contains(err.Error(), says)):
		t.Errorf("got %v, want %q", err, says)
	}
}

func TestInspectSubjectIsReadAsItWasBuilt(t *testing.T) {
	s := schema.Subjects{}
	subject := s.Inspect("shop eu", schema.LookEvents)
	cluster, kind, err := s.ParseInspect(subject)
	if subject != "bellbuoy.inspect.shop-eu.events" || cluster != "shop-eu" || kind != schema.LookEvents || err != nil {
		t.Errorf("%s: %q %q %v", subject, cluster, kind, err)
	}
	for _, bad := range []string{"bellbuoy.inspect.a", "bellbuoy.inspect.a.b.c", "other.inspect.a.logs", "bellbuoy.inspect..logs"} {
		if _, _, err := s.ParseInspect(bad); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}
