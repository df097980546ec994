package e2e_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/llm/llmtest"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestAnAlertIsToldDiagnosedAnsweredOwnedAndClears(t *testing.T) {
	s, hook := bustest.Server(t), e2e.NewReceiver(t)
	model := llmtest.New(t)
	e2e.StartAnalyzer(t, s, llm.Config{BaseURL: model.URL(), Model: "test"})
	e2e.StartNotifier(t, s, hook.URL)
	b, id := s.Connect(t), e2e.CheckoutID("prod")

	e2e.Publish(t, b, e2e.Snapshot("prod", 0, 0))
	bustest.Settled(t, b)
	if posts := hook.All(); len(posts) != 0 {
		t.Fatalf("told before the hold was over: %s", e2e.Shown(posts))
	}
	e2e.Publish(t, b, e2e.Snapshot("prod", 1, 0))
	posts := hook.Until(t, "the diagnosis", func(p []e2e.Post) bool { return len(p) > 0 && e2e.Has(p[len(p)-1], schema.EventDiagnosed) })
	if posts[0].Type != "conversation.opened" || posts[0].Conversation.ID != id || posts[0].Conversation.Severity != schema.SeverityCritical {
		t.Errorf("first post is %s of %s, want the critical opening of %s", posts[0].Type, posts[0].Conversation.ID, id)
	}

	e2e.Say(t, b, id, "why?")
	e2e.Await(t, b, "prod", id, "the answer", func(c schema.Conversation) bool { return e2e.Count(c, schema.EventAnswered) == 1 })
	e2e.Say(t, b, id, "ack")
	c := e2e.Await(t, b, "prod", id, "the acknowledgement", func(c schema.Conversation) bool { return c.State == schema.StateAcknowledged })
	if author := c.Messages[len(c.Messages)-1].Author; author == nil || author.Verified || author.Channel != "nats" {
		t.Errorf("the acknowledgement's author is %+v, want an unverified one from nats", author)
	}

	for n := range 6 {
		e2e.Publish(t, b, e2e.Snapshot("prod", 2+n, 1))
		bustest.Settled(t, b)
	}
	c = e2e.Await(t, b, "prod", id, "the end", func(c schema.Conversation) bool { return c.Closed() })
	want := []string{"opened", "diagnosed", "asked", "answered", "acknowledged", "cleared"}
	if diff := cmp.Diff(want, e2e.Kinds(c)); diff != "" {
		t.Errorf("story (-want +got):\n%s", diff)
	}
	bustest.Settled(t, b)
	posts = hook.All()
	if last := posts[len(posts)-1]; last.Type != "conversation.cleared" || last.Conversation.ClosedAs != schema.StateCleared {
		t.Errorf("last post is %s as %q", last.Type, last.Conversation.ClosedAs)
	}
	if told := e2e.ToldKinds(posts); !slices.Equal(told, want) {
		t.Errorf("told %v, want %v, each once and in order", told, want)
	}
}
