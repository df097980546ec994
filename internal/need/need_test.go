package need_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/need"
)

// recorder is a test that notes whether it was skipped or failed, and why.
type recorder struct {
	testing.TB
	skipped, failed string
}

func (r *recorder) Helper() {}

func (r *recorder) Skipf(format string, args ...any) {
	r.skipped = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.failed = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// record runs ask as a test of its own, to its end.
func record(t *testing.T, ask func(testing.TB)) *recorder {
	t.Helper()
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		ask(r)
	}()
	<-done
	return r
}

func askAll() map[string]func(testing.TB) {
	return map[string]func(testing.TB){
		"docker":       func(t testing.TB) { need.Docker(t) },
		"nats":         func(t testing.TB) { need.NATS(t) },
		"compose":      func(t testing.TB) { need.Compose(t) },
		"alertmanager": func(t testing.TB) { need.Alertmanager(t) },
	}
}

func TestMissingToolSkipsWithTheReason(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv(need.RequireAll, "")
	for name, ask := range askAll() {
		r := record(t, ask)
		if r.failed != "" || !strings.Contains(r.skipped, "executable file not found") {
			t.Errorf("%s: skipped %q, failed %q", name, r.skipped, r.failed)
		}
	}
}

func TestMissingToolFailsWhereEverythingIsRequired(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv(need.RequireAll, "1")
	for name, ask := range askAll() {
		r := record(t, ask)
		if r.skipped != "" || !strings.Contains(r.failed, need.RequireAll) {
			t.Errorf("%s: skipped %q, failed %q", name, r.skipped, r.failed)
		}
	}
}

func TestToolThatComplainsIsMissing(t *testing.T) {
	t.Setenv("PATH", tools(t, map[string]string{"docker": "echo no engine here >&2; exit 1"}))
	t.Setenv(need.RequireAll, "")
	r := record(t, askAll()["docker"])
	if !strings.Contains(r.skipped, "no engine here") {
		t.Errorf("skipped %q, want the tool's own complaint", r.skipped)
	}
}

func TestPresentToolsLetTheTestRun(t *testing.T) {
	dir := tools(t, map[string]string{"docker": "echo 1.41", "nats": "echo 0.1", "alertmanager": ""})
	t.Setenv("PATH", dir)
	for name, ask := range askAll() {
		if r := record(t, ask); r.skipped != "" || r.failed != "" {
			t.Errorf("%s: skipped %q, failed %q", name, r.skipped, r.failed)
		}
	}
	if got := need.NATS(t); got != filepath.Join(dir, "nats") {
		t.Errorf("nats is %q", got)
	}
}

func TestComposeFallsBackToTheOlderCommand(t *testing.T) {
	t.Setenv("PATH", tools(t, map[string]string{
		"docker":         `[ "$1" = version ]`,
		"docker-compose": "echo 1.29.2",
	}))
	if got := need.Compose(t); !slices.Equal(got, []string{"docker-compose"}) {
		t.Errorf("compose is %q", got)
	}
}

// tools makes a directory of shell scripts.
func tools(t *testing.T, scripts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, body := range scripts {
		err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+body+"\n"), 0o700)
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
