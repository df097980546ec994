package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/daemon"
	"github.com/bellbuoy/bellbuoy/internal/process"
)

func completionCommand() command {
	shells := map[string]func(io.Writer){"bash": bash, "zsh": zsh, "fish": fish}
	names := strings.Join(slices.Sorted(maps.Keys(shells)), "|")
	return command{
		name: "completion", args: names, about: "print what makes a shell complete commands, flags and names: source <(bellbuoy completion bash)",
		run: func(_ context.Context, out io.Writer, args []string) error {
			if len(args) != 1 || shells[args[0]] == nil {
				return usage("completion", names)
			}
			shells[args[0]](out)
			return nil
		},
	}
}

// refsCommand is what the shells' scripts call: it lists what a REF may be, now. No help tells of it.
const refsCommand = "__refs"

// refsWithin is how long somebody who pressed the tabulator waits at most.
const refsWithin = time.Second

// completable is what is offered: names of the cluster's are data, and nothing that a shell could read as more than a
// word goes into its hands.
const completable = `^[A-Za-z0-9][A-Za-z0-9._/-]*$`

// refs prints the names and short ids of the open conversations, one a line. A server that is not there, or that is slow, is
// no reason to disturb somebody who is typing: there is nothing to offer then.
func refs(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, refsWithin)
	defer cancel()
	var common daemon.Common
	if config.Load(process.Prefix, &common) != nil {
		return nil
	}
	options := common.NATS.Options("completion")
	options.Within = refsWithin / 2
	b, err := bus.Connect(ctx, options)
	if err != nil {
		return nil
	}
	defer b.Close()
	response, err := client.New(b).List(ctx, client.ListRequest{})
	if err != nil {
		return nil
	}
	harmless := regexp.MustCompile(completable)
	for _, s := range response.Conversations {
		for _, ref := range []string{s.Object.String(), s.Short} {
			if harmless.MatchString(ref) {
				fmt.Fprintln(out, ref)
			}
		}
	}
	return nil
}

// takes is what may follow a command: its flags, and as its first word a REF, a FILE or one of a few words.
type takes struct {
	command
	flags []string
	ref   bool
	file  bool
	words []string
}

// completions lists all commands, and help, which is none, with what may follow them.
func completions() []takes {
	var all []takes
	var names []string
	for _, c := range commands() {
		t := takes{command: c, ref: strings.HasPrefix(strings.TrimPrefix(c.args, "["), "REF"), file: strings.HasPrefix(c.args, "FILE")}
		if first, _, _ := strings.Cut(c.args, " "); regexp.MustCompile(`^[a-z]+(\|[a-z]+)+$`).MatchString(strings.Trim(first, "[]")) {
			t.words = strings.Split(strings.Trim(first, "[]"), "|")
		}
		set := flag.NewFlagSet(c.name, flag.ContinueOnError)
		if c.flags != nil {
			c.flags(set)
		}
		set.VisitAll(func(f *flag.Flag) { t.flags = append(t.flags, "--"+f.Name) })
		t.flags = append(t.flags, "--help")
		all, names = append(all, t), append(names, c.name)
	}
	return append(all, takes{command: command{name: "help", about: "tell more of a command"}, words: names})
}

func bash(w io.Writer) {
	var names []string
	for _, t := range completions() {
		names = append(names, t.name)
	}
	head, tail, _ := strings.Cut(bashScript, "@CASES@\n")
	fmt.Fprint(w, strings.Replace(head, "@NAMES@", strings.Join(names, " "), 1))
	for _, t := range completions() {
		fmt.Fprintf(w, "  %s)\n    if [[ $cur == -* ]]; then\n      _bellbuoy_words %s\n", t.name, strings.Join(t.flags, " "))
		switch {
		case t.ref:
			fmt.Fprint(w, "    elif ((before == 0)); then\n      _bellbuoy_refs\n")
		case t.file:
			fmt.Fprint(w, "    elif ((before == 0)); then\n      _bellbuoy_files\n")
		case len(t.words) > 0:
			fmt.Fprintf(w, "    elif ((before == 0)); then\n      _bellbuoy_words %s\n", strings.Join(t.words, " "))
		}
		fmt.Fprint(w, "    fi\n    ;;\n")
	}
	fmt.Fprint(w, tail)
}

