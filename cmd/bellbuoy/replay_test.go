package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/process"
	"github.com/bellbuoy/bellbuoy/internal/replay"
)

const outage = "../../testdata/scenarios/db-down-and-back.jsonl"

func TestADryReplayPrintsWhatWouldComeOfItAndNeedsNoServer(t *testing.T) {
	t.Setenv("BELLBUOY_NATS_URL", "nats://127.0.0.1:1")
	out, err := typed(t, "replay", outage, "--dry")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2026-11-23 08:02:30 opened critical prod/shop/db [post, sound]\n    db: 0 of 1 running", "\n40 snapshots of 1 cluster over 9m45s: 1 conversation, 2 events"} {
		if !strings.Contains(out, want) {
			t.Errorf("want %q in:\n%s", want, out)
		}
	}
	all, err := typed(t, "replay", "--all", outage, "--dry")
	if err != nil || !strings.Contains(all, "verdict hold prod/shop/db\n    service_down: holding") {
		t.Errorf("%v: with --all:\n%s", err, all)
	}
}

func TestADryReplayIsLinesOfJSONForPrograms(t *testing.T) {
	out, err := typed(t, "replay", outage, "--dry", "--json")
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for _, line := range lines[:len(lines)-1] {
		var e replay.Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, e.Kind)
	}
	var last struct{ Summary replay.Summary }
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"opened", "cleared"}, kinds); diff != "" || last.Summary.Snapshots != 40 || last.Summary.Seconds != 585 {
		t.Errorf("kinds (-want +got):\n%s\nsummary %+v", diff, last.Summary)
	}
}

func TestReplayRefusesFlagsThatDoNotGoTogether(t *testing.T) {
	for name, words := range map[string][]string{
		"no-speed":            {"replay", outage, "--speed", "0"},
		"endless-speed":       {"replay", outage, "--speed", "Inf"},
		"all-without-dry":     {"replay", outage, "--all"},
		"dry-with-a-name":     {"replay", outage, "--dry", "--as", "x"},
		"dry-with-a-speed":    {"replay", outage, "--dry", "--speed", "2"},
		"record-to-two-files": {"record", "a", "b"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := typed(t, words...); !errors.As(err, &process.Usage{}) {
				t.Errorf("%v, want a wrong usage", err)
			}
		})
	}
}

func TestRecordAndReplayAgainSayWhatTheyDid(t *testing.T) {
	b := stack(t)
	ctx, stop := context.WithCancel(t.Context())
	path := filepath.Join(t.TempDir(), "out.jsonl")
	out := &stopping{stop: stop, at: "until Ctrl-C"}
	if err := recordOn(ctx, out, b, slog.New(slog.DiscardHandler), replay.Record{Path: path}, false); err != nil {
		t.Fatal(err)
	}
	if want := "recorded 1 snapshot (1 of prod), 1 KB in " + path; !strings.Contains(out.String(), want) {
		t.Errorf("want %q in:\n%s", want, out)
	}
	if text, err := os.ReadFile(path); err != nil || !strings.Contains(string(text), `"cluster_name":"prod"`) {
		t.Errorf("recorded %q (%v)", text, err)
	}
	said, err := typed(t, "replay", path, "--speed", "1000", "--as", "again")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"playing 1 snapshot as again, 0s long, in 0s", "whoever is told", "published 1 snapshot and a goodbye"} {
		if !strings.Contains(said, want) {
			t.Errorf("want %q in:\n%s", want, said)
		}
	}
	if steps, err := typed(t, "replay", path, "--as", "once-more", "--json"); err != nil || strings.Count(steps, "\n") != 3 || !strings.Contains(steps, `{"plan":{"snapshots":1,"clusters":["once-more"]`) {
		t.Errorf("%v: as JSON a plan, a snapshot and a goodbye:\n%s", err, steps)
	}
	if _, err := typed(t, "replay", path, "--as", "prod"); err == nil || !strings.Contains(err.Error(), "--as") {
		t.Errorf("into a watched cluster: %v", err)
	}
}

// stopping is a writer that stops what writes to it once that says something.
type stopping struct {
	bytes.Buffer
	stop context.CancelFunc
	at   string
}

func (s *stopping) Write(p []byte) (int, error) {
	n, err := s.Buffer.Write(p)
	if strings.Contains(s.String(), s.at) {
		s.stop()
	}
	return n, err
}
