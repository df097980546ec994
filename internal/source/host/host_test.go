package host_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
	"github.com/bellbuoy/bellbuoy/internal/source/host"
)

// machine is one with commands of its own.
type machine struct {
	t      *testing.T
	config host.Config
	state  json.RawMessage
}

// newMachine has systemd if it is booted, and no commands yet.
func newMachine(t *testing.T, booted bool) *machine {
	m := &machine{t: t, config: host.Config{Path: t.TempDir(), Run: t.TempDir(), Interval: time.Nanosecond}}
	if booted {
		if err := os.MkdirAll(filepath.Join(m.config.Run, "systemd", "system"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// command installs a shell script.
func (m *machine) command(name, script string) {
	m.t.Helper()
	text := "#!/bin/sh\n" + script + "\n"
	if err := os.WriteFile(filepath.Join(m.config.Path, name), []byte(text), 0o700); err != nil { //nolint:gosec // a command
		m.t.Fatal(err)
	}
}

// prints is a script that prints a recorded text.
func (m *machine) prints(name string) string {
	path, err := filepath.Abs(filepath.Join("testdata", name+".txt"))
	if err != nil {
		m.t.Fatal(err)
	}
	return "/bin/cat '" + path + "'"
}

func (m *machine) systemctl() {
	m.command("systemctl", `case "$1" in list-units) `+m.prints("list-252")+`;; show) `+m.prints("show-252")+`;; *) exit 9;; esac`)
}

func (m *machine) open() *host.Source {
	m.t.Helper()
	s, err := host.Open(m.t.Context(), m.config, m.state)
	if err != nil {
		m.t.Fatal(err)
	}
	s.BePatient()
	m.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			m.t.Error(err)
		}
	})
	return s
}

func (m *machine) read(s *host.Source) source.Reading {
	m.t.Helper()
	r, err := s.Read(m.t.Context())
	if err != nil {
		m.t.Fatal(err)
	}
	m.state = r.State
	r.Snapshot.ClusterName = "c"
	if err := r.Snapshot.Validate(); err != nil {
		m.t.Error(err)
	}
	return r
}

func TestMachineWithoutAnythingSaysWhatItLacks(t *testing.T) {
	m := newMachine(t, false)
	m.systemctl() // is installed, but systemd does not run the machine
	r := m.read(m.open())
	want := map[string]string{
		schema.PartMachine: "", schema.PartDisks: "", schema.PartNodes: "a machine cannot report its own end",
		schema.PartServices: "systemd does not run here", schema.PartJobs: "systemd does not run here",
		schema.PartGPUs: "no GPU here: nvidia-smi is not installed", schema.PartGPUErrors: "no GPU here: nvidia-smi is not installed",
	}
	if diff := cmp.Diff(want, r.Reads); diff != "" {
		t.Errorf("reads (-want +got):\n%s", diff)
	}
	if len(r.Snapshot.Services) > 0 || r.Snapshot.Nodes[0].GPUs == nil {
		t.Errorf("snapshot %+v", r.Snapshot)
	}
}

func TestThisMachineIsReadAsItsOwnToolsSeeIt(t *testing.T) {
	m := newMachine(t, false)
	s := m.open()
	m.read(s)
	n := m.read(s).Snapshot.Nodes[0]
	name, err := os.Hostname()
	if err != nil || n.ID != name || n.Status != schema.NodeHealthy || n.LastSeen.IsZero() || n.BootAt.After(time.Now()) {
		t.Errorf("node %+v of %q, error %v", n, name, err)
	}
	if n.MemoryPercent == nil || *n.MemoryPercent <= 0 || *n.MemoryPercent > 100 || n.CPUPercent != nil && *n.CPUPercent > 100 {
		t.Errorf("node %+v", n)
	}
	for _, d := range n.Disks {
		used, free := df(t, "-P", d.Mount)
		if d.UsedPercent == nil || math.Abs(math.Ceil(*d.UsedPercent)-used) > 1 || d.FreeBytes == nil || math.Abs(float64(*d.FreeBytes)/1024-free) > 0.02*free+1<<17 {
			t.Errorf("disk %s: %v used, %v free; df says %v, %v KiB", d.Mount, *d.UsedPercent, *d.FreeBytes, used, free)
		}
		if inodes, _ := df(t, "-Pi", d.Mount); d.InodesPercent != nil && math.Abs(math.Ceil(*d.InodesPercent)-inodes) > 1 {
			t.Errorf("disk %s: %v of inodes; df says %v", d.Mount, *d.InodesPercent, inodes)
		}
	}
}

// df gives the percentage used and what is available, as df says.
func df(t *testing.T, flags, mount string) (used, available float64) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "df", flags, mount)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("df %s: %v", mount, err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	fields := strings.Fields(lines[len(lines)-1])
	if len(fields) < 6 {
		t.Fatalf("df %s says %q", mount, out)
	}
	used, _ = strconv.ParseFloat(strings.TrimSuffix(fields[4], "%"), 64) // "-": there are none
	available, _ = strconv.ParseFloat(fields[3], 64)
	return used, available
}

