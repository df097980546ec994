package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/process"
)

const silenceArgs = "REF|CLUSTER|node/N|KEY=VALUE… DURATION"

func silenceCommand() command {
	var w waiting
	var from, why string
	return command{
		name: "silence", args: silenceArgs,
		about: "tell nobody of it for that long, such as 2h or 1d; keys: cluster, kind, namespace, name, condition, node, label.NAME; values may hold * and ?",
		flags: func(f *flag.FlagSet) {
			w.flags(f)
			f.StringVar(&from, "from", "", "when it begins: 18:00, 2026-11-24T18:00:00Z, or in how long, such as 2h; at once if not said")
			f.StringVar(&why, "m", "", "why, for the others to know; needed unless it is of one open conversation")
		},
		run: func(ctx context.Context, out io.Writer, args []string) error {
			if len(args) < 2 || !isLength(args[len(args)-1]) {
				return usage("silence", silenceArgs+" [--from T] -m WHY")
			}
			begins, err := parseFrom(from, time.Now())
			if err != nil {
				return process.Usage{Err: err}
			}
			last := len(args) - 1
			return silence(ctx, out, w, client.SilenceRequest{Ref: strings.Join(args[:last], " "), For: args[last], From: begins, Reason: why})
		},
	}
}

// isLength tells whether s is a length of time, such as 2h.
func isLength(s string) bool {
	v, ok := conversation.ParseVerb(conversation.VerbSilence + " " + s)
	return ok && v.For > 0
}

// parseFrom reads when a silence begins; zero means at once. A time of day that is past is tomorrow's.
func parseFrom(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	if t, err := time.ParseInLocation("15:04", s, now.Location()); err == nil {
		t = time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), 0, 0, now.Location())
		if t.Before(now) {
			t = time.Date(now.Year(), now.Month(), now.Day()+1, t.Hour(), t.Minute(), 0, 0, now.Location())
		}
		return t, nil
	}
	if v, ok := conversation.ParseVerb(conversation.VerbSilence + " " + s); ok && v.For > 0 {
		return now.Add(v.For), nil
	}
	return time.Time{}, fmt.Errorf("silence: --from %q is no time: say 18:00, 2026-11-24T18:00:00Z, or in how long, such as 2h", s)
}

func silence(ctx context.Context, out io.Writer, w waiting, r client.SilenceRequest) error {
	var err error
	if r.Author, err = whoTypes(); err != nil {
		return err
	}
	return connected(ctx, out, formOf(w.asJSON), func(ctx context.Context, c *client.Client, out io.Writer) error {
		made, err := c.Silence(ctx, r)
		switch {
		case err != nil:
			return err
		case made.Reply != nil:
			return w.outcome(ctx, c, out, *made.Reply)
		case w.asJSON:
			return printJSON(out, made)
		}
		p := printer(out)
		p.Silenced(*made.Silence, made.Covers, time.Now())
		return p.Err()
	})
}

func silencesCommand() command {
	var asJSON bool
	return command{
		name: "silences", args: "[--json]", about: "what is silenced by scope, until when, by whom and why",
		flags: func(f *flag.FlagSet) { f.BoolVar(&asJSON, "json", false, "print JSON") },
		run: func(ctx context.Context, out io.Writer, args []string) error {
			if len(args) > 0 {
				return usage("silences", "[--json]")
			}
			return connected(ctx, out, formOf(asJSON), func(ctx context.Context, c *client.Client, out io.Writer) error {
				response, err := c.Silences(ctx)
				switch {
				case err != nil:
					return err
				case asJSON:
					return printJSON(out, response)
				}
				p := printer(out)
				p.Silences(response.Silences, time.Now())
				return p.Err()
			})
		},
	}
}

func unsilenceCommand() command {
	var w waiting
	return command{
		name: "unsilence", args: "ID|REF", about: "end a silence by its id, or that of one conversation: what still fails is told", flags: w.flags,
		run: func(ctx context.Context, out io.Writer, args []string) error {
			if len(args) != 1 {
				return usage("unsilence", "ID|REF")
			}
			return unsilence(ctx, out, w, client.UnsilenceRequest{Ref: args[0]})
		},
	}
}

func unsilence(ctx context.Context, out io.Writer, w waiting, r client.UnsilenceRequest) error {
	var err error
	if r.Author, err = whoTypes(); err != nil {
		return err
	}
	return connected(ctx, out, formOf(w.asJSON), func(ctx context.Context, c *client.Client, out io.Writer) error {
		ended, err := c.Unsilence(ctx, r)
		switch {
		case err != nil:
			return err
		case ended.Reply != nil:
			return w.outcome(ctx, c, out, *ended.Reply)
		case w.asJSON:
			return printJSON(out, ended)
		}
		p := printer(out)
		p.Unsilenced(*ended.Silence, ended.Covers)
		return p.Err()
	})
}
