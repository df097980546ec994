package host_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
	"github.com/bellbuoy/bellbuoy/internal/source/host"
)

// noon is shortly after everything in the recording.
var noon = time.Date(2026, 11, 24, 17, 30, 0, 0, time.UTC)

// line is what matters of a service in one line.
func line(s schema.ServiceSummary) string {
	running := "?"
	if s.ReplicasRunning != nil {
		running = fmt.Sprint(*s.ReplicasRunning)
	}
	text := fmt.Sprintf("%s of %d, %s", running, *s.ReplicasDesired, s.Status)
	if s.NotWanted != "" {
		text += ", not wanted: " + s.NotWanted
	}
	if s.Job != nil {
		text += fmt.Sprintf(", job ended %d", s.Job.LastExitCode)
	}
	if f := s.LastFailure; f != nil {
		text += ", " + f.Reason
		if f.ExitCode != nil {
			text += fmt.Sprintf(" %d", *f.ExitCode)
		}
		if f.Text != "" {
			text += ": " + f.Text
		}
	}
	return text
}

func lines(services map[string]schema.ServiceSummary) map[string]string {
	got := map[string]string{}
	for name, s := range services {
		got[name] = line(s)
	}
	return got
}

func TestWhatHadFailedAtFirstSightIsTheBaseline(t *testing.T) {
	units := host.ParseShow([]byte(recorded(t, "show-252")))
	story := host.NewStory(t)
	happened, services := story.Tell(noon, units...)
	if len(happened) > 0 {
		t.Errorf("happened at first sight: %+v", happened)
	}
	baseline := "0 of 0, stopped, not wanted: baseline: had failed before Bellbuoy first saw this machine"
	want := map[string]string{
		"byhand": "0 of 0, stopped, not wanted: stopped by hand",
		"cond":   "0 of 0, stopped, not wanted: a condition of its unit file is not met",
		"count":  baseline, "exit1": baseline, "gaveup": baseline, "noexec": baseline, "oneshotfail": baseline, "timed": baseline, "watchdog": baseline,
		"good": "1 of 1, healthy", "killed": "1 of 1, healthy", "spec@a": "1 of 1, healthy",
		"loop": "0 of 1, stopped",
	}
	if diff := cmp.Diff(want, lines(services)); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
	again, _ := story.Tell(noon.Add(time.Minute), units...)
	if len(again) > 0 {
		t.Errorf("happened although nothing did: %+v", again)
	}
}

func TestWhatFailsLaterIsNews(t *testing.T) {
	units := host.ParseShow([]byte(recorded(t, "show-252")))
	story := host.NewStory(t)
	story.Tell(noon)
	happened, services := story.Tell(noon, units...)
	want := map[string]string{
		"count":       "0 of 1, stopped, retries 4: gave up after 5 tries",
		"gaveup":      "0 of 1, stopped, retries 4: gave up after 6 tries",
		"exit1":       "0 of 1, stopped, exit 1",
		"noexec":      "0 of 1, stopped, start 203: systemd could not start its command: status 203/EXEC",
		"watchdog":    "0 of 1, stopped, start 143: it was not ready in time",
		"oneshotfail": "0 of 0, stopped, not wanted: job, job ended 7, exit 7",
		"byhand":      "0 of 0, stopped, not wanted: stopped by hand",
		"cond":        "0 of 0, stopped, not wanted: a condition of its unit file is not met",
		"good":        "1 of 1, healthy", "killed": "1 of 1, healthy", "spec@a": "1 of 1, healthy",
		"timed": "0 of 0, stopped, not wanted: job, job ended 9, exit 9",
		"loop":  "0 of 1, stopped",
	}
	if diff := cmp.Diff(want, lines(services)); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
	failures := map[string]int{}
	for _, h := range happened {
		if h.Kind == source.Failed && h.Failure.Reason != schema.FailureUnknown {
			failures[h.Object.Name]++
		}
	}
	once := map[string]int{"count": 1, "gaveup": 1, "exit1": 1, "noexec": 1, "watchdog": 1, "oneshotfail": 1, "loop": 1, "timed": 1}
	if diff := cmp.Diff(once, failures); diff != "" {
		t.Errorf("failures whose kind is known (-want +got):\n%s", diff)
	}
}

