package analyzer_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// explained gives a client of an analyzer that has folded two callers into their database, which is open.
func explained(t *testing.T) (*client.Client, *bus.Bus, town) {
	t.Helper()
	s := bustest.Server(t)
	e2e.StartAnalyzer(t, s, llm.Config{})
	b := s.Connect(t)
	w := town{"prod", 2}
	for n, running := range [][2]int{{1, 1}, {1, 0}, {1, 0}, {0, 0}, {0, 0}} {
		e2e.Publish(t, b, w.at(n, running[0], running[1]))
		settled(t, b)
	}
	e2e.Await(t, b, w.name, w.caller(0), "the folding", func(c schema.Conversation) bool { return c.State == schema.StateFolded })
	e2e.Await(t, b, w.name, w.id("db"), "the opening", func(c schema.Conversation) bool { return !c.Closed() })
	return client.New(b), b, w
}

func TestWhatIsSaidToAFoldedOneByNameGoesToItsCause(t *testing.T) {
	c, b, w := explained(t)
	stored, err := c.Reply(t.Context(), client.ReplyRequest{Ref: "caller-000", Verb: "ack", Author: "anna"})
	if err != nil {
		t.Fatal(err)
	}
	want := "shop/caller-000 is part of shop/db (" + stored.Short + "): said there"
	if stored.Conversation != w.id("db") || stored.Folded != w.caller(0) || stored.Notice != want || !strings.HasPrefix(w.id("db"), stored.Short) {
		t.Errorf("stored %+v, want the notice %q", stored, want)
	}
	got := e2e.Await(t, b, w.name, stored.Conversation, "the acknowledgement", func(c schema.Conversation) bool { return c.State == schema.StateAcknowledged })
	if last := got.Messages[len(got.Messages)-1]; got.Owner != "anna" || last.ReplyID != stored.ReplyID {
		t.Errorf("owner %q by %+v", got.Owner, last)
	}
	direct, err := c.Reply(t.Context(), client.ReplyRequest{Ref: "shop/db", Verb: "unack", Author: "anna"})
	if err != nil || direct.Notice != "" || direct.Folded != "" {
		t.Errorf("said to the cause itself: %+v, %v", direct, err)
	}
	quiet, err := c.Silence(t.Context(), client.SilenceRequest{Ref: "caller-001", For: "1h", Author: "anna"})
	if err != nil || quiet.Reply == nil || quiet.Reply.Conversation != w.id("db") || quiet.Reply.Notice == "" {
		t.Errorf("silence: %+v, %v; want it said to the cause", quiet, err)
	}
}

func TestAFoldedOneIsListedOnRequestWithItsCause(t *testing.T) {
	c, _, w := explained(t)
	open, err := c.List(t.Context(), client.ListRequest{})
	if err != nil || open.Total != 1 || open.Conversations[0].ID != w.id("db") || open.Conversations[0].AffectedCount != 2 {
		t.Fatalf("open: %+v, %v; want the database alone, with two affected", open, err)
	}
	all, err := c.List(t.Context(), client.ListRequest{All: true})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all.Conversations, func(s client.Summary) bool { return s.ID == w.caller(0) })
	if i < 0 {
		t.Fatalf("all: %+v lacks the caller", all)
	}
	if s := all.Conversations[i]; s.State != schema.StateFolded || s.FoldedInto != w.id("db") || s.Cause == nil || s.Cause.Name != "db" {
		t.Errorf("listed as %+v", s)
	}
	got, err := c.Get(t.Context(), "caller-000")
	if cause, id := got.Explainer(); err != nil || cause != "shop/db" || !strings.HasPrefix(w.id("db"), id) || id == "" {
		t.Errorf("get: explained by %q (%q), %v", cause, id, err)
	}
}

// Once the cause is over, what is said to what was part of it is said to that.
func TestWhatIsSaidOnceTheCauseIsOverStaysThere(t *testing.T) {
	c, b, w := explained(t)
	e2e.Say(t, b, w.id("db"), "dismiss")
	e2e.Await(t, b, w.name, w.id("db"), "the dismissal", schemaClosed)
	stored, err := c.Reply(t.Context(), client.ReplyRequest{Ref: w.caller(0), Text: "why?", Author: "anna"})
	if err != nil || stored.Conversation != w.caller(0) || stored.Notice != "" {
		t.Errorf("stored %+v, %v; want it said to the folded one itself", stored, err)
	}
}

func schemaClosed(c schema.Conversation) bool { return c.Closed() }
