// Command bellbuoy is the one binary for people: `bellbuoy up` runs everything in one process, and the other commands
// set up, show and talk to what runs.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/daemon"
	"github.com/bellbuoy/bellbuoy/internal/process"
)

func main() { process.Main("bellbuoy", run) }

// command is one word that people type. run gets what follows its flags.
type command struct {
	name, args, about string
	flags             func(*flag.FlagSet)
	run               func(ctx context.Context, out io.Writer, args []string) error
}

// commands lists them in the order of the help.
func commands() []command {
	return []command{
		upCommand(),
		listCommand(),
		showCommand(),
		watchCommand(),
		replyCommand(),
		ackCommand(),
		unackCommand(),
		resolveCommand(),
		dismissCommand(),
		reopenCommand(),
		silenceCommand(),
		silencesCommand(),
		unsilenceCommand(),
		whyCommand(),
		previewCommand(),
		routeCommand(),
		demoCommand(),
		testCommand(),
		recordCommand(),
		replayCommand(),
		doctorCommand(),
		deadCommand(),
		forgetCommand(),
		setupCommand(),
		fakemodelCommand(),
		completionCommand(),
		versionCommand(),
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 2 && args[0] == "help" {
		args = []string{args[1], "--help"}
	}
	if len(args) == 0 || slices.Contains([]string{"help", "-h", "--help"}, args[0]) {
		help(os.Stdout)
		return nil
	}
	if args[0] == "--version" {
		args[0] = "version"
	}
	if args[0] == refsCommand {
		return refs(ctx, os.Stdout)
	}
	var names []string
	for _, c := range commands() {
		if c.name == args[0] {
			return c.start(ctx, args[1:])
		}
		names = append(names, c.name)
	}
	if near := config.Nearest(args[0], names, len(args[0])/2); near != "" {
		return process.Usage{Err: fmt.Errorf("there is no command %q: did you mean bellbuoy %s? bellbuoy help lists those there are", args[0], near)}
	}
	return process.Usage{Err: fmt.Errorf("there is no command %q: bellbuoy help lists those there are", args[0])}
}

func (c command) start(ctx context.Context, args []string) error {
	return c.startOn(ctx, os.Stdout, args)
}

func (c command) startOn(ctx context.Context, out io.Writer, args []string) error {
	set := flag.NewFlagSet(c.name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	if c.flags != nil {
		c.flags(set)
	}
	rest, err := parse(set, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		c.help(out, set)
		return nil
	case err != nil:
		return process.Usage{Err: fmt.Errorf("%s: %w: use bellbuoy %s %s", c.name, err, c.name, c.args)}
	}
	return c.run(ctx, out, rest)
}

// parse takes flags before, between and after the other words; what follows "--" is words.
func parse(set *flag.FlagSet, args []string) ([]string, error) {
	var words, after []string
	if i := slices.Index(args, "--"); i >= 0 {
		args, after = args[:i], args[i+1:]
	}
	for len(args) > 0 {
		if err := set.Parse(args); err != nil {
			return nil, err
		}
		if args = set.Args(); len(args) > 0 {
			words, args = append(words, args[0]), args[1:]
		}
	}
	return append(words, after...), nil
}

// help tells one command and its flags.
func (c command) help(w io.Writer, set *flag.FlagSet) {
	fmt.Fprintf(w, "%s\n  %s\n", strings.TrimSpace("bellbuoy "+c.name+" "+c.args), c.about)
	set.VisitAll(func(f *flag.Flag) {
		fmt.Fprintf(w, "  --%-10s %s", f.Name, f.Usage)
		if f.DefValue != "false" && f.DefValue != "" {
			fmt.Fprintf(w, " (default %s)", f.DefValue)
		}
		fmt.Fprintln(w)
	})
}

func help(w io.Writer) {
	fmt.Fprintf(w, "Bellbuoy %s: alerts as conversations.\n\n", process.Version())
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-34s %s\n", strings.TrimSpace("bellbuoy "+c.name+" "+c.args), c.about)
	}
	fmt.Fprint(w, `
REF is the beginning of an id (at least 4 digits) or the end of CLUSTER/NAMESPACE/NAME, such as checkout.
bellbuoy help COMMAND tells more of one. Which server to ask is BELLBUOY_NATS_URL, nats://127.0.0.1:4222 unless set.
Everything is set by BELLBUOY_… variables: docs/configuration.md lists them.
Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.
`)
}

// usage is the error of a command whose words are off.
func usage(command, want string) error {
	return process.Usage{Err: fmt.Errorf("%s: use bellbuoy %s %s", command, command, want)}
}

// connectWithin is how long a person waits for a server that does not answer.
const connectWithin = 2 * time.Second

// onBus runs do with a connection to the configured server, and a log for whoever typed the command.
func onBus(ctx context.Context, do func(context.Context, *bus.Bus, *slog.Logger) error) error {
	var common daemon.Common
	if err := config.Load(process.Prefix, &common); err != nil {
		return err
	}
	options := common.NATS.Options("bellbuoy")
	options.Within = connectWithin
	options.Log = process.Logger(os.Stderr, process.LogConfig{Level: cmp.Or(common.Log.Level, "info"), Format: "text"})
	b, err := bus.Connect(ctx, options)
	if err != nil {
		return err
	}
	defer b.Close()
	return do(ctx, b, options.Log)
}
