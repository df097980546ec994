package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/process"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// answerWithin is how long `reply` waits for the answer unless told otherwise.
const answerWithin = 2 * time.Minute

// personConfig is of whoever types.
type personConfig struct {
	Name string `env:"USER" unset:"the login name" desc:"The name that replies of the command line carry. It is a claim: nobody checks it."`
}

// waiting is how a command waits for what comes of a reply, and how it says so.
type waiting struct {
	within time.Duration
	asJSON bool
}

func (w *waiting) flags(f *flag.FlagSet) {
	f.DurationVar(&w.within, "wait", answerWithin, "how long to wait for what comes of it")
	f.BoolVar(&w.asJSON, "json", false, "print the event and the conversation after it as JSON")
}

func replyCommand() command {
	var w waiting
	return command{
		name: "reply", args: "REF TEXT…", about: "ask something, or say a verb such as silence 2h; waits for what comes of it",
		flags: w.flags,
		run: func(ctx context.Context, out io.Writer, args []string) error {
			if len(args) < 2 {
				return usage("reply", "REF TEXT…")
			}
			return say(ctx, out, w, client.ReplyRequest{Ref: args[0], Text: strings.Join(args[1:], " ")})
		},
	}
}

func ackCommand() command { return verbCommand("ack", "you have it: the others need not look") }

func unackCommand() command { return verbCommand("unack", "you give it back: nobody has it") }

func resolveCommand() command {
	return verbCommand("resolve", "it is fixed: watched for a while, then closed")
}

func dismissCommand() command {
	return verbCommand("dismiss", "not worth an alert: quiet until it was well once, or gets worse")
}

func reopenCommand() command { return verbCommand("reopen", "it is not over: open it again") }

func verbCommand(verb, about string) command {
	var w waiting
	return command{name: verb, args: "REF", about: about, flags: w.flags, run: func(ctx context.Context, out io.Writer, args []string) error {
		if len(args) != 1 {
			return usage(verb, "REF")
		}
		return say(ctx, out, w, client.ReplyRequest{Ref: args[0], Verb: verb})
	}}
}

// say stores a reply and prints what it led to: the answer to a question, or the event that a verb became.
func say(ctx context.Context, out io.Writer, w waiting, r client.ReplyRequest) error {
	name, err := whoTypes()
	if err != nil {
		return err
	}
	r.Author = name
	return connected(ctx, out, formOf(w.asJSON), func(ctx context.Context, c *client.Client, out io.Writer) error {
		stored, err := c.Reply(ctx, r)
		if err != nil {
			return err
		}
		return w.outcome(ctx, c, out, stored)
	})
}

// whoTypes is the name of whoever types.
func whoTypes() (string, error) {
	var person personConfig
	err := config.Load(process.Prefix, &person)
	return cmp.Or(person.Name, os.Getenv("USER"), "someone"), err
}

// outcome waits for what a stored reply leads to, and prints that.
func (w *waiting) outcome(ctx context.Context, c *client.Client, out io.Writer, stored client.ReplyResponse) error {
	short := cmp.Or(stored.Short, stored.Conversation[:shortID]) // an older analyzer does not say
	if stored.Notice != "" && !w.asJSON {
		p := printer(out)
		if p.Notice(stored.Notice); p.Err() != nil {
			return p.Err()
		}
	}
	ctx, cancel := context.WithTimeout(ctx, w.within)
	defer cancel()
	before, err := c.Get(ctx, stored.Conversation)
	if err != nil {
		return err
	}
	after, err := c.Await(ctx, before.Cluster, before.ID, func(now schema.Conversation) bool { return outcome(now, stored.ReplyID) != nil })
	if err != nil {
		return fmt.Errorf("wait for what comes of the reply, which is stored: %w: bellbuoy show %s will tell", err, short)
	}
	return w.print(out, after, outcome(after, stored.ReplyID), short)
}

func (w *waiting) print(out io.Writer, c schema.Conversation, events []schema.Message, short string) error {
	p := printer(out)
	p.Alone(c.Cluster)
	p.Call(c.ID, short)
	for _, m := range events {
		if w.asJSON {
			return printJSON(out, schema.Alert{Event: m, Conversation: c})
		}
		p.Event(c, m)
	}
	return p.Err()
}

// outcome is what a reply led to, nil while a question waits for its answer.
func outcome(c schema.Conversation, replyID string) []schema.Message {
	for i, m := range c.Messages {
		if m.ReplyID != replyID {
			continue
		}
		if m.Kind != schema.EventAsked {
			return c.Messages[i : i+1]
		}
		for _, later := range c.Messages[i+1:] {
			if later.Settles == m.ID {
				return []schema.Message{later}
			}
		}
	}
	return nil
}
