package channeltest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func testOrder(t *testing.T, s Subject) {
	told := channel.Told{}
	c := Opened("checkout")
	steps := []string{schema.EventDiagnosed, schema.EventAcknowledged, schema.EventWorsened, schema.EventCleared}
	for i := 0; ; i++ {
		p, ok := s.Channel.Next(c, told, channel.Terms{})
		if !ok {
			t.Fatalf("nothing to post of revision %d", c.Revision)
		}
		told = tell(t, s, p, c.Episode)
		if i == len(steps) {
			break
		}
		c = Add(c, steps[i])
	}
	var events, keys []string
	for _, g := range s.Receiver.Got() {
		events, keys = append(events, g.Events...), append(keys, g.Key)
	}
	if diff := cmp.Diff(ids(c), events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(ids(c), keys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
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
	newer := Add(older, schema.EventAcknowledged)
	p, ok := s.Channel.Next(newer, channel.Told{}, channel.Terms{})
	if !ok {
		t.Fatal("nothing to post of a new conversation")
	}
	told := tell(t, s, p, newer.Episode)
	for _, c := range []schema.Conversation{newer, older, Opened("checkout")} {
		if p, ok := s.Channel.Next(c, told, channel.Terms{}); ok {
			t.Errorf("revision %d is posted again as %s after %d", c.Revision, p.Key, told.Revision)
		}
	}
}

func testCoalescing(t *testing.T, s Subject) {
	c := Add(Opened("checkout"), schema.EventDiagnosed, schema.EventWorsened, schema.EventAcknowledged)
	p, ok := s.Channel.Next(c, channel.Told{}, channel.Terms{})
	if !ok {
		t.Fatal("nothing to post")
	}
	told := tell(t, s, p, c.Episode)
	got := s.Receiver.Got()
	if len(got) != 1 {
		t.Fatalf("%d posts for four events that waited, want 1", len(got))
	}
	if diff := cmp.Diff(ids(c), got[0].Events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if got[0].Key != ids(c)[3] || got[0].State != schema.StateAcknowledged {
		t.Errorf("key %s and state %s, want the newest", got[0].Key, got[0].State)
	}
	if p, ok := s.Channel.Next(c, told, channel.Terms{}); ok {
		t.Errorf("posted again as %s", p.Key)
	}
}

func testOverAlready(t *testing.T, s Subject) {
	c := Add(Opened("checkout"), schema.EventCleared)
	p, ok := s.Channel.Next(c, channel.Told{}, channel.Terms{})
	if !ok {
		t.Fatal("nothing to post of an incident that nobody has heard of")
	}
	tell(t, s, p, c.Episode)
	if got := s.Receiver.Got(); len(got) != 1 || got[0].State != schema.StateCleared {
		t.Errorf("got %+v, want one post that says cleared", got)
	}
}

func testPure(t *testing.T, s Subject) {
	c := Add(Opened("checkout"), schema.EventDiagnosed)
	before := encode(t, c)
	one, _ := s.Channel.Next(c, channel.Told{}, channel.Terms{})
	two, _ := s.Channel.Next(c, channel.Told{}, channel.Terms{})
	if diff := cmp.Diff(one, two); diff != "" {
		t.Errorf("the same state gives two posts (-first +second):\n%s", diff)
	}
	if diff := cmp.Diff(before, encode(t, c)); diff != "" {
		t.Errorf("the conversation was changed (-before +after):\n%s", diff)
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
	if _, ok := s.Channel.Next(c, channel.Told{Revision: 1, Episode: 1, At: At(1)}, channel.Terms{}); !ok {
		t.Error("the end of an incident that the receiver knows is not told because it was mere information at the end")
	}
}

func testSilence(t *testing.T, s Subject) {
	c := Add(Opened("checkout"), schema.EventSilenced)
	unknown, known := channel.Told{}, channel.Told{Revision: 1, Episode: 1, At: At(1), Ref: "room:1", Lines: 1}
	over, broken := Add(c, schema.EventCleared), Add(c, schema.EventWorsened, schema.EventUnsilenced)
	tests := []struct {
		name string
		c    schema.Conversation
		told channel.Told
		want bool
	}{
		{"silenced-before-it-was-told", c, unknown, false},
		{"silenced-after-it-was-told", c, known, s.Edits},
		{"silence-covers-the-end", over, unknown, false},
		{"end-of-what-was-told", over, known, true},
		{"worse-than-what-was-silenced", broken, unknown, true},
		{"worse-than-what-was-told", broken, known, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, got := s.Channel.Next(tt.c, tt.told, channel.Terms{})
			if got != tt.want {
				t.Errorf("posted: %v, want %v", got, tt.want)
			}
			if tt.c.State == schema.StateSilenced && p.Sound != channel.Quietly {
				t.Errorf("a silenced one sounds %v", p.Sound)
			}
		})
	}
}

func testVerdicts(t *testing.T, s Subject) {
	tests := []struct {
		name   string
		answer Answer
		want   error // nil: passing
	}{
		{"passing-failure", Fails, nil},
		{"refused", Refuses, channel.ErrRefused},
		{"too-big", TooBig, channel.ErrTooBig},
		{"forbidden", Forbids, channel.ErrSetup},
		{"hangs-after-the-post", Hangs, channel.ErrAmbiguous},
		{"breaks-off-after-the-post", Resets, channel.ErrAmbiguous},
		{"unreachable", Unreachable, nil},
	}
	all := []error{channel.ErrRefused, channel.ErrTooBig, channel.ErrSetup, channel.ErrAmbiguous, channel.ErrLostRoot}
	p, _ := s.Channel.Next(Opened("checkout"), channel.Told{}, channel.Terms{})
	t.Run("throttled", func(t *testing.T) { testThrottled(t, s, p) })
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.Receiver.Answer(tt.answer)
			_, err := s.Channel.Post(t.Context(), p)
			if err == nil {
				t.Fatal("no error")
			}
			for _, verdict := range all {
				if is := errors.Is(err, verdict); is != errors.Is(tt.want, verdict) {
					t.Errorf("verdict %q: %v; the error is %q", verdict, is, err)
				}
			}
		})
	}
}

