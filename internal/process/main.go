package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// Prefix is what the name of every variable of Bellbuoy begins with, without the underscore.
const Prefix = "BELLBUOY"

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// Usage is an error of whoever started the program: wrong arguments or a wrong configuration.
type Usage struct{ Err error }

func (u Usage) Error() string { return u.Err.Error() }

func (u Usage) Unwrap() error { return u.Err }

// Main runs a program and ends the process: with 0 when run returns nil, with 2 when its error is or wraps a Usage or
// a *config.Error, else with 1. The context is done at the first SIGINT or SIGTERM; the second one ends the
// process at once, with 1.
func Main(name string, run func(ctx context.Context, args []string) error) {
	ctx, stop := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() { // for as long as the process lives
		stop(fmt.Errorf("signal: %v", <-signals))
		os.Exit(report(os.Stderr, name, fmt.Errorf("cut off by a second signal: %v", <-signals)))
	}()
	os.Exit(report(os.Stderr, name, run(ctx, os.Args[1:])))
}

// report tells the person what went wrong and gives the exit code.
func report(w io.Writer, name string, err error) int {
	if err == nil {
		return exitDone
	}
	fmt.Fprintf(w, "%s: %s\n", name, scrub.Text(err.Error()))
	if errors.As(err, &Usage{}) || errors.As(err, new(*config.Error)) {
		return exitUsage
	}
	return exitFailed
}
