package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func watchCommand() command {
	var asJSON bool
	return command{
		name: "watch", args: "[--json]", about: "what is open, then every event as it happens",
		flags: func(f *flag.FlagSet) {
			f.BoolVar(&asJSON, "json", false, "print each event with its conversation as a line of JSON")
		},
		run: func(ctx context.Context, out io.Writer, args []string) error {
			if len(args) > 0 {
				return usage("watch", "[--json]")
			}
			return connected(ctx, func(ctx context.Context, c *client.Client) error { return watch(ctx, c, out, asJSON) })
		},
	}
}

// watch prints one line for each open conversation, and then one for each event.
func watch(ctx context.Context, c *client.Client, out io.Writer, asJSON bool) error {
	w := &watcher{out: out, asJSON: asJSON, revisions: map[string]int{}}
	return c.Watch(ctx, func() { w.live = true }, w.take)
}

// watcher is called by one goroutine.
type watcher struct {
	out       io.Writer
	asJSON    bool
	live      bool
	revisions map[string]int
}

func (w *watcher) take(h bus.Head) error {
	c := h.Conversation
	before := w.revisions[c.ID]
	w.revisions[c.ID] = c.Revision
	switch {
	case w.asJSON:
		return printJSONLine(w.out, schema.Alert{Event: h.Event, Conversation: c})
	case w.live:
		for _, m := range c.Messages[max(0, len(c.Messages)-(c.Revision-before)):] {
			printEvent(w.out, c, m)
		}
	case !c.Closed():
		fmt.Fprintf(w.out, "%s %s %s %s/%s: %s, %s\n", clock(c.StartedAt), mark(c.Severity), c.ID[:shortID], plain(c.Cluster), plain(c.Object.String()), plain(c.Title), c.State)
	}
	return nil
}

// printEvent prints an event at a glance: when, how bad, which conversation, what; then the likely cause and next step.
func printEvent(out io.Writer, c schema.Conversation, m schema.Message) {
	what := m.Kind + ": " + author(m)
	tag := "     "
	switch m.Kind {
	case schema.EventOpened, schema.EventReopened, schema.EventWorsened:
		what, tag = "", mark(c.Severity)
		if m.Kind != schema.EventOpened {
			what = m.Kind + ": "
		}
	case schema.EventCleared:
		what, tag = "", "ok   "
	}
	fmt.Fprintf(out, "%s %s %s %s/%s %s%s\n", clock(m.At), tag, c.ID[:shortID], plain(c.Cluster), plain(c.Object.String()), what, indent(m.Content, 24))
	if m.SuggestedCommand != "" && !strings.Contains(m.Content, m.SuggestedCommand) {
		fmt.Fprintf(out, "%24snext: %s\n", "", plain(m.SuggestedCommand))
	}
}

func mark(severity string) string {
	switch severity {
	case schema.SeverityCritical:
		return "CRIT "
	case schema.SeverityWarning:
		return "WARN "
	}
	return "info "
}
