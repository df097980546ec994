package analyzer_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// firing gives a client of two analyzers that know of a service of prod that is down.
func firing(t *testing.T) (*client.Client, *bus.Bus) {
	t.Helper()
	s := bustest.Server(t)
	e2e.StartAnalyzer(t, s, llm.Config{})
	e2e.StartAnalyzer(t, s, llm.Config{})
	b := s.Connect(t)
	e2e.Publish(t, b, e2e.Snapshot("prod", 0, 0))
	settled(t, b)
	e2e.Publish(t, b, e2e.Snapshot("prod", 1, 0))
	settled(t, b)
	e2e.Await(t, b, "prod", e2e.CheckoutID("prod"), "the opening", func(schema.Conversation) bool { return true })
	return client.New(b), b
}

func settled(t *testing.T, b *bus.Bus) {
	t.Helper()
	bustest.Settled(t, b, bus.Notify("webhook"))
}

func TestGetTakesAnIDItsBeginningOrAName(t *testing.T) {
	c, _ := firing(t)
	id := e2e.CheckoutID("prod")
	for _, ref := range []string{id, id[:4], "checkout", "prod/shop/checkout"} {
		got, err := c.Get(t.Context(), ref)
		if err != nil || got.ID != id {
			t.Errorf("get %q: %s, %v", ref, got.ID, err)
		}
	}
	_, err := c.Get(t.Context(), "nothing")
	if e := new(bus.APIError); !errors.As(err, &e) || e.Code != bus.CodeNotFound {
		t.Errorf("get of nothing: %v", err)
	}
}

func TestListShowsTheOpenOnesAndOnRequestAll(t *testing.T) {
	c, b := firing(t)
	list, err := c.List(t.Context(), client.ListRequest{})
	if err != nil || list.Total != 1 || list.Conversations[0].Severity != schema.SeverityCritical {
		t.Fatalf("list: %+v, %v", list, err)
	}
	e2e.Say(t, b, e2e.CheckoutID("prod"), "dismiss")
	settled(t, b)
	e2e.Await(t, b, "prod", e2e.CheckoutID("prod"), "the dismissal", func(c schema.Conversation) bool { return c.Closed() })
	all, err := c.List(t.Context(), client.ListRequest{All: true})
	if err != nil || all.Total != 1 {
		t.Errorf("list of all: %+v, %v", all, err)
	}
	if _, err := c.List(t.Context(), client.ListRequest{Limit: -1}); err == nil {
		t.Error("a negative limit is taken")
	}
}

func TestReplyIsStoredForTheConversationThatRefNames(t *testing.T) {
	c, b := firing(t)
	stored, err := c.Reply(t.Context(), client.ReplyRequest{Ref: "checkout", Verb: "ack", Author: "anna"})
	if err != nil {
		t.Fatal(err)
	}
	got := e2e.Await(t, b, "prod", stored.Conversation, "the acknowledgement", func(c schema.Conversation) bool { return c.State == schema.StateAcknowledged })
	last := got.Messages[len(got.Messages)-1]
	if got.Owner != "anna" || last.ReplyID != stored.ReplyID || last.Author.Verified {
		t.Errorf("owner %q by %+v", got.Owner, last)
	}
	if _, err := c.Reply(t.Context(), client.ReplyRequest{Ref: "checkout"}); err == nil {
		t.Error("an empty reply is stored")
	}
}

func TestTheSameReplySentTwiceCountsOnce(t *testing.T) {
	c, b := firing(t)
	for range 2 {
		if _, err := c.Reply(t.Context(), client.ReplyRequest{Ref: "checkout", Text: "why?", ID: "one"}); err != nil {
			t.Fatal(err)
		}
	}
	settled(t, b)
	got := e2e.Await(t, b, "prod", e2e.CheckoutID("prod"), "the answer", func(c schema.Conversation) bool { return e2e.Count(c, "answered") == 1 })
	if n := e2e.Count(got, "asked"); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestWhyNamesTheRuleAndTheStateOfTheConversation(t *testing.T) {
	c, _ := firing(t)
	why, err := c.Why(t.Context(), "shop/checkout")
	if err != nil || len(why.Objects) != 1 {
		t.Fatalf("why: %+v, %v", why, err)
	}
	o := why.Objects[0]
	if o.Conversation != e2e.CheckoutID("prod") || o.State != schema.StateInvestigating {
		t.Errorf("conversation %s %s", o.Conversation, o.State)
	}
	var firing []string
	for _, r := range o.Reasons {
		if r.Verdict == "firing" {
			firing = append(firing, r.Condition)
		}
	}
	if strings.Join(firing, ",") != "service_down" {
		t.Errorf("firing %v, want service_down alone", firing)
	}
	if _, err := c.Why(t.Context(), "nothing"); err == nil {
		t.Error("why of something unknown is explained")
	}
}

func TestReplyToNobodyIsADeadLetter(t *testing.T) {
	_, b := firing(t)
	e2e.Say(t, b, "0123456789abcdef", "ack")
	letter := bustest.Next[bus.DeadLetter](t, b, b.Subjects().Dead("analyzer"))
	if !strings.Contains(letter.Reason, "0123456789abcdef") || string(letter.Body) != "ack" {
		t.Errorf("dead letter %+v", letter)
	}
}

func TestTwoClustersThatMeetInOneSubjectAreKeptApart(t *testing.T) {
	_, b := firing(t)
	e2e.Publish(t, b, e2e.Snapshot("a.b", 0, 0))
	settled(t, b)
	e2e.Publish(t, b, e2e.Snapshot("a-b", 1, 0))
	letter := bustest.Next[bus.DeadLetter](t, b, b.Subjects().Dead("analyzer"))
	if !strings.Contains(letter.Reason, `"a.b" and "a-b"`) {
		t.Errorf("dead letter says %q", letter.Reason)
	}
}
