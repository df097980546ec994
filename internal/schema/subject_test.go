package schema_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestConversationIDIsOfTheObjectAlone(t *testing.T) {
	web := schema.Object{Kind: schema.KindService, Namespace: "shop", Name: "web"}
	id := schema.ConversationID("prod", web)
	// The first 16 hex digits of: printf 'prod\0service\0shop\0web\0' | sha256sum
	if id != "2d23fd0d3423a5c2" || !schema.ValidID(id) {
		t.Errorf("id %q", id)
	}
	others := []struct {
		cluster string
		object  schema.Object
	}{
		{"prod2", web},
		{"prod", schema.Object{Kind: schema.KindNode, Namespace: "shop", Name: "web"}},
		{"prod", schema.Object{Kind: schema.KindService, Namespace: "sho", Name: "pweb"}},
		{"prod", schema.Object{Kind: schema.KindService, Namespace: "shopweb"}},
		{"prod", schema.Object{Kind: schema.KindService, Name: "shop/web"}},
		{"prodservice", schema.Object{Namespace: "shop", Name: "web"}},
	}
	seen := map[string]bool{id: true}
	for _, o := range others {
		got := schema.ConversationID(o.cluster, o.object)
		if seen[got] {
			t.Errorf("%v in %q has an id that another object has", o.object, o.cluster)
		}
		seen[got] = true
	}
}

func TestTokenCanStandInASubject(t *testing.T) {
	for name, want := range map[string]string{
		"prod": "prod", "Prod_1-a": "Prod_1-a", "a.b": "a-b", "a b": "a-b", "a*>b": "a--b", "köln": "k-ln", "": "", "\xff": "-",
	} {
		if got := schema.Token(name); got != want {
			t.Errorf("token of %q is %q, want %q", name, got, want)
		}
		if valid := schema.ValidToken(name); valid != (name == want && name != "") {
			t.Errorf("%q is a token: %v", name, valid)
		}
	}
}

func TestSubjectsAreTheOnesOfTheContract(t *testing.T) {
	const id = "9f2c51d07be34a68"
	for _, root := range []string{"", "bellbuoy", "ops.alerts"} {
		s := schema.Subjects{Root: root}
		got := []string{
			s.Context("pro d"), s.Alert("pro d", schema.SeverityCritical, id), s.Conversation("pro d", id), s.Alerts(),
			s.Replies(id), s.Heard("my hook", id), s.API("list"), s.Dead("analyzer"), s.Kept("collector", "windows.prod"),
		}
		want := []string{
			"context.pro-d", "alerts.pro-d.critical." + id, "alerts.pro-d.*." + id, "alerts.>",
			"replies." + id, "heard.my-hook." + id, "api.list", "dead.analyzer", "kept.collector.windows.prod",
		}
		for i := range want {
			want[i] = map[bool]string{true: schema.DefaultRoot, false: root}[root == ""] + "." + want[i]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("root %q (-want +got):\n%s", root, diff)
		}
	}
}

func TestSubjectsAreReadBack(t *testing.T) {
	const id = "9f2c51d07be34a68"
	tests := []struct{ name, subject, want string }{
		{"alert", "bellbuoy.alerts.prod.warning." + id, "alert prod warning " + id},
		{"alert-with-unknown-severity", "bellbuoy.alerts.prod.loud." + id, ""},
		{"alert-with-short-id", "bellbuoy.alerts.prod.warning.9f2c", ""},
		{"alert-with-capitals-in-id", "bellbuoy.alerts.prod.warning." + strings.ToUpper(id), ""},
		{"alert-with-more", "bellbuoy.alerts.prod.warning." + id + ".x", ""},
		{"context", "bellbuoy.context.prod", "context prod"},
		{"context-of-nobody", "bellbuoy.context.", ""},
		{"context-of-another-root", "wellbuoy.context.prod", ""},
		{"reply", "bellbuoy.replies.9f2c", "reply  9f2c"},
		{"heard", "bellbuoy.heard.slack." + id, "reply slack " + id},
		{"heard-without-id", "bellbuoy.heard.slack", ""},
		{"empty-token", "bellbuoy.heard.." + id, ""},
		{"empty", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := readBack(tt.subject); got != tt.want {
				t.Errorf("%q is read as %q, want %q", tt.subject, got, tt.want)
			}
		})
	}
}

// readBack says what a subject is; empty: none that can be read.
func readBack(subject string) string {
	var s schema.Subjects
	if cluster, severity, id, err := s.ParseAlert(subject); err == nil {
		return "alert " + cluster + " " + severity + " " + id
	}
	if cluster, err := s.ParseContext(subject); err == nil {
		return "context " + cluster
	}
	if channel, id, err := s.ParseReply(subject); err == nil {
		return "reply " + channel + " " + id
	}
	return ""
}

func TestSubjectErrorSaysWhatWasExpected(t *testing.T) {
	_, _, _, err := schema.Subjects{Root: "ops"}.ParseAlert("ops.alerts.x")
	if err == nil || !strings.Contains(err.Error(), "ops.alerts.<cluster>.<severity>.<id>") {
		t.Errorf("error %v", err)
	}
}

func TestIDsAndTheirPrefixes(t *testing.T) {
	for s, want := range map[string][2]bool{ // whole, prefix of at least 4
		"9f2c51d07be34a68": {true, true}, "9f2c": {false, true}, "9f2": {false, false}, "9F2C": {false, false},
		"9f2c51d07be34a680": {false, false}, "xyzw": {false, false}, "": {false, false},
	} {
		if got := [2]bool{schema.ValidID(s), schema.ValidIDPrefix(s, 4)}; got != want {
			t.Errorf("%q: %v, want %v", s, got, want)
		}
	}
}

func TestSeveritiesAreOrdered(t *testing.T) {
	for i, s := range []string{"", schema.SeverityInfo, schema.SeverityWarning, schema.SeverityCritical} {
		if got := schema.SeverityRank(s); got != i {
			t.Errorf("rank of %q is %d, want %d", s, got, i)
		}
	}
}
