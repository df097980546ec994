package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/need"
)

// complete asks a real bash what it offers for the words typed so far; the last one is being typed. The bellbuoy on its
// path knows of two conversations, and of a name that would like to be run.
func complete(t *testing.T, words ...string) []string {
	t.Helper()
	shell := need.Shell(t, "bash")
	dir := t.TempDir()
	fake := "#!/bin/sh\n[ \"$1\" = __refs ] && printf 'shop/checkout\\n9f2c\\n$(touch " + dir + "/harmed)\\n'\n"
	if err := os.WriteFile(filepath.Join(dir, "bellbuoy"), []byte(fake), 0o755); err != nil {
		t.Fatal(err)
	}
	var script bytes.Buffer
	bash(&script)
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = "'" + w + "'"
	}
	program := fmt.Sprintf("%s\nCOMP_WORDS=(bellbuoy %s)\nCOMP_CWORD=%d\n_bellbuoy\nprintf '%%s\\n' \"${COMPREPLY[@]}\"", script.String(), strings.Join(quoted, " "), len(words))
	cmd := exec.CommandContext(t.Context(), shell, "--norc", "-c", program)
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("bash: %v\n%s", err, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "harmed")); err == nil {
		t.Error("bash ran what a name said")
	}
	return strings.Fields(string(out))
}

func TestBashCompletesCommandsFlagsAndNames(t *testing.T) {
	for name, c := range map[string]struct {
		words []string
		want  []string
	}{
		"command":                  {[]string{"sh"}, []string{"show"}},
		"commands":                 {[]string{"re"}, []string{"reply", "resolve", "reopen", "record", "replay"}},
		"flag":                     {[]string{"list", "--a"}, []string{"--all"}},
		"name":                     {[]string{"show", "sh"}, []string{"shop/checkout"}},
		"id":                       {[]string{"ack", "9"}, []string{"9f2c"}},
		"name-after-a-flag":        {[]string{"show", "--json", "sh"}, []string{"shop/checkout"}},
		"only-one-name":            {[]string{"reply", "9f2c", "sh"}, []string{}},
		"file":                     {[]string{"replay", "main_te"}, []string{"main_test.go"}},
		"flag-of-a-replay":         {[]string{"replay", "main_test.go", "--s"}, []string{"--skip-bad", "--speed"}},
		"a-verb-that-may-be":       {[]string{"dead", "r"}, []string{"retry"}},
		"one-of-few-words":         {[]string{"completion", "z"}, []string{"zsh"}},
		"help-of-a-command":        {[]string{"help", "comp"}, []string{"completion"}},
		"nothing-for-what-is-none": {[]string{"nonsense", "x"}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, complete(t, c.words...)); diff != "" {
				t.Errorf("offered (-want +got):\n%s", diff)
			}
		})
	}
}

func TestShellsReadTheirScripts(t *testing.T) {
	for shell, write := range map[string]func(*bytes.Buffer){
		"bash": func(b *bytes.Buffer) { bash(b) }, "zsh": func(b *bytes.Buffer) { zsh(b) }, "fish": func(b *bytes.Buffer) { fish(b) },
	} {
		t.Run(shell, func(t *testing.T) {
			path := need.Shell(t, shell)
			var script bytes.Buffer
			write(&script)
			file := filepath.Join(t.TempDir(), "script")
			if err := os.WriteFile(file, script.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.CommandContext(t.Context(), path, "-n", file).CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%s does not read its script: %v\n%s", shell, err, out)
			}
		})
	}
}
