package channeltest

import (
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func testStandsIn(t *testing.T, s Subject) {
	const other = "night-pager"
	names := func(text string) bool {
		return strings.Contains(text, other) && strings.Contains(text, "cannot be reached")
	}
	c := Opened("checkout")
	known, got, _ := drive(t, s, c, channel.Told{}, channel.Terms{StandsInFor: other})
	if !reads(got, names) {
		t.Errorf("nothing says for whom it stands in: %+v", got)
	}
	if _, got, _ := drive(t, s, Add(c, schema.EventWorsened), known, channel.Terms{}); reads(got, names) {
		t.Errorf("it says that it stands in, and does not: %+v", got)
	}
}

// Lines of logs as nothing else would say them.
const (
	ownLine   = "zulu-5137 cannot reach the ledger on port 5137"
	otherLine = "quebec-9024 gave the lease of shard 9024 back"
	askedLine = "yankee-4471 answered in 4471 ms"
)

// talkative is a conversation with log lines in its evidence, in its diagnosis and in an answer.
func talkative() schema.Conversation {
	c := Opened("checkout")
	c.Evidence = []schema.Evidence{
		{ID: "E1", Kind: "condition", Text: "0 of 3 running"},
		{ID: "E2", Kind: "log", Object: "shop/db", Text: otherLine},
		{ID: "E3", Kind: "log", Object: "shop/checkout", Text: ownLine},
	}
	d := *c.Diagnosis
	d.Summary = "checkout ends: “" + ownLine[:30] + "…”"
	d.RootCause.Statement = "db says “" + otherLine + "”"
	c.Diagnosis = &d
	c = Add(c, schema.EventAnswered)
	c.Messages[len(c.Messages)-1].Content = "It waits.\n\nLooked up at 08:00:41 UTC: logs of shop/checkout:\nL1 08:00:40 UTC shop-checkout-1 “" + askedLine + "”"
	return c
}

func testLogs(t *testing.T, s Subject) {
	tests := []struct {
		logs string
		want map[string]bool // shown; a line that is not in it may be or not, and what quotes it is not the evidence
	}{
		{channel.LogsOff, map[string]bool{"zulu-5137": false, "quebec-9024": false, "yankee-4471": false}},
		{channel.LogsLine, map[string]bool{ownLine: true}},
		{"", map[string]bool{ownLine: true}},
		{channel.LogsFull, map[string]bool{ownLine: true, otherLine: true}},
	}
	for _, tt := range tests {
		t.Run("logs-"+tt.logs, func(t *testing.T) {
			_, got, _ := drive(t, s, talkative(), channel.Told{}, channel.Terms{Logs: tt.logs})
			for line, want := range tt.want {
				if s.HidesLogs && tt.logs != channel.LogsOff {
					continue
				}
				shown := false
				for _, g := range got {
					shown = shown || holds(g, line)
				}
				if shown != want {
					t.Errorf("shows %q: %v, want %v", line, shown, want)
				}
			}
		})
	}
}
