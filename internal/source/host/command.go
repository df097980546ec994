package host

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

const (
	maxOutput  = 4 << 20                // of one command
	maxProblem = 200                    // bytes of a command's own words in an error
	pipesClose = 200 * time.Millisecond // how long a killed command's children may hold its pipes
)

// tools finds and runs the commands of the machine.
type tools struct {
	path string // directories to look in, like PATH; empty: PATH
}

// find gives the file of a command; it is false if there is none.
func (t tools) find(name string) (string, bool) {
	for _, dir := range filepath.SplitList(cmp.Or(t.path, os.Getenv("PATH"))) {
		file, err := exec.LookPath(filepath.Join(dir, name))
		if err == nil && filepath.IsAbs(file) {
			return file, true
		}
	}
	return "", false
}

// run gives what a command writes within ctx. Its times are in UTC and its words English. The error of a command that
// fails holds its first line, and output may still be there.
func (t tools) run(ctx context.Context, file string, args ...string) ([]byte, error) {
	var out, problems bounded
	name := filepath.Base(file)
	cmd := exec.CommandContext(ctx, file, args...)
	cmd.Env = append(os.Environ(), "TZ=UTC", "LC_ALL=C", "SYSTEMD_COLORS=0", "SYSTEMD_PAGER=")
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &out, &problems, pipesClose
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("run %s: no answer in time", name)
	case err != nil:
		said := cmp.Or(firstLine(problems.Bytes()), firstLine(out.Bytes()), "it says nothing")
		return out.Bytes(), fmt.Errorf("run %s: %w: %s", name, err, said)
	case out.cut:
		return nil, fmt.Errorf("run %s: it wrote more than %d bytes", name, maxOutput)
	}
	return out.Bytes(), nil
}

func firstLine(text []byte) string {
	line, _, _ := bytes.Cut(bytes.TrimSpace(text), []byte("\n"))
	return scrub.Line(string(line[:min(len(line), 4<<10)]), maxProblem)
}

// bounded keeps the beginning of what is written to it.
type bounded struct {
	bytes.Buffer
	cut bool
}

func (b *bounded) Write(p []byte) (int, error) {
	room := maxOutput - b.Len()
	b.cut = b.cut || len(p) > room
	_, err := b.Buffer.Write(p[:min(len(p), room)])
	return len(p), err
}
