package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/drill"
	"github.com/bellbuoy/bellbuoy/internal/process"
)

func testCommand() command {
	const args = "[CHANNEL] [--keep 60s] [--wait 10s] [--json]"
	var test drill.Test
	var asJSON bool
	return command{
		name: "test", args: args, about: "a marked incident through all that runs: says who was told and how soon, then closes it",
		flags: func(f *flag.FlagSet) {
			f.DurationVar(&test.Keep, "keep", drill.DefaultKeep, "how long it stays open")
			f.DurationVar(&test.Within, "wait", drill.DefaultWithin, "how long a channel may take")
			f.BoolVar(&asJSON, "json", false, "print each step as a line of JSON")
		},
		run: func(ctx context.Context, out io.Writer, words []string) error {
			if len(words) > 1 {
				return usage("test", args)
			}
			if len(words) == 1 {
				test.Channel = words[0]
			}
			return tryOut(ctx, out, test, asJSON)
		},
	}
}

// tryOut runs the test on the configured server.
func tryOut(ctx context.Context, out io.Writer, test drill.Test, asJSON bool) error {
	var person personConfig
	if err := config.Load(process.Prefix, &person); err != nil {
		return err
	}
	test.By = cmp.Or(person.Name, os.Getenv("USER"), "somebody")
	if host, err := os.Hostname(); err == nil {
		test.Host = host
	}
	return onBus(ctx, func(ctx context.Context, b *bus.Bus, _ *slog.Logger) error {
		out := warned(ctx, client.New(b), out, os.Stderr, linesOf(asJSON))
		return test.Run(ctx, b, func(s drill.Step) { printTestStep(out, s, asJSON) })
	})
}

func printTestStep(out io.Writer, s drill.Step, asJSON bool) {
	if asJSON {
		_ = printJSONLine(out, s) // of strings and numbers only: it has a form
		return
	}
	text := plain(s.Text)
	if s.Kind == drill.StepOpened {
		text += " (bellbuoy show " + s.Conversation[:shortID] + ")"
	}
	fmt.Fprintf(out, "%8d ms  %s\n", s.Millis, text)
}
