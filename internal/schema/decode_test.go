package schema_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// The two bodies that fix the spelling for everybody else.
const (
	exampleContext = `{"schema":"bellbuoy.context/v1","cluster_name":"prod","taken_at":"2026-11-23T08:00:00Z","interval_seconds":15,"source":"docker",
 "nodes":[{"id":"n1","address":"10.0.0.1","status":"healthy","cpu_percent":41.5,"memory_percent":63.0,"gpu_summary":[]}],
 "services":[{"name":"checkout","namespace":"shop","runtime":"container","image":"checkout:1.4","replicas_running":0,"replicas_desired":3,
   "status":"stopped","uses_gpu":false,"recent_logs":["panic: no route to db"],"error_count_1h":12,"restart_count_24h":4,"nodes":["n1"],"depends_on":["db"]}],
 "recent_events":[{"at":"2026-11-23T07:59:50Z","kind":"die","object":"shop/checkout","text":"exit 1"}],"active_alerts":[]}`
	exampleAlert = `{"event":{"id":"ID-1","kind":"opened","sender":"system","content":"checkout is down"},
 "conversation":{"schema":"bellbuoy.conversation/v1","id":"ID","cluster":"prod","condition":"service_down",
  "object":{"kind":"service","namespace":"shop","name":"checkout"},"severity":"critical","state":"investigating","title":"checkout: 0 of 3 running","messages":[]}}`
)

func checkout() schema.Object {
	return schema.Object{Kind: schema.KindService, Namespace: "shop", Name: "checkout"}
}

// alertBody is the example about the service checkout of a cluster.
func alertBody() (body, id string) {
	id = schema.ConversationID("prod", checkout())
	return strings.ReplaceAll(exampleAlert, "ID", id), id
}

func TestExampleSnapshotDecodes(t *testing.T) {
	got, err := schema.DecodeContext([]byte(exampleContext))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	want := schema.ClusterContext{
		Schema: schema.ContextVersion, ClusterName: "prod", TakenAt: at, IntervalSeconds: 15, Source: "docker",
		Nodes: []schema.NodeSummary{{
			ID: "n1", Address: "10.0.0.1", Status: schema.NodeHealthy, CPUPercent: new(41.5), MemoryPercent: new(63.0), GPUs: []schema.GPUSummary{},
		}},
		Services: []schema.ServiceSummary{{
			Name: "checkout", Namespace: "shop", Runtime: "container", Image: "checkout:1.4", ReplicasRunning: new(0), ReplicasDesired: new(3),
			Status: schema.ServiceStopped, RecentLogs: []string{"panic: no route to db"}, ErrorCount1h: new(int64(12)), RestartCount24h: new(int64(4)),
			Nodes: []string{"n1"}, DependsOn: []string{"db"},
		}},
		RecentEvents: []schema.ClusterEvent{{At: at.Add(-10 * time.Second), Kind: "die", Object: "shop/checkout", Text: "exit 1"}},
		ActiveAlerts: []schema.AlertSummary{},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("snapshot (-want +got):\n%s", diff)
	}
}

func TestExampleAlertDecodes(t *testing.T) {
	body, id := alertBody()
	got, err := schema.DecodeAlert([]byte(body), "prod", id)
	if err != nil {
		t.Fatal(err)
	}
	c := got.Conversation
	if c.ID != id || c.Condition != "service_down" || c.Object != checkout() || c.Severity != schema.SeverityCritical ||
		c.State != schema.StateInvestigating || c.Title != "checkout: 0 of 3 running" || got.Event.Kind != schema.EventOpened {
		t.Errorf("alert: %+v", got)
	}
}

