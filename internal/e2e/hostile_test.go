package e2e_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/llm/llmtest"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// foreign marks what no receiver may ever see.
const foreign = "FOREIGN"

func eventID(c schema.Conversation, revision int) string { return fmt.Sprintf("%s-%d", c.ID, revision) }

// Each snapshot comes under a cluster's own subject, three times during an incident of that very cluster.
func TestAHostileSnapshotIsBuriedAndNothingElseIsHarmed(t *testing.T) {
	t.Parallel()
	named := func(name string) []byte {
		s := e2e.Snapshot(name, 1, 0)
		s.Services[0].Name = foreign
		return toJSON(t, s)
	}
	with := func(change func(*schema.ClusterContext)) func(string) []byte {
		return func(cluster string) []byte {
			s := e2e.Snapshot(cluster, 1, 0)
			s.Services[0].Name = foreign
			change(&s)
			return toJSON(t, s)
		}
	}
	text := func(s string) func(string) []byte { return func(string) []byte { return []byte(s) } }
	long := strings.Repeat("x", 300<<10)
	tests := []struct {
		name   string
		body   func(cluster string) []byte
		reason string
	}{
		{"empty", text(""), "decode snapshot: unexpected end of JSON input"},
		{"cut-off", text(`{"cluster_name":"x","services":[{`), "decode snapshot: unexpected end of JSON input"},
		{"binary", text("\x00\xff\xfe\x1b[2J"), "decode snapshot: invalid character"},
		{"list", text(`[]`), "decode snapshot: json: cannot unmarshal array"},
		{"null", text(`null`), "cluster_name: missing"},
		{"pub-ack", text(`{"stream":"CONTEXT","domain":"","seq":7}`), "cluster_name: missing"},
		{"nested", text(strings.Repeat("[", 1<<20)), "decode snapshot: invalid character '[' exceeded max depth"},
		{"wrong-types", text(`{"cluster_name":7}`), "decode snapshot: json: cannot unmarshal number"},
		{"endless-number", text(`{"cluster_name":"x","interval_seconds":1` + strings.Repeat("0", 300<<10) + `}`), "decode snapshot: json: cannot unmarshal number"},
		{"endless-time", text(`{"cluster_name":"x","taken_at":"` + long + `"}`), "decode snapshot: parsing time"},
		{"other-version", with(func(s *schema.ClusterContext) { s.Schema = "bellbuoy.context/v9" }), `schema: "bellbuoy.context/v9", want "bellbuoy.context/v1"`},
		{"hidden-version", with(func(s *schema.ClusterContext) { s.Schema = "\u202ev1\x1b]0;x\a" + long }), "schema:"},
		{"other-cluster", func(string) []byte { return named("elsewhere") }, `cluster_name is "elsewhere", but it was published for`},
		{"meeting-names", func(cluster string) []byte { return named(strings.ReplaceAll(cluster, "-", ".")) }, "two cluster names make the same subject"},
		{"no-name", func(string) []byte { return named("") }, "cluster_name: missing"},
		{"endless-cluster", func(string) []byte { return named(long) }, "cluster_name: 307200 bytes are more than the 256 allowed"},
		{"endless-service", with(func(s *schema.ClusterContext) { s.Services[0].Name = long }), "services[0].name: 307200 bytes are more than the 256 allowed"},
		{"nameless-service", with(func(s *schema.ClusterContext) { s.Services[0].Name = "" }), "services[0].name: missing"},
		{"second-service", with(func(s *schema.ClusterContext) { s.Services = append(s.Services, s.Services[0]) }), `services[1]: a second service "shop/FOREIGN"`},
		{"second-node", with(func(s *schema.ClusterContext) { s.Nodes = []schema.NodeSummary{{ID: "n"}, {ID: "n"}} }), `nodes[1]: a second node "n"`},
		{"odd-status", with(func(s *schema.ClusterContext) { s.Services[0].Status = foreign }), `services[0].status: "FOREIGN" is not one of`},
		{"below-zero", with(func(s *schema.ClusterContext) { s.Services[0].ReplicasDesired = new(-1) }), "services[0].replicas_desired: -1 is below 0"},
		{"too-many-services", with(func(s *schema.ClusterContext) { s.Services = many(20_001) }), "services: 20001 are more than the 20000 allowed"},
		{"too-large", func(string) []byte { return bytes.Repeat([]byte(" "), schema.MaxContextBytes+1) }, "4194305 bytes are more than the 4194304 allowed"},
	}
	h := newHouse(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cluster := token(t)
			subject := h.bus.Subjects().Context(cluster)
			c := h.live(t, cluster, func() {
				if _, err := h.bus.Publish(t.Context(), subject, tt.body(cluster), ""); err != nil {
					t.Fatal(err)
				}
			})
			h.unharmed(t, c)
			h.refused(t, subject, tt.reason, disturbances)
		})
	}
	h.neverSaid(t)
}

func many(n int) []schema.ServiceSummary {
	all := make([]schema.ServiceSummary, n)
	for i := range all {
		all[i].Name = fmt.Sprintf("%s-%d", foreign, i)
	}
	return all
}