func TestUnitsAreReadThroughTheCommands(t *testing.T) {
	m := newMachine(t, true)
	m.systemctl()
	m.command("journalctl", `echo "$@" >> '`+m.config.Run+`/asked'; `+m.prints("journal"))
	r := m.read(m.open())
	if r.Snapshot.Baseline != 7 || len(r.Snapshot.Services) != 13 || len(r.Happened) != 0 || r.Reads[schema.PartServices] != "" {
		t.Errorf("baseline %d, %d services, happened %v, reads %v", r.Snapshot.Baseline, len(r.Snapshot.Services), r.Happened, r.Reads)
	}
	for _, s := range r.Snapshot.Services {
		if (len(s.RecentLogs) > 0) != (s.Name == "loop") {
			t.Errorf("%s has lines %q", s.Name, s.RecentLogs)
		}
	}
	asked, err := os.ReadFile(filepath.Join(m.config.Run, "asked"))
	if err != nil || !strings.HasPrefix(string(asked), "--unit=loop.service --lines=40 ") || strings.Count(string(asked), "\n") != 1 {
		t.Errorf("the journal was asked %q, error %v", asked, err)
	}

	again := m.read(m.open())
	if len(again.Happened) != 0 || again.Snapshot.Baseline != 7 {
		t.Errorf("started anew: happened %+v, baseline %d", again.Happened, again.Snapshot.Baseline)
	}
}

func TestUnitsStandAndAreStaleWhileSystemdDoesNotAnswer(t *testing.T) {
	m := newMachine(t, true)
	m.systemctl()
	s := m.open()
	m.read(s)
	m.command("systemctl", "echo 'Failed to list units: Connection timed out' >&2; exit 1")
	r := m.read(s)
	if len(r.Snapshot.Services) != 13 || !r.Snapshot.Services[0].Stale || len(r.Snapshot.Stale) != 1 || len(r.Happened) != 0 {
		t.Fatalf("%d services, stale %+v", len(r.Snapshot.Services), r.Snapshot.Stale)
	}
	if e := r.Snapshot.Stale[0].Error; !strings.Contains(e, "Connection timed out") {
		t.Errorf("the error %q does not say what systemctl said", e)
	}
	if diff := cmp.Diff([]string{schema.PartServices, schema.PartJobs}, r.Snapshot.Stale[0].Parts); diff != "" {
		t.Errorf("stale parts (-want +got):\n%s", diff)
	}
	m.systemctl()
	if r = m.read(s); len(r.Snapshot.Stale) != 0 || r.Snapshot.Services[0].Stale {
		t.Errorf("still stale: %+v", r.Snapshot.Stale)
	}
}

func TestUnitsThatAreRememberedAreMissedWhileSystemdDoesNotAnswerAfterARestart(t *testing.T) {
	m := newMachine(t, true)
	m.systemctl()
	m.read(m.open())
	m.command("systemctl", "echo 'Failed to list units: Connection timed out' >&2; exit 1")
	s := m.open() // anew, from its state
	r := m.read(s)
	if len(r.Snapshot.Stale) != 1 || !strings.Contains(r.Snapshot.Stale[0].Error, "Connection timed out") {
		t.Errorf("stale %+v", r.Snapshot.Stale)
	}
	if r.Reads[schema.PartServices] != "" || r.Reads[schema.PartJobs] != "" {
		t.Errorf("reads %v: what is only missed is taken for what nothing reads", r.Reads)
	}
	m.systemctl()
	if r = m.read(s); len(r.Snapshot.Services) != 13 || len(r.Snapshot.Stale) != 0 || len(r.Happened) != 0 || r.Snapshot.Baseline != 7 {
		t.Errorf("then %d services, stale %+v, happened %+v, baseline %d", len(r.Snapshot.Services), r.Snapshot.Stale, r.Happened, r.Snapshot.Baseline)
	}
}

func TestSystemdThatFailsFromTheStartIsUnreadWithItsReason(t *testing.T) {
	m := newMachine(t, true)
	m.command("systemctl", "echo 'Failed to connect to bus: Host is down' >&2; exit 1")
	s := m.open()
	r := m.read(s)
	if got := r.Reads[schema.PartServices]; !strings.Contains(got, "Host is down") || len(r.Snapshot.Stale) != 0 {
		t.Errorf("reads %q, stale %v", got, r.Snapshot.Stale)
	}
	m.systemctl()
	if r = m.read(s); r.Snapshot.Baseline != 7 {
		t.Errorf("baseline %d at the first sight that succeeded", r.Snapshot.Baseline)
	}
}