func testThrottled(t *testing.T, s Subject, p channel.Post) {
	s.Receiver.Answer(Throttles)
	before := time.Now()
	_, err := s.Channel.Post(t.Context(), p)
	var throttled channel.Throttled
	if !errors.As(err, &throttled) {
		t.Fatalf("error %v, want Throttled", err)
	}
	earliest, latest := before.Add(Pause-time.Second), time.Now().Add(Pause+time.Second)
	if throttled.Until.Before(earliest) || throttled.Until.After(latest) {
		t.Errorf("until %s, want %s from now", throttled.Until, Pause)
	}
}

func testSameKey(t *testing.T, s Subject) {
	p, _ := s.Channel.Next(Opened("checkout"), channel.Told{}, channel.Terms{})
	for _, a := range []Answer{Fails, Hangs, Takes} {
		s.Receiver.Answer(a)
		_, _ = s.Channel.Post(t.Context(), p) // the verdicts are another test's
	}
	for _, g := range s.Receiver.Got() {
		if g.Key != p.Key {
			t.Errorf("arrived under key %q, want %q", g.Key, p.Key)
		}
	}
	if n := len(s.Receiver.Got()); n != 3 {
		t.Errorf("%d attempts arrived, want 3", n)
	}
}

func testSecrets(t *testing.T, s Subject) {
	p, _ := s.Channel.Next(Opened("checkout"), channel.Told{}, channel.Terms{})
	for _, a := range []Answer{Fails, Throttles, Refuses, TooBig, Forbids, Hangs, Resets, Unreachable} {
		s.Receiver.Answer(a)
		_, err := s.Channel.Post(t.Context(), p)
		if err == nil {
			t.Fatalf("answer %d: no error", a)
		}
		for _, secret := range s.Secrets {
			if strings.Contains(fmt.Sprintf("%+v", err), secret) {
				t.Errorf("answer %d: the error contains a secret: %v", a, err)
			}
		}
		if len(err.Error()) > 1024 || !utf8.ValidString(err.Error()) || strings.ContainsFunc(err.Error(), unprintable) {
			t.Errorf("answer %d: the error is too long or not printable: %q", a, err)
		}
	}
}
