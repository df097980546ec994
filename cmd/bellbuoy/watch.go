package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"slices"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/console"
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
			return connected(ctx, out, linesOf(asJSON), func(ctx context.Context, c *client.Client, out io.Writer) error {
				return watch(ctx, c, out, printer(out), asJSON)
			})
		},
	}
}

// watch prints one line for each open conversation, and then one for each event.
func watch(ctx context.Context, c *client.Client, out io.Writer, p *console.Printer, asJSON bool) error {
	w := &watcher{out: out, printer: p, asJSON: asJSON, newest: map[string]bus.Head{}}
	return c.Watch(ctx, w.caughtUp, w.take)
}

// watcher is called by one goroutine. Until it has caught up it only gathers, because a conversation comes once for
// every severity that it has had, and only the last of these is how it is now.
type watcher struct {
	out     io.Writer
	printer *console.Printer
	asJSON  bool
	live    bool
	newest  map[string]bus.Head // by conversation
	err     error               // of printing what was open
}

func (w *watcher) caughtUp() {
	w.live = true
	var open []bus.Head
	clusters := map[string]bool{}
	for id, h := range w.newest {
		w.printer.Know(id)
		clusters[h.Conversation.Cluster] = true
		if !h.Conversation.Closed() {
			open = append(open, h)
		}
	}
	for cluster := range clusters {
		if len(clusters) == 1 {
			w.printer.Alone(cluster)
		}
	}
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
	if w.asJSON {
		return printJSONLine(w.out, schema.Alert{Event: h.Event, Conversation: h.Conversation})
	}
	if len(messages) == 0 {
		w.printer.Standing(h.Conversation)
	}
	for _, m := range messages {
		w.printer.Event(h.Conversation, m)
	}
	return w.printer.Err()
}
