package main

import (
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestPeopleSilenceAClusterAndEndIt(t *testing.T) {
	b := stack(t)
	made := into[client.SilenceResponse](t, "silence", "cluster=prod", "label.team=*", "2h", "-m", "moving the racks", "--json")
	if made.Silence == nil || made.Silence.Author.Name != "ada" || made.Covers != 0 {
		t.Fatalf("silence: %+v", made)
	}
	prints := func(words, want string) string {
		t.Helper()
		out, err := typed(t, strings.Fields(words)...)
		if err != nil || !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
			t.Errorf("bellbuoy %s: %v, printed\n%swant %q in it", words, err, out, want)
		}
		return out
	}
	prints("silence prod 1d --from 2h -m later", "silenced: cluster=prod, from ")
	out := prints("silence prod 90m -m racks", "of what is open it covers 1 conversation end it bellbuoy unsilence ")
	id, _, _ := strings.Cut(out, " ")
	prints("silences", id+" cluster=prod until ")
	prints("list", "silenced")
	prints("show checkout", "Silenced by ada until ")
	prints("why checkout", "with silence "+id+" of cluster=prod: racks")
	prints("unsilence "+id, "it kept 1 open conversation quiet")
	e2e.Await(t, b, "prod", e2e.CheckoutID("prod"), "the end of the silence", func(c schema.Conversation) bool { return e2e.Count(c, schema.EventUnsilenced) == 1 })
	if list := into[client.SilencesResponse](t, "silences", "--json"); len(list.Silences) != 2 || list.Silences[1].Reason != "later" {
		t.Errorf("silences: %+v", list)
	}
	prints("silence checkout 2h -m mine", "Silenced by ada until ")
	prints("unsilence checkout", "ada ended the silence.")
}

func TestSilenceTakesTimesInSeveralForms(t *testing.T) {
	zone := time.FixedZone("east", 2*3600)
	now := time.Date(2026, 11, 23, 12, 30, 0, 0, zone)
	for said, want := range map[string]time.Time{
		"":                     {},
		"18:00":                time.Date(2026, 11, 23, 18, 0, 0, 0, zone),
		"06:00":                time.Date(2026, 11, 24, 6, 0, 0, 0, zone),
		"2026-11-25T18:00:00Z": time.Date(2026, 11, 25, 18, 0, 0, 0, time.UTC),
		"2h":                   time.Date(2026, 11, 23, 14, 30, 0, 0, zone),
	} {
		if got, err := parseFrom(said, now); err != nil || !got.Equal(want) {
			t.Errorf("--from %q is %v, %v, want %v", said, got, err, want)
		}
	}
	for _, said := range []string{"soon", "25:00", "2", "-2h"} {
		if got, err := parseFrom(said, now); err == nil {
			t.Errorf("--from %q is %v", said, got)
		}
	}
}
