package schema_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const exampleFinding = `{"schema":"bellbuoy.finding/v1","cluster":"bellbuoy","object":{"kind":"channel","name":"webhook"},"condition":"channel_failing",
 "severity":"warning","title":"channel webhook: 5 posts in a row did not go through","facts":["connection refused"],"since":"2026-11-23T08:00:00Z",
 "firing":true,"source":"notifier on host-a","valid_for_seconds":300,"at":"2026-11-23T08:02:00Z"}`

func TestExampleFindingDecodes(t *testing.T) {
	got, err := schema.DecodeFinding([]byte(exampleFinding))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	want := schema.Finding{
		Schema: schema.FindingVersion, Cluster: "bellbuoy", Object: schema.Object{Kind: schema.KindChannel, Name: "webhook"},
		Condition: schema.ChannelFailing, Severity: schema.SeverityWarning, Title: "channel webhook: 5 posts in a row did not go through",
		Facts: []string{"connection refused"}, Since: at, Firing: true, Source: "notifier on host-a", ValidForSeconds: 300, At: at.Add(2 * time.Minute),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("finding (-want +got):\n%s", diff)
	}
	if got.ValidFor() != 5*time.Minute || (&schema.Finding{}).ValidFor() != schema.DefaultValidFor {
		t.Errorf("valid for %s, and by default %s", got.ValidFor(), (&schema.Finding{}).ValidFor())
	}
}

func TestUnknownFieldsOfAFindingAreKept(t *testing.T) {
	body := strings.Replace(exampleFinding, `"firing"`, `"ticket":"T-1","firing"`, 1)
	body = strings.Replace(body, `"kind":"channel"`, `"kind":"channel","zone":"a"`, 1)
	f, err := schema.DecodeFinding([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), `"ticket":"T-1"`) {
		t.Errorf("written as %s", out)
	}
}

func TestFindingMistakesAreAllListed(t *testing.T) {
	with := func(old, with string) string { return strings.Replace(exampleFinding, old, with, 1) }
	tests := []struct {
		name, body string
		want       []string
	}{
		{"not-json", `hello`, []string{"decode finding"}},
		{"nothing", `{}`, []string{
			"firing: missing", `schema: ""`, "cluster: missing", "object.name: missing", "object.kind: missing", "condition: missing", "source: missing",
		}},
		{"other-version", with("finding/v1", "finding/v2"), []string{schema.ErrVersion.Error()}},
		{"control-characters", with(`"name":"webhook"`, `"name":"web\u001bhook"`), []string{"object.name: has control characters"}},
		{"of-a-service", with(`"kind":"channel"`, `"kind":"service"`), []string{"object.kind: what is true of a service is judged by snapshots alone"}},
		{"of-a-clock", with(`"kind":"channel"`, `"kind":"clock"`), []string{"of a clock"}},
		{"kind-of-two-words", with(`"kind":"channel"`, `"kind":"a b"`), []string{`object.kind: "a b" has other characters`}},
		{"condition-with-a-dot", with("channel_failing", "channel.failing"), []string{`condition: "channel.failing"`}},
		{"severity", with("warning", "bad"), []string{`severity: "bad" is not one of`}},
		{"firing-without-severity-and-title", `{"schema":"bellbuoy.finding/v1","cluster":"c","object":{"kind":"k","name":"n"},"condition":"x","firing":true,"source":"s"}`, []string{
			"severity: missing", "title: missing",
		}},
		{"valid-for-a-second", with("300", "1"), []string{"valid_for_seconds: 1 is not between 30 and 86400"}},
		{"valid-for-ever", with("300", "86401"), []string{"valid_for_seconds"}},
		{"long-title", with("channel webhook:", strings.Repeat("x", 1024)), []string{"title: 1060 bytes"}},
		{"long-fact", with("connection refused", strings.Repeat("x", 1025)), []string{"facts[0]: 1025 bytes"}},
		{"many-facts", with(`["connection refused"]`, `[`+strings.Repeat(`"x",`, 20)+`"x"]`), []string{"facts: 21 are more"}},
		{"too-large", with("connection refused", strings.Repeat("x", schema.MaxFindingBytes)), []string{"more than the 65536 allowed"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := schema.DecodeFinding([]byte(tt.body))
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q lacks %q", clip(err.Error()), want)
				}
			}
		})
	}
}

func TestFindingSubjectsAreReadBack(t *testing.T) {
	s := schema.Subjects{}
	token, err := s.ParseFinding(s.Finding("prod/eu"))
	if err != nil || token != "prod-eu" {
		t.Errorf("token %q, %v", token, err)
	}
	if _, err := s.ParseFinding(s.Context("prod")); err == nil {
		t.Error("a snapshot's subject was read as a finding's")
	}
}

func FuzzDecodeFinding(f *testing.F) {
	f.Add([]byte(exampleFinding))
	f.Add([]byte(`{"firing":null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := schema.DecodeFinding(b)
		if err != nil {
			return
		}
		if err := got.Validate(); err != nil {
			t.Errorf("decoded, but %v", err)
		}
	})
}
