package diagnose

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Verbs are all that an action may ask for. Nothing that deletes, runs a command inside a container, or changes an
// image or a secret is among them.
const (
	VerbNone    = "none"
	VerbLogs    = "logs"
	VerbInspect = "inspect"
	VerbStart   = "start"
	VerbRestart = "restart"
)

// maxChanged is how many containers one command may change.
//
// Containers that Compose made are named one by one like all others. `docker compose -p PROJECT restart SERVICE` would be
// shorter, but it is not the same command everywhere: it takes the containers that are well too; where its directory holds
// a Compose file it works by that one, whatever the project; it runs hooks, and restarts dependents that the project says
// so of; and the older docker-compose refuses without a file. `docker restart NAME` does what it says, and nothing else.
const maxChanged = 3

// ErrNoCommand is in the error of an action that no command line can be given for.
var ErrNoCommand = errors.New("no command line for this action")

func verbs() []string { return []string{VerbNone, VerbLogs, VerbInspect, VerbStart, VerbRestart} }

// changes tells whether a verb does more than look.
func changes(verb string) bool { return verb == VerbStart || verb == VerbRestart }

// Command is NewView(s).Command.
func Command(s *schema.ClusterContext, source string, a schema.Action) (string, error) {
	return NewView(s).Command(source, a)
}

// Command renders an action as one command line that can be run as it is, with the tools of source: for docker and
// host, with the names of containers and units that the snapshot holds. Nothing of it comes from free text. The verb none is no command
// and no error; every other action without one is an error that says why and wraps ErrNoCommand.
func (v *View) Command(source string, a schema.Action) (string, error) {
	if !slices.Contains(verbs(), a.Verb) {
		return "", fmt.Errorf("render action: %q is not one of %s: %w", cut(a.Verb, 40), strings.Join(verbs(), ", "), ErrNoCommand)
	}
	if a.Verb == VerbNone {
		return "", nil
	}
	if !isFrom(source, "docker") && !isFrom(source, "host") {
		return "", fmt.Errorf("render %s: which tools manage a cluster of source %q is not known: %w", a.Verb, cut(source, 80), ErrNoCommand)
	}
	s := v.serviceBy(a.Target)
	if s == nil {
		return "", fmt.Errorf("render %s: %q is not one service of the snapshot: %w", a.Verb, cut(a.Target, 80), ErrNoCommand)
	}
	line := render(source, a.Verb, s)
	if line == "" {
		return "", fmt.Errorf("render %s: the snapshot names no container or unit of %q that this would do anything for: %w", a.Verb, cut(a.Target, 80), ErrNoCommand)
	}
	return line, nil
}

// render gives the command line of the tools that manage s; empty: there is none.
func render(source, verb string, s *schema.ServiceSummary) string {
	if s.Runtime == runtimeUnit {
		if !isFrom(source, "host") {
			return ""
		}
		return unit(verb, s)
	}
	names := containers(s, verb)
	if len(names) == 0 || !isFrom(source, "docker") {
		return ""
	}
	return docker(verb, names)
}

func docker(verb string, names []string) string {
	switch verb {
	case VerbLogs: // takes exactly one container
		return argv("docker", "logs", "--tail", "50", names[0])
	default:
		return argv(append([]string{"docker", verb}, names[:min(len(names), maxChanged)]...)...)
	}
}

// containers names what a verb is for, those in trouble first: to start, only what has ended; for anything else all.
func containers(s *schema.ServiceSummary, verb string) []string {
	in := slices.Clone(s.Instances)
	in = slices.DeleteFunc(in, func(x schema.Instance) bool {
		return !validContainer(x.Name) || verb == VerbStart && !startable(x.State) || verb == VerbRestart && x.State == "paused"
	})
	slices.SortStableFunc(in, func(a, b schema.Instance) int {
		return cmp.Or(cmp.Compare(wellness(a), wellness(b)), cmp.Compare(a.Name, b.Name))
	})
	var names []string
	for _, x := range in {
		if !slices.Contains(names, x.Name) {
			names = append(names, x.Name)
		}
	}
	return names
}

func startable(state string) bool { return state == "" || state == "exited" || state == "created" }

// wellness orders instances, the one worth looking at first.
func wellness(in schema.Instance) int {
	switch {
	case in.State == "restarting" || in.State == "dead":
		return 0
	case in.State != "running" && in.State != "":
		return 1
	case in.Health == schema.HealthUnhealthy:
		return 2
	}
	return 3
}

// validContainer tells whether name can be a container's, ^[a-zA-Z0-9][a-zA-Z0-9_.-]*$, and so is one harmless word
// to every shell.
func validContainer(name string) bool {
	return name != "" && len(name) <= schema.MaxName && !strings.ContainsAny(name[:1], "_.-") && strings.Trim(name, nameBytes) == ""
}

const nameBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"

// argv joins arguments to a line that a shell splits into exactly these again.
func argv(args ...string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		quoted[i] = a
		if a == "" || strings.Trim(a, nameBytes+":/=@%+") != "" {
			quoted[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}

// settle turns an action into the one to show and its command line. A change that nothing but a guess supports, or
// that the runtime is making by itself already, becomes a look; so does one that cannot be rendered.
func (v *View) settle(source string, a schema.Action, sure, looping bool) (schema.Action, string) {
	s := v.serviceBy(a.Target)
	looping = looping || s != nil && restarting(s)
	switch {
	case !changes(a.Verb):
	case !sure:
		a = look(a, "look before changing anything: this is not certain enough")
	case looping:
		a = look(a, "it is being restarted again and again already: see why it ends")
	}
	line, err := v.Command(source, a)
	if err != nil && changes(a.Verb) {
		a = look(a, "look before changing anything")
		line, err = v.Command(source, a)
	}
	if err != nil {
		return a, ""
	}
	return v.partly(a), line
}

// partly says in the reason of a change if there is more to it than one command may change.
func (v *View) partly(a schema.Action) schema.Action {
	s := v.serviceBy(a.Target)
	if !changes(a.Verb) || s == nil || s.Runtime == runtimeUnit {
		return a
	}
	if n := len(containers(s, a.Verb)); n > maxChanged {
		a.Reason = cut(fmt.Sprintf("%d of its %d containers at first, the worst. ", maxChanged, n)+a.Reason, maxWhy)
	}
	return a
}

func look(a schema.Action, why string) schema.Action {
	return schema.Action{Verb: VerbLogs, Target: a.Target, Reason: why}
}
