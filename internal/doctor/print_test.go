package doctor_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/doctor"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

var update = flag.Bool("update", false, "write the golden file anew")

func TestTheReportReadsLikeThis(t *testing.T) {
	all := []doctor.Finding{
		{Area: doctor.AreaConfiguration, Name: doctor.AreaConfiguration, Level: doctor.Fault, What: "BELLBUOY_LLM_APIKEY is set, and nobody reads it", Fix: "rename it to BELLBUOY_LLM_API_KEY, or unset it"},
		{Area: doctor.AreaNATS, Name: "server", Level: doctor.OK, What: "bellbuoy at nats://127.0.0.1:4222, NATS 2.15.2, takes messages up to 8 MB"},
		{Area: doctor.AreaNATS, Name: "stream KEPT_COLLECTOR", Level: doctor.Fault, What: "max message size is 1048576, not 7340032; replicas is 1, not 3", Fix: "run `bellbuoy setup --replicas 3`"},
		{Area: doctor.AreaNATS, Name: "consumer notify-a-rather-long-name", Level: doctor.Warn, What: "has 7 messages waiting, and nobody reads it", Fix: "delete it"},
		{Area: doctor.AreaModel, Name: "model", Level: doctor.Off, What: "none is configured: the rules diagnose alone (set BELLBUOY_LLM_BASE_URL and BELLBUOY_LLM_MODEL)"},
		{Area: doctor.AreaLeaves, Name: "hooks.example", Level: doctor.OK, What: "conversations with redacted evidence; kept as the receiver does: the webhook"},
	}
	var b strings.Builder
	if err := doctor.Print(&b, all, 100); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "report.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

// A fault in each place at once: the order of the report is fixed, and none hides another or makes a sixteenth.
func TestFifteenFaultsAtOnceAreFifteenFindings(t *testing.T) {
	byName := map[string]planted{}
	for _, group := range [][]planted{configurationFaults(), serverFaults(), topologyFaults(), partFaults(), machineFaults(), outwardFaults()} {
		for _, p := range group {
			byName[p.name] = p
		}
	}
	byName["another-snapshot-not-readable"] = planted{
		plant: func(t *testing.T, s *stack) {
			if _, err := s.bus.Publish(t.Context(), s.bus.Subjects().Context("dev"), []byte("?"), ""); err != nil {
				t.Fatal(err)
			}
		},
		what: "FAULT parts/collector dev its newest snapshot is not readable", fix: "correct whoever publishes to bellbuoy.context.dev",
	}
	names := []string{
		"mistaken-variable", "unknown-variable", "clock-is-off", "stream-drifted", "consumer-drifted", "consumer-paused",
		"no-analyzer", "another-snapshot-not-readable", "snapshot-too-old", "nobody-on-docker-socket", "data-directory-is-a-file",
		"http-address-taken", "key-refused", "certificate-expired", "posts-not-signed",
	}
	s := newStack(t)
	byName["no-analyzer"].plant(t, s) // first, since it would bury what is not readable
	for _, name := range names {
		if name != "no-analyzer" {
			byName[name].plant(t, s)
		}
	}
	found := bad(doctor.Examine(t.Context(), s.options))
	for i, name := range names {
		if p := byName[name]; i >= len(found) || !strings.HasPrefix(says(found[i]), p.what) || !strings.Contains(found[i].Fix, p.fix) {
			t.Errorf("finding %d is not %s", i+1, name)
		}
	}
	if len(found) != len(names) {
		t.Errorf("%d findings, want %d", len(found), len(names))
	}
	if t.Failed() {
		for _, f := range found {
			t.Logf("%s; fix: %s", says(f), f.Fix)
		}
	}
}

func TestOffAndLeavingAreListed(t *testing.T) {
	s := newStack(t)
	s.options.LLM = llm.Config{BaseURL: "https://model.invalid/v1", Model: "m"}
	s.options.Webhook.URL = "https://hooks.invalid" + secretPath
	s.options.Shadow = true
	s.options.Docker = nil
	s.snapshot(t, schema.ClusterContext{Unread: []schema.UnreadPart{{Part: schema.PartDisks, Reason: "no source reads disks"}}})
	s.options.NATS.URL += ",nats://anna:hunter2@nats.invalid:4222"
	var got []string
	for _, f := range doctor.Examine(t.Context(), s.options) {
		if f.Level == doctor.Off || f.Area == doctor.AreaLeaves {
			got = append(got, f.Area+"/"+f.Name+" "+f.What)
		}
	}
	want := []string{
		"conditions/on prod disk: no source reads disks",
		"sources/docker BELLBUOY_SOURCE does not list it",
		"sources/host BELLBUOY_SOURCE does not list it",
		"channels/webhook BELLBUOY_NOTIFY is shadow: all is decided and stored, and nothing is sent",
		"leaves/nats.invalid:4222 snapshots with names, labels and redacted log lines (24 h), conversations (90 days), replies (30 days): NATS",
		"leaves/model.invalid redacted evidence, questions and what is looked up for them; kept as its provider says: the model",
		"leaves/stays here conversations 90 days, snapshots 24 h, replies and what was given up 30 days: in " + s.options.DataDir,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("off and leaving (-want +got):\n%s", diff)
	}
}

func TestWhatSaysNothingIsLeftAtItsDeadline(t *testing.T) {
	found := doctor.Examine(t.Context(), doctor.Options{
		NATS: bus.Options{URL: "nats://127.0.0.1:1"}, Within: 100 * time.Millisecond,
		Webhook: webhook.Config{URL: config.Secret("https://" + silent(t) + secretPath), Secret: signature},
	})
	var got []string
	for _, f := range bad(found) {
		got = append(got, string(f.Level)+" "+f.Area+"/"+f.Name)
	}
	if diff := cmp.Diff([]string{"warn NATS/server", "FAULT channels/webhook"}, got); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
}
