package channeltest

import (
	"slices"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// steps are what may happen to an open conversation, each as the only thing that is new.
func steps() []string {
	return []string{
		schema.EventWorsened, schema.EventEased, schema.EventGrown, schema.EventDiagnosed, schema.EventAsked, schema.EventAnswered,
		schema.EventAcknowledged, schema.EventUnacknowledged, schema.EventUnsilenced, schema.EventEscalated, schema.EventStillFiring,
		schema.EventCleared, schema.EventResolved, schema.EventDismissed, schema.EventFolded, schema.EventJudged, schema.EventRefused,
	}
}

func testSounds(t *testing.T, s Subject) {
	opening := Opened("checkout")
	known, _ := tell(t, s, opening, channel.Told{})
	over, _ := tell(t, s, Add(opening, schema.EventCleared), known)
	for _, severity := range []string{schema.SeverityCritical, schema.SeverityWarning, schema.SeverityInfo} {
		t.Run(severity, func(t *testing.T) {
			opened := Opened("checkout")
			opened.Severity = severity
			if severity != schema.SeverityInfo {
				soundsAs(t, s, opened, channel.Told{}, "opened")
			}
			for _, kind := range steps() {
				soundsAs(t, s, Add(opened, kind), known, kind)
				soundsAs(t, s, Silently(Add(opened, kind)), known, "silent-"+kind)
			}
			soundsAs(t, s, Add(opened, schema.EventCleared, schema.EventReopened), over, "reopened")
		})
	}
}

// soundsAs checks the sound of what is new to a receiver, if it is told of it.
func soundsAs(t *testing.T, s Subject, c schema.Conversation, known channel.Told, name string) {
	t.Helper()
	_, got, loudest := drive(t, s, c, known, channel.Terms{})
	newest := c.Messages[len(c.Messages)-1]
	if want := channel.SoundOf(s.Family, c, newest); len(got) > 0 && loudest != want {
		t.Errorf("%s sounds %d, want %d", name, loudest, want)
	}
	if (newest.Silent || c.Severity == schema.SeverityInfo) && loudest != channel.Quietly {
		t.Errorf("%s sounds %d, and nothing may", name, loudest)
	}
}

// Silently is c whose newest event nobody need look up for.
func Silently(c schema.Conversation) schema.Conversation {
	c.Messages = slices.Clone(c.Messages)
	c.Messages[len(c.Messages)-1].Silent = true
	return c
}

func testMention(t *testing.T, s Subject) {
	if s.Calls == nil {
		return
	}
	c := Opened("checkout")
	terms := channel.Terms{Mention: s.Mention}
	if s.Mention == "" {
		terms.Mention = "@everyone"
	}
	calls := func(c schema.Conversation, known channel.Told) (called bool) {
		_, got, loudest := drive(t, s, c, known, terms)
		for _, g := range got {
			mentions, _ := s.Calls(g)
			called = called || slices.Contains(mentions, s.Mention)
			if s.Mention == "" && len(mentions) > 0 {
				t.Errorf("a channel that calls nobody calls %q", mentions)
			}
		}
		if s.Mention != "" && len(got) > 0 && called != (loudest == channel.Calling) {
			t.Errorf("%s: called %v at a sound of %d", c.Messages[len(c.Messages)-1].Kind, called, loudest)
		}
		return called
	}
	known, _ := tell(t, s, c, channel.Told{})
	if got := calls(c, channel.Told{}); got != (s.Mention != "" && s.Family == channel.Chat) {
		t.Errorf("a critical conversation that opens calls somebody: %v", got)
	}
	if calls(Add(c, schema.EventDiagnosed), known) || calls(Add(c, schema.EventCleared), known) {
		t.Error("what is quiet calls somebody")
	}
	for _, bad := range []string{"deploys are fine <https://evil.example|look>", "@everyone", "<!channel> and more"} {
		p, ok := s.Channel.Next(c, channel.Told{}, channel.Terms{Mention: bad})
		plain, _ := s.Channel.Next(c, channel.Told{}, channel.Terms{})
		if !ok || string(p.Body) != string(plain.Body) {
			t.Errorf("the mention %q, which is none, changes the post", bad)
		}
	}
}
