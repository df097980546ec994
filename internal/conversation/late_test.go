package conversation_test

import (
	"slices"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// What is found because nothing came after a snapshot goes on top of what that snapshot said, and under all later ones.
func TestLateFindingsGoOnTopOfTheirSnapshot(t *testing.T) {
	minute := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }
	late := func(at int, seq uint64, severity ...string) conversation.Found {
		f := finding(minute(at), seq, false)
		if len(severity) > 0 {
			f = finding(minute(at), seq, false, "service_down", severity[0])
		}
		f.Late = true
		return f
	}
	tests := []struct {
		name  string
		given []conversation.Event
		when  conversation.Found
		kinds []string
	}{
		{"opens", nil, late(0, 5, "info"), []string{"opened"}},
		{"the-same-again", []conversation.Event{late(0, 5, "info")}, late(1, 5, "info"), nil},
		{"worsens-though-no-snapshot-came", []conversation.Event{late(0, 5, "info")}, late(13, 5, "critical"), []string{"worsened"}},
		{"again-after-the-snapshot-that-cleared-it", []conversation.Event{late(0, 5, "critical"), finding(minute(1), 6, false)}, late(40, 6, "critical"), []string{"opened"}},
		{"superseded-by-a-later-snapshot", []conversation.Event{late(0, 5, "critical"), finding(minute(1), 6, false)}, late(2, 5, "critical"), nil},
		{"a-snapshot-itself-does-not", []conversation.Event{finding(minute(0), 5, false, "service_down", "warning")}, finding(minute(1), 5, false), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := after(tt.given...)
			c, reason := conversation.Next(before, tt.when)
			if got := added(before, c); !slices.Equal(tt.kinds, got) {
				t.Errorf("%v (%s), want %v", got, reason, tt.kinds)
			}
		})
	}
}

func TestWhatIsForgottenIsNeverCalledWell(t *testing.T) {
	c := after(finding(noon, 5, false, "service_down", "critical"))
	f := finding(noon.Add(24*time.Hour), 5, true)
	f.Late, f.Unjudged = true, "no snapshot of prod is kept any more"
	c, _ = conversation.Next(c, f)
	want := "No longer judged: no snapshot of prod is kept any more. Whether it is well is not known."
	if got := c.Messages[len(c.Messages)-1].Content; c.ClosedAs != schema.StateRemoved || got != want {
		t.Errorf("closed as %s: %s", c.ClosedAs, got)
	}
}
