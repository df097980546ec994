package notifier

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestJudge(t *testing.T) {
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	passing := errors.New("connection refused")
	wrapped := func(err error) error { return fmt.Errorf("post: %w", err) }
	tests := []struct {
		name    string
		outcome error
		attempt int
		age     time.Duration
		want    verdict
	}{
		{"first-failure-waits-a-second", passing, 1, 0, verdict{again, time.Second}},
		{"delay-doubles", passing, 4, time.Minute, verdict{again, 8 * time.Second}},
		{"delay-is-capped", passing, 10, time.Hour, verdict{again, 5 * time.Minute}},
		{"many-attempts-do-not-overflow", passing, 1 << 40, time.Hour, verdict{again, 5 * time.Minute}},
		{"just-within-a-day", passing, 9, 24*time.Hour - 1, verdict{again, 256 * time.Second}},
		{"a-day-is-enough", passing, 9, 24 * time.Hour, verdict{action: giveUp}},
		{"ambiguous-keeps-its-key", wrapped(channel.ErrAmbiguous), 1, 0, verdict{unsure, time.Second}},
		{"ambiguous-for-a-day", wrapped(channel.ErrAmbiguous), 400, 25 * time.Hour, verdict{action: giveUp}},
		{"throttled-until-then", wrapped(channel.Throttled{Until: now.Add(40 * time.Second)}), 1, 0, verdict{hold, 40 * time.Second}},
		{"throttled-for-too-long", wrapped(channel.Throttled{Until: now.Add(time.Hour)}), 1, 0, verdict{hold, 15 * time.Minute}},
		{"gone", wrapped(channel.ErrGone), 1, 0, verdict{gone, 5 * time.Minute}},
		{"gone-for-a-day-waits-for-a-person", wrapped(channel.ErrGone), 1, 48 * time.Hour, verdict{gone, 5 * time.Minute}},
		{"throttled-until-the-past", wrapped(channel.Throttled{Until: now.Add(-time.Second)}), 1, 0, verdict{hold, 0}},
		{"throttled-for-a-day", wrapped(channel.Throttled{Until: now.Add(time.Second)}), 1, 24 * time.Hour, verdict{action: giveUp}},
		{"set-up-wrongly", wrapped(channel.ErrSetup), 1, 0, verdict{slow, 5 * time.Minute}},
		{"refused", wrapped(channel.ErrRefused), 1, 0, verdict{action: giveUp}},
		{"too-big", wrapped(channel.ErrTooBig), 1, 0, verdict{action: giveUp}},
		{"the-search-is-refused", notFound("k", wrapped(channel.ErrRefused)), 1, 0, verdict{unsure, time.Second}},
		{"the-search-finds-no-card", notFound("k", wrapped(channel.ErrLostRoot)), 1, 0, verdict{action: renew}},
		{"the-search-is-throttled", notFound("k", channel.Throttled{Until: now.Add(time.Minute)}), 1, 0, verdict{hold, time.Minute}},
		{"root-is-gone", wrapped(channel.ErrLostRoot), 1, 0, verdict{action: renew}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := judge(tt.outcome, tt.attempt, now.Add(-tt.age), now); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestJitterNeverCutsAPauseShort(t *testing.T) {
	for range 1000 {
		for _, a := range []action{hold, slow} {
			if got := jittered(verdict{a, time.Minute}); got < time.Minute || got > 2*time.Minute {
				t.Fatalf("a pause of 1m became %s", got)
			}
		}
		if got := jittered(verdict{again, time.Minute}); got > time.Minute+time.Millisecond {
			t.Fatalf("a delay of at most 1m became %s", got)
		}
	}
}

func TestMergeNeverForgets(t *testing.T) {
	mine, yours := &channel.Claim{Key: "c-2", Holder: "me"}, &channel.Claim{Key: "c-4", Holder: "you"}
	tests := []struct {
		name         string
		ours, theirs channel.Told
		want         channel.Told
	}{
		{"our-claim-is-over", channel.Told{Revision: 2, Ref: "a"}, channel.Told{Revision: 1, Claim: mine}, channel.Told{Revision: 2, Ref: "a"}},
		{"their-claim-stays", channel.Told{Revision: 2}, channel.Told{Revision: 1, Claim: yours}, channel.Told{Revision: 2, Claim: yours}},
		{"they-are-further", channel.Told{Revision: 2, Ref: "a"}, channel.Told{Revision: 3, Episode: 2, Ref: "b"}, channel.Told{Revision: 3, Episode: 2, Ref: "b"}},
		{"given-up-stays", channel.Told{Revision: 2}, channel.Told{GaveUp: 3}, channel.Told{Revision: 2, GaveUp: 3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, merge(tt.ours, tt.theirs, mine)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestBegunAnew(t *testing.T) {
	told := channel.Told{Revision: 2, Episode: 1, At: channeltest.At(2)}
	two := channeltest.Add(channeltest.Opened("checkout"), schema.EventDiagnosed)
	later := func(c schema.Conversation) schema.Conversation {
		for i := range c.Messages {
			c.Messages[i].At = c.Messages[i].At.AddDate(0, 4, 0)
		}
		return c
	}
	ahead := channel.Told{Revision: 3, Episode: 1, At: channeltest.At(1)} // by a clock that is behind that of revision 2
	second := told
	second.Episode = 2
	tests := []struct {
		name string
		c    schema.Conversation
		told channel.Told
		want bool
	}{
		{"never-told", two, channel.Told{}, false},
		{"same", two, told, false},
		{"older-state-of-the-same", channeltest.Opened("checkout"), told, false},
		{"older-state-by-a-clock-ahead", two, ahead, false},
		{"gone-on", channeltest.Add(two, schema.EventCleared), told, false},
		{"next-episode", channeltest.NewEpisode(two), told, false},
		{"at-revision-1-again", later(channeltest.Opened("checkout")), told, true},
		{"at-the-same-revision-again", later(channeltest.Add(channeltest.Opened("checkout"), schema.EventDiagnosed)), told, true},
		{"at-an-earlier-episode-again", channeltest.Add(two, schema.EventCleared), second, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := begunAnew(tt.c, tt.told); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// A message that no analyzer stored nudges, but what it says of the conversation is never told.
func TestOnlyAnEventIsTakenForAPastState(t *testing.T) {
	c := channeltest.Opened("checkout")
	body, err := json.Marshal(schema.Alert{Event: c.Messages[0], Conversation: c})
	if err != nil {
		t.Fatal(err)
	}
	for event, want := range map[string]string{"opened": c.ID, "": ""} {
		in := turn{m: bus.Message{Event: event, Data: body}, id: c.ID, cluster: schema.Token(c.Cluster)}
		if got := in.hand().ID; got != want {
			t.Errorf("with event header %q: conversation %q in hand, want %q", event, got, want)
		}
	}
}

func TestWaitingForgetsWhatIsLongOverdue(t *testing.T) {
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	w := newWaiting()
	w.add("a", now.Add(time.Minute))
	w.add("b", now)
	w.add("b", now.Add(time.Second))
	w.add("c", now)
	w.remove("c")
	if got := w.count(now); got != 2 {
		t.Errorf("%d wait, want 2", got)
	}
	if got := w.count(now.Add(90 * time.Second)); got != 1 {
		t.Errorf("%d wait after 90 s, want 1", got)
	}
}
