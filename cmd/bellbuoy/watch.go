package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
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
	w := &watcher{out: out, asJSON: asJSON, newest: map[string]bus.Head{}}
	return c.Watch(ctx, w.caughtUp, w.take)
}

// watcher is called by one goroutine. Until it has caught up it only gathers, because a conversation comes once for
// every severity that it has had, and only the last of these is how it is now.
type watcher struct {
	out    io.Writer
	asJSON bool
	live   bool
	newest map[string]bus.Head // by conversation
	err    error               // of printing what was open
}

func (w *watcher) caughtUp() {
	w.live = true
	open := slices.DeleteFunc(slices.Collect(maps.Values(w.newest)), func(h bus.Head) bool { return h.Conversation.Closed() })
	slices.SortFunc(open, func(a, b bus.Head) int { return a.Conversation.StartedAt.Compare(b.Conversation.StartedAt) })
	for _, h := range open {
		w.err = errors.Join(w.err, w.print(h, nil))
	}
}

func (w *watcher) take(h bus.Head) error {
	before := w.newest[h.Conversation.ID]
	w.newest[h.Conversation.ID] = h
	if !w.live || w.err != nil {
		return w.err
	}
	return w.print(h, news(before.Conversation.Revision, h))
}

// news lists the messages that are newer than a revision. A conversation whose history was lost has begun anew.
func news(revision int, h bus.Head) []schema.Message {
	messages, n := h.Conversation.Messages, h.Conversation.Revision-revision
	if n <= 0 {
		return []schema.Message{h.Event}
	}
	return messages[max(0, len(messages)-n):]
}

// print prints the messages, or, where there are none, how the conversation is.
func (w *watcher) print(h bus.Head, messages []schema.Message) error {
	c := h.Conversation
	switch {
	case w.asJSON:
		return printJSONLine(w.out, schema.Alert{Event: h.Event, Conversation: c})
	case len(messages) == 0:
		fmt.Fprintf(w.out, "%s %s %s %s/%s %s (%s)\n", clock(c.StartedAt), mark(c.Severity), c.ID[:shortID], plain(c.Cluster), plain(c.Object.String()), plain(c.Title), c.State)
	}
	for _, m := range messages {
		printEvent(w.out, c, m)
	}
	return nil
}

// printEvent prints an event at a glance: when, how bad, which conversation, what; then the likely cause and next step.
func printEvent(out io.Writer, c schema.Conversation, m schema.Message) {
	what := m.Kind + ": "
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
	fmt.Fprintf(out, "%s %s %s %s/%s %s%s\n", clock(m.At), tag, c.ID[:shortID], plain(c.Cluster), plain(c.Object.String()), what, indent(said(m), 24))
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