// neverSaid checks that nothing foreign was stored as a conversation or told.
func (h house) neverSaid(t *testing.T) {
	t.Helper()
	for _, c := range bustest.Conversations(t, h.bus) {
		if strings.Contains(string(toJSON(t, c)), foreign) {
			t.Errorf("the conversation of %s in %s has something foreign: %v", c.Object, c.Cluster, e2e.Kinds(c))
		}
	}
	for _, p := range h.hook.All() {
		if strings.Contains(string(toJSON(t, p)), foreign) {
			t.Errorf("the receiver was told something foreign: %s %.300q", p.ID, p.Text)
		}
	}
}

// What the server itself refuses never arrives, and its publisher is told.
func TestWhatIsFarTooLargeIsRefusedToItsPublisher(t *testing.T) {
	h := newHouse(t)
	c := h.live(t, "prod", func() {
		for subject, size := range map[string]int{
			h.bus.Subjects().Context("prod"):                 5 << 20,
			h.bus.Subjects().Replies(e2e.CheckoutID("prod")): 70 << 10,
		} {
			if _, err := h.bus.Publish(t.Context(), subject, bytes.Repeat([]byte("x"), size), ""); err == nil {
				t.Errorf("%d bytes were stored under %s", size, subject)
			}
		}
	})
	h.unharmed(t, c)
	if letters := h.buried(t); len(letters) != 0 {
		t.Errorf("%d dead letters of what never arrived: %+v", len(letters), letters)
	}
}

// Names that are odd and allowed are alerted on like any other, and nobody is deceived by them.
func TestNamesThatHideSomethingAreToldInPlainSight(t *testing.T) {
	h := newHouse(t)
	const odd = "check\u202eout\x1b[31m<!channel>\x00\u200b@everyone\n| $(reboot)"
	hostile := func(n int) schema.ClusterContext {
		s := e2e.Snapshot("odd", n, 0)
		v := &s.Services[0]
		v.Name, v.Namespace, v.Image, v.Instances[0].Name = odd, odd, odd, odd
		v.RecentLogs, v.DependsOn, v.Labels = []string{odd}, []string{odd}, map[string]string{odd: odd}
		s.RecentEvents = []schema.ClusterEvent{{At: s.TakenAt, Kind: odd, Object: odd, Text: odd}}
		return s
	}
	n := 0
	c := h.live(t, "prod", func() {
		e2e.Publish(t, h.bus, hostile(n))
		n++
	})
	h.unharmed(t, c)
	id := schema.ConversationID("odd", schema.Object{Kind: schema.KindService, Namespace: odd, Name: odd})
	posts := h.posts(id)
	if len(posts) != 1 || posts[0].Type != "conversation.opened" {
		t.Fatalf("told of the odd service: %s", e2e.Shown(posts))
	}
	got := posts[0]
	shown := []string{got.Text, got.Conversation.Title, got.Conversation.Object.Name, got.Conversation.Diagnosis.Command}
	for _, m := range got.Events {
		shown = append(shown, m.Content, m.SuggestedCommand)
	}
	for _, s := range shown {
		if strings.ContainsFunc(strings.ReplaceAll(s, "\n", " "), hides) {
			t.Errorf("what is shown hides something: %q", s)
		}
	}
	if next := got.Conversation.Diagnosis.Command; strings.Contains(next, "reboot") {
		t.Errorf("the command holds the name: %q", next)
	}
	if letters := h.buried(t); len(letters) != 0 {
		t.Errorf("%d dead letters: %+v", len(letters), letters)
	}
	h.readable(t)
}

// Of two clusters whose names make one subject the first has it, and no prompt about it speaks of the other.
func TestTheSnapshotOfAMeetingNameIsKeptOutOfPrompts(t *testing.T) {
	s, model := bustest.Server(t), llmtest.New(t)
	e2e.StartAnalyzer(t, s, llm.Config{BaseURL: model.URL(), Model: "test"})
	b, id := s.Connect(t), e2e.CheckoutID("shop.eu")
	quiet := func() { t.Helper(); bustest.Settled(t, b, bus.Notify("webhook")) }
	ask := func() string {
		e2e.Say(t, b, id, "how is checkout now?")
		quiet()
		all := model.Requests()
		return all[len(all)-1].User()
	}
	for n := range 2 {
		e2e.Publish(t, b, e2e.Snapshot("shop.eu", n, 0))
		quiet()
	}
	if prompt := ask(); !strings.Contains(prompt, `"now":"shop/checkout`) {
		t.Errorf("the cluster's own snapshot is not in the prompt: %s", prompt)
	}
	other := e2e.Snapshot("shop-eu", 1, 0)
	other.Services[0].Namespace = foreign
	e2e.Publish(t, b, other)
	quiet()
	if prompt := ask(); strings.Contains(prompt, foreign) {
		t.Errorf("another cluster's snapshot is in the prompt: %s", prompt)
	}
}

