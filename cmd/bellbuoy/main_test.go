package main

import (
	"bytes"
	"context"
	"flag"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func contains(text, part string) bool { return strings.Contains(text, part) }

// variables lists the names at the beginning of the lines of a summary.
func variables(summary string) []string {
	return regexp.MustCompile(`(?m)^BELLBUOY_[A-Z_]+$`).FindAllString(summary, -1)
}

func TestParseTakesFlagsAnywhere(t *testing.T) {
	for name, c := range map[string]struct {
		args    []string
		words   []string
		all     bool
		wait    string
		problem string
	}{
		"nothing":                    {},
		"words-only":                 {args: []string{"checkout", "why?"}, words: []string{"checkout", "why?"}},
		"flag-first":                 {args: []string{"--all", "checkout"}, words: []string{"checkout"}, all: true},
		"flag-last":                  {args: []string{"checkout", "--all"}, words: []string{"checkout"}, all: true},
		"flag-between":               {args: []string{"checkout", "--wait", "5s", "why?"}, words: []string{"checkout", "why?"}, wait: "5s"},
		"flag-with-equals":           {args: []string{"checkout", "--wait=5s"}, words: []string{"checkout"}, wait: "5s"},
		"one-dash":                   {args: []string{"-all"}, all: true},
		"words-after-two-dashes":     {args: []string{"checkout", "--", "--all", "is", "it?"}, words: []string{"checkout", "--all", "is", "it?"}},
		"flag-before-two-dashes":     {args: []string{"--all", "--", "checkout"}, words: []string{"checkout"}, all: true},
		"two-dashes-twice":           {args: []string{"--", "a", "--", "b"}, words: []string{"a", "--", "b"}},
		"a-dash-is-a-word":           {args: []string{"-", "checkout"}, words: []string{"-", "checkout"}},
		"unknown-flag":               {args: []string{"checkout", "--loud"}, problem: "flag provided but not defined: -loud"},
		"flag-without-its-value":     {args: []string{"checkout", "--wait"}, problem: "flag needs an argument: -wait"},
		"question-about-help-is-one": {args: []string{"checkout", "--help"}, problem: flag.ErrHelp.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			set := flag.NewFlagSet("test", flag.ContinueOnError)
			set.SetOutput(io.Discard)
			all, wait := set.Bool("all", false, ""), set.String("wait", "", "")
			words, err := parse(set, c.args)
			if c.problem != "" {
				if err == nil || err.Error() != c.problem {
					t.Fatalf("error %v, want %q", err, c.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.words, words); diff != "" {
				t.Errorf("words (-want +got):\n%s", diff)
			}
			if *all != c.all || *wait != c.wait {
				t.Errorf("all %v, wait %q; want %v, %q", *all, *wait, c.all, c.wait)
			}
		})
	}
}

func TestHelpListsEveryCommandAndNoOther(t *testing.T) {
	var out bytes.Buffer
	help(&out)
	var listed, there []string
	for _, m := range regexp.MustCompile(`(?m)^  bellbuoy (\S+)`).FindAllStringSubmatch(out.String(), -1) {
		listed = append(listed, m[1])
	}
	for _, c := range commands() {
		there = append(there, c.name)
		if c.about == "" {
			t.Errorf("help does not say what %s is for", c.name)
		}
	}
	if diff := cmp.Diff(there, listed); diff != "" {
		t.Errorf("commands that help lists (-there +listed):\n%s", diff)
	}
	for _, m := range regexp.MustCompile("bellbuoy ([a-z]+)").FindAllStringSubmatch(out.String(), -1) {
		if !slices.Contains(append(there, "help"), m[1]) {
			t.Errorf("help names the command %q, which does not exist", m[1])
		}
	}
}

func TestEveryCommandHelps(t *testing.T) {
	for _, c := range commands() {
		var out bytes.Buffer
		set := flag.NewFlagSet(c.name, flag.ContinueOnError)
		if c.flags != nil {
			c.flags(set)
		}
		c.help(&out, set)
		set.VisitAll(func(f *flag.Flag) {
			if !contains(out.String(), "--"+f.Name) || f.Usage == "" {
				t.Errorf("the help of %s does not tell of --%s:\n%s", c.name, f.Name, out.String())
			}
		})
	}
}

func TestCommandsRefuseWrongWords(t *testing.T) {
	for _, c := range commands() {
		words := []string{"one", "two", "three"}
		if c.name == "reply" {
			words = []string{"checkout"}
		}
		err := c.run(context.Background(), io.Discard, words)
		if err == nil || !contains(err.Error(), "use bellbuoy "+c.name) {
			t.Errorf("%s %v: error %v, want how to use it", c.name, words, err)
		}
	}
}
