package docker_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/need/engine"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source/docker"
)

func look(t *testing.T, s *docker.Source, kind, namespace, name string) schema.InspectionResult {
	t.Helper()
	i := schema.Inspection{
		Schema: schema.InspectionVersion, Cluster: "test", Kind: kind,
		Object: schema.Object{Kind: schema.KindService, Namespace: namespace, Name: name},
	}
	r, err := s.Inspect(t.Context(), i)
	if err != nil {
		t.Fatal(err)
	}
	r.Schema, r.Cluster, r.Kind, r.Object, r.At = schema.InspectionResultVersion, i.Cluster, i.Kind, i.Object, time.Now()
	if err := r.Validate(); err != nil {
		t.Error(err)
	}
	return r
}

// text is the lines of a result as a person would read them.
func text(r schema.InspectionResult) string {
	var b strings.Builder
	for _, line := range r.Lines {
		fmt.Fprintf(&b, "%s: %s\n", line.From, line.Text)
	}
	return b.String()
}

func TestLogsAreLookedUpWithATailRedactedAndWithTheirTimes(t *testing.T) {
	e, host := newSickEngine(t)
	e.run("good", 0, time.Now())
	e.run("quiet", 0, time.Now())
	e.labels["quiet"] = map[string]string{"bellbuoy.logs": "off"}
	at := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	for i := range 60 {
		e.write("good", at.Add(time.Duration(i)*time.Second), fmt.Sprintf("line %d", i))
	}
	e.write("good", at.Add(time.Minute), "-----BEGIN PRIVATE KEY-----", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "-----END PRIVATE KEY-----", "\x1b[31mDATABASE_PASSWORD=hunter2hunter2")
	e.write("quiet", at, "nobody's business")
	s := open(t, host, nil)
	r := look(t, s, schema.LookLogs, "", "good")
	if got := text(r); len(r.Lines) != schema.MaxInspectedLines || strings.Contains(got, "hunter2") || strings.Contains(got, "MIIE") || strings.Contains(got, "\x1b") ||
		!strings.Contains(got, "[REDACTED:private-key]") || !strings.Contains(got, "good: line 59") || r.Omitted[schema.OmittedLines] == 0 {
		t.Errorf("%d lines, omitted %v:\n%s", len(r.Lines), r.Omitted, got)
	}
	if r.Lines[0].At.Before(at) || r.Lines[0].At.After(at.Add(time.Minute)) {
		t.Errorf("the first line is of %v", r.Lines[0].At)
	}
	if r := look(t, s, schema.LookLogs, "", "quiet"); len(r.Lines) > 0 || !strings.Contains(r.Note, "bellbuoy.logs=off") {
		t.Errorf("of one that is switched off: %+v", r)
	}
	for _, ask := range e.asked {
		if strings.HasPrefix(ask, "quiet") || !strings.Contains(ask, "tail=80") {
			t.Errorf("asked %s", ask)
		}
	}
	if r := look(t, s, schema.LookLogs, "", "../good"); len(r.Lines) > 0 || !strings.Contains(r.Note, "no container of it") {
		t.Errorf("of one that is not there: %+v", r)
	}
}

func TestStatusAndEventsAreLookedUp(t *testing.T) {
	e, host := newSickEngine(t)
	e.run("good", 3, time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC))
	e.containers["good"]["State"].(map[string]any)["Health"] = map[string]any{
		"Status": "unhealthy", "FailingStreak": 5,
		"Log": []map[string]any{{"Start": "2026-11-23T08:01:00Z", "End": "2026-11-23T08:01:01Z", "ExitCode": 1, "Output": "dial db\nAuthorization: Bearer abcdefghijklmnopqrstuvwxyz012345"}},
	}
	s := open(t, host, nil)
	e.remember(1, "die", time.Now().Add(-time.Minute))
	e.remember(1, "exec_create: sh -c secret", time.Now().Add(-time.Minute))
	got := text(look(t, s, schema.LookStatus, "", "good"))
	for _, want := range []string{
		"good: state running; started at 2026-11-23 08:00:00 UTC; restarts by the engine: 3; restart policy: always",
		"good: image app:1", "good: health check: unhealthy, failed 5 times in a row", "good: health check ended with 1: dial db Authorization: ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in:\n%s", want, got)
		}
	}
	if strings.Contains(got, "hunter2") || strings.Contains(got, "abcdefghij") {
		t.Errorf("a secret left:\n%s", got)
	}
	if diff := cmp.Diff("good: die: exit 1\n", text(look(t, s, schema.LookEvents, "", "good"))); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if r := look(t, s, schema.LookEvents, "", "other"); len(r.Lines) > 0 || r.Note == "" {
		t.Errorf("events of another: %+v", r)
	}
}

func TestRealContainersAreLookedUp(t *testing.T) {
	t.Parallel()
	e := engine.New(t)
	e.Run(t, "db", engine.Spec{Args: []string{"spam"}})
	e.Run(t, "quiet", engine.Spec{Args: []string{"spam"}, Labels: map[string]string{"bellbuoy.logs": "off"}})
	e.Run(t, "gone", engine.Spec{Args: []string{"say", "bye", "exit", "3"}})
	w := watch(t, e, nil)
	w.until(t, "db", "seen to log", func(schema.ServiceSummary) bool {
		return len(look(t, w.Source, schema.LookLogs, e.Project, "db").Lines) > 2
	})
	r := look(t, w.Source, schema.LookLogs, e.Project, "db")
	last := r.Lines[len(r.Lines)-1]
	if !strings.Contains(last.Text, "refused by upstream") || last.From != e.Project+"-db-1" || time.Since(last.At) > time.Minute {
		t.Errorf("last line: %+v", last)
	}
	if s, _ := w.service("db"); len(s.RecentLogs) > 0 {
		t.Error("the snapshot held lines of a service that is well")
	}
	if r := look(t, w.Source, schema.LookLogs, e.Project, "quiet"); len(r.Lines) > 0 || r.Note == "" {
		t.Errorf("of one that is switched off: %+v", r)
	}
	w.until(t, "gone", "over", stopped)
	if got := text(look(t, w.Source, schema.LookStatus, e.Project, "gone")); !strings.Contains(got, "state exited; ended at ") || !strings.Contains(got, "exit code 3") {
		t.Errorf("status:\n%s", got)
	}
	if got := text(look(t, w.Source, schema.LookEvents, e.Project, "gone")); !strings.Contains(got, "start\n") || !strings.Contains(got, "die: exit 3") {
		t.Errorf("events:\n%s", got)
	}
}
