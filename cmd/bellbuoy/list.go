package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/client"
)

func listCommand() command {
	var all, asJSON bool
	return command{
		name: "list", args: "[--all] [--json]", about: "the open conversations; with --all the closed ones too",
		flags: func(f *flag.FlagSet) {
			f.BoolVar(&all, "all", false, "closed conversations too")
			f.BoolVar(&asJSON, "json", false, "print JSON")
		},
		run: func(ctx context.Context, out io.Writer, args []string) error {
			if len(args) > 0 {
				return usage("list", "[--all] [--json]")
			}
			return connected(ctx, func(ctx context.Context, c *client.Client) error { return list(ctx, c, out, all, asJSON) })
		},
	}
}

func list(ctx context.Context, c *client.Client, out io.Writer, all, asJSON bool) error {
	response, err := c.List(ctx, client.ListRequest{All: all})
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(out, response)
	}
	if len(response.Conversations) == 0 {
		fmt.Fprintln(out, "nothing is open")
		return nil
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tSEVERITY\tSTATE\tOBJECT\tTITLE\tOWNER\tSINCE")
	for _, s := range response.Conversations {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s/%s\t%s\t%s\t%s\n", s.ID[:shortID], s.Severity, s.State, plain(s.Cluster), plain(s.Object.String()),
			plain(s.Title), dash(plain(s.Owner)), s.StartedAt.Local().Format(time.DateTime))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if more := response.Total - len(response.Conversations); more > 0 {
		fmt.Fprintf(out, "and %d more\n", more)
	}
	return nil
}
