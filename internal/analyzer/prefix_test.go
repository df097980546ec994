package analyzer_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// spoken lists what people said to a conversation, in its order.
func spoken(c schema.Conversation) []string {
	var all []string
	for _, m := range c.Messages {
		if m.Author != nil && m.Kind != schema.EventAnswered {
			all = append(all, m.Kind+": "+m.Content)
		}
	}
	return all
}

func TestAReplyToTheBeginningOfAnIDIsHeardInItsPlace(t *testing.T) {
	_, b := firing(t)
	id := e2e.CheckoutID("prod")
	e2e.Say(t, b, id[:6], "one?")
	e2e.Say(t, b, id[:6], "two?")
	e2e.Say(t, b, id[:6], `{"text":"three?","conversation":"`+id[:6]+`","author":{"name":"anna","verified":true,"channel":"slack"}}`)
	settled(t, b)
	e2e.Say(t, b, id, "four?")
	settled(t, b)
	e2e.Say(t, b, id[:15], "five?")
	settled(t, b)
	got := e2e.Await(t, b, "prod", id, "five questions", func(c schema.Conversation) bool { return e2e.Count(c, schema.EventAsked) == 5 })
	if diff := cmp.Diff([]string{"asked: one?", "asked: two?", "asked: three?", "asked: four?", "asked: five?"}, spoken(got)); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
	for _, m := range got.Messages {
		if m.Kind == schema.EventAsked && (m.Author.Verified || m.Author.Channel != "nats") {
			t.Errorf("%q is by %+v", m.Content, m.Author)
		}
	}
}

// A nudge that comes again, in this analyzer or another one, finds everything done.
func TestAReplyToTheBeginningOfAnIDCountsOnceHoweverOftenItIsDelivered(t *testing.T) {
	s := bustest.Server(t)
	a := e2e.StartAnalyzer(t, s, llm.Config{})
	other := e2e.StartAnalyzer(t, s, llm.Config{})
	b := s.Connect(t)
	e2e.Publish(t, b, e2e.Snapshot("prod", 0, 0))
	settled(t, b)
	e2e.Publish(t, b, e2e.Snapshot("prod", 1, 0))
	settled(t, b)
	id := e2e.CheckoutID("prod")
	for i := range 3 {
		e2e.Say(t, b, id[:8], fmt.Sprintf("why %d?", i))
	}
	settled(t, b)
	said, err := b.RepliesBetween(t.Context(), id[:8], 0, 100)
	if err != nil || len(said) != 3 {
		t.Fatalf("%d replies, %v", len(said), err)
	}
	for _, m := range said {
		for _, again := range []func() error{func() error { return a.Hear(t.Context(), m) }, func() error { return other.Hear(t.Context(), m) }} {
			if err := again(); err != nil {
				t.Error(err)
			}
		}
	}
	settled(t, b)
	if whole, err := b.RepliesAfter(t.Context(), id, 0); err != nil || len(whole) != 3 {
		t.Errorf("%d replies to the whole id, %v", len(whole), err)
	}
	got := e2e.Await(t, b, "prod", id, "three questions", func(c schema.Conversation) bool { return e2e.Count(c, schema.EventAsked) >= 3 })
	if diff := cmp.Diff([]string{"asked: why 0?", "asked: why 1?", "asked: why 2?"}, spoken(got)); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
}

func TestABeginningThatMeansNothingIsADeadLetterThatSaysWhy(t *testing.T) {
	_, b := firing(t)
	id := e2e.CheckoutID("prod")
	unknown := strings.Map(func(r rune) rune { return 'f' - (r-'0')%6 }, id[:7])
	if strings.HasPrefix(id, unknown) {
		t.Fatal("the id is made up")
	}
	for _, tt := range []struct{ to, body, want string }{
		{id[:5], "ack", "the first 6"},
		{strings.ToUpper(id[:8]) + "-x", "ack", "not a conversation's id"},
		{unknown, "ack", "begins with " + unknown},
		{id[:6], `{"text":"ack","conversation":"0123456789abcdef"}`, "its body is for"},
	} {
		e2e.Say(t, b, tt.to, tt.body)
		settled(t, b)
		if letter := bustest.Next[bus.DeadLetter](t, b, b.Subjects().Dead("analyzer")); !strings.Contains(letter.Reason, tt.want) {
			t.Errorf("%s: %s, want %q", tt.to, letter.Reason, tt.want)
		}
	}
	got := e2e.Await(t, b, "prod", id, "nothing", func(schema.Conversation) bool { return true })
	if got.State != schema.StateInvestigating || len(spoken(got)) > 0 {
		t.Errorf("it is %s with %q", got.State, spoken(got))
	}
}

// Ids of some thousand objects are enough for two that begin alike.
func TestABeginningThatFitsTwoIsADeadLetterThatNamesThem(t *testing.T) {
	s := bustest.Server(t)
	e2e.StartAnalyzer(t, s, llm.Config{})
	b := s.Connect(t)
	first, second := alike(t)
	snapshot := e2e.Snapshot("prod", 0, 0)
	one := snapshot.Services[0]
	for _, name := range []string{first, second} {
		one.Name = name
		snapshot.Services = append(snapshot.Services, one)
	}
	e2e.Publish(t, b, snapshot)
	settled(t, b)
	snapshot.TakenAt = e2e.Snapshot("prod", 1, 0).TakenAt
	e2e.Publish(t, b, snapshot)
	settled(t, b)
	id := schema.ConversationID("prod", schema.Object{Kind: schema.KindService, Namespace: one.Namespace, Name: first})
	e2e.Await(t, b, "prod", id, "the opening", func(schema.Conversation) bool { return true })
	e2e.Say(t, b, id[:6], "ack")
	letter := bustest.Next[bus.DeadLetter](t, b, b.Subjects().Dead("analyzer"))
	if !strings.Contains(letter.Reason, "2 conversations") || !strings.Contains(letter.Reason, id) {
		t.Errorf("dead letter says %q", letter.Reason)
	}
}

// alike finds names of two services whose ids share six digits.
func alike(t *testing.T) (first, second string) {
	t.Helper()
	seen := map[string]string{}
	for i := range 1 << 20 {
		name := fmt.Sprintf("s%d", i)
		prefix := schema.ConversationID("prod", schema.Object{Kind: schema.KindService, Namespace: "shop", Name: name})[:6]
		if before, twice := seen[prefix]; twice {
			return before, name
		}
		seen[prefix] = name
	}
	t.Fatal("no two ids begin alike")
	return "", ""
}
