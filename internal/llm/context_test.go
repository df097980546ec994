package llm_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/llm/llmtest"
)

// long is a prompt of about so many tokens, by the count of llmtest.
func long(tokens int) diagnose.Prompt {
	p := prompt()
	p.User += "\n" + strings.Repeat("word ", (tokens*4-1750)/5) // the schema and the rest take the others
	p.Estimate = tokens
	return p
}

func dialect(t *testing.T, name string) llmtest.Dialect {
	t.Helper()
	for _, d := range llmtest.Dialects() {
		if d.Name == name {
			return d
		}
	}
	t.Fatalf("no dialect %s", name)
	return llmtest.Dialect{}
}

func TestAPromptThatIsCutInSilenceIsNoticedAndNotSentAgain(t *testing.T) {
	s := llmtest.New(t, llmtest.Options{Key: key, Dialect: dialect(t, "ollama"), Context: 2048})
	var log bytes.Buffer
	c, err := llm.New(llm.Config{BaseURL: s.URL(), Model: "m", APIKey: key}, slog.New(slog.NewTextHandler(&log, nil)), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Complete(t.Context(), long(4000))
	e := failed(t, err)
	if e.Outcome != llm.OutcomeTruncated || e.Room == 0 || e.Room > 2100 || got.Usage.Calls != 1 || got.Text != "" {
		t.Fatalf("outcome %s, room %d, completion %+v: %v", e.Outcome, e.Room, got, err)
	}
	if !strings.Contains(err.Error(), "read 2048 tokens of a prompt of about 4000") || !strings.Contains(err.Error(), "OLLAMA_CONTEXT_LENGTH") {
		t.Errorf("error %q", err)
	}
	again, err := c.Complete(t.Context(), long(4000))
	if e := failed(t, err); e.Outcome != llm.OutcomeTooLong || e.Room == 0 || again.Usage.Calls != 0 || len(s.Requests()) != 1 {
		t.Errorf("a prompt that cannot fit: outcome %s, %d requests: %v", e.Outcome, len(s.Requests()), err)
	}
	if _, err = c.Complete(t.Context(), long(e.Room)); err != nil {
		t.Errorf("the shorter prompt: %v", err)
	}
	if c.PromptTokens() != e.Room {
		t.Errorf("%d tokens of room, want %d", c.PromptTokens(), e.Room)
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 1 {
		t.Errorf("%d warnings, want one:\n%s", n, log.String())
	}
}

func TestASecondCutIsNotWarnedOfAgain(t *testing.T) {
	s := llmtest.New(t, llmtest.Options{Key: key, Dialect: dialect(t, "ollama"), Context: 700})
	var log bytes.Buffer
	c, err := llm.New(llm.Config{BaseURL: s.URL(), Model: "m", APIKey: key}, slog.New(slog.NewTextHandler(&log, nil)), nil)
	if err != nil {
		t.Fatal(err)
	}
	p := long(4000)
	for range 2 {
		_, err := c.Complete(t.Context(), p)
		e := failed(t, err)
		if e.Outcome != llm.OutcomeTruncated {
			t.Fatalf("outcome %s", e.Outcome)
		}
		p = long(e.Room)
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 1 {
		t.Errorf("%d warnings, want one:\n%s", n, log.String())
	}
}

func TestAServerThatCountsOtherwiseIsNotTakenForOneThatCuts(t *testing.T) {
	s := server(t)
	s.Fault(llmtest.Reading(1500), llmtest.Reading(800), llmtest.Reading(1500), llmtest.Reading(0))
	c := client(t, s)
	_, err := c.Complete(t.Context(), long(4000))
	if e := failed(t, err); e.Outcome != llm.OutcomeTruncated {
		t.Fatalf("outcome %s", e.Outcome)
	}
	for i, tokens := range []int{2000, 4000, 4000} { // half: as few again; so it is a way of counting
		if _, err := c.Complete(t.Context(), long(tokens)); err != nil {
			t.Errorf("prompt %d: %v", i, err)
		}
	}
}

func TestAPromptWithoutEvidenceIsNotToBlameForAnAnswerCutOff(t *testing.T) {
	s := server(t)
	s.Always(llmtest.ContextFull())
	c := client(t, s)
	p := prompt()
	for _, tt := range []struct {
		least   int
		outcome string
		room    int
	}{{500, llm.OutcomeCut, 0}, {300, llm.OutcomeTooLong, 400}} {
		p.Estimate, p.Least = 500, tt.least
		_, err := c.Complete(t.Context(), p)
		if e := failed(t, err); e.Outcome != tt.outcome || e.Room != tt.room {
			t.Errorf("of 500 tokens %d are no evidence: outcome %s, room %d", tt.least, e.Outcome, e.Room)
		}
	}
}

func TestNoUsageSaysNothingAboutAPrompt(t *testing.T) {
	s := server(t)
	s.Always(llmtest.Raw(200, "application/json", `{"choices":[{"message":{"role":"assistant","content":"fine"},"finish_reason":"stop"}]}`))
	p := question()
	p.Estimate = 4000
	if got, err := client(t, s).Complete(t.Context(), p); err != nil || got.Text != "fine" {
		t.Errorf("completion %+v, error %v", got, err)
	}
}

func TestAPromptThatIsRefusedForItsLengthSaysHowLongTheNextMayBe(t *testing.T) {
	for _, d := range llmtest.Dialects() {
		t.Run(d.Name, func(t *testing.T) {
			s := llmtest.New(t, llmtest.Options{Key: key, Dialect: d, Context: 2200})
			c := dialled(t, s, d, "test-model")
			_, err := c.Complete(t.Context(), long(4000))
			e := failed(t, err)
			want := llm.OutcomeTooLong
			if d.Name == "ollama" {
				want = llm.OutcomeTruncated
			}
			if e.Outcome != want || e.Room < 1900 || e.Room > 2100 || len(s.Requests()) != 1 {
				t.Errorf("outcome %s, room %d, %d requests: %v", e.Outcome, e.Room, len(s.Requests()), err)
			}
			if _, err := c.Complete(t.Context(), long(e.Room)); err != nil {
				t.Errorf("the shorter prompt: %v", err)
			}
		})
	}
}
