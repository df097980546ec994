package e2e

import (
	"log/slog"
	"strings"
	"sync"
)

// Journal is the other end of a log. It remembers every line. Its zero value is empty.
type Journal struct {
	mu    sync.Mutex
	lines []string
}

// Logger writes to the journal from level info on.
func (j *Journal) Logger() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

// Write takes one line. It never fails.
func (j *Journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, string(line))
	return len(line), nil
}

// Lines gives those that hold every one of parts, oldest first.
func (j *Journal) Lines(parts ...string) []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var found []string
	for _, line := range j.lines {
		if holds(line, parts) {
			found = append(found, line)
		}
	}
	return found
}

func holds(s string, parts []string) bool {
	for _, p := range parts {
		if !strings.Contains(s, p) {
			return false
		}
	}
	return true
}
