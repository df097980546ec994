package analyzer

import (
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
)

func TestTheLengthOfAPromptFollowsTheModelItsServerAndWhatItCounts(t *testing.T) {
	text := diagnose.Prompt{User: strings.Repeat("connection refused\n", 100)}
	counts := diagnose.Tokens(text.User)
	tests := []struct {
		name   string
		length *length
		counts []int
		want   int
	}{
		{"known", &length{model: "gpt-4o"}, nil, 6000},
		{"unknown", &length{model: "my-model"}, nil, 3000},
		{"server-reads-less", &length{model: "gpt-4o", reads: func() int { return 2000 }}, nil, 2000},
		{"server-reads-more", &length{model: "my-model", reads: func() int { return 6000 }}, nil, 3000},
		{"configured", &length{model: "my-model", configured: 5000, reads: func() int { return 2000 }}, nil, 5000},
		{"counts-as-we-do", &length{model: "gpt-4o"}, []int{counts, counts}, 6000},
		{"counts-twice", &length{model: "gpt-4o"}, []int{2 * counts}, 4800},
		{"says-nothing", &length{model: "gpt-4o"}, []int{0, 0}, 6000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, n := range tt.counts {
				tt.length.learn(text, n)
			}
			if got := tt.length.tokens(); got != tt.want {
				t.Errorf("%d tokens, want %d", got, tt.want)
			}
		})
	}
}