const bashScript = `# bash completion of bellbuoy: source <(bellbuoy completion bash)
_bellbuoy_words() { # offers those of its arguments that begin like what is being typed
  local word
  for word in "$@"; do
    [[ $word == "$cur"* ]] && COMPREPLY+=("$word")
  done
}
_bellbuoy_refs() { # names come from elsewhere: they are compared, never expanded
  local ref
  while IFS= read -r ref; do
    [[ $ref == "$cur"* ]] && COMPREPLY+=("$ref")
  done < <(bellbuoy __refs 2>/dev/null)
}
_bellbuoy_files() {
  local file
  compopt -o filenames 2>/dev/null # a directory then gets a slash, and no word is at its end
  while IFS= read -r file; do
    COMPREPLY+=("$file")
  done < <(compgen -f -- "$cur")
}
_bellbuoy() {
  local cur=${COMP_WORDS[COMP_CWORD]} before=0 i
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    _bellbuoy_words @NAMES@
    return 0
  fi
  for ((i = 2; i < COMP_CWORD; i++)); do
    [[ ${COMP_WORDS[i]} == -* ]] || before=$((before + 1))
  done
  case ${COMP_WORDS[1]} in
@CASES@
  esac
  return 0
}
complete -F _bellbuoy bellbuoy
`

func zsh(w io.Writer) {
	fmt.Fprint(w, "#compdef bellbuoy\n# zsh completion of bellbuoy: source <(bellbuoy completion zsh), or a file _bellbuoy in $fpath\n_bellbuoy() {\n")
	fmt.Fprint(w, "  if (( CURRENT == 2 )); then\n    local -a commands\n    commands=(\n")
	for _, t := range completions() {
		fmt.Fprintf(w, "      '%s:%s'\n", t.name, quoted(t.about))
	}
	fmt.Fprint(w, "    )\n    _describe -t commands command commands\n    return\n  fi\n  case $words[2] in\n")
	for _, t := range completions() {
		fmt.Fprintf(w, "  %s)\n    if [[ $PREFIX == -* ]]; then\n      compadd -- %s\n", t.name, strings.Join(t.flags, " "))
		switch {
		case t.ref:
			fmt.Fprint(w, "    elif (( CURRENT == 3 )); then\n      compadd -- ${(f)\"$(bellbuoy __refs 2>/dev/null)\"}\n")
		case t.file:
			fmt.Fprint(w, "    elif (( CURRENT == 3 )); then\n      _files\n")
		case len(t.words) > 0:
			fmt.Fprintf(w, "    elif (( CURRENT == 3 )); then\n      compadd -- %s\n", strings.Join(t.words, " "))
		}
		fmt.Fprint(w, "    fi\n    ;;\n")
	}
	fmt.Fprint(w, "  esac\n}\nif [[ $funcstack[1] == _bellbuoy ]]; then\n  _bellbuoy \"$@\"\nelse\n  compdef _bellbuoy bellbuoy\nfi\n")
}

// quoted fits into single quotes of a shell.
func quoted(s string) string { return strings.ReplaceAll(s, "'", `'\''`) }

func fish(w io.Writer) {
	fmt.Fprint(w, "# fish completion of bellbuoy: bellbuoy completion fish | source\ncomplete -c bellbuoy -f\n")
	for _, t := range completions() {
		fmt.Fprintf(w, "complete -c bellbuoy -n __fish_use_subcommand -a %s -d '%s'\n", t.name, strings.ReplaceAll(t.about, "'", `\'`))
		seen := "complete -c bellbuoy -n '__fish_seen_subcommand_from " + t.name + "'"
		for _, f := range t.flags {
			fmt.Fprintf(w, "%s -l %s\n", seen, strings.TrimPrefix(f, "--"))
		}
		switch {
		case t.ref:
			fmt.Fprintf(w, "%s -a '(bellbuoy __refs 2>/dev/null)'\n", seen)
		case t.file:
			fmt.Fprintf(w, "%s -F\n", seen)
		case len(t.words) > 0:
			fmt.Fprintf(w, "%s -a '%s'\n", seen, strings.Join(t.words, " "))
		}
	}
}
