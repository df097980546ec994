package main

import (
	"context"
	"flag"
	"io"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/client"
)

func whyCommand() command {
	var asJSON bool
	return command{
		name: "why", args: "[REF|OBJECT] [--json]", about: "why it is, or is not, alerting; without a name, all that is not alerted on",
		flags: func(f *flag.FlagSet) { f.BoolVar(&asJSON, "json", false, "print JSON") },
		run: func(ctx context.Context, out io.Writer, args []string) error {
			if len(args) > 1 {
				return usage("why", "[REF|OBJECT] [--json]")
			}
			return connected(ctx, out, formOf(asJSON), func(ctx context.Context, c *client.Client, out io.Writer) error {
				return why(ctx, c, out, strings.Join(args, ""), asJSON)
			})
		},
	}
}

func why(ctx context.Context, c *client.Client, out io.Writer, ref string, asJSON bool) error {
	response, err := c.Why(ctx, ref)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(out, response)
	}
	p := printer(out)
	if ref == "" {
		p.Quiet(response.Clusters, time.Now())
	} else {
		p.Why(response, time.Now())
	}
	return p.Err()
}
