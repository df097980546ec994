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

func replyCommand() command {
	wait := answerWithin
	return command{
		name: "reply", args: "REF TEXT…", about: "ask something, or say a verb such as silence 2h; waits for what comes of it",
		flags: func(f *flag.FlagSet) { f.DurationVar(&wait, "wait", answerWithin, "how long to wait for the answer") },
		run: func(ctx context.Context, out io.Writer, args []string) error {
			if len(args) < 2 {
				return usage("reply", "REF TEXT…")
			}
			return say(ctx, out, wait, client.ReplyRequest{Ref: args[0], Text: strings.Join(args[1:], " ")})
		},
	}
}

func verbCommands() []command {
	about := map[string]string{
		"ack": "you have it: the others need not look", "resolve": "it is fixed: watched for a while, then closed",
		"dismiss": "not worth an alert: quiet until it was well once, or gets worse", "reopen": "it is not over: open it again",
	}
	var commands []command
	for _, verb := range []string{"ack", "resolve", "dismiss", "reopen"} {
		commands = append(commands, command{name: verb, args: "REF", about: about[verb], run: func(ctx context.Context, out io.Writer, args []string) error {
			if len(args) != 1 {
				return usage(verb, "REF")
			}
			return say(ctx, out, answerWithin, client.ReplyRequest{Ref: args[0], Verb: verb})
		}})
	}
	return commands
}

// say stores a reply and prints what it led to: the answer to a question, or the event that a verb became.
func say(ctx context.Context, out io.Writer, wait time.Duration, r client.ReplyRequest) error {
	var person personConfig
	if err := config.Load(process.Prefix, &person); err != nil {
		return err
	}
	r.Author = cmp.Or(person.Name, os.Getenv("USER"), "someone")
	return connected(ctx, func(ctx context.Context, c *client.Client) error {
		stored, err := c.Reply(ctx, r)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		before, err := c.Get(ctx, stored.Conversation)
		if err != nil {
			return err
		}
		after, err := c.Await(ctx, before.Cluster, before.ID, func(now schema.Conversation) bool { return outcome(now, stored.ReplyID) != nil })
		if err != nil {
			return fmt.Errorf("wait for what comes of the reply, which is stored: %w: bellbuoy show %s will tell", err, before.ID[:shortID])
		}
		for _, m := range outcome(after, stored.ReplyID) {
			printEvent(out, after, m)
		}
		return nil
	})
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
