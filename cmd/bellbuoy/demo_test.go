package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/demo"
	"github.com/bellbuoy/bellbuoy/internal/drill"
)

func TestAskTakesWhatIsTypedAndElseThePreset(t *testing.T) {
	for name, c := range map[string]struct {
		typed    string
		question string
		preset   bool
	}{
		"typed":            {"why?\n", "why?", false},
		"without-an-end":   {"why?", "why?", false},
		"only-a-newline":   {"  \n", demo.Preset, true},
		"nobody-can-type":  {"", demo.Preset, true},
		"two-lines-is-one": {"who?\nwhy?\n", "who?", false},
	} {
		t.Run(name, func(t *testing.T) {
			question, preset := ask(t.Context(), io.Discard, strings.NewReader(c.typed))
			if question != c.question || preset != c.preset {
				t.Errorf("%q, preset: %v; want %q, %v", question, preset, c.question, c.preset)
			}
		})
	}
}

func TestAskEndsWithTheDemonstration(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	silent, typist := net.Pipe()
	defer typist.Close()
	if question, preset := ask(ctx, io.Discard, silent); question != demo.Preset || !preset {
		t.Errorf("%q, preset: %v", question, preset)
	}
}

func TestStepsArePrintedForPeopleAndForPrograms(t *testing.T) {
	step := demo.Step{Step: 2, Title: "db stops", Lines: []string{"one\x1b[31m", "two"}, Conversation: "c1e0ec7ae63b6e99", Millis: 1.5}
	var people, programs strings.Builder
	printDemoStep(&people, step, false)
	if diff := cmp.Diff("2. db stops\n   one\n   two\n\n", people.String()); diff != "" {
		t.Errorf("for people (-want +got):\n%s", diff)
	}
	printDemoStep(&programs, step, true)
	var back demo.Step
	if err := json.Unmarshal([]byte(programs.String()), &back); err != nil || strings.Count(programs.String(), "\n") != 1 {
		t.Fatalf("%v in %q", err, programs.String())
	}
	if diff := cmp.Diff(step, back); diff != "" {
		t.Errorf("for programs (-want +got):\n%s", diff)
	}

	people.Reset()
	printTestStep(&people, drill.Step{Kind: drill.StepOpened, Millis: 1012, Conversation: "c1e0ec7ae63b6e99", Text: "incident opened: x"}, false)
	if diff := cmp.Diff("    1012 ms  incident opened: x (bellbuoy show c1e0ec7a)\n", people.String()); diff != "" {
		t.Errorf("a step of a test (-want +got):\n%s", diff)
	}
}

func TestFakemodelPrintsWhatToSetAndServesThere(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	out, printed := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- fakemodel(ctx, printed, "127.0.0.1:0") }()
	text := make([]byte, 1024)
	n, err := out.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	base := regexp.MustCompile(`export BELLBUOY_LLM_BASE_URL=(\S+)`).FindStringSubmatch(string(text[:n]))
	if base == nil || !strings.Contains(string(text[:n]), "export BELLBUOY_LLM_MODEL=scripted\n") {
		t.Fatalf("it prints %q", text[:n])
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base[1]+"/models", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if body, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(body), `"id":"scripted"`) {
		t.Errorf("%s, %v", body, err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("stopped: %v", err)
	}
}