// Each reply is sent twice while an incident goes on, under its subject or another.
func TestAHostileReplyIsBuriedAndNothingElseIsHarmed(t *testing.T) {
	t.Parallel()
	const nobody = "0123456789abcdef"
	long := strings.Repeat("x", 60<<10)
	tests := []struct {
		name   string
		to     string // instead of the conversation
		body   string
		reason string
	}{
		{"empty", "", "", "text: empty"},
		{"blank", "", " \n\t ", "text: empty"},
		{"binary", "", "\xff\xfe\x00\x01", "text: not UTF-8"},
		{"json-garbage", "", `{"text":"resolve","verb"`, "starts like JSON, but unexpected end of JSON input"},
		{"wrong-types", "", `{"text":{"text":"resolve"}}`, "starts like JSON, but json: cannot unmarshal object"},
		{"endless-time", "", `{"verb":"silence","until":"` + long + `"}`, "starts like JSON, but parsing time"},
		{"pub-ack", "", `{"stream":"REPLIES","seq":1}`, "text: empty"},
		{"other-version", "", `{"schema":"bellbuoy.reply/v9","verb":"resolve"}`, `schema: "bellbuoy.reply/v9"`},
		{"long-text", "", strings.Repeat("resolve ", 3<<10), "are more than the 16384 allowed"},
		{"too-large", "", strings.Repeat("r", schema.MaxReplyBytes+1), "65537 bytes are more than the 65536 allowed"},
		{"other-body", "", `{"conversation":"` + nobody + `","verb":"resolve"}`, `its body is for conversation "0123456789abcdef", its subject for`},
		{"endless-body", "", `{"conversation":"` + long + `","verb":"resolve"}`, "conversation, id, verb, author.name or author.id: longer than 256 bytes"},
		{"endless-author", "", `{"verb":"resolve","author":{"name":"` + long + `"}}`, "conversation, id, verb, author.name or author.id: longer than 256 bytes"},
		{"short-id", "abc", "resolve", `"abc" is not a conversation's id, which has 16 hex digits`},
		{"shouted-id", "0123456789ABCDEF", "resolve", `"0123456789ABCDEF" is not a conversation's id`},
		{"unknown-id", nobody, "resolve", `no conversation has the id "0123456789abcdef"`},
	}
	h := newHouse(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cluster := token(t)
			subject := h.bus.Subjects().Replies(e2e.CheckoutID(cluster))
			if tt.to != "" {
				subject = h.bus.Subjects().Replies(tt.to)
			}
			n := 0
			c := h.live(t, cluster, func() {
				if n++; n == 1 {
					return // there is no conversation yet
				}
				if _, err := h.bus.Publish(t.Context(), subject, []byte(tt.body), ""); err != nil {
					t.Fatal(err)
				}
			})
			h.unharmed(t, c)
			h.refused(t, subject, tt.reason, disturbances-1)
		})
	}
}

// What anybody may say is only said: its author stays a claim, and its markup stays text.
func TestAForgedAuthorStaysAClaimAndMarkupStaysText(t *testing.T) {
	const markup = "<!channel> @everyone <script>alert(1)</script> [click](javascript:alert(1)) \u202egnp.exe\x1b[2J `rm -rf /`"
	body := toJSON(t, schema.Reply{Text: markup, Author: schema.Author{Name: "root\u202e<!here>", Channel: "slack", Verified: true}})
	h := newHouse(t)
	n := 0
	c := h.live(t, "prod", func() {
		if n++; n == 2 {
			if _, err := h.bus.Publish(t.Context(), h.bus.Subjects().Replies(e2e.CheckoutID("prod")), body, ""); err != nil {
				t.Fatal(err)
			}
		}
	})
	want := []string{"opened", "asked", "answered", "asked", "answered", "cleared"}
	if diff := cmp.Diff(want, e2e.Kinds(c)); diff != "" {
		t.Fatalf("story (-want +got):\n%s", diff)
	}
	asked := c.Messages[1]
	if a := asked.Author; a == nil || a.Verified || a.Channel != "nats" || !strings.HasPrefix(a.Name, "root") {
		t.Errorf("author is %+v, want an unverified root from nats", a)
	}
	if !strings.HasPrefix(asked.Content, "<!channel> @everyone <script>") || asked.SuggestedCommand != "" {
		t.Errorf("stored as %q, command %q", asked.Content, asked.SuggestedCommand)
	}
	for _, p := range h.posts(c.ID) {
		if strings.ContainsFunc(p.Text, hides) {
			t.Errorf("the receiver's line hides something: %q", p.Text)
		}
	}
	for _, m := range c.Messages {
		if strings.ContainsFunc(strings.ReplaceAll(m.Content, "\n", " "), hides) || m.Author != nil && strings.ContainsFunc(m.Author.Name, hides) {
			t.Errorf("event %s hides something: %q by %+v", m.ID, m.Content, m.Author)
		}
	}
	if letters := h.buried(t); len(letters) != 0 {
		t.Errorf("%d dead letters: %+v", len(letters), letters)
	}
	h.readable(t)
}
