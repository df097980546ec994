package main

import (
	"context"
	"flag"
	"io"

	"github.com/bellbuoy/bellbuoy/internal/client"
)

func forgetCommand() command {
	var asJSON bool
	return command{
		name: "forget", args: "CLUSTER|REF [--json]", about: "close what nobody needs any more: a cluster that nobody publishes, or a conversation about what is gone",
		flags: func(f *flag.FlagSet) { f.BoolVar(&asJSON, "json", false, "print JSON") },
		run: func(ctx context.Context, out io.Writer, args []string) error {
			if len(args) != 1 {
				return usage("forget", "CLUSTER|REF [--json]")
			}
			name, err := whoTypes()
			if err != nil {
				return err
			}
			return connected(ctx, out, formOf(asJSON), func(ctx context.Context, c *client.Client, out io.Writer) error {
				forgot, err := c.Forget(ctx, client.ForgetRequest{Ref: args[0], Author: name})
				switch {
				case err != nil:
					return err
				case asJSON:
					return printJSON(out, forgot)
				}
				p := printer(out)
				p.Forgot(forgot)
				return p.Err()
			})
		},
	}
}
