package channeltest

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func testOrder(t *testing.T, s Subject) {
	c := Opened("checkout")
	known, all := tell(t, s, c, channel.Told{})
	for _, kind := range []string{schema.EventDiagnosed, schema.EventAcknowledged, schema.EventWorsened, schema.EventCleared} {
		c = Add(c, kind)
		after, got, _ := drive(t, s, c, known, channel.Terms{})
		if told := len(got) > 0; told != s.tells(kind) {
			t.Errorf("%s is told: %v, want %v", kind, told, s.tells(kind))
		}
		if len(got) > max(s.Parts, 1) {
			t.Errorf("%s takes %d posts, want at most %d", kind, len(got), max(s.Parts, 1))
		}
		for _, g := range got {
			if n, ok := channel.Revision(g.Key); !ok || n != c.Revision {
				t.Errorf("%s is told under the key %s, want one of revision %d", kind, g.Key, c.Revision)
			}
		}
		known, all = after, append(all, got...)
	}
	if last := all[len(all)-1]; !over(last) {
		t.Errorf("the receiver does not know that it is over: %s", last.Body)
	}
	once := map[string]bool{}
	var events []string
	for _, g := range all {
		if once[g.Key] {
			t.Errorf("two posts have the key %s", g.Key)
		}
		once[g.Key] = true
		events = append(events, g.Events...)
	}
	if diff := cmp.Diff(ids(c), events); len(events) > 0 && diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func ids(c schema.Conversation) []string {
	var all []string
	for _, m := range c.Messages {
		all = append(all, m.ID)
	}
	return all
}

func testLate(t *testing.T, s Subject) {
	older := Add(Opened("checkout"), schema.EventDiagnosed)
	newer := Add(older, schema.EventWorsened)
	known, _ := tell(t, s, newer, channel.Told{})
	for _, c := range []schema.Conversation{newer, older, Opened("checkout")} {
		if p, ok := s.Channel.Next(c, known, channel.Terms{}); ok {
			t.Errorf("revision %d is posted again as %s after %d", c.Revision, p.Key, known.Revision)
		}
	}
}

func testCoalescing(t *testing.T, s Subject) {
	c := Add(Opened("checkout"), schema.EventDiagnosed, schema.EventAcknowledged, schema.EventWorsened)
	known, got := tell(t, s, c, channel.Told{})
	if first := got[0]; len(first.Events) > 0 {
		if diff := cmp.Diff(ids(c), first.Events); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	}
	for _, g := range got {
		if n, _ := channel.Revision(g.Key); n != c.Revision || g.State != "" && g.State != c.State {
			t.Errorf("key %s and state %s, want the newest", g.Key, g.State)
		}
	}
	if p, ok := s.Channel.Next(c, known, channel.Terms{}); ok {
		t.Errorf("posted again as %s", p.Key)
	}
}

func testOverAlready(t *testing.T, s Subject) {
	c := Add(Opened("checkout"), schema.EventCleared)
	if s.SkipsOver {
		if p, ok := s.Channel.Next(c, channel.Told{}, channel.Terms{}); ok {
			t.Errorf("what is over is posted as %s", p.Key)
		}
		return
	}
	if _, got := tell(t, s, c, channel.Told{}); !over(got[0]) {
		t.Errorf("the receiver does not know that it is over: %s", got[0].Body)
	}
}

func testPure(t *testing.T, s Subject) {
	c := Add(Opened("checkout"), schema.EventDiagnosed)
	for _, logs := range []string{channel.LogsOff, channel.LogsLine, channel.LogsFull} {
		before, terms := encode(t, c), channel.Terms{Logs: logs}
		one, _ := s.Channel.Next(c, channel.Told{}, terms)
		two, _ := s.Channel.Next(c, channel.Told{}, terms)
		if diff := cmp.Diff(one, two); diff != "" {
			t.Errorf("the same state gives two posts (-first +second):\n%s", diff)
		}
		if diff := cmp.Diff(before, encode(t, c)); diff != "" {
			t.Errorf("the conversation was changed (-before +after):\n%s", diff)
		}
	}
	if got := s.Receiver.Got(); len(got) > 0 {
		t.Errorf("%d posts arrived before any was made", len(got))
	}
}

func encode(t *testing.T, c schema.Conversation) string {
	t.Helper()
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func testInformation(t *testing.T, s Subject) {
	c := Opened("checkout")
	c.Severity = schema.SeverityInfo
	if p, ok := s.Channel.Next(c, channel.Told{}, channel.Terms{}); ok {
		t.Errorf("information is posted as %s", p.Key)
	}
	c = Add(c, schema.EventCleared)
	if _, ok := s.Channel.Next(c, told(1), channel.Terms{}); !ok {
		t.Error("the end of an incident that the receiver knows is not told because it was mere information at the end")
	}
}

func testSilence(t *testing.T, s Subject) {
	c := Add(Opened("checkout"), schema.EventSilenced)
	ended, broken := Add(c, schema.EventCleared), Add(c, schema.EventWorsened, schema.EventUnsilenced)
	tests := []struct {
		name string
		c    schema.Conversation
		told channel.Told
		want bool
	}{
		{"silenced-before-it-was-told", c, channel.Told{}, false},
		{"silenced-after-it-was-told", c, told(1), s.Ends || s.Edits},
		{"silence-that-was-told-or-need-not-be", c, told(2), false},
		{"silence-covers-the-end", ended, channel.Told{}, false},
		{"end-of-what-was-told", ended, told(1), true},
		{"worse-than-what-was-silenced", broken, channel.Told{}, true},
		{"worse-than-what-was-told", broken, told(1), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, got := s.Channel.Next(tt.c, tt.told, channel.Terms{})
			if got != tt.want {
				t.Errorf("posted: %v, want %v", got, tt.want)
			}
			if tt.c.State == schema.StateSilenced && p.Sound != channel.Quietly {
				t.Errorf("what is silenced sounds %d", p.Sound)
			}
		})
	}
}

// testNewEpisode is about what began again after its end, of which the receiver may not have been told.
func testNewEpisode(t *testing.T, s Subject) {
	first := Opened("checkout")
	known, _ := tell(t, s, first, channel.Told{})
	second := NewEpisode(first)
	known, got, loudest := drive(t, s, second, known, channel.Terms{})
	if len(got) == 0 || over(got[len(got)-1]) {
		t.Fatalf("got %s, want the new episode to be open", keys(got))
	}
	if want := channel.SoundOf(s.Family, second, second.Messages[0]); loudest != want {
		t.Errorf("the new episode sounds %d, want %d", loudest, want)
	}
	if _, got = tell(t, s, Add(second, schema.EventCleared), known); !over(got[0]) {
		t.Errorf("the receiver does not know that the new episode is over: %s", got[0].Body)
	}
}
