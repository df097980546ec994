package main

import (
	"context"
	"flag"
	"fmt"
	"io"

	"github.com/bellbuoy/bellbuoy/internal/client"
)

func whyCommand() command {
	var asJSON bool
	return command{
		name: "why", args: "REF|OBJECT [--json]", about: "why it is, or is not, alerting",
		flags: func(f *flag.FlagSet) { f.BoolVar(&asJSON, "json", false, "print JSON") },
		run: func(ctx context.Context, out io.Writer, args []string) error {
			if len(args) != 1 {
				return usage("why", "REF|OBJECT [--json]")
			}
			return connected(ctx, func(ctx context.Context, c *client.Client) error {
				response, err := c.Why(ctx, args[0])
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(out, response)
				}
				why(out, response)
				return nil
			})
		},
	}
}

func why(out io.Writer, r client.WhyResponse) {
	for _, e := range r.Objects {
		state := "no conversation"
		if e.Conversation != "" {
			state = e.Conversation[:shortID] + " " + e.State
		}
		fmt.Fprintf(out, "%s %s/%s (%s)\n", e.Object.Kind, plain(e.Cluster), plain(e.Object.String()), state)
		for _, reason := range e.Reasons {
			fmt.Fprintf(out, "  %-10s %s\n", reason.Verdict, plain(reason.Text))
		}
	}
}
