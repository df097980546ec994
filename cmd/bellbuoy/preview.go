package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/client"
)

func previewCommand() command {
	var asJSON bool
	var channel string
	return command{
		name: "preview", args: "REF [--channel NAME] [--json]", about: "exactly what would be sent to the model, or shown in a channel; nothing is sent",
		flags: func(f *flag.FlagSet) {
			f.StringVar(&channel, "channel", "", "what this channel would post, such as webhook, instead")
			f.BoolVar(&asJSON, "json", false, "print JSON")
		},
		run: func(ctx context.Context, out io.Writer, args []string) error {
			if len(args) != 1 {
				return usage("preview", "REF [--channel NAME] [--json]")
			}
			return connected(ctx, out, formOf(asJSON), func(ctx context.Context, c *client.Client, out io.Writer) error {
				if channel != "" {
					return previewPost(ctx, c, out, args[0], channel, asJSON)
				}
				return previewPrompt(ctx, c, out, args[0], asJSON)
			})
		},
	}
}

func previewPrompt(ctx context.Context, c *client.Client, out io.Writer, ref string, asJSON bool) error {
	p, err := c.Preview(ctx, ref)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(out, p)
	}
	to := "no model is configured, so nothing is sent; this is what one would get"
	switch {
	case p.Model != "" && p.Waiting:
		to = "to " + plain(p.Model) + " at " + plain(p.Host) + ", which is being asked"
	case p.Model != "":
		to = "to " + plain(p.Model) + " at " + plain(p.Host) + ", if it were asked now"
	}
	fmt.Fprintf(out, "%s\nabout %d tokens of at most %d, and at most %d for the answer\n", to, p.Tokens, p.Budget, p.MaxTokens)
	fmt.Fprintf(out, "%d pieces of evidence; left out: %s; secrets taken out: %s; %d read like an instruction\n",
		p.Evidence, counts(p.LeftOut), counts(p.Redacted), p.Suspicious)
	for _, part := range [][2]string{{"system", p.System}, {"user", p.User}} {
		if part[1] != "" {
			fmt.Fprintf(out, "\n----- %s, %d bytes -----\n%s\n", part[0], len(part[1]), part[1])
		}
	}
	return nil
}

func counts(n map[string]int) string {
	var all []string
	for _, what := range slices.Sorted(maps.Keys(n)) {
		all = append(all, fmt.Sprintf("%d %s", n[what], what))
	}
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}

func previewPost(ctx context.Context, c *client.Client, out io.Writer, ref, channel string, asJSON bool) error {
	conversation, err := c.Get(ctx, ref)
	if err != nil {
		return err
	}
	p, err := c.Shown(ctx, conversation.ID, channel)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(out, p)
	}
	if p.Silent {
		fmt.Fprintf(out, "%s would post nothing of it as it is\n", plain(p.Channel))
		return nil
	}
	when := "has all of it; this is what one would get that has nothing"
	switch {
	case p.Due && p.Shadow:
		when = "would record this and send nothing"
	case p.Due:
		when = "would post this next"
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, p.Body, "", "  "); err != nil {
		pretty.Write(p.Body) // a channel that posts something else
	}
	fmt.Fprintf(out, "%s %s\n%s, key %s, %d bytes\n\n%s\n", plain(p.Channel), when, p.Kind, p.Key, len(p.Body), pretty.String())
	return nil
}
