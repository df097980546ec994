// Package engine runs containers on the real Docker engine for tests. Every container belongs to a Compose project of
// its own that no other test has, is labelled as Compose would, runs the program of internal/need/steady from an image
// with nothing else in it, and is taken away when the test ends.
//
// The image is built once in a test process, and not at all where the engine has it already. It stays on the engine.
// An Engine may be used from several goroutines.
package engine

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/need"
)

// patience is how long one docker command may take on a busy machine.
const patience = 60 * time.Second

// Engine is the real engine, with one project on it that belongs to one test.
type Engine struct {
	Project string // the Compose project of all containers
	Image   string
}

// Spec says how a container runs. Its zero value runs for ever.
type Spec struct {
	Args    []string          // for internal/need/steady; empty: run
	Restart string            // no, always, unless-stopped, on-failure:N; empty: no
	Memory  string            // like 16m
	Health  string            // words for steady that make the health check, each second; empty: none
	Env     []string          // like KEY=value
	Ports   []string          // like 127.0.0.1::8080
	Labels  map[string]string // on top of Compose's
	Replica int               // the container's number; 0: 1
	Options []string          // further options of docker run
}

// New needs the engine, and gives a project on it that is taken away when the test ends.
func New(t testing.TB) *Engine {
	t.Helper()
	need.Docker(t)
	image, err := image()
	if err != nil {
		t.Fatal(err)
	}
	e := &Engine{Project: "bbtest-" + strings.ToLower(rand.Text()[:10]), Image: image}
	t.Cleanup(func() { e.removeAll(t) })
	return e
}

// Run starts a container of a service and gives its name.
func (e *Engine) Run(t testing.TB, service string, s Spec) string {
	t.Helper()
	name, args := e.command("run", service, s)
	e.Docker(t, append(args[:1:1], append([]string{"-d"}, args[1:]...)...)...)
	return name
}

// Create makes a container of a service without starting it, and gives its name.
func (e *Engine) Create(t testing.TB, service string, s Spec) string {
	t.Helper()
	name, args := e.command("create", service, s)
	e.Docker(t, args...)
	return name
}

// command gives the name that a container will have, and the docker command that makes it.
func (e *Engine) command(verb, service string, s Spec) (string, []string) {
	number := strconv.Itoa(max(1, s.Replica))
	name := e.Project + "-" + service + "-" + number
	labels := map[string]string{
		"com.docker.compose.project": e.Project, "com.docker.compose.service": service,
		"com.docker.compose.container-number": number, "com.docker.compose.oneoff": "False",
	}
	maps.Copy(labels, s.Labels)
	args := []string{verb, "--name", name}
	for key, value := range labels {
		args = append(args, "--label", key+"="+value)
	}
	args = append(args, options(s)...)
	words := s.Args
	if len(words) == 0 {
		words = []string{"run"}
	}
	return name, append(append(args, e.Image), words...)
}

func options(s Spec) []string {
	var args []string
	add := func(option string, values ...string) {
		for _, value := range values {
			if value != "" {
				args = append(args, option, value)
			}
		}
	}
	add("--restart", s.Restart)
	add("--memory", s.Memory)
	add("--env", s.Env...)
	add("--publish", s.Ports...)
	if s.Health != "" {
		add("--health-cmd", s.Health)
		add("--health-interval", "1s")
		add("--health-retries", "2")
	}
	if len(s.Ports) == 0 {
		add("--network", "none") // starts twice as fast
	}
	return append(args, s.Options...)
}

// Stop stops a container as a person would.
func (e *Engine) Stop(t testing.TB, name string) {
	t.Helper()
	e.Docker(t, "stop", "--time", "2", name)
}

// Kill ends a container by SIGKILL, as a person would.
func (e *Engine) Kill(t testing.TB, name string) { t.Helper(); e.Docker(t, "kill", name) }

// Remove takes a container away, running or not.
func (e *Engine) Remove(t testing.TB, name string) { t.Helper(); e.Docker(t, "rm", "--force", name) }

// Docker runs any docker command and gives what it prints; the test fails if the command does.
func (e *Engine) Docker(t testing.TB, args ...string) string {
	t.Helper()
	out, err := Try(args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Try runs any docker command and gives what it prints. The error has what it complained of.
func Try(args ...string) (string, error) { return docker(nil, args...) }

func (e *Engine) removeAll(t testing.TB) {
	ids, err := Try("ps", "--all", "--quiet", "--filter", "label=com.docker.compose.project="+e.Project)
	if err != nil {
		t.Errorf("list the containers of the test: %v", err)
	}
	if all := strings.Fields(ids); len(all) > 0 {
		if _, err := Try(append([]string{"rm", "--force", "--volumes"}, all...)...); err != nil {
			t.Errorf("remove the containers of the test: %v", err)
		}
	}
}

func docker(in io.Reader, args ...string) (string, error) {
	ctx, stop := context.WithTimeout(context.Background(), patience) // outlives the test: it also cleans up
	defer stop()
	return command(exec.CommandContext(ctx, "docker", args...), in)
}

func command(c *exec.Cmd, in io.Reader) (string, error) {
	var out, complaint bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = in, &out, &complaint
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(c.Args, " "), err, strings.TrimSpace(complaint.String()))
	}
	return strings.TrimSpace(out.String()), nil
}

// image builds the image once in this process, and gives its name.
var image = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "steady")
	if err != nil {
		return "", fmt.Errorf("build the test image: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // it is below the machine's temporary directory in any case
	program := filepath.Join(dir, "steady")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "github.com/bellbuoy/bellbuoy/internal/need/steady")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if _, err := command(build, nil); err != nil {
		return "", err
	}
	binary, err := os.ReadFile(program)
	if err != nil {
		return "", fmt.Errorf("build the test image: %w", err)
	}
	return load(binary)
})

// load makes the image, named by what is in it, unless it is there.
func load(binary []byte) (string, error) {
	sum := sha256.Sum256(binary)
	name := "bellbuoy-steady:" + hex.EncodeToString(sum[:6])
	if _, err := Try("image", "inspect", "--format", "{{.Id}}", name); err == nil {
		return name, nil
	}
	var root bytes.Buffer
	w := tar.NewWriter(&root)
	for _, path := range []string{"steady", "bin/sh"} { // sh: health checks given on a command line go through it
		if err := w.WriteHeader(&tar.Header{Name: path, Mode: 0o755, Size: int64(len(binary))}); err != nil {
			return "", fmt.Errorf("pack the test image: %w", err)
		}
		if _, err := w.Write(binary); err != nil {
			return "", fmt.Errorf("pack the test image: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return "", fmt.Errorf("pack the test image: %w", err)
	}
	_, err := docker(&root, "import", "--change", `ENTRYPOINT ["/steady"]`, "-", name)
	return name, err
}
