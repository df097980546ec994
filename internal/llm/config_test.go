package llm_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/llm"
)

func TestConfigReportsEveryMistake(t *testing.T) {
	tests := []struct {
		name string
		cfg  llm.Config
		want []string // parts of the error; none: it is valid
	}{
		{"nothing-is-no-model", llm.Config{}, nil},
		{"all-there", llm.Config{BaseURL: "http://localhost:11434", Model: "m"}, nil},
		{"model-without-server", llm.Config{Model: "m"}, []string{"LLM_BASE_URL is not set"}},
		{"key-without-server", llm.Config{APIKey: config.Secret(key)}, []string{"LLM_BASE_URL is not set"}},
		{"server-without-model", llm.Config{BaseURL: "http://h"}, []string{"LLM_MODEL is not set"}},
		{"password-in-the-address", llm.Config{BaseURL: "http://u:hunter2@h/v1", Model: "m"}, []string{"holds a user or password"}},
		{"query-in-the-address", llm.Config{BaseURL: "http://h/v1?key=hunter2", Model: "m"}, []string{"after ? or #"}},
		{"other-scheme", llm.Config{BaseURL: "ftp://h", Model: "m"}, []string{"http://"}},
		{"several", llm.Config{BaseURL: "h", Temperature: 3, Timeout: -1, PromptTokens: 2499}, []string{"LLM_BASE_URL", "LLM_MODEL", "LLM_PROMPT_TOKENS", "LLM_TEMPERATURE", "LLM_TIMEOUT"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.cfg.Validate()
			if (err == nil) != (len(tt.want) == 0) {
				t.Fatalf("error %v", err)
			}
			for _, w := range tt.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q does not say %q", err, w)
				}
			}
			if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), key)) {
				t.Errorf("error shows a secret: %v", err)
			}
		})
	}
}

func TestBaseURLIsCompletedOnlyWhereItNeedsToBe(t *testing.T) {
	for base, want := range map[string]string{
		"":                      "/v1/chat/completions",
		"/":                     "/v1/chat/completions",
		"/v1":                   "/v1/chat/completions",
		"/v1/":                  "/v1/chat/completions",
		"/v1/chat/completions":  "/v1/chat/completions",
		"/v1/chat/completions/": "/v1/chat/completions",
		"/proxy":                "/proxy/v1/chat/completions",
		"/api/v1":               "/api/v1/chat/completions",
		"/openai/v1":            "/openai/v1/chat/completions",
		"/v1beta/openai":        "/v1beta/openai/chat/completions",
		"/api/paas/v4":          "/api/paas/v4/chat/completions",
	} {
		t.Run("base"+strings.ReplaceAll(base, "/", "-"), func(t *testing.T) {
			path := make(chan string, 1)
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				path <- r.URL.Path
				w.WriteHeader(http.StatusBadRequest)
			}))
			defer s.Close()
			c, err := llm.New(llm.Config{BaseURL: s.URL + base, Model: "m"}, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Complete(t.Context(), question())
			failed(t, err)
			if got := <-path; got != want {
				t.Errorf("path %q, want %q", got, want)
			}
		})
	}
}
