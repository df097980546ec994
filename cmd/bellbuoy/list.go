package main

import (
	"context"
	"flag"
	"io"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/client"
)

func listCommand() command {
	var all, asJSON bool
	return command{
		name: "list", args: "[--all] [--json]", about: "the open conversations, worst first; with --all the closed ones too",
		flags: func(f *flag.FlagSet) {
			f.BoolVar(&all, "all", false, "closed conversations too")
			f.BoolVar(&asJSON, "json", false, "print JSON")
		},
		run: func(ctx context.Context, out io.Writer, args []string) error {
			if len(args) > 0 {
				return usage("list", "[--all] [--json]")
			}
			return connected(ctx, out, formOf(asJSON), func(ctx context.Context, c *client.Client, out io.Writer) error {
				return list(ctx, c, out, all, asJSON)
			})
		},
	}
}

func list(ctx context.Context, c *client.Client, out io.Writer, all, asJSON bool) error {
	response, err := everyPage(ctx, c, all, 0)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(out, response)
	}
	p := printer(out)
	p.List(response.Conversations, response.Closed, time.Now())
	return p.Err()
}

// everyPage gathers all pages of a list; 0 takes pages as large as the server gives. What changes its place meanwhile
// is listed once, as it was last seen.
func everyPage(ctx context.Context, c *client.Client, all bool, size int) (client.ListResponse, error) {
	whole := client.ListResponse{Conversations: []client.Summary{}}
	at := map[string]int{}
	for offset := 0; ; {
		page, err := c.List(ctx, client.ListRequest{All: all, Offset: offset, Limit: size})
		if err != nil {
			return whole, err
		}
		for _, s := range page.Conversations {
			if i, ok := at[s.ID]; ok {
				whole.Conversations[i] = s
				continue
			}
			at[s.ID] = len(whole.Conversations)
			whole.Conversations = append(whole.Conversations, s)
		}
		whole.Closed, whole.Total = page.Closed, len(whole.Conversations)
		if offset += len(page.Conversations); len(page.Conversations) == 0 || offset >= page.Total {
			return whole, nil
		}
	}
}
