package channel_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const (
	ownLine   = "panic: no route to ledger:5137"
	otherLine = "lease of shard 9024 given back"
)

// logging is a conversation with a line of its object's own log and, before it, one of another's.
func logging() schema.Conversation {
	c := channeltest.Opened("checkout")
	c.Evidence = []schema.Evidence{
		{ID: "E1", Kind: "condition", Text: "0 of 3 running"},
		{ID: "E2", Kind: "log", Object: "shop/db", Text: otherLine},
		{ID: "E3", Kind: "log", Object: "shop/checkout", Text: ownLine},
		{ID: "E4", Kind: "log", Object: "shop/checkout", Text: "and another"},
	}
	return c
}

func TestEvidenceShowsAsMuchOfLogsAsItMay(t *testing.T) {
	tests := []struct{ logs, want string }{
		{channel.LogsOff, "E1"},
		{channel.LogsLine, "E1 E3"},
		{"", "E1 E3"},
		{channel.LogsFull, "E1 E2 E3 E4"},
	}
	for _, tt := range tests {
		var got []string
		for _, e := range channel.Shown(logging(), tt.logs).Evidence {
			got = append(got, e.ID)
		}
		if diff := cmp.Diff(tt.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.logs, diff)
		}
	}
	foreign := logging()
	foreign.Object.Name = "gateway"
	if got := channel.Shown(foreign, channel.LogsLine).Evidence; len(got) != 2 || got[1].ID != "E2" {
		t.Errorf("without a line of its own it shows %+v, want the first of the others", got)
	}
}

func TestLinesThatMayNotBeShownAreQuotedByNothing(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"whole", "it says “" + ownLine + "”", "it says “(log line not shown)”"},
		{"cut", "it says “" + ownLine[:26] + "…”", "it says “(log line not shown)…”"},
		{"twice", ownLine + " / " + ownLine, "(log line not shown) / (log line not shown)"},
		{"of-another", "E2 log of shop/db: " + otherLine + " (3 times)", "E2 log of shop/db: (log line not shown) (3 times)"},
		{"looked-up", "It waits.\n\nLooked up at 08:00:41 UTC: logs of shop/db:\nL1 08:00:40 UTC db-1 “ready”\nL2 08:00:41 UTC db-1 “gone”", "It waits.\n\nLooked up at 08:00:41 UTC: logs of shop/db:\nL1 08:00:40 UTC db-1 (log line not shown)\nL2 08:00:41 UTC db-1 (log line not shown)"},
		{"in-other-words", "there is no route to it", "there is no route to it"},
		{"what-a-person-says", "Let us “wait” for it", "Let us “wait” for it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := logging()
			c.Messages[0].Content, c.Title = tt.text, tt.text
			d := *c.Diagnosis
			d.Summary, d.RootCause.Statement, d.ConfidenceWhy, d.Action.Reason = tt.text, tt.text, tt.text, tt.text
			d.Evidence, d.Alternatives = []schema.Citation{{ID: "E3", Why: tt.text}}, []schema.Alternative{{Statement: tt.text, Check: tt.text}}
			c.Diagnosis, c.Conditions[0].Facts = &d, []string{tt.text}
			c.Episodes = []schema.Episode{{Number: 1, Diagnosis: tt.text}}
			before := encoded(t, c)
			got := channel.Shown(c, channel.LogsOff)
			texts := []string{
				got.Messages[0].Content, got.Title, got.Diagnosis.Summary, got.Diagnosis.RootCause.Statement, got.Diagnosis.ConfidenceWhy,
				got.Diagnosis.Action.Reason, got.Diagnosis.Evidence[0].Why, got.Diagnosis.Alternatives[0].Statement,
				got.Diagnosis.Alternatives[0].Check, got.Conditions[0].Facts[0], got.Episodes[0].Diagnosis,
			}
			for i, text := range texts {
				if text != tt.want {
					t.Errorf("text %d: %q, want %q", i, text, tt.want)
				}
			}
			if diff := cmp.Diff(before, encoded(t, c)); diff != "" {
				t.Errorf("the conversation was changed (-before +after):\n%s", diff)
			}
		})
	}
}

func encoded(t *testing.T, c schema.Conversation) string {
	t.Helper()
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
