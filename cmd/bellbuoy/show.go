package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/schema"
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
			return connected(ctx, func(ctx context.Context, c *client.Client) error {
				conversation, err := c.Get(ctx, args[0])
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(out, conversation)
				}
				show(out, conversation)
				return nil
			})
		},
	}
}

func show(out io.Writer, c schema.Conversation) {
	fmt.Fprintf(out, "%s  %s on %s\n", c.ID, plain(c.Title), plain(c.Cluster))
	fmt.Fprintf(out, "  %s, %s %s, episode %d since %s%s\n", c.State, c.Severity, c.Condition, c.Episode,
		c.StartedAt.Local().Format(time.DateTime), owner(c))
	for _, cond := range c.Conditions {
		until := "still true"
		if !cond.Until.IsZero() {
			until = "until " + clock(cond.Until)
		}
		fmt.Fprintf(out, "  %-12s since %s, %s: %s\n", cond.Name, clock(cond.Since), until, plain(strings.Join(cond.Facts, "; ")))
	}
	if d := c.Diagnosis; d != nil {
		fmt.Fprintf(out, "  likely: %s (%s, %s confidence)\n", plain(d.Summary), plain(d.Source), d.Confidence)
		if d.Command != "" {
			fmt.Fprintf(out, "  next:   %s\n", plain(d.Command))
		}
	}
	fmt.Fprintln(out)
	for _, m := range c.Messages {
		fmt.Fprintf(out, "%s  %-14s %s\n", m.At.Local().Format(time.DateTime), m.Kind, indent(said(m), 37))
	}
	if c.Usage.Calls > 0 {
		fmt.Fprintf(out, "\n%d model calls, %d tokens\n", c.Usage.Calls, c.Usage.Tokens)
	}
}

func owner(c schema.Conversation) string {
	if c.Owner == "" {
		return ", nobody has it"
	}
	return ", " + plain(c.Owner) + " has it"
}

// said is what a message says, and by whom and whether that is known to be true, where a person said it.
func said(m schema.Message) string {
	if m.Author == nil || m.Author.Name == "" {
		return m.Content
	}
	known := "unverified"
	if m.Author.Verified {
		known = "verified"
	}
	if strings.Contains(m.Content, m.Author.Name) {
		return fmt.Sprintf("%s (%s, %s)", m.Content, m.Author.Channel, known)
	}
	return fmt.Sprintf("%s (%s, %s): %s", m.Author.Name, m.Author.Channel, known, m.Content)
}
