package channel_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestLinksAreThoseOfTheConversationOrItsRunbook(t *testing.T) {
	labels := map[string]string{"runbook": "https://runbooks.example/new"}
	tests := []struct {
		name string
		c    schema.Conversation
		want []channel.Link
	}{
		{"none", schema.Conversation{}, []channel.Link{}},
		{"stored-before-there-were-links", schema.Conversation{Labels: labels}, []channel.Link{{Title: "Runbook", URL: "https://runbooks.example/new"}}},
		{
			"those-that-were-stored",
			schema.Conversation{Labels: labels, Links: []schema.Link{{Title: "Logs\x1b[2J", URL: "https://logs.example/"}}},
			[]channel.Link{{Title: "Logs", URL: "https://logs.example/"}},
		},
		{"no-web-address", schema.Conversation{Links: []schema.Link{{Title: "A", URL: "javascript:alert(1)"}, {Title: "B", URL: "https://u:p@x/"}}}, []channel.Link{}},
		{
			"long-title",
			schema.Conversation{Links: []schema.Link{{Title: strings.Repeat("a", 500), URL: "https://x/"}}},
			[]channel.Link{{Title: strings.Repeat("a", 100), URL: "https://x/"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, channel.Links(tt.c)); diff != "" {
				t.Errorf("links (-want +got):\n%s", diff)
			}
		})
	}
	var many schema.Conversation
	for i := range 50 {
		many.Links = append(many.Links, schema.Link{Title: "T", URL: fmt.Sprintf("https://x/%d", i)})
	}
	if got := channel.Links(many); len(got) != schema.MaxLinks {
		t.Errorf("%d links", len(got))
	}
}
