package llmtest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/llm/llmtest"
)

func post(t *testing.T, url, key, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

const hello = `"messages":[{"role":"user","content":"hello"}]`

func schemed(schema string) string {
	return `{"model":"m",` + hello + `,"response_format":{"type":"json_schema","json_schema":{"name":"v","strict":true,"schema":` + schema + `}}}`
}

func nested(levels int) string {
	s := `{"type":"string"}`
	for range levels {
		s = `{"type":"object","properties":{"a":` + s + `},"required":["a"],"additionalProperties":false}`
	}
	return s
}

func TestTheServerRefusesWhatRealOnesRefuse(t *testing.T) {
	s := llmtest.New(t, llmtest.Options{Models: []string{"m", "o3", "gpt-5"}})
	tests := []struct {
		name, body string
		status     int
		says       string
	}{
		{"well-formed", `{"model":"m",` + hello + `,"max_tokens":5,"temperature":0.1}`, 200, "chat.completion"},
		{"unknown-key", `{"model":"m",` + hello + `,"extra_body":{}}`, 400, "Unrecognized request argument supplied: extra_body"},
		{"null", `{"model":"m",` + hello + `,"max_tokens":null}`, 400, "got null"},
		{"not-json", `{"model":`, 400, "could not parse"},
		{"no-model", `{` + hello + `}`, 400, "must provide a model"},
		{"other-model", `{"model":"x",` + hello + `}`, 404, "model_not_found"},
		{"no-messages", `{"model":"m","messages":[]}`, 400, "too short"},
		{"empty-content", `{"model":"m","messages":[{"role":"user","content":""}]}`, 400, "it is empty"},
		{"missing-content", `{"model":"m","messages":[{"role":"user"}]}`, 400, "it is empty"},
		{"odd-role", `{"model":"m","messages":[{"role":"root","content":"x"}]}`, 400, "supported values"},
		{"both-limits", `{"model":"m",` + hello + `,"max_tokens":5,"max_completion_tokens":5}`, 400, "at the same time"},
		{"no-limit-at-all", `{"model":"m",` + hello + `,"max_tokens":0}`, 400, "below 1"},
		{"old-limit-for-reasoning", `{"model":"o3",` + hello + `,"max_tokens":5}`, 400, "max_completion_tokens"},
		{"temperature-for-reasoning", `{"model":"gpt-5",` + hello + `,"temperature":0.1}`, 400, "temperature"},
		{"too-hot", `{"model":"m",` + hello + `,"temperature":3}`, 400, "between 0 and 2"},
		{"options-without-stream", `{"model":"m",` + hello + `,"stream_options":{}}`, 400, "stream_options"},
		{"stream", `{"model":"m",` + hello + `,"stream":true,"stream_options":{"include_usage":true}}`, 200, "data: [DONE]"},
		{"strict-schema", schemed(nested(5)), 200, "chat.completion"},
		{"too-deep", schemed(nested(6)), 400, "levels of nesting"},
		{"open-object", schemed(`{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}`), 400, "additionalProperties"},
		{"optional-property", schemed(`{"type":"object","properties":{"a":{"type":"string"}},"required":[],"additionalProperties":false}`), 400, "missing 'a'"},
		{"forbidden-keyword", schemed(`{"type":"object","properties":{"a":{"type":"string","maxLength":3}},"required":["a"],"additionalProperties":false}`), 400, "maxLength"},
		{"root-is-no-object", schemed(`{"type":"array","items":{"type":"string"}}`), 400, "root"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, body := post(t, s.URL()+"/chat/completions", "", tt.body)
			if status != tt.status || !strings.Contains(body, tt.says) {
				t.Errorf("%d %s, want %d with %q", status, body, tt.status, tt.says)
			}
		})
	}
	if got := len(s.Requests()); got != len(tests) {
		t.Errorf("%d requests recorded, want %d", got, len(tests))
	}
}

func TestTheServerKnowsTwoPathsAndOneKey(t *testing.T) {
	s := llmtest.New(t, llmtest.Options{Key: "right", Models: []string{"m"}})
	body := `{"model":"m",` + hello + `}`
	for _, tt := range []struct {
		name, path, key string
		status          int
	}{
		{"right-key", "/chat/completions", "right", 200},
		{"wrong-key", "/chat/completions", "wrong", 401},
		{"no-key", "/chat/completions", "", 401},
		{"other-path", "/completions", "right", 404},
		{"doubled-version", "/v1/chat/completions", "right", 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if status, got := post(t, s.URL()+tt.path, tt.key, body); status != tt.status {
				t.Errorf("%d %s, want %d", status, got, tt.status)
			}
		})
	}
}

func TestAnswersAreScriptedInOrder(t *testing.T) {
	s := llmtest.New(t, llmtest.Options{Answer: func(r llmtest.Request) string { return "you said " + r.User() }})
	s.Always(llmtest.Fenced())
	s.Fault(llmtest.Text("one"), llmtest.By(func(r llmtest.Request) string { return "model " + r.Model }), llmtest.Think())
	for _, want := range []string{"one", "model m", "<think>", "```json\nyou said hello\n```"} {
		_, body := post(t, s.URL()+"/chat/completions", "", `{"model":"m",`+hello+`}`)
		var got struct {
			Choices []struct{ Message llmtest.Message }
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil || len(got.Choices) != 1 {
			t.Fatalf("%v in %s", err, body)
		}
		if text := got.Choices[0].Message.Content; !strings.Contains(text, want) {
			t.Errorf("said %q, want %q in it", text, want)
		}
	}
}

func TestAnAnswerHeldBackComesWhenReleased(t *testing.T) {
	s := llmtest.New(t)
	release, said := make(chan struct{}), make(chan int, 1)
	s.Fault(llmtest.Until(release))
	go func() {
		status, _ := post(t, s.URL()+"/chat/completions", "", `{"model":"m",`+hello+`}`)
		said <- status
	}()
	if err := s.Await(t.Context(), 1); err != nil {
		t.Error(err)
	}
	close(release)
	if status := <-said; status != http.StatusOK {
		t.Errorf("status %d", status)
	}
}
