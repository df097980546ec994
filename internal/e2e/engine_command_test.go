package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// runCommands runs every command that was shown, as it was printed, and says what each did.
func (v *voyage) runCommands(t *testing.T) map[string][]string {
	t.Helper()
	did := map[string][]string{}
	for _, r := range v.rows {
		for _, line := range v.commands(r.service) {
			words := strings.Fields(line)
			if len(words) < 3 || words[0] != "docker" || !strings.HasPrefix(words[len(words)-1], v.Project+"-") {
				t.Errorf("%s: the command %q is not about a container of the project", r.service, line)
				continue
			}
			did[r.service] = append(did[r.service], fmt.Sprintf("`%s` %s", line, v.perform(t, r, line, words)))
		}
		v.showsOnly(t, r)
	}
	return did
}

// showsOnly checks that the commands shown about a service are those of the table.
func (v *voyage) showsOnly(t *testing.T, r row) {
	t.Helper()
	var verbs []string
	for _, line := range v.commands(r.service) {
		verbs = append(verbs, strings.Fields(line + " ?")[1])
	}
	if diff := cmp.Diff(r.shows, verbs); diff != "" {
		t.Errorf("commands shown for %s (-want +got):\n%s", r.service, diff)
	}
}

// commands are all that was ever shown about a service, each once.
func (v *voyage) commands(service string) []string {
	var all []string
	add := func(line string) {
		if line != "" && !slices.Contains(all, line) {
			all = append(all, line)
		}
	}
	for _, p := range v.posts(service, v.hook.All()) {
		for _, m := range p.Conversation.Messages {
			add(m.SuggestedCommand)
		}
		if p.Conversation.Diagnosis != nil {
			add(p.Conversation.Diagnosis.Command)
		}
	}
	return all
}

// perform runs one command and checks that it does what it says.
func (v *voyage) perform(t *testing.T, r row, line string, words []string) string {
	t.Helper()
	name := words[len(words)-1]
	before := v.Docker(t, "inspect", "--format", "{{.State.StartedAt}}", name)
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	printed, err := exec.CommandContext(ctx, "sh", "-c", line).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %s: %v: %s", r.service, line, err, printed)
		return "failed"
	}
	state := v.Docker(t, "inspect", "--format", "{{.State.Running}} {{.State.StartedAt}}", name)
	running, started, _ := strings.Cut(state, " ")
	ok, what := false, ""
	switch words[1] {
	case "logs":
		ok, what = strings.Contains(string(printed), r.says), fmt.Sprintf("printed its %d lines", strings.Count(string(printed), "\n"))
		if r.says != "" {
			what = fmt.Sprintf("printed “%s”", r.says)
		}
	case "inspect":
		var got []struct{ Name string }
		ok, what = json.Unmarshal(printed, &got) == nil && len(got) == 1 && got[0].Name == "/"+name, "printed its configuration and state"
	case "start":
		ok, what = running == "true" && started != before, "started it"
	case "restart":
		ok, what = running == "true" && started != before, "restarted it"
	}
	if !ok {
		t.Errorf("%s: %s did not do what it says: running %s, started %s, before %s, printed %s", r.service, line, running, started, before, printed)
	}
	return what
}
