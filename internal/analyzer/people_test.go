package analyzer_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellbuoy/bellbuoy/internal/analyzer"
	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/channelfile"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const listed = `
people:
  - {name: Anna, role: responder, slack: U0123ABCD, nats: anna}
  - {name: Vera, role: viewer, nats: vera}
`

// guarded runs an analyzer that knows of a service of prod that is down, and of the people of a file.
func guarded(t *testing.T, b *bus.Bus, file string) *prometheus.Registry {
	t.Helper()
	path := filepath.Join(t.TempDir(), "channels.yml")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	reg := prometheus.NewRegistry()
	a, err := analyzer.New(analyzer.Config{Calls: analyzer.Calls{Concurrency: 1}, People: channelfile.PeopleFile{Path: path}}, b, e2e.Quiet(), reg)
	if err != nil {
		t.Fatal(err)
	}
	e2e.Start(t, a.Part())
	e2e.Publish(t, b, e2e.Snapshot("prod", 0, 0))
	settled(t, b)
	e2e.Publish(t, b, e2e.Snapshot("prod", 1, 0))
	settled(t, b)
	return reg
}

// hear stores a reply as a gateway would.
func hear(t *testing.T, b *bus.Bus, channel string, r schema.Reply) {
	t.Helper()
	body, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Publish(t.Context(), b.Subjects().Heard(channel, e2e.CheckoutID("prod")), body, ""); err != nil {
		t.Fatal(err)
	}
}

func TestVerbsAreForThoseWhoMay(t *testing.T) {
	s := bustest.Server(t)
	b := s.Connect(t)
	reg := guarded(t, b, listed)
	id := e2e.CheckoutID("prod")
	api := client.New(b)
	verified := func(name string) schema.Author { return schema.Author{Name: name, Channel: "slack", Verified: true} }
	claim := `{"verb":"ack","author":{"name":"Anna","channel":"slack","verified":true}}`

	e2e.Say(t, b, id, claim)
	e2e.Say(t, b, id[:8], "dismiss")
	settled(t, b) // what comes for the beginning of an id is stored once more
	if _, err := api.Reply(t.Context(), client.ReplyRequest{Ref: "checkout", Text: "silence 2h", Author: "Anna"}); err != nil {
		t.Fatal(err)
	}
	hear(t, b, "slack", schema.Reply{Verb: "resolve", Author: verified("Vera")})
	hear(t, b, "slack", schema.Reply{Verb: "resolve", Author: verified("Zoe")})
	hear(t, b, "slack", schema.Reply{Verb: "resolve", Author: schema.Author{Name: "Anna", Channel: "slack"}})
	hear(t, b, "slack", schema.Reply{Text: "why?", Author: verified("Vera")})
	hear(t, b, "slack", schema.Reply{Text: "help", Author: verified("Vera")})
	hear(t, b, "slack", schema.Reply{Text: "on it", Author: verified("Anna")})
	got := e2e.Await(t, b, "prod", id, "the acknowledgement", func(c schema.Conversation) bool { return c.Owner == "Anna" })

	var kinds []string
	for _, m := range got.Messages {
		if m.Author == nil || m.Sender == schema.SenderAssistant {
			continue
		}
		kinds = append(kinds, m.Kind)
		if m.Kind == schema.EventRefused && !strings.HasSuffix(m.Content, ": Anna may.") {
			t.Errorf("refused with %q", m.Content)
		}
		if m.Kind == schema.EventAnswered && !strings.Contains(m.Content, "You can ask") {
			t.Errorf("help for a viewer: %q", m.Content)
		}
	}
	want := []string{"refused", "refused", "refused", "refused", "refused", "refused", "asked", "answered", "acknowledged"}
	if diff := cmp.Diff(want, slices.DeleteFunc(kinds, func(k string) bool { return k == "judged" })); diff != "" {
		t.Errorf("events (-want +got):\n%s\n%q", diff, spoken(got))
	}
	if got.ClosedAs != "" || !got.SilencedUntil.IsZero() {
		t.Errorf("something of it was applied: %s %v", got.State, got.SilencedUntil)
	}
	if diff := cmp.Diff(map[string]float64{"api role": 1, "nats role": 2, "slack role": 3}, refusals(t, reg)); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
}

// refusals gives how many replies were refused, by channel and reason.
func refusals(t *testing.T, reg *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]float64{}
	for _, f := range families {
		if f.GetName() != "bellbuoy_replies_refused_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			counts[strings.Join(labels, " ")] = m.GetCounter().GetValue()
		}
	}
	return counts
}

func TestWhatIsAskedByAPIAndChangesSomethingIsForThoseWhoMay(t *testing.T) {
	s := bustest.Server(t)
	b := s.Connect(t)
	guarded(t, b, listed)
	api := client.New(b)
	_, silence := api.Silence(t.Context(), client.SilenceRequest{Ref: "cluster=prod", For: "1h", Reason: "x", Author: "Anna"})
	_, forget := api.Forget(t.Context(), client.ForgetRequest{Ref: "checkout", Author: "Anna"})
	letter := buried(t, b, "analyzer", bus.DeadLetter{Consumer: bus.Hear, Subject: b.Subjects().Replies(e2e.CheckoutID("prod")), Seq: 9, Body: []byte(`{"text":"why?"}`)})
	_, retry := api.Retry(t.Context(), letter)
	if _, err := api.Letter(t.Context(), letter); err != nil {
		t.Errorf("the letter is gone though nobody tried it: %v", err)
	}
	for what, err := range map[string]error{"silence": silence, "forget": forget, "dead retry": retry} {
		if told, ok := errors.AsType[*bus.APIError](err); !ok || told.Code != bus.CodeForbidden || !strings.Contains(told.Message, "Anna may") {
			t.Errorf("%s by a claim: %v", what, err)
		}
	}
	for _, ask := range []func() error{
		func() error { _, err := api.Silences(t.Context()); return err },
		func() error { _, err := api.Why(t.Context(), "checkout"); return err },
	} {
		if err := ask(); err != nil {
			t.Errorf("a question is refused: %v", err)
		}
	}
}

func TestAButtonOfAnEarlierEpisodeIsRefusedAndCounted(t *testing.T) {
	s := bustest.Server(t)
	b := s.Connect(t)
	reg := guarded(t, b, "")
	id := e2e.CheckoutID("prod")
	const later = 200 // snapshots, which is more than the half hour in which it would be the same episode
	for _, n := range []int{2, 3, 4, 5, 6, 7, later, later + 1} {
		running := 1
		if n >= later {
			running = 0
		}
		e2e.Publish(t, b, e2e.Snapshot("prod", n, running))
		settled(t, b)
	}
	e2e.Await(t, b, "prod", id, "the second episode", func(c schema.Conversation) bool { return c.Episode == 2 && !c.Closed() })
	hear(t, b, "slack", schema.Reply{Verb: "ack", Episode: 1, Author: schema.Author{Name: "Anna", Verified: true}})
	hear(t, b, "slack", schema.Reply{Verb: "ack", Episode: 2, Author: schema.Author{Name: "Ben", Verified: true}})
	got := e2e.Await(t, b, "prod", id, "the acknowledgement", func(c schema.Conversation) bool { return c.State == schema.StateAcknowledged })
	if got.Owner != "Ben" || e2e.Count(got, schema.EventRefused) != 1 {
		t.Errorf("owner %q, %v", got.Owner, e2e.Kinds(got))
	}
	if diff := cmp.Diff(map[string]float64{"slack episode": 1}, refusals(t, reg)); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
}

func TestWithoutPeopleEverybodyMay(t *testing.T) {
	s := bustest.Server(t)
	b := s.Connect(t)
	guarded(t, b, "channels: broken, and not the analyzer's to tell\n")
	e2e.Say(t, b, e2e.CheckoutID("prod"), "ack")
	e2e.Await(t, b, "prod", e2e.CheckoutID("prod"), "the acknowledgement", func(c schema.Conversation) bool { return c.State == schema.StateAcknowledged })
}

// Where people have an account of their own, the server says who they are.
func TestWhomTheServerAttestsIsTheAuthor(t *testing.T) {
	url := bustest.Raw(t, `
