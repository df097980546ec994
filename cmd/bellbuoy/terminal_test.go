package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

// said is a log that passes its lines on.
type said chan string

func (s said) Write(line []byte) (int, error) {
	s <- string(line)
	return len(line), nil
}

func TestATerminalThatIsGoneStopsNobody(t *testing.T) {
	for name, show := range map[string]func() error{
		"cannot-be-written": func() error { return errors.New("input/output error") },
		"cannot-be-shown":   func() error { var none []string; return errors.New(none[len(none)-1]) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			log, ended := make(said, 1), make(chan error, 1)
			go func() { ended <- beside(ctx, slog.New(slog.NewTextHandler(log, nil)), show) }()
			if line := <-log; !strings.Contains(line, "alerting goes on") {
				t.Errorf("logged %q", line)
			}
			select {
			case err := <-ended:
				t.Fatalf("ended with %v, and everything with it", err)
			default:
			}
			stop()
			if err := <-ended; err != nil {
				t.Errorf("error %v", err)
			}
		})
	}
}
