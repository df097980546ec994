package llm_test

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/llm"
)

func TestOnlyAnExhaustedAccountIsOutOfQuota(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		status     int
		want       bool
	}{
		{"code", `{"error":{"message":"x","code":"insufficient_quota"}}`, 429, true},
		{"type", `{"error":{"message":"x","type":"insufficient_quota"}}`, 429, true},
		{"flat-code", `{"message":"x","code":"billing_hard_limit_reached"}`, 400, true},
		{"payment-required", `{"error":"no"}`, 402, true},
		{"passed-on-as-text", `{"error":"upstream: insufficient_quota"}`, 429, true},
		{"rate-limit-with-a-link", `{"error":{"message":"Rate limit reached. Visit https://platform.example/account/billing.","code":"rate_limit_exceeded"}}`, 429, false},
		{"nothing", ``, 429, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, got := llm.ErrorWords(tt.status, []byte(tt.body), ""); got != tt.want {
				t.Errorf("out of quota %v, want %v", got, tt.want)
			}
		})
	}
}

func FuzzErrorBodies(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `null`, `[]`, `[null]`, `"text"`, `{"error":null}`, `{"error":"text"}`, `{"error":{"message":"m","code":5,"type":null}}`,
		`{"error":{"message":{"deep":1}}}`, `{"detail":[{"msg":"m"}]}`, `[{"error":{"message":"m"}}]`, `<html></html>`, `{"message":"m","code":"c"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		said, _ := llm.ErrorWords(500, body, key)
		if len(said) > 300 || !utf8.ValidString(said) {
			t.Errorf("%d bytes: %q", len(said), said)
		}
	})
}

func FuzzStreams(f *testing.F) {
	for _, seed := range []string{
		"", ":", "data:", "data: [DONE]", "data: {", "data: {\"choices\":[]}\n\ndata: [DONE]\n", "event: error\ndata: {\"error\":{}}", ": c\n{\n\"a\":1}\n",
		"data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		whole, err := llm.Assembled(body)
		if err != nil {
			return
		}
		if len(whole) > 6*len(body)+300 {
			t.Errorf("%d bytes became %d", len(body), len(whole))
		}
	})
}

func FuzzShapes(f *testing.F) {
	for _, seed := range []string{``, `{}`, `[]`, `{"summary":1}`, `{"evidence":[{"id":"E1"}]}`, `null`, `{"action":{"verb":"x"}}`} {
		f.Add(seed)
	}
	schema := string(diagnose.VerdictSchema())
	f.Fuzz(func(t *testing.T, value string) {
		if err := llm.Fits(schema, value); err == nil && !json.Valid([]byte(value)) {
			t.Errorf("%q fits", value)
		}
	})
}
