package llm_test

import (
	"testing"
	"unicode/utf8"

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
