package llmtest_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/llm/llmtest"
)

func TestEachDialectRefusesInItsOwnWords(t *testing.T) {
	const schema = `,"response_format":{"type":"json_schema","json_schema":{"name":"v","schema":{"type":"object","properties":{},"required":[],"additionalProperties":false}}}`
	tests := map[string]struct{ unsupported, tooLong string }{
		"openai":     {`{"error":{"code":null,"message":"Unsupported parameter: 'response_format'`, `{"error":{"code":"context_length_exceeded","message":"This model's maximum context length is 100 tokens.`},
		"azure":      {`{"error":{"code":null,"message":"Unsupported parameter: 'response_format'`, `{"error":{"code":"context_length_exceeded",`},
		"ollama":     {`{"error":{"code":null,"message":"Unsupported parameter: 'response_format'`, `"prompt_tokens":100,`},
		"vllm":       {`{"code":400,"message":"[{'type': 'extra_forbidden', 'loc': ('body', 'response_format')`, `{"code":400,"message":"This model's maximum context length`},
		"llama.cpp":  {`{"error":{"code":400,"message":"Unsupported param: response_format"`, `exceeds the available context size (100 tokens), try increasing it","type":"exceed_context_size_error"`},
		"litellm":    {`litellm.UnsupportedParamsError: the provider does not support parameters: ['response_format']`, `"code":"400","message":"context_length_exceeded: This`},
		"openrouter": {`{"error":{"code":404,"message":"No endpoints found that can handle the requested parameters."`, `{"error":{"code":400,"message":"This model's maximum`},
		"anthropic":  {`{"error":{"message":"response_format: Extra inputs are not permitted","type":"invalid_request_error"},"type":"error"}`, `"message":"prompt is too long: `},
		"unknown":    {`{"detail":"Unsupported parameter: 'response_format' is not supported with this model."}`, `{"detail":"context_length_exceeded: This`},
	}
	if len(llmtest.Dialects()) != len(tests) {
		t.Errorf("%d dialects, %d are tested", len(llmtest.Dialects()), len(tests))
	}
	for _, d := range llmtest.Dialects() {
		t.Run(d.Name, func(t *testing.T) {
			s := llmtest.New(t, llmtest.Options{Dialect: d, Context: 100, Refuses: []string{"json_schema"}})
			if _, body := post(t, s.URL()+"/chat/completions", "", `{"model":"m",`+hello+schema+`}`); !strings.Contains(body, tests[d.Name].unsupported) {
				t.Errorf("of a format it says %s", body)
			}
			long := `"messages":[{"role":"user","content":"` + strings.Repeat("long ", 100) + `"}]`
			if _, body := post(t, s.URL()+"/chat/completions", "", `{"model":"m",`+long+`}`); !strings.Contains(body, tests[d.Name].tooLong) {
				t.Errorf("of a long prompt it says %s", body)
			}
			if status, _ := post(t, s.URL()+"/chat/completions", "", `{"model":"m",`+hello+`}`); status != 200 {
				t.Errorf("of a short one it says %d", status)
			}
		})
	}
}

func TestADeafServerTalksAroundItsJSON(t *testing.T) {
	for _, d := range llmtest.Dialects() {
		s := llmtest.New(t, llmtest.Options{Dialect: d, Answer: func(llmtest.Request) string { return "{}" }})
		_, body := post(t, s.URL()+"/chat/completions", "", `{"model":"m",`+hello+`,"response_format":{"type":"json_object"}}`)
		if got, want := strings.Contains(body, "Certainly."), d.Name == "anthropic"; got != want {
			t.Errorf("%s says %s", d.Name, body)
		}
	}
}

func TestAModelThatGoesByCluesSeesOnlyWhatWasKept(t *testing.T) {
	evidence := `{"id":"E1","kind":"log","object":"shop/cart","text":"no such host"}` + "\n" + strings.Repeat("x", 2000) + "\n" +
		`{"id":"E2","kind":"failure","object":"shop/db","text":"out of memory"}` + "\n" + `{"allowed_components":["shop/web"]}`
	raw, err := json.Marshal([]llmtest.Message{{Role: "system", Content: "You diagnose."}, {Role: "user", Content: evidence}})
	if err != nil {
		t.Fatal(err)
	}
	answer := llmtest.Clues(
		llmtest.Clue{In: "out of memory", Say: llmtest.Blames("restart")},
		llmtest.Clue{In: "no such host", Say: llmtest.Blames("logs")},
	)
	for _, tt := range []struct {
		name, evidence string
		context        int
		says           string
	}{
		{"all-of-it", string(raw), 0, `"component\":\"shop/cart`},
		{"its-end", string(raw), 100, `"component\":\"shop/db`},
		{"no-evidence", string(raw), 20, `component\":\"shop/web`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := llmtest.New(t, llmtest.Options{Dialect: llmtest.Dialects()[2], Context: tt.context, Answer: answer})
			if _, body := post(t, s.URL()+"/chat/completions", "", `{"model":"m","messages":`+tt.evidence+`}`); !strings.Contains(body, tt.says) {
				t.Errorf("it says %s, want %s", body, tt.says)
			}
		})
	}
}
