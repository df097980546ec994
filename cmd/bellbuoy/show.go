package main

import (
	"context"
	"flag"
	"io"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/client"
)

func showCommand() command {
	var asJSON bool
	return command{
		name: "show", args: "REF [--json]", about: "one conversation, from its opening to now",
		flags: func(f *flag.FlagSet) { f.BoolVar(&asJSON, "json", false, "print JSON") },
		run: func(ctx context.Context, out io.Writer, args []string) error {
			if len(args) != 1 {
				return usage("show", "REF [--json]")
			}
			return connected(ctx, out, formOf(asJSON), func(ctx context.Context, c *client.Client, out io.Writer) error {
				conversation, err := c.Get(ctx, args[0])
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(out, conversation)
				}
				p := printer(out)
				p.Show(conversation, time.Now())
				return p.Err()
			})
		},
	}
}
