package procfs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/source/procfs"
)

const (
	firstStat  = "cpu  100 0 100 700 100 0 0 0 50 0\ncpu0 100 0 100 700 100 0 0 0 50 0\nintr 5 1 2\nbtime 1795440000\n"
	secondStat = "cpu  130 5 110 740 110 3 1 1 60 0\nbtime 1795440000\n"
	meminfo    = "MemTotal:        8000 kB\nMemFree:          100 kB\nMemAvailable:    2000 kB\n"
)

func TestReaderGivesLoadBetweenTwoReadings(t *testing.T) {
	root := t.TempDir()
	write(t, root, "stat", firstStat)
	write(t, root, "meminfo", meminfo)
	r := procfs.New(root)
	want := procfs.Node{MemoryPercent: new(75.0), MemoryTotal: 8000 << 10, BootAt: time.Unix(1795440000, 0).UTC()}
	check(t, r, want)

	write(t, root, "stat", secondStat)
	want.CPUPercent = new(50.0) // 50 busy ticks of 100
	check(t, r, want)
}

func TestReaderGivesWhatItCouldReadBesideTheError(t *testing.T) {
	root := t.TempDir()
	write(t, root, "meminfo", meminfo)
	n, err := procfs.New(root).Read()
	if err == nil || !strings.Contains(err.Error(), "stat") {
		t.Errorf("error %v does not name the file", err)
	}
	if n.CPUPercent != nil || n.MemoryPercent == nil {
		t.Errorf("node %+v: want memory known, load unknown", n)
	}
}

func TestNewHonoursHostProc(t *testing.T) {
	root := t.TempDir()
	write(t, root, "stat", firstStat)
	write(t, root, "meminfo", meminfo)
	t.Setenv("HOST_PROC", root)
	n, err := procfs.New("").Read()
	if err != nil || n.MemoryTotal != 8000<<10 {
		t.Errorf("node %+v, error %v: not read from HOST_PROC", n, err)
	}
}

func TestLoadIsUnknownWithoutSoundDifference(t *testing.T) {
	tests := []struct {
		name        string
		before, now procfs.Times
	}{
		{"first-reading", procfs.Times{}, procfs.Times{Busy: 1, Total: 2}},
		{"no-time-passed", procfs.Times{Busy: 1, Total: 2}, procfs.Times{Busy: 1, Total: 2}},
		{"ran-backwards", procfs.Times{Busy: 5, Total: 9}, procfs.Times{Busy: 1, Total: 12}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := procfs.Load(tt.before, tt.now); got != nil {
				t.Errorf("load %v, want unknown", *got)
			}
		})
	}
}

func FuzzParseNeverGivesNonsense(f *testing.F) {
	f.Add(firstStat)
	f.Add(meminfo)
	f.Fuzz(func(t *testing.T, text string) {
		if times, _, err := procfs.ParseStat(strings.NewReader(text)); err == nil && times.Total == 0 {
			t.Error("processor times of nothing")
		}
		total, available, err := procfs.ParseMeminfo(strings.NewReader(text))
		if err == nil && (total <= 0 || available < 0 || available > total) {
			t.Errorf("%d of %d bytes available", available, total)
		}
	})
}

func check(t *testing.T, r *procfs.Reader, want procfs.Node) {
	t.Helper()
	got, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("node (-want +got):\n%s", diff)
	}
}

func write(t *testing.T, root, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
