package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/demo"
	"github.com/bellbuoy/bellbuoy/internal/process"
)

// askWithin is how long the demonstration waits for a question.
const askWithin = 15 * time.Second

func demoCommand() command {
	var asJSON bool
	return command{
		name: "demo", args: "[--json]", about: "the whole loop on a made-up shop in under a minute: no key, no cluster, nothing left behind",
		flags: func(f *flag.FlagSet) {
			f.BoolVar(&asJSON, "json", false, "print each step as a line of JSON; asks nothing")
		},
		run: func(ctx context.Context, out io.Writer, args []string) error {
			if len(args) > 0 {
				return usage("demo", "[--json]")
			}
			o := demo.Options{
				Say: func(s demo.Step) { printDemoStep(out, s, asJSON) },
				Log: process.Logger(os.Stderr, process.LogConfig{Level: "error", Format: "text"}),
			}
			if !asJSON && process.IsTerminal(os.Stdin) {
				o.Ask = func(ctx context.Context) (string, bool) { return ask(ctx, out, os.Stdin) }
			}
			return demo.Run(ctx, o)
		},
	}
}

func printDemoStep(out io.Writer, s demo.Step, asJSON bool) {
	if asJSON {
		_ = printJSONLine(out, s) // of strings and numbers only: it has a form
		return
	}
	fmt.Fprintf(out, "%d. %s\n", s.Step, plain(s.Title))
	for _, line := range s.Lines {
		fmt.Fprintf(out, "   %s\n", plain(line))
	}
	fmt.Fprintln(out)
}

// ask reads a question from whoever sits there. Who types nothing for a while, or only a newline, has none.
func ask(ctx context.Context, out io.Writer, in io.Reader) (question string, preset bool) {
	fmt.Fprintf(out, "   Ask something about it. Without a question within %v this one is asked: %s\n   > ", askWithin, demo.Preset)
	typed := make(chan string, 1)
	go func() { // ends with the process at the latest: a read from a terminal cannot be called off
		line, _ := bufio.NewReader(in).ReadString('\n') // what was typed before an error or the end counts
		typed <- strings.TrimSpace(line)
	}()
	timer := time.NewTimer(askWithin)
	defer timer.Stop()
	select {
	case question = <-typed:
	case <-timer.C:
		fmt.Fprintln(out)
	case <-ctx.Done():
	}
	if question == "" {
		return demo.Preset, true
	}
	return question, false
}
