package channeltest

import (
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// testExplained is about an incident that goes on in another one: who knows of it is told where, nobody else is.
func testExplained(t *testing.T, s Subject) {
	c := Add(Opened("checkout"), schema.EventFolded)
	if p, ok := s.Channel.Next(c, channel.Told{}, channel.Terms{}); ok {
		t.Errorf("posted as %s to a receiver that never heard of it", p.Key)
	}
	opened, _ := tell(t, s, Opened("checkout"), channel.Told{})
	known, got := tell(t, s, c, opened)
	says := func(text string) bool { return strings.Contains(text, "part of shop/db") }
	if !over(got[0]) || !reads(got, says) && (worded(got) || !s.Wordless) {
		t.Errorf("got %+v, want it to say what it is part of", got)
	}
	_, got = tell(t, s, Add(c, schema.EventReopened), known)
	if last := got[len(got)-1]; over(last) || strings.Contains(last.Text, "part of") {
		t.Errorf("got %+v, want an incident of its own", got)
	}
}

// testMany is about one incident for many objects.
func testMany(t *testing.T, s Subject) {
	storm := Storm(1000)
	tests := []struct {
		name string
		c    schema.Conversation
		told *schema.Conversation // before; nil: nothing
		says []string
	}{
		{"a-node-under-fifty", NodeDown(50), nil, []string{"n7", "50", "web", "(+47)"}},
		{"a-storm-of-a-thousand", Storm(1000), nil, []string{"prod", "1000", "web", "(+997)", "shop/db"}},
		{"a-node-under-ten-thousand", NodeDown(10_000), nil, []string{"n7", "10000", "(+9997)"}},
		{"grown", Add(NodeDown(50), schema.EventGrown), nil, []string{"n7"}},
		{"over", Add(storm, schema.EventCleared), &storm, []string{"prod"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var known channel.Told
			if tt.told != nil {
				known, _ = tell(t, s, *tt.told, known)
			}
			_, got := tell(t, s, tt.c, known)
			for _, g := range got {
				if g.Size > s.MaxBody {
					t.Errorf("body of %d bytes, want at most %d", g.Size, s.MaxBody)
				}
			}
			for _, want := range tt.says {
				if !reads(got, func(text string) bool { return strings.Contains(text, want) }) && (worded(got) || !s.Wordless) {
					t.Errorf("%q does not say %q", got[0].Text, want)
				}
			}
		})
	}
}
