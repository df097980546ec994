package pace_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/pace"
)

var start = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func at(d time.Duration) time.Time { return start.Add(d) }

// failing is a state after n failures in a row, the newest at start.
func failing(n int) (s pace.State) {
	for range n {
		s = s.Failed("a", "refused", start, start)
	}
	return s
}

func TestAnswers(t *testing.T) {
	rated := pace.Rate{Every: time.Second, Burst: 3}
	single := pace.Rate{Every: time.Second, Burst: 1}
	gone := pace.State{}.SaidGone("410", start)
	paused := pace.State{}.Throttled(at(time.Minute), start)
	probed, _ := failing(5).Next(pace.Ask{Holder: "a"}, at(30*time.Second))
	tests := []struct {
		name  string
		state pace.State
		ask   pace.Ask
		after time.Duration
		want  pace.Answer
	}{
		{"nothing-is-known", pace.State{}, pace.Ask{}, 0, pace.Answer{}},
		{"four-failures-open-nothing", failing(4), pace.Ask{}, 0, pace.Answer{}},
		{"five-do", failing(5), pace.Ask{}, 10 * time.Second, pace.Answer{Why: pace.Opened, Wait: 20 * time.Second}},
		{"one-probe", failing(5), pace.Ask{Holder: "b"}, 30 * time.Second, pace.Answer{Probe: true}},
		{"not-two", probed, pace.Ask{Holder: "b"}, 31 * time.Second, pace.Answer{Why: pace.Opened, Wait: time.Second}},
		{"another-if-nobody-reports", probed, pace.Ask{Holder: "b"}, time.Minute, pace.Answer{Probe: true}},
		{"paused", paused, pace.Ask{Urgent: true}, 10 * time.Second, pace.Answer{Why: pace.Paused, Wait: 50 * time.Second}},
		{"pause-is-over", paused, pace.Ask{}, time.Minute, pace.Answer{}},
		{"gone", gone, pace.Ask{Urgent: true}, 1000 * time.Hour, pace.Answer{Why: pace.Gone, Wait: pace.GoneAgain}},
		{"a-test-goes-to-one-that-is-gone", gone, pace.Ask{Trial: true}, 0, pace.Answer{}},
		{"a-test-is-a-probe-at-once", failing(5), pace.Ask{Trial: true}, time.Second, pace.Answer{Probe: true}},
		{"but-not-the-second-one", probed, pace.Ask{Trial: true}, 31 * time.Second, pace.Answer{Why: pace.Opened, Wait: time.Second}},
		{"burst-has-room", pace.State{Slot: at(time.Second)}, pace.Ask{Rate: rated}, 0, pace.Answer{}},
		{"last-of-the-burst-is-for-the-urgent", pace.State{Slot: at(2 * time.Second)}, pace.Ask{Rate: rated}, 0, pace.Answer{Why: pace.Limited, Wait: time.Second}},
		{"the-urgent-take-it", pace.State{Slot: at(2 * time.Second)}, pace.Ask{Rate: rated, Urgent: true}, 0, pace.Answer{}},
		{"burst-is-used-up", pace.State{Slot: at(3 * time.Second)}, pace.Ask{Rate: rated, Urgent: true}, 0, pace.Answer{Why: pace.Limited, Wait: time.Second}},
		{"one-at-a-time-urgent", pace.State{Slot: at(time.Second)}, pace.Ask{Rate: single, Urgent: true}, 0, pace.Answer{Why: pace.Limited, Wait: time.Second}},
		{"one-at-a-time-the-others-later", pace.State{Slot: at(time.Second)}, pace.Ask{Rate: single}, 0, pace.Answer{Why: pace.Limited, Wait: 1500 * time.Millisecond}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, got := tt.state.Next(tt.ask, at(tt.after)); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestTheBreakerOpensTwiceAsLongWithEveryProbeInVain(t *testing.T) {
	s, now := failing(5), start
	var got []time.Duration
	for range 7 {
		got = append(got, s.OpenUntil.Sub(now))
		now = s.OpenUntil
		probed, answer := s.Next(pace.Ask{Holder: "b"}, now)
		if !answer.Probe {
			t.Fatalf("no probe when its time is over: %+v", answer)
		}
		s = probed.Failed("b", "still", now, now)
	}
	want := []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 10 * time.Minute, 10 * time.Minute}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("open for (-want +got):\n%s", diff)
	}
	s = s.Went(now.Add(time.Minute))
	if s.Open() || s.Failures != 0 || !s.BlockedSince().IsZero() {
		t.Errorf("a post that goes through does not close it: %+v", s)
	}
	for when, want := range map[time.Time]bool{start.Add(-1): false, start: true, now.Add(time.Minute): true, now.Add(time.Hour): false} {
		if got := s.Out(when); got != want {
			t.Errorf("%s in the outage: %v, want %v", when, got, want)
		}
	}
}

func TestATestInVainLeavesTheBreakerOpen(t *testing.T) {
	s, _ := failing(5).Next(pace.Ask{Holder: "a", Trial: true}, at(time.Second))
	s = s.Failed("a", "still", at(time.Second), at(2*time.Second))
	if want := at(2*time.Second + time.Minute); !s.OpenUntil.Equal(want) || s.Prober != "" {
		t.Errorf("%+v; want it open until %s", s, want)
	}
}

func TestOutcomes(t *testing.T) {
	open := failing(5)
	probed, _ := open.Next(pace.Ask{Holder: "b"}, at(30*time.Second))
	tests := []struct {
		name      string
		got, want pace.State
	}{
		{"success-of-one-that-works-changes-nothing", pace.State{}.Went(start), pace.State{}},
		{"success-forgets-failures", failing(4).Went(start), pace.State{}},
		{"what-was-on-its-way-opens-it-no-further", open.Failed("c", "late", start, at(time.Second)), open},
		{"what-was-on-its-way-is-not-the-probe", probed.Failed("b", "late", start, at(31*time.Second)), probed},
		{"a-probe-that-was-not-posted-is-given-back", probed.Unused("b"), open},
		{"the-probe-of-another-stays", probed.Unused("c"), probed},
		{"an-answer-is-no-failure", failing(4).Answered(start), pace.State{}},
		{"a-pause-is-capped", pace.State{}.Throttled(at(time.Hour), start), pace.State{NotBefore: at(15 * time.Minute), PausedAt: start}},
		{"what-was-on-its-way-ends-no-pause", pace.State{}.Throttled(at(time.Minute), start).Went(at(time.Second)), pace.State{NotBefore: at(time.Minute), PausedAt: at(time.Second)}},
		{"success-after-a-pause-forgets-it", pace.State{}.Throttled(at(time.Minute), start).Went(at(time.Minute)), pace.State{}},
		{"a-longer-pause-stays", pace.State{NotBefore: at(time.Minute), PausedAt: start}.Throttled(at(time.Second), at(time.Second)), pace.State{NotBefore: at(time.Minute), PausedAt: start}},
		{"gone-closes-the-breaker-for-good", open.SaidGone("410", start), pace.State{GoneAt: start, Problem: "410"}},
		{"gone-stays-since-then", pace.State{GoneAt: start}.SaidGone("again", at(time.Hour)), pace.State{GoneAt: start}},
		{"a-test-brings-it-back", pace.State{GoneAt: start, Problem: "410"}.Went(start), pace.State{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheRecordComesBackAsItWas(t *testing.T) {
	s := failing(5).Throttled(at(time.Minute), start)
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var back pace.State
	if err := json.Unmarshal(data, &back); err != nil || back != s {
		t.Errorf("%v: %+v became %+v", err, s, back)
	}
	if data, err = json.Marshal(pace.State{}); err != nil || string(data) != "{}" {
		t.Errorf("a target that works is %s, %v", data, err)
	}
}
