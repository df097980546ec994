package docker

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLabelsAreCollectedAndThoseForBellbuoyComeFirst(t *testing.T) {
	long := "https://runbooks.example/" + strings.Repeat("x", maxRunbook)
	tests := []struct {
		name    string
		labels  map[string]string
		collect []string
		want    map[string]string
	}{
		{"none", map[string]string{"team": "shop"}, nil, nil},
		{"collected", map[string]string{"team": "shop", "other": "x"}, []string{"team"}, map[string]string{"team": "shop"}},
		{
			"ours-without-being-collected",
			map[string]string{"bellbuoy.team": "shop", "bellbuoy.runbook": "https://x"},
			nil,
			map[string]string{"bellbuoy.team": "shop", "team": "shop", "bellbuoy.runbook": "https://x", "runbook": "https://x"},
		},
		{
			"ours-overrules",
			map[string]string{"bellbuoy.team": "shop", "team": "platform"},
			[]string{"team"},
			map[string]string{"bellbuoy.team": "shop", "team": "shop"},
		},
		{
			"ours-empty-overrules-nothing",
			map[string]string{"bellbuoy.team": " ", "team": "platform"},
			[]string{"team"},
			map[string]string{"bellbuoy.team": "", "team": "platform"},
		},
		{"only-these-two", map[string]string{"bellbuoy.owner": "anna"}, []string{"owner"}, map[string]string{"bellbuoy.owner": "anna"}},
		{"long-runbook-is-no-half-link", map[string]string{"runbook": long, "bellbuoy.runbook": long}, []string{"runbook"}, nil},
		{
			"password-in-a-runbook",
			map[string]string{"bellbuoy.runbook": "https://u:hunter2@x/"},
			nil,
			map[string]string{"bellbuoy.runbook": "https://u:[REDACTED:url]@x/", "runbook": "https://u:[REDACTED:url]@x/"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, collected(tt.labels, tt.collect)); diff != "" {
				t.Errorf("labels (-want +got):\n%s", diff)
			}
		})
	}
}