func TestSnapshotMayLeaveAlmostEverythingOut(t *testing.T) {
	tests := []struct {
		name, body string
		check      func(c schema.ClusterContext) bool
	}{
		{"name-only", `{"cluster_name":"prod"}`, func(c schema.ClusterContext) bool { return c.Interval() == schema.DefaultInterval }},
		{"events-as-plain-strings", `{"cluster_name":"prod","recent_events":["web restarted",{"text":"b"}]}`, func(c schema.ClusterContext) bool {
			return len(c.RecentEvents) == 2 && c.RecentEvents[0].Text == "web restarted" && c.RecentEvents[1].Text == "b"
		}},
		{"nulls-are-unknown", `{"cluster_name":"prod","services":[{"name":"web","replicas_running":null,"error_count_1h":null}]}`, func(c schema.ClusterContext) bool {
			return c.Services[0].ReplicasRunning == nil && c.Services[0].ErrorCount1h == nil
		}},
		{"minor-version", `{"schema":"bellbuoy.context/v1.7","cluster_name":"prod","what_is_new":1}`, func(schema.ClusterContext) bool { return true }},
		{"fraction-of-a-second", `{"cluster_name":"prod","interval_seconds":0.5}`, func(c schema.ClusterContext) bool { return c.Interval() == 500*time.Millisecond }},
		{"same-name-in-two-namespaces", `{"cluster_name":"prod","services":[{"name":"a","namespace":"x"},{"name":"a","namespace":"y"}],"nodes":[{"id":"a"}]}`, func(c schema.ClusterContext) bool { return len(c.Services) == 2 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := schema.DecodeContext([]byte(tt.body))
			if err != nil || !tt.check(c) {
				t.Errorf("%v, %+v", err, c)
			}
		})
	}
}

