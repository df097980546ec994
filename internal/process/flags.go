package process

import (
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/bellbuoy/bellbuoy/internal/config"
)

// Action is what the flags of a daemon ask it to do.
type Action int

// What there is to do.
const (
	Serve Action = iota // do the daemon's work
	Check               // read and validate the configuration, then exit
	Done                // exit: what was asked for has been printed
)

// Flags reads the flags that all daemons have and prints what --help and --version ask for. The help lists the
// variables of the configs (structs or pointers to structs). Its error is a Usage.
func Flags(name string, args []string, stdout io.Writer, configs ...any) (Action, error) {
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	check := set.Bool("check", false, "")
	version := set.Bool("version", false, "")
	err := set.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, help(name, configs))
		return Done, nil
	case err != nil:
		return Done, Usage{fmt.Errorf("%w; see %s --help", err, name)}
	case set.NArg() > 0:
		return Done, Usage{fmt.Errorf("argument %q: there are only flags; see %s --help", set.Arg(0), name)}
	case *version:
		fmt.Fprintf(stdout, "%s %s\n", name, Version())
		return Done, nil
	case *check:
		return Check, nil
	}
	return Serve, nil
}

func help(name string, configs []any) string {
	text := fmt.Sprintf(`Usage: %[1]s [--check | --version | --help]

  --check    read and validate the configuration, then exit
  --version  print the version, then exit
  --help     print this text, then exit

Everything else is set by environment variables beginning with %[2]s_; an empty one counts as unset.
Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.
`, name, Prefix)
	if variables := config.Summary(Prefix, configs...); variables != "" {
		text += "\n" + variables
	}
	return text
}
