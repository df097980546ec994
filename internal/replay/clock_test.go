package replay_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/replay"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// told is the timeline with --all left out: when, what, about what, with a ! behind what is a sound.
func told(t *testing.T, lines ...string) []string {
	t.Helper()
	var got []string
	_, err := replay.Dry{Recording: replay.Recording{Path: recording(t, lines...)}}.Run(t.Context(), func(e replay.Entry) {
		sound := ""
		if e.Sound {
			sound = "!"
		}
		got = append(got, fmt.Sprintf("%s %s %s %s%s", e.At.Format(time.TimeOnly), e.Kind, e.Severity, e.Object, sound))
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// every is a line for each 15 s from one minute to another.
func every(t *testing.T, from, to, running int) []string {
	t.Helper()
	var lines []string
	for n := 4 * from; n < 4*to; n++ {
		lines = append(lines, shop(t, "prod", n, running))
	}
	return lines
}

func with(t *testing.T, line string, change func(*schema.ClusterContext)) string {
	t.Helper()
	var s schema.ClusterContext
	if err := json.Unmarshal([]byte(line), &s); err != nil {
		t.Fatal(err)
	}
	change(&s)
	body, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestDeadlinesPassBetweenTheLines(t *testing.T) {
	want := []string{"08:00:15 opened critical shop/db!", "08:15:15 escalated critical shop/db!", "09:00:15 escalated critical shop/db!"}
	if diff := cmp.Diff(want, told(t, every(t, 0, 62, 0)...)); diff != "" {
		t.Errorf("nobody has it for an hour (-want +got):\n%s", diff)
	}
}

// All of it happens while no line comes, in the order of time, whatever it is about.
func TestASilentClusterIsToldAndWhatIsOpenGoesOn(t *testing.T) {
	lines := append(every(t, 0, 10, 0), every(t, 90, 91, 0)...)
	want := []string{
		"08:00:15 opened critical shop/db!",
		"08:11:45 opened critical prod!",
		"08:15:15 escalated critical shop/db!",
		"08:26:45 escalated critical prod!",
		"09:00:15 escalated critical shop/db!",
		"09:11:45 escalated critical prod!",
		"09:30:15 cleared critical prod",
	}
	if diff := cmp.Diff(want, told(t, lines...)); diff != "" {
		t.Errorf("nothing from 08:10 to 09:30 (-want +got):\n%s", diff)
	}
}

func TestAfterAGoodbyeNobodyIsWokenFor15Minutes(t *testing.T) {
	lines := every(t, 0, 5, 1)
	lines = append(lines, with(t, shop(t, "prod", 20, 1), func(s *schema.ClusterContext) { s.Goodbye = true }))
	lines = append(lines, every(t, 25, 26, 1)...)
	want := []string{"08:07:00 opened info prod", "08:20:00 worsened critical prod!", "08:25:15 cleared critical prod"}
	if diff := cmp.Diff(want, told(t, lines...)); diff != "" {
		t.Errorf("goodbye at 08:05, back at 08:25 (-want +got):\n%s", diff)
	}
}

// A snapshot says by which clock it was taken, and a recording when it was stored.
func TestAClockThatJumpsIsNoSilenceWhereTheRecordingSaysWhenItWasStored(t *testing.T) {
	var lines []string
	for n := range 40 {
		lines = append(lines, with(t, shop(t, "prod", n, 1), func(s *schema.ClusterContext) {
			s.StoredAt = s.TakenAt
			if n >= 20 {
				s.TakenAt = s.TakenAt.Add(time.Hour)
			}
		}))
	}
	if got := told(t, lines...); len(got) > 0 {
		t.Errorf("told %q", got)
	}
}

func TestARecordingIsMissedAsWhatItWasRecordedFrom(t *testing.T) {
	var lines []string
	for _, line := range append(every(t, 0, 1, 1), every(t, 10, 11, 1)...) {
		lines = append(lines, with(t, line, func(s *schema.ClusterContext) { s.Recorded = true }))
	}
	want := []string{"08:02:45 opened critical prod!", "08:10:15 cleared critical prod"}
	if diff := cmp.Diff(want, told(t, lines...)); diff != "" {
		t.Errorf("nothing from 08:01 to 08:10 (-want +got):\n%s", diff)
	}
}
