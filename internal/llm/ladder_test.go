package llm_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/llm/llmtest"
)

// formatsSent are the formats that were asked for, request by request.
func formatsSent(t *testing.T, s *llmtest.Server) []string {
	t.Helper()
	var all []string
	for _, r := range s.Requests() {
		f, _ := fields(t, r)["response_format"].(map[string]any)
		schema, _ := f["json_schema"].(map[string]any)
		switch {
		case f == nil:
			all = append(all, "text")
		case schema["strict"] == true:
			all = append(all, "strict")
		case schema != nil:
			all = append(all, "schema")
		default:
			all = append(all, "object")
		}
	}
	return all
}

func TestWhatAServerRefusesIsLeftOutAndNotSentAgain(t *testing.T) {
	tests := []struct {
		name    string
		refuses []string
		formats []string       // of the first question's requests; the second question is one like the last
		sent    map[string]any // in the last request; nil: absent
	}{
		{"nothing", nil, []string{"strict"}, map[string]any{"temperature": 0.1, "max_tokens": 500.0}},
		{"strict", []string{"strict"}, []string{"strict", "schema"}, nil},
		{"schemas", []string{"json_schema"}, []string{"strict", "schema", "object"}, nil},
		{"every-format", []string{"response_format"}, []string{"strict", "schema", "object", "text"}, nil},
		{"temperature", []string{"temperature"}, []string{"strict", "strict"}, map[string]any{"temperature": nil, "max_tokens": 500.0}},
		{"one-limit", []string{"max_tokens"}, []string{"strict", "strict"}, map[string]any{"max_tokens": nil, "max_completion_tokens": 500.0}},
		{"both-limits", []string{"max_tokens", "max_completion_tokens"}, []string{"strict", "strict", "strict"}, map[string]any{"max_tokens": nil, "max_completion_tokens": nil}},
		{"the-role-system", []string{"system"}, []string{"strict", "strict"}, nil},
		{
			"all-of-it",
			[]string{"temperature", "max_tokens", "max_completion_tokens", "system", "response_format"},
			[]string{"strict", "strict", "strict", "strict", "strict", "schema", "object", "text"},
			map[string]any{"temperature": nil, "max_tokens": nil, "max_completion_tokens": nil, "response_format": nil},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := llmtest.New(t, llmtest.Options{Key: key, Refuses: tt.refuses})
			c := client(t, s)
			for i := range 2 {
				got, err := c.Complete(t.Context(), prompt())
				if err != nil || got.Text != llmtest.VerdictOn("shop/web", "logs") {
					t.Fatalf("completion %+v, error %v", got, err)
				}
				if want := max(1, len(tt.formats)*(1-i)); got.Usage.Calls != want {
					t.Errorf("question %d took %d calls, want %d", i, got.Usage.Calls, want)
				}
			}
			want := append(tt.formats, tt.formats[len(tt.formats)-1])
			if diff := cmp.Diff(want, formatsSent(t, s)); diff != "" {
				t.Errorf("formats (-want +got):\n%s", diff)
			}
			last := fields(t, s.Requests()[len(tt.formats)])
			for name, value := range tt.sent {
				if diff := cmp.Diff(value, last[name]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
		})
	}
}

func TestTheSchemaStandsInThePromptWhereTheServerDoesNotKeepIt(t *testing.T) {
	s := llmtest.New(t, llmtest.Options{Key: key, Refuses: []string{"response_format", "system"}})
	if _, err := client(t, s).Complete(t.Context(), prompt()); err != nil {
		t.Fatal(err)
	}
	requests := s.Requests()
	for i, r := range requests {
		inPrompt := strings.Contains(r.User(), `"insufficient_data":{"type":"boolean"}`)
		if want := i >= 2; inPrompt != want {
			t.Errorf("request %d has the schema in its prompt: %v", i, inPrompt)
		}
	}
	last := requests[len(requests)-1]
	if !strings.Contains(last.User(), "begins with ```json") || !strings.HasPrefix(last.User(), "You diagnose.\n\n") || len(last.Messages) != 1 {
		t.Errorf("the last request says %q in %d messages", last.User(), len(last.Messages))
	}
}

func TestARefusalThatNothingCuresIsNotRemembered(t *testing.T) {
	s := server(t)
	s.Fault(llmtest.Times(5, llmtest.Status(400, "Unsupported value: 'user'"))...)
	c := client(t, s)
	if _, err := c.Complete(t.Context(), prompt()); err == nil {
		t.Fatal("no error")
	}
	if _, err := c.Complete(t.Context(), prompt()); err != nil {
		t.Fatal(err)
	}
	if got := formatsSent(t, s); len(got) != 6 || got[5] != "strict" {
		t.Errorf("formats %v", got)
	}
}

func TestOtherErrorsAreNoReasonToAskOtherwise(t *testing.T) {
	for name, fault := range map[string]llmtest.Fault{
		"no-such-model":      llmtest.Status(404, "The model `x` does not exist or you do not have access to it."),
		"ollama-has-no-such": llmtest.Status(404, `model "x" not found, try pulling it first`),
		"not-allowed":        llmtest.Status(403, "this key may not use response_format"),
		"in-trouble":         llmtest.Status(501, "temperature sensor broken"),
	} {
		t.Run(name, func(t *testing.T) {
			s := server(t)
			s.Always(fault)
			c := client(t, s)
			before := c.Known()
			_, err := c.Complete(t.Context(), prompt())
			failed(t, err)
			for _, f := range formatsSent(t, s) {
				if f != "strict" {
					t.Errorf("format %s was tried", f)
				}
			}
			if c.Known() != before {
				t.Errorf("learned %+v", c.Known())
			}
		})
	}
}

func TestAServerThatBreaksOnAFormatIsAskedOtherwise(t *testing.T) {
	s := server(t)
	s.Always(func(x *llmtest.Exchange) {
		if x.Request.Schema != nil {
			x.Error(500, "server_error", "", "failed to parse grammar")
			return
		}
		x.Say(x.Answer())
	})
	c := client(t, s)
	for i, want := range []int{3, 1} {
		if got, err := c.Complete(t.Context(), prompt()); err != nil || got.Usage.Calls != want {
			t.Errorf("question %d took %d calls, want %d: %v", i, got.Usage.Calls, want, err)
		}
	}
}

func TestManyQuestionsAtOnceLearnTheSame(t *testing.T) {
	s := llmtest.New(t, llmtest.Options{Key: key, Refuses: []string{"response_format", "temperature", "max_tokens"}})
	c := client(t, s)
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if _, err := c.Complete(t.Context(), prompt()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	got, err := c.Complete(t.Context(), prompt())
	if err != nil || got.Usage.Calls != 1 || c.Known().Format != llm.FormatText || c.Known().Limit != "max_completion_tokens" || c.Known().Temperature {
		t.Errorf("%d calls after all have learned %+v: %v", got.Usage.Calls, c.Known(), err)
	}
}

func TestAnAnswerTooLongForTheModelIsAskedForShorter(t *testing.T) {
	s := server(t)
	answered := 0
	s.Always(func(x *llmtest.Exchange) {
		if x.Request.MaxTokens > 1024 {
			x.Error(400, "BadRequestError", "", "'max_tokens' or 'max_completion_tokens' is too large: 4000. This model's maximum context length is 4096 tokens and your request has 2500 input tokens")
			return
		}
		answered = x.Request.MaxTokens
		x.Say(x.Answer())
	})
	p := prompt()
	p.MaxTokens = 4000
	got, err := client(t, s).Complete(t.Context(), p)
	if err != nil || got.Usage.Calls != 3 || answered != 1000 {
		t.Errorf("%d calls, %d tokens asked for, error %v", got.Usage.Calls, answered, err)
	}
}

func TestAnAnswerWithoutTheShapeChangesHowTheNextOneIsAskedFor(t *testing.T) {
	tests := []struct {
		name    string
		fault   llmtest.Fault
		formats []string
	}{
		{"no-json-at-all", llmtest.Prose(), []string{"strict", "object", "text", "text"}},
		{"other-json", llmtest.Misshapen(), []string{"strict", "object", "object", "object"}},
		{"json-in-prose-is-good", llmtest.Fenced(), []string{"strict", "strict", "strict", "strict"}},
		{"thoughts-first-are-good", llmtest.Think(), []string{"strict", "strict", "strict", "strict"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := server(t)
			s.Always(tt.fault)
			c := client(t, s)
			for range tt.formats {
				got, err := c.Complete(t.Context(), prompt())
				if err != nil || got.Text == "" || got.Usage.Calls != 1 {
					t.Fatalf("completion %+v, error %v", got, err)
				}
				if strings.Contains(got.Text, "<think>") {
					t.Errorf("thoughts are left in %q", got.Text)
				}
			}
			if diff := cmp.Diff(tt.formats, formatsSent(t, s)); diff != "" {
				t.Errorf("formats (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAShapeIsHeldAgainstItsSchema(t *testing.T) {
	const schema = `{"type":"object","properties":{"a":{"type":"string","enum":["x","y"]},"n":{"type":["integer","null"]},
		"l":{"type":"array","items":{"type":"object","properties":{"b":{"type":"boolean"}},"required":["b"]}}},"required":["a","n","l"]}`
	for name, tt := range map[string]struct{ value, says string }{
		"well":         {`{"a":"x","n":null,"l":[{"b":true}],"more":1}`, ""},
		"empty-list":   {`{"a":"y","n":3,"l":[]}`, ""},
		"missing":      {`{"a":"x","n":1}`, "l is missing"},
		"other-type":   {`{"a":"x","n":"1","l":[]}`, "n: is not of type"},
		"no-whole":     {`{"a":"x","n":1.5,"l":[]}`, "n: is not of type"},
		"other-value":  {`{"a":"z","n":1,"l":[]}`, "a: is none of the values"},
		"deep-inside":  {`{"a":"x","n":1,"l":[{"b":true},{"b":"no"}]}`, "l: [1]: b: is not of type"},
		"no-object":    {`[]`, "is not of type"},
		"nothing":      {``, "there is nothing"},
		"not-an-item":  {`{"a":"x","n":1,"l":[1]}`, "l: [0]: is not of type"},
		"missing-deep": {`{"a":"x","n":1,"l":[{}]}`, "l: [0]: b is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			err := llm.Fits(schema, tt.value)
			if (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v, want %q", err, tt.says)
			}
		})
	}
	if !json.Valid([]byte(schema)) {
		t.Error("the schema is none")
	}
}

func TestWhatIsKnownBeforeAnythingIsLearned(t *testing.T) {
	for _, tt := range []struct {
		base, model string
		want        llm.Ability
		prompt      int
	}{
		{"https://api.openai.com/v1", "gpt-4o", llm.Ability{Format: "strict", Limit: "max_completion_tokens", Temperature: true, System: true}, 6000},
		{"https://api.openai.com/v1", "o3", llm.Ability{Format: "strict", Limit: "max_completion_tokens", System: true}, 6000},
		{"http://localhost:11434/v1", "qwen3:8b", llm.Ability{Format: "strict", Limit: "max_tokens", Temperature: true, System: true}, 3000},
		{"http://localhost:11434/v1", "o3", llm.Ability{Format: "strict", Limit: "max_tokens", System: true}, 3000},
		{"https://api.anthropic.com/v1", "any", llm.Ability{Format: "text", Limit: "max_tokens", Temperature: true, System: true}, 6000},
		{"http://somewhere.example/v1", "any", llm.Ability{Format: "strict", Limit: "max_tokens", Temperature: true, System: true}, 3000},
	} {
		c, err := llm.New(llm.Config{BaseURL: tt.base, Model: tt.model}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.Known() != tt.want || c.PromptTokens() != tt.prompt {
			t.Errorf("%s at %s: %+v and %d tokens, want %+v and %d", tt.model, tt.base, c.Known(), c.PromptTokens(), tt.want, tt.prompt)
		}
	}
}

func TestServersAreRecognisedByTheirAddress(t *testing.T) {
	for base, want := range map[string]string{
		"https://api.openai.com/v1":                 "openai",
		"https://shop.openai.azure.com/openai/v1":   "azure",
		"https://openrouter.ai/api/v1":              "openrouter",
		"https://api.anthropic.com/v1":              "anthropic",
		"http://localhost:11434/v1":                 "ollama",
		"http://ollama.shop.svc:80/v1":              "ollama",
		"http://vllm:8000/v1":                       "vllm",
		"http://llama-server:8080/v1":               "llama.cpp",
		"http://localhost:4000/v1":                  "litellm",
		"http://litellm-proxy/v1":                   "litellm",
		"https://api.openai.com.evil.example/v1":    "unknown",
		"https://model.example/api.anthropic.com/v": "unknown",
	} {
		if got := llm.DialectOf(base); got != want {
			t.Errorf("%s is %s, want %s", base, got, want)
		}
	}
}
