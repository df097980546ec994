package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/client"
)

const deadArgs = "[retry|drop] [ID] [--all] [--json]"

// deadPage is how many dead letters are listed unless all are asked for.
const deadPage = 20

func deadCommand() command {
	var all, asJSON bool
	return command{
		name: "dead", args: deadArgs, about: "what was given up, newest first; with an ID all of one; retry tries it again, drop takes it away for good",
		flags: func(f *flag.FlagSet) {
			f.BoolVar(&all, "all", false, "every letter, not only the newest")
			f.BoolVar(&asJSON, "json", false, "print JSON")
		},
		run: func(ctx context.Context, out io.Writer, args []string) error {
			do, err := deadVerb(args, all, asJSON)
			if err != nil {
				return err
			}
			return connected(ctx, out, formOf(asJSON), do)
		},
	}
}

// deadVerb is what the words ask for.
func deadVerb(args []string, all, asJSON bool) (func(context.Context, *client.Client, io.Writer) error, error) {
	verb, words := "", args
	if len(args) > 0 && (args[0] == "retry" || args[0] == "drop") {
		verb, words = args[0], args[1:]
	}
	switch {
	case len(words) > 1 || verb != "" && len(words) == 0 || all && len(args) > 0:
		return nil, usage("dead", deadArgs)
	case verb == "retry":
		return func(ctx context.Context, c *client.Client, out io.Writer) error {
			return retryDead(ctx, c, out, words[0], asJSON)
		}, nil
	case verb == "drop":
		return func(ctx context.Context, c *client.Client, out io.Writer) error {
			return dropDead(ctx, c, out, words[0], asJSON)
		}, nil
	case len(words) == 1:
		return func(ctx context.Context, c *client.Client, out io.Writer) error {
			return showDead(ctx, c, out, words[0], asJSON)
		}, nil
	}
	return func(ctx context.Context, c *client.Client, out io.Writer) error {
		return listDead(ctx, c, out, all, asJSON)
	}, nil
}

func listDead(ctx context.Context, c *client.Client, out io.Writer, all, asJSON bool) error {
	whole := client.DeadResponse{Letters: []client.Letter{}}
	request := client.DeadRequest{Limit: deadPage}
	if all {
		request.Limit = 0
	}
	for more := true; more; {
		page, err := c.Dead(ctx, request)
		if err != nil {
			return err
		}
		whole.Letters, whole.Total, whole.More = append(whole.Letters, page.Letters...), page.Total, page.More
		if more = all && page.More && len(page.Letters) > 0; more {
			request.Before = page.Letters[len(page.Letters)-1].ID
		}
	}
	if asJSON {
		return printJSON(out, whole)
	}
	p := printer(out)
	p.Dead(whole, time.Now())
	return p.Err()
}

func showDead(ctx context.Context, c *client.Client, out io.Writer, ref string, asJSON bool) error {
	l, err := c.Letter(ctx, ref)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(out, l)
	}
	p := printer(out)
	p.Letter(l, time.Now())
	return p.Err()
}

func dropDead(ctx context.Context, c *client.Client, out io.Writer, ref string, asJSON bool) error {
	l, err := c.Drop(ctx, ref)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(out, struct {
			Dropped client.Letter `json:"dropped"`
		}{l})
	}
	p := printer(out)
	p.Notice(fmt.Sprintf("dropped %d: %s. It is gone for good, also from the disk", l.ID, l.About))
	return p.Err()
}

func retryDead(ctx context.Context, c *client.Client, out io.Writer, ref string, asJSON bool) error {
	r, err := c.Retry(ctx, ref)
	if err != nil {
		return err
	}
	if r.Outcome == client.RetryFailed {
		err = fmt.Errorf("retry %d, the %s: %w: the letter stays", r.Letter.ID, plain(r.Letter.About), errors.New(plain(r.Reason)))
	}
	if asJSON {
		return errors.Join(printJSON(out, r), err)
	}
	if err != nil {
		return err
	}
	p := printer(out)
	p.Retried(r)
	return p.Err()
}
