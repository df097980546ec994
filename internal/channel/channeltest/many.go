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
	p, ok := s.Channel.Next(c, channel.Told{Revision: 1, Episode: 1, At: At(1)}, channel.Terms{})
	if !ok {
		t.Fatal("nothing to post to a receiver that believes it open")
	}
	told := tell(t, s, p, c.Episode)
	got := s.Receiver.Got()
	if len(got) != 1 || got[0].State != schema.StateFolded || !strings.Contains(got[0].Text, "part of shop/db") {
		t.Errorf("got %+v, want one post that says what it is part of", got)
	}
	again, ok := s.Channel.Next(Add(c, schema.EventReopened), told, channel.Terms{})
	if !ok {
		t.Fatal("nothing to post of one that stands for itself again")
	}
	tell(t, s, again, c.Episode)
	if got := s.Receiver.Got(); len(got) != 2 || strings.Contains(got[1].Text, "part of") {
		t.Errorf("got %+v, want a second post of an incident of its own", got)
	}
}

// testMany is about one incident for many objects.
func testMany(t *testing.T, s Subject) {
	tests := []struct {
		name string
		c    schema.Conversation
		says []string
	}{
		{"a-node-under-fifty", NodeDown(50), []string{"n7", "50", "web", "(+47)"}},
		{"a-storm-of-a-thousand", Storm(1000), []string{"prod", "1000", "web", "(+997)", "shop/db"}},
		{"a-node-under-ten-thousand", NodeDown(10_000), []string{"n7", "10000", "(+9997)"}},
		{"grown", Add(NodeDown(50), schema.EventGrown), []string{"n7"}},
		{"over", Add(Storm(1000), schema.EventCleared), []string{"prod"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := len(s.Receiver.Got())
			p, ok := s.Channel.Next(tt.c, channel.Told{}, channel.Terms{})
			if !ok {
				t.Fatal("nothing to post")
			}
			tell(t, s, p, tt.c.Episode)
			got := s.Receiver.Got()
			if len(got) != before+1 {
				t.Fatalf("%d posts arrived, want one", len(got)-before)
			}
			if got[before].Size > s.MaxBody {
				t.Errorf("body of %d bytes, want at most %d", got[before].Size, s.MaxBody)
			}
			for _, want := range tt.says {
				if !strings.Contains(got[before].Text, want) {
					t.Errorf("%q does not say %q", got[before].Text, want)
				}
			}
		})
	}
}