func TestNumbersOfOldVersionsAreRead(t *testing.T) {
	got := host.ParseShow([]byte(recorded(t, "show-239")))
	at := time.Date(2026, 11, 20, 8, 0, 1, 0, time.UTC)
	want := []host.Unit{{
		ID: "nginx.service", Load: "loaded", Active: "active", Sub: "running", Type: "simple", Restart: "always", File: "enabled",
		TriggeredBy: []string{}, Requires: []string{"sysinit.target", "system.slice", "db.service"}, Restarts: 2, Result: "success",
		Run: "90000000", StartedAt: at, ActiveAt: at,
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("units (-want +got):\n%s", diff)
	}
	_, services := host.NewStory(t).Tell(noon, got...)
	nginx := services["nginx"]
	if diff := cmp.Diff([]string{"db"}, nginx.DependsOn); diff != "" || nginx.MemoryBytes != nil || nginx.Namespace != "systemd.service" || nginx.Runtime != "unit" {
		t.Errorf("service %+v", nginx)
	}
}

func TestListIsReadWithAndWithoutMarks(t *testing.T) {
	got, err := host.ParseList("● a.service loaded failed failed A thing\n  b@x\\x2dy.service not-found inactive dead b\n" +
		"c.timer loaded active waiting c\n-x.service loaded active running x\n* d.service loaded activating start start D\n\nshort.service loaded\n")
	want := []host.Row{
		{ID: "a.service", Load: "loaded", Active: "failed", Sub: "failed"},
		{ID: `b@x\x2dy.service`, Load: "not-found", Active: "inactive", Sub: "dead"},
		{ID: "d.service", Load: "loaded", Active: "activating", Sub: "start"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v, rows (-want +got):\n%s", err, diff)
	}
}

func TestTimesAreReadInUTCOnly(t *testing.T) {
	want := time.Date(2026, 11, 24, 16, 28, 51, 0, time.UTC)
	for _, s := range []string{"Tue 2026-11-24 16:28:51 UTC", "@1795537731"} {
		if got := host.Stamp(s); !got.Equal(want) {
			t.Errorf("%q is %v", s, got)
		}
	}
	for _, s := range []string{"", "n/a", "@0", "@-1", "@x", "Tue 2026-11-24 22:02:41 IST", "16:28"} {
		if got := host.Stamp(s); !got.IsZero() {
			t.Errorf("%q is %v", s, got)
		}
	}
}

func TestOnlySomeUnitsAreAskedAboutAtATime(t *testing.T) {
	var units []host.Unit
	var rows []host.Row
	for i := range 30 {
		u := host.Unit{ID: fmt.Sprintf("live%02d.service", i), Load: "loaded", Active: "active", Sub: "running", Type: "simple"}
		s := host.Unit{ID: fmt.Sprintf("asleep%02d.service", i), Load: "loaded", Active: "inactive", Sub: "dead", Type: "simple"}
		units = append(units, u, s)
	}
	for _, u := range units {
		rows = append(rows, host.Row{ID: u.ID, Load: u.Load, Active: u.Active, Sub: u.Sub})
	}
	if got := host.Due(rows, nil); len(got) != len(rows) {
		t.Errorf("at first %d of %d", len(got), len(rows))
	}
	known := host.Looked(units, func(i int) int { return 100 - i })
	rows[7].Active, rows[7].Sub = "failed", "failed" // changed: asleep03
	rows = append(rows, host.Row{ID: "new.service", Load: "loaded", Active: "inactive", Sub: "dead"}, host.Row{ID: "none.service", Load: "not-found"})
	got := host.Due(rows, known, "live01.service")
	if want := 3 + host.TurnLive + host.TurnAsleep; len(got) != want {
		t.Fatalf("%d asked about, want %d: %v", len(got), want, got)
	}
	if diff := cmp.Diff([]string{"live01.service", "asleep03.service", "new.service", "live29.service"}, got[:4]); diff != "" {
		t.Errorf("what something happens to, and then what was longest not asked about (-want +got):\n%s", diff)
	}
}

func TestJournalIsRedactedAndReadWhateverItsBytes(t *testing.T) {
	got := host.ParseJournal([]byte(recorded(t, "journal")))
	if len(got) != 3 || strings.Contains(got[0], "hunter2") || !strings.HasSuffix(got[1], "to db") ||
		got[2] != "loop.service: Main process exited, code=exited, status=3/NOTIMPLEMENTED" {
		t.Errorf("lines %q", got)
	}
}

func FuzzUnitsAreNamedAndNeverNonsense(f *testing.F) {
	f.Add([]byte(recorded(f, "show-252")), recorded(f, "list-252"))
	f.Add([]byte(recorded(f, "show-239")), "x")
	f.Add([]byte(recorded(f, "journal")), recorded(f, "journal"))
	f.Fuzz(func(t *testing.T, show []byte, list string) {
		units := host.ParseShow(show)
		snapshot := schema.ClusterContext{ClusterName: "c"}
		seen := map[string]bool{}
		story := host.NewStory(t)
		story.Tell(noon)
		for _, u := range units {
			if seen[u.ID] {
				return // systemd shows each once
			}
			seen[u.ID] = true
		}
		_, services := story.Tell(noon, units...)
		for _, s := range services {
			snapshot.Services = append(snapshot.Services, s)
		}
		if err := snapshot.Validate(); err != nil {
			t.Error(err)
		}
		if happened, _ := story.Tell(noon, units...); len(happened) > 0 {
			t.Errorf("the same reading twice: %+v", happened)
		}
		_, _ = host.ParseList(list)
		host.ParseJournal(show)
	})
}
