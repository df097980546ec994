package host_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source/host"
)

func look(t *testing.T, s *host.Source, kind, namespace, name string) schema.InspectionResult {
	t.Helper()
	r, err := s.Inspect(t.Context(), schema.Inspection{Kind: kind, Object: schema.Object{Kind: schema.KindService, Namespace: namespace, Name: name}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestUnitsAreLookedUpThroughTheSameCommands(t *testing.T) {
	m := newMachine(t, true)
	m.command("systemctl", `echo "$@" >> '`+m.config.Run+`/asked'; `+m.prints("show-252"))
	m.command("journalctl", `echo "$@" >> '`+m.config.Run+`/asked'; `+m.prints("journal"))
	s := m.open()
	logs := look(t, s, schema.LookLogs, host.Namespace, "loop")
	if len(logs.Lines) != 3 || strings.Contains(logs.Lines[0].Text, "hunter2") || logs.Lines[0].From != "loop.service" || logs.Lines[0].At.Year() != 2026 {
		t.Errorf("logs: %+v", logs)
	}
	events := look(t, s, schema.LookEvents, host.Namespace, "loop")
	if len(events.Lines) != 3 {
		t.Errorf("events: %+v", events)
	}
	status := look(t, s, schema.LookStatus, host.Namespace, "loop")
	if len(status.Lines) != 2 || !strings.HasPrefix(status.Lines[0].Text, "state activating (auto-restart)") || !strings.Contains(status.Lines[0].Text, "exit code 3") {
		t.Errorf("status: %+v", status)
	}
	asked, err := os.ReadFile(filepath.Join(m.config.Run, "asked"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(asked)), "\n")
	for i, want := range []string{"--unit=loop.service --boot --lines=80 ", "_PID=1 UNIT=loop.service --since=-900s --lines=80 ", "show --no-pager --property="} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], want) {
			t.Errorf("command %d of %q, want %q", i, lines, want)
		}
	}
	if !strings.HasSuffix(lines[2], " -- loop.service") {
		t.Errorf("systemctl was asked %q", lines[2])
	}
}

func TestNothingButAUnitsNameReachesACommand(t *testing.T) {
	m := newMachine(t, true)
	for _, name := range []string{"systemctl", "journalctl"} {
		m.command(name, `echo "$@" >> '`+m.config.Run+`/asked'`)
	}
	s := m.open()
	for _, o := range [][2]string{
		{"shop", "web"},
		{host.Namespace, "../../etc/passwd"},
		{host.Namespace, "--file=/etc/shadow"},
		{host.Namespace, "-M"},
		{host.Namespace, "a b"},
		{host.Namespace, "*"},
		{host.Namespace, "a;id"},
		{host.Namespace, "$(id)"},
		{host.Namespace, ""},
		{host.Namespace, "a\nb"},
	} {
		for _, kind := range schema.Looks() {
			if r := look(t, s, kind, o[0], o[1]); len(r.Lines) > 0 || !strings.Contains(r.Note, "no unit") {
				t.Errorf("%s of %q: %+v", kind, o, r)
			}
		}
	}
	if asked, err := os.ReadFile(filepath.Join(m.config.Run, "asked")); err == nil {
		t.Errorf("commands ran: %s", asked)
	}
}

func TestMachineWithoutCommandsSaysThatNothingCanBeLookedUp(t *testing.T) {
	s := newMachine(t, false).open()
	got := map[string]string{}
	for _, kind := range schema.Looks() {
		_, err := s.Inspect(t.Context(), schema.Inspection{Kind: kind, Object: schema.Object{Kind: schema.KindService, Namespace: host.Namespace, Name: "web"}})
		if err != nil {
			got[kind] = err.Error()
		}
	}
	want := map[string]string{
		schema.LookLogs: "read the journal: there is no journalctl on this machine", schema.LookEvents: "read the journal: there is no journalctl on this machine",
		schema.LookStatus: "systemd does not run here",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
}