func TestDriverThatRefusesTheErrorsTellsTheRest(t *testing.T) {
	m := newMachine(t, false)
	m.command("nvidia-smi", `case "$1" in *ecc*) `+m.prints("nvidia-nofield")+`; exit 2;; *) echo "0, Old Card, 1, 2, 3, 4";; esac`)
	r := m.read(m.open())
	if len(r.Snapshot.Nodes[0].GPUs) != 1 || r.Reads[schema.PartGPUs] != "" || r.Reads[schema.PartGPUErrors] != "the graphics processors here count no errors" {
		t.Errorf("node %+v, reads %v", r.Snapshot.Nodes[0], r.Reads)
	}
}

func TestCommandsRunOnceInAnInterval(t *testing.T) {
	m := newMachine(t, true)
	m.config.Interval = time.Hour
	count := filepath.Join(m.config.Run, "count")
	m.command("nvidia-smi", "echo x >> '"+count+"'; "+m.prints("nvidia-consumer"))
	m.command("systemctl", "echo x >> '"+count+"'")
	s := m.open()
	for range 3 {
		if r := m.read(s); len(r.Snapshot.Nodes[0].GPUs) != 1 {
			t.Errorf("node %+v", r.Snapshot.Nodes[0])
		}
	}
	if text, err := os.ReadFile(count); err != nil || string(text) != "x\nx\n" {
		t.Errorf("commands ran %q, error %v", text, err)
	}
}

func TestCommandThatHangsLeavesItsPartUnknownAndEndsWithTheSource(t *testing.T) {
	m := newMachine(t, false)
	alive := filepath.Join(m.config.Run, "alive")
	if out, err := exec.CommandContext(t.Context(), "mkfifo", alive).CombinedOutput(); err != nil {
		t.Fatalf("mkfifo: %v: %s", err, out)
	}
	m.command("nvidia-smi", "exec 3> '"+alive+"'; exec /bin/sleep 1000") // the pipe ends when it does
	s := m.open()
	hasty, stop := context.WithCancel(t.Context())
	stop()
	r, err := s.Read(hasty)
	if err != nil || r.Reads[schema.PartGPUs] != "nvidia-smi has not answered yet" || r.Snapshot.Nodes[0].GPUs != nil {
		t.Errorf("reads %v, error %v", r.Reads, err)
	}
	pipe, err := os.Open(alive) // waits for the command
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if n, err := pipe.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("read %d, error %v: the command lives on", n, err)
	}
}

func TestFileSystemThatHangsDelaysNobodyAndIsAskedOnce(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"1", "etc"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(root, "1", "mountinfo"), "1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 8:2 / /srv rw - ext4 /dev/b rw\n")
	write(t, filepath.Join(root, "etc", "hostname"), "# comment\n n1 \n")
	m := newMachine(t, false)
	m.config.Procfs, m.config.Rootfs = root, root
	s := m.open()
	release := make(chan struct{})
	var asked atomic.Int32
	s.HangDisks(release, func(path string) {
		if !slices.Contains([]string{root, root + "/srv"}, path) {
			t.Errorf("asked about %s", path)
		}
		asked.Add(1)
	})
	m.read(s)
	r := m.read(s)
	want := []schema.DiskSummary{{Mount: "/"}, {Mount: "/srv"}}
	if diff := cmp.Diff(want, r.Snapshot.Nodes[0].Disks); diff != "" || asked.Load() != 2 || r.Snapshot.Nodes[0].ID != "n1" {
		t.Errorf("asked %d times of %s, disks (-want +got):\n%s", asked.Load(), r.Snapshot.Nodes[0].ID, diff)
	}
	close(release)
	var d schema.DiskSummary
	for d.UsedPercent == nil && t.Context().Err() == nil { // no reading waits for it any more
		d = m.read(s).Snapshot.Nodes[0].Disks[0]
	}
	if *d.UsedPercent != 50 {
		t.Errorf("disk %+v", d)
	}
}

func TestStateThatMakesNoSenseIsAsGoodAsNone(t *testing.T) {
	for _, state := range []string{"null", "7", `{"version":1,"machine":"elsewhere","seen":"2026-11-20T00:00:00Z"}`, `{"version":99}`, "{"} {
		m := newMachine(t, true)
		m.systemctl()
		m.state = json.RawMessage(state)
		if r := m.read(m.open()); r.Snapshot.Baseline != 7 || len(r.Happened) != 0 {
			t.Errorf("%s: baseline %d", state, r.Snapshot.Baseline)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	s, err := host.Open(b.Context(), host.Config{Path: b.TempDir(), Run: b.TempDir()}, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Read(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkUnits is what 150 units cost beside the commands.
func BenchmarkUnits(b *testing.B) {
	var units []host.Unit
	for i := range 150 {
		units = append(units, with(runs(1, 0), func(u *host.Unit) { u.ID = fmt.Sprintf("u%03d.service", i) }))
	}
	story := host.NewStory(b)
	story.Tell(noon, units...)
	b.ReportAllocs()
	for b.Loop() {
		story.Tell(noon, units...)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
