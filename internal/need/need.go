// Package need says what a test needs from the machine it runs on: a Docker engine, the real nats command line,
// Compose. It is for tests only.
//
// A test asks first and goes on only if the answer is yes. Whether a missing thing skips the test or fails it is
// decided here and nowhere else: with BELLBUOY_REQUIRE_ALL=1, as in continuous integration, it fails, so that nothing
// is skipped there unseen. Every function may be called from several tests at once.
package need

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// RequireAll is the environment variable that turns every skip into a failure when it is "1".
const RequireAll = "BELLBUOY_REQUIRE_ALL"

// patience is how long a tool may take to say that it is there.
const patience = 30 * time.Second

// Docker needs a Docker engine that answers.
func Docker(t testing.TB) {
	t.Helper()
	err := answers(t, "docker", "version", "--format", "{{.Server.APIVersion}}")
	decide(t, "a Docker engine", err)
}

// NATS needs the nats command line and returns its path.
func NATS(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("nats")
	if err == nil {
		err = answers(t, path, "--version")
	}
	decide(t, "the nats command line", err)
	return path
}

// Alertmanager needs Prometheus's Alertmanager, to be measured beside it, and returns its path: as Debian calls it, or as
// its own releases do.
func Alertmanager(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("prometheus-alertmanager")
	if err != nil {
		path, err = exec.LookPath("alertmanager")
	}
	decide(t, "Alertmanager (Debian's package prometheus-alertmanager)", err)
	return path
}

// Shell needs a shell by name and returns its path. Only bash is asked of every machine: a missing zsh or fish skips the
// test even where nothing else may be skipped, because their scripts are checked for syntax alone.
func Shell(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && name != "bash" {
		t.Skipf("this test needs %s: %v", name, err)
	}
	decide(t, "the shell "+name, err)
	return path
}

// Compose needs a Docker engine and Compose, and returns the words that start Compose: "docker compose" where that
// is installed, else "docker-compose".
func Compose(t testing.TB) []string {
	t.Helper()
	Docker(t)
	err := answers(t, "docker", "compose", "version")
	if err == nil {
		return []string{"docker", "compose"}
	}
	old := answers(t, "docker-compose", "version")
	if old != nil {
		old = errors.Join(err, old)
	}
	decide(t, "Docker Compose", old)
	return []string{"docker-compose"}
}

// decide is the only place that skips a test.
func decide(t testing.TB, what string, err error) {
	t.Helper()
	switch {
	case err == nil:
	case os.Getenv(RequireAll) == "1":
		t.Fatalf("this test needs %s, and %s=1 forbids skipping it: %v", what, RequireAll, err)
	default:
		t.Skipf("this test needs %s: %v", what, err)
	}
}

// answers runs a command. Its error holds the first line of what the command complained.
func answers(t testing.TB, name string, args ...string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var complaint strings.Builder
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stderr = &complaint
	err := cmd.Run()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("no answer within %v", patience)
	}
	first, _, _ := strings.Cut(strings.TrimSpace(complaint.String()), "\n")
	return fmt.Errorf("%s %s: %w %s", name, strings.Join(args, " "), err, first)
}
