package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/console"
)

// form is how a command prints.
type form int

const (
	forPeople form = iota
	oneObject      // of JSON
	manyLines      // of JSON, each an object of its own
)

// formOf is for people, or one object.
func formOf(asJSON bool) form {
	if asJSON {
		return oneObject
	}
	return forPeople
}

// linesOf is for people, or lines.
func linesOf(asJSON bool) form {
	if asJSON {
		return manyLines
	}
	return forPeople
}

// connected runs do with a client on the configured server, after it has said if nothing is sent to anybody.
func connected(ctx context.Context, out io.Writer, f form, do func(context.Context, *client.Client, io.Writer) error) error {
	return onBus(ctx, func(ctx context.Context, b *bus.Bus, _ *slog.Logger) error {
		c := client.New(b)
		return do(ctx, c, warned(ctx, c, out, os.Stderr, f))
	})
}

// shadowWithin is how long a command waits for a notifier to say whether it sends anything.
const shadowWithin = 300 * time.Millisecond

// warned says that the notifiers send nothing, if that is so, where it cannot spoil what a program reads: above what is for
// people, on errors for lines of JSON. What is one object of JSON says so itself, as a field, if it is printed to what
// warned returns. Where no notifier answers in time nothing is said.
func warned(ctx context.Context, c *client.Client, out, errs io.Writer, f form) io.Writer {
	ctx, cancel := context.WithTimeout(ctx, shadowWithin)
	defer cancel()
	now, err := c.Channels(ctx)
	if err != nil || !now.Shadow {
		return out
	}
	switch f {
	case oneObject:
		return shadowed{out}
	case manyLines:
		shadowLine(errs, now.Channels)
	default:
		shadowLine(out, now.Channels)
	}
	return out
}

func shadowLine(w io.Writer, channels []client.Channel) {
	var names []string
	for _, ch := range channels {
		names = append(names, ch.Channel)
	}
	console.New(w, console.Options{}).Shadow(names)
}

// shadowed is where a command prints JSON while nothing is sent to anybody.
type shadowed struct{ io.Writer }

// marked is the object with a field that says so, unless it has one of its own; anything else stays as it is.
func marked(object []byte) []byte {
	var fields map[string]json.RawMessage
	if json.Unmarshal(object, &fields) != nil || fields == nil {
		return object
	}
	if _, has := fields["shadow"]; has {
		return object
	}
	rest := bytes.TrimPrefix(object, []byte("{"))
	if len(fields) > 0 {
		rest = append([]byte(","), rest...)
	}
	return append([]byte(`{"shadow":true`), rest...)
}