func TestSnapshotMistakesAreAllListed(t *testing.T) {
	long := strings.Repeat("x", schema.MaxName+1)
	tests := []struct {
		name, body string
		want       []string
	}{
		{"not-json", `hello`, []string{"decode snapshot"}},
		{"cut-off", exampleContext[:100], []string{"decode snapshot"}},
		{"array", `[]`, []string{"decode snapshot"}},
		{"number-for-a-name", `{"cluster_name":7}`, []string{"cluster_name"}},
		{"huge-number", `{"cluster_name":"p","nodes":[{"id":"n","cpu_percent":1e999}]}`, []string{"cpu_percent"}},
		{"no-name", `{}`, []string{"cluster_name: missing"}},
		{"long-name", `{"cluster_name":"` + long + `"}`, []string{"cluster_name: 257 bytes"}},
		{"other-version", `{"schema":"bellbuoy.context/v2","cluster_name":"p"}`, []string{"bellbuoy.context/v2", schema.ErrVersion.Error()}},
		{"version-that-only-begins-alike", `{"schema":"bellbuoy.context/v10","cluster_name":"p"}`, []string{"v10"}},
		{"interval", `{"cluster_name":"p","interval_seconds":-1}`, []string{"interval_seconds"}},
		{"several", `{"services":[{"name":"a","status":"sick","health":"ill","replicas_running":-1,"replicas_desired":-2},{"name":"a"},{}],"nodes":[{"id":"n"},{"id":"n","status":"gone"}]}`, []string{
			"cluster_name: missing", `services[0].status: "sick"`, `services[0].health: "ill"`, "services[0].replicas_running: -1",
			"services[0].replicas_desired: -2", `services[1]: a second service "a"`, "services[2].name: missing", `nodes[1]: a second node "n"`, `nodes[1].status: "gone"`,
		}},
		{"too-large", `{"cluster_name":"` + strings.Repeat(" ", schema.MaxContextBytes) + `"}`, []string{"more than the 4194304 allowed"}},
		{"too-many-services", manyServices(schema.MaxServices + 1), []string{"services: 20001 are more"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := schema.DecodeContext([]byte(tt.body))
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

func TestSameBodyGivesTheSameError(t *testing.T) {
	body := []byte(`{"services":[{"name":"a","status":"sick","replicas_running":-1,"replicas_desired":-2}]}`)
	_, first := schema.DecodeContext(body)
	for range 50 {
		if _, err := schema.DecodeContext(body); err.Error() != first.Error() {
			t.Fatalf("once %q, then %q", first, err)
		}
	}
}

func manyServices(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,{"name":"s%d"}`, i)
	}
	return `{"cluster_name":"p","services":[` + b.String()[1:] + `]}`
}

func clip(s string) string { return s[:min(len(s), 2000)] }

func TestHostileSnapshotCannotMakeAHugeError(t *testing.T) {
	body := `{"cluster_name":"p","services":[` + strings.TrimSuffix(strings.Repeat(`{"status":"`+strings.Repeat("x", 1000)+`"},`, 3000), ",") + `]}`
	_, err := schema.DecodeContext([]byte(body))
	if err == nil || len(err.Error()) > 10_000 || !strings.Contains(err.Error(), "more") {
		t.Errorf("an error of %d bytes", len(fmt.Sprint(err)))
	}
}

func TestAlertThatIsNotOfItsSubjectIsRefused(t *testing.T) {
	body, id := alertBody()
	tests := []struct{ name, body, cluster, id string }{
		{"other-cluster", body, "dev", id},
		{"other-id", body, "prod", "0000000000000000"},
		{"endless-id", strings.ReplaceAll(body, id, strings.Repeat("0", 10_000)), "prod", id},
		{"id-is-not-the-objects", strings.ReplaceAll(body, `"checkout"`, `"other"`), "prod", id},
		{"no-version", strings.ReplaceAll(body, `"schema":"bellbuoy.conversation/v1",`, ""), "prod", id},
		{"other-version", strings.ReplaceAll(body, "conversation/v1", "conversation/v2"), "prod", id},
		{"not-json", "{", "prod", id},
		{"null", "null", "prod", id},
		{"empty", "", "prod", id},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := schema.DecodeAlert([]byte(tt.body), tt.cluster, tt.id)
			if err == nil {
				t.Fatal("it was accepted")
			}
			if len(err.Error()) > 1000 {
				t.Errorf("its mistake takes %d bytes", len(err.Error()))
			}
		})
	}
	if _, err := schema.DecodeAlert([]byte(strings.ReplaceAll(body, "/v1", "/v2")), "prod", id); !errors.Is(err, schema.ErrVersion) {
		t.Errorf("another version: %v", err)
	}
}

func TestReplyIsJSONOrPlainText(t *testing.T) {
	tests := []struct {
		name, body string
		want       schema.Reply
		fails      bool
	}{
		{"plain-text", " why?\n", schema.Reply{Text: "why?"}, false},
		{"json-text", `{"text":"ack"}`, schema.Reply{Text: "ack"}, false},
		{"json-verb", ` {"schema":"bellbuoy.reply/v1","verb":"ack","author":{"name":"anna"},"id":"7"}`, schema.Reply{
			Schema: schema.ReplyVersion, Verb: "ack", Author: schema.Author{Name: "anna"}, ID: "7",
		}, false},
		{"quoted-text-is-text", `"why?"`, schema.Reply{Text: `"why?"`}, false},
		{"empty", " \n", schema.Reply{}, true},
		{"empty-object", `{}`, schema.Reply{}, true},
		{"blank-text", `{"text":"  "}`, schema.Reply{}, true},
		{"broken-json", `{"text":`, schema.Reply{}, true},
		{"other-version", `{"schema":"bellbuoy.reply/v9","text":"x"}`, schema.Reply{}, true},
		{"too-large", strings.Repeat("x", schema.MaxReplyBytes+1), schema.Reply{}, true},
		{"text-too-long", strings.Repeat("x", schema.MaxMessageBytes+1), schema.Reply{}, true},
		{"not-utf8", "why\xff", schema.Reply{}, true},
		{"long-conversation", `{"text":"x","conversation":"` + strings.Repeat("0", 300) + `"}`, schema.Reply{}, true},
		{"long-author", `{"text":"x","author":{"name":"` + strings.Repeat("x", 300) + `"}}`, schema.Reply{}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := schema.DecodeReply([]byte(tt.body))
			if tt.fails {
				if err == nil {
					t.Errorf("accepted as %+v", got)
				}
				return
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestUnknownFieldsAreWrittenBack(t *testing.T) {
	body, id := alertBody()
	newer := strings.NewReplacer(
		`"state":"investigating"`, `"state":"investigating","mood":{"x":[1,2]},"conditions":[{"name":"service_down","since":"2026-11-23T08:00:00Z","weight":3}],"diagnosis":{"summary":"s","hunch":true},"links":[{"title":"Logs","url":"https://x/","icon":"log"}]`,
		`"messages":[]`, `"messages":[{"id":"m","kind":"opened","colour":"red"}]`,
	).Replace(body)
	a, err := schema.DecodeAlert([]byte(newer), "prod", id)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // an older version reads and writes more than once
		b, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{`"mood":{"x":[1,2]}`, `"weight":3`, `"hunch":true`, `"icon":"log"`, `"colour":"red"`} {
			if n := strings.Count(string(b), want); n != 1 {
				t.Errorf("%s stands %d times in %s", want, n, b)
			}
		}
		again, err := schema.DecodeAlert(b, "prod", id)
		if diff := cmp.Diff(a, again); diff != "" || err != nil {
			t.Fatalf("%v (-first +again):\n%s", err, diff)
		}
	}
	if a.Conversation.Unknown["state"] != nil || len(a.Conversation.Unknown) != 1 {
		t.Errorf("unknown: %v", a.Conversation.Unknown)
	}
}

func TestUnknownFieldsOfAlertAndNestedTypesAreWrittenBack(t *testing.T) {
	body, id := alertBody()
	newer := strings.Replace(body, `"content":"checkout is down"`, `"content":"checkout is down","urgency":9`, 1)
	a, err := schema.DecodeAlert([]byte(newer), "prod", id)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(a)
	if err != nil || !strings.Contains(string(b), `"urgency":9`) {
		t.Errorf("%v: %s", err, b)
	}
}

func TestDecodingTwiceIntoOneValueForgetsOldUnknownFields(t *testing.T) {
	var m schema.Message
	for _, body := range []string{`{"id":"a","x":1}`, `{"id":"b"}`} {
		if err := json.Unmarshal([]byte(body), &m); err != nil {
			t.Fatal(err)
		}
	}
	if m.Unknown != nil {
		t.Errorf("unknown: %v", m.Unknown)
	}
}

func FuzzDecodeContext(f *testing.F) {
	for _, seed := range []string{
		exampleContext, `{"cluster_name":"p","recent_events":["x",{},null]}`, `{}`, `null`, `{"cluster_name":"p","services":[{"name":"a","labels":{"a":"b"}}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := schema.DecodeContext(body)
		if err != nil {
			return
		}
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatalf("a valid snapshot cannot be written: %v", err)
		}
		again, err := schema.DecodeContext(b)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, b)
		}
		if b2, _ := json.Marshal(again); string(b) != string(b2) {
			t.Errorf("written differently:\n%s\n%s", b, b2)
		}
	})
}

func FuzzDecodeAlert(f *testing.F) {
	body, id := alertBody()
	f.Add([]byte(body))
	f.Add([]byte(strings.Replace(body, `"messages":[]`, `"messages":[{"x":1}],"ID":"y","unknown":null`, 1)))
	f.Add([]byte(`{"conversation":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := schema.DecodeAlert(body, "prod", id)
		if err != nil {
			return
		}
		b, err := json.Marshal(a)
		if err != nil {
			t.Fatalf("a valid alert cannot be written: %v", err)
		}
		again, err := schema.DecodeAlert(b, "prod", id)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, b)
		}
		if b2, _ := json.Marshal(again); string(b) != string(b2) {
			t.Errorf("written differently:\n%s\n%s", b, b2)
		}
	})
}

func FuzzDecodeReply(f *testing.F) {
	for _, seed := range []string{`why?`, `{"text":"ack","author":{"name":"a","verified":true}}`, `{"verb":"silence","until":"2026-11-23T08:00:00Z"}`, "{", "\xff", ""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := schema.DecodeReply(body)
		if err != nil {
			return
		}
		if err := r.Validate(); err != nil {
			t.Errorf("decoded, but not valid: %v", err)
		}
		if _, err := json.Marshal(r); err != nil {
			t.Errorf("a valid reply cannot be written: %v", err)
		}
	})
}

func TestTextBehindAnAlertIsRefused(t *testing.T) {
	const body = `{"event":{},"conversation":{"schema":"bellbuoy.conversation/v1","id":"9f2c51d07be34a68","cluster":"prod"}}`
	for _, behind := range []string{"x", "{}", "null"} {
		var a schema.Alert
		if err := a.UnmarshalJSON([]byte(body + behind)); err == nil {
			t.Errorf("body with %q behind it is taken", behind)
		}
	}
}

func TestAStalePartThatDoesNotSayWhatItConcernsConcernsAll(t *testing.T) {
	tests := []struct {
		name, stale, service string
		want                 bool
	}{
		{"of-an-older-collector", `{"source":"docker","since":"2026-11-23T08:00:00Z","error":"gone"}`, `{"name":"web"}`, true},
		{"that-says-so", `{"source":"host","parts":["disks"],"since":"2026-11-23T08:00:00Z","error":"gone"}`, `{"name":"web"}`, false},
		{"where-another-object-is-marked", `{"source":"docker","since":"2026-11-23T08:00:00Z","error":"gone"}`, `{"name":"web"},{"name":"db","stale":true}`, false},
		{"none", "", `{"name":"web"}`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := schema.DecodeContext([]byte(`{"cluster_name":"prod","stale":[` + tt.stale + `],"services":[` + tt.service + `]}`))
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Services[0].Stale; got != tt.want {
				t.Errorf("stale %v, want %v", got, tt.want)
			}
		})
	}
}
