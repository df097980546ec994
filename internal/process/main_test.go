package process_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/process"
)

// childVariable, where it is set, makes the test binary a program of its own.
const childVariable = "PROCESS_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		process.Main("child", child)
	}
	os.Exit(m.Run())
}

// child is a program that behaves as the test asks.
func child(ctx context.Context, _ []string) error {
	switch os.Getenv(childVariable) {
	case "usage":
		return fmt.Errorf("read flags: %w", process.Usage{Err: errors.New("no such flag")})
	case "config":
		return fmt.Errorf("start: %w", &config.Error{Mistakes: []config.Mistake{{Name: "BELLBUOY_X", Problem: "is wrong"}}})
	case "fails":
		return errors.New("out of luck")
	case "stuck":
		return process.Run(ctx, process.Options{Parts: []process.Part{saying("stuck", make(chan struct{}))}})
	}
	open := make(chan struct{})
	close(open)
	return process.Run(ctx, process.Options{Parts: []process.Part{saying("first", open), saying("second", open)}})
}

// saying is a part that tells standard output how it is.
func saying(name string, gate <-chan struct{}) process.Part {
	return process.Part{Name: name, Run: func(ctx context.Context) error {
		fmt.Println("up")
		<-ctx.Done()
		fmt.Println(name, "told")
		<-gate
		return nil
	}}
}

// program is a child with its output.
type program struct {
	*exec.Cmd
	out    *bufio.Scanner
	errors strings.Builder
}

func launch(t *testing.T, how string) *program {
	t.Helper()
	p := &program{Cmd: exec.CommandContext(t.Context(), os.Args[0])}
	p.Env = append(os.Environ(), childVariable+"="+how)
	p.Stderr = &p.errors
	pipe, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewScanner(pipe)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *program) says(t *testing.T, want ...string) {
	t.Helper()
	for _, w := range want {
		if !p.out.Scan() || p.out.Text() != w {
			t.Fatalf("the program says %q, want %q; errors: %s", p.out.Text(), w, p.errors.String())
		}
	}
}

func (p *program) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func TestMainExitCodes(t *testing.T) {
	tests := []struct {
		name, how string
		code      int
		want      string
	}{
		{"usage", "usage", 2, "child: read flags: no such flag\n"},
		{"configuration", "config", 2, "child: start: configuration: BELLBUOY_X is wrong\n"},
		{"failure", "fails", 1, "child: out of luck\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := launch(t, tt.how)
			_ = p.Wait()
			if code := p.ProcessState.ExitCode(); code != tt.code || p.errors.String() != tt.want {
				t.Errorf("code %d and %q, want %d and %q", code, p.errors.String(), tt.code, tt.want)
			}
		})
	}
}

func TestMainStopsInOrderAtASignal(t *testing.T) {
	for _, s := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		t.Run(strings.ReplaceAll(s.String(), " ", "-"), func(t *testing.T) {
			p := launch(t, "well")
			p.says(t, "up", "up")
			p.signal(t, s)
			p.says(t, "second told", "first told")
			if err := p.Wait(); err != nil || p.errors.String() != "" {
				t.Errorf("ended with %v: %s", err, p.errors.String())
			}
		})
	}
}

func TestMainDiesAtTheSecondSignal(t *testing.T) {
	p := launch(t, "stuck")
	p.says(t, "up")
	p.signal(t, syscall.SIGTERM)
	p.says(t, "stuck told")
	p.signal(t, syscall.SIGTERM)
	_ = p.Wait()
	if got := p.errors.String(); p.ProcessState.ExitCode() != 1 || got != "child: cut off by a second signal: terminated\n" {
		t.Errorf("ended with %v: %s", p.ProcessState, got)
	}
}