accounts {
  CORE {
    jetstream: enabled
    users: [{user: core, password: p}], exports: [{service: "bellbuoy.api.>"}] }
  OPS {
    users: [{user: anna, password: p}, {user: vera, password: p}, {user: Anna, password: p}]
    imports: [{service: {account: CORE, subject: "bellbuoy.api.>"}, share: true}]
  }
}
max_payload: 8MB
jetstream: enabled`)
	as := func(user string) *bus.Bus {
		b, err := bus.Connect(t.Context(), bus.Options{URL: strings.Replace(url, "://", "://"+user+":p@", 1), Name: "test", Log: bustest.Log(t)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		return b
	}
	b := as("core")
	if err := b.Setup(t.Context(), bus.Setup{Channels: []string{"webhook"}}); err != nil {
		t.Fatal(err)
	}
	guarded(t, b, listed)
	for _, user := range []string{"vera", "Anna"} {
		if _, err := client.New(as(user)).Silence(t.Context(), client.SilenceRequest{Ref: "cluster=prod", For: "1h", Reason: "x", Author: "Anna"}); err == nil {
			t.Errorf("user %s silences", user)
		}
		if _, err := client.New(as(user)).Reply(t.Context(), client.ReplyRequest{Ref: "checkout", Verb: "dismiss", Author: "Anna"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := client.New(as("anna")).Reply(t.Context(), client.ReplyRequest{Ref: "checkout", Verb: "ack", Author: "somebody else"}); err != nil {
		t.Fatal(err)
	}
	got := e2e.Await(t, b, "prod", e2e.CheckoutID("prod"), "the acknowledgement", func(c schema.Conversation) bool { return c.State == schema.StateAcknowledged })
	var authors []schema.Author
	for _, m := range got.Messages {
		if m.Author != nil {
			authors = append(authors, *m.Author)
		}
	}
	want := []schema.Author{
		{Name: "Vera", Channel: "api", Verified: true},
		{Name: "Anna (nats Anna)", Channel: "api", Verified: true},
		{Name: "Anna", Channel: "api", Verified: true},
	}
	if diff := cmp.Diff(want, authors); diff != "" || e2e.Count(got, schema.EventRefused) != 2 {
		t.Errorf("authors (-want +got):\n%s\n%q", diff, spoken(got))
	}
}

func TestABrokenFileOfPeopleIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "channels.yml")
	if err := os.WriteFile(path, []byte("people: [{name: Anna}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := channelfile.PeopleFile{Path: path}
	if err := f.Validate(); err == nil || !strings.Contains(err.Error(), "CHANNELS_FILE") || !strings.Contains(err.Error(), "line 1: Anna has no role") {
		t.Errorf("%v", err)
	}
	if _, err := analyzer.New(analyzer.Config{People: f}, bustest.New(t), e2e.Quiet(), nil); err == nil {
		t.Error("an analyzer starts without knowing who may do what")
	}
	f.Path += ".gone"
	if err := f.Validate(); err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("%v", err)
	}
}
