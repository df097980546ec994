package diagnose_test

import (
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
)

func TestWhatAModelOfAKnownFamilyReadsAndAllOthers(t *testing.T) {
	tests := []struct {
		model      string
		configured int
		factor     float64
		want       int
	}{
		{"gpt-4o", 0, 0, 6000},
		{"openai/gpt-4.1", 0, 0, 6000},
		{"gpt-5.6-terra", 0, 0, 6000},
		{"GPT-5", 0, 0, 6000},
		{"claude-sonnet-4-5", 0, 0, 6000},
		{"o3", 0, 0, 6000},
		{"gpt-4.1-nano", 0, 0, 3000},
		{"gpt-4o-mini", 0, 0, 3000},
		{"gpt-4", 0, 0, 3000},
		{"o30-something", 0, 0, 3000},
		{"llama3.2:3b", 0, 0, 3000},
		{"mistral-large-7b", 0, 0, 3000},
		{"mistral-large:123b", 0, 0, 6000},
		{"", 0, 0, 3000},
		{"qwen2.5:72b", 0, 0, 3000},
		{"qwen2.5:72b", 8000, 0, 8000},
		{"gpt-4o", 4000, 0, 4000},
		{"gpt-4o", 0, 1.5, 4000},
		{"gpt-4o", 0, 100, 3000},
		{"gpt-4o", 0, 0.8, 7500},
	}
	for _, tt := range tests {
		if got := diagnose.PromptTokens(tt.model, tt.configured, tt.factor); got != tt.want {
			t.Errorf("%q, configured %d, factor %v: %d tokens, want %d", tt.model, tt.configured, tt.factor, got, tt.want)
		}
	}
}
