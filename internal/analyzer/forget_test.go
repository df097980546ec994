package analyzer_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func refusedWith(t *testing.T, err error, says string) {
	t.Helper()
	if e := new(bus.APIError); !errors.As(err, &e) || !strings.Contains(e.Message, says) {
		t.Errorf("%v, want a refusal with %q", err, says)
	}
}

func TestAClusterThatIsGoneIsForgotten(t *testing.T) {
	q := newQuietStack(t)
	q.fail(t)
	q.hook.Until(t, "the alert", func(posts []e2e.Post) bool { return len(posts) == 1 })
	forget := func(ref string) (client.ForgetResponse, error) {
		return q.Forget(t.Context(), client.ForgetRequest{Ref: ref, Author: "ben"})
	}
	_, err := forget("prod")
	refusedWith(t, err, `cluster "prod" is still published`)
	_, err = forget("checkout")
	refusedWith(t, err, "shop/checkout is still there")
	_, err = forget("bellbuoy")
	refusedWith(t, err, "no conversation has an id")

	last := e2e.Snapshot("prod", q.seen, 0)
	last.Goodbye, last.Services = true, nil
	e2e.Publish(t, q.bus, last)
	bustest.Settled(t, q.bus)
	done, err := forget("prod")
	if err != nil || done.Closed != 1 || !done.Memory || done.Until.IsZero() {
		t.Fatalf("forgot %+v, %v", done, err)
	}
	posts := q.hook.Until(t, "the end", func(posts []e2e.Post) bool { return len(posts) == 2 })
	c := posts[1].Conversation
	if newest := c.Messages[len(c.Messages)-1]; c.State != schema.StateRemoved || posts[1].Type != "conversation.cleared" || newest.Author.Name != "ben" || newest.Author.Verified {
		t.Errorf("it ends as %s, %s by %+v", posts[1].Type, c.State, newest.Author)
	}
	if done, err = forget("prod"); err != nil || done.Closed != 0 || done.Memory {
		t.Errorf("forgotten again: %+v, %v", done, err)
	}
	_, err = forget("checkout")
	refusedWith(t, err, "closed already")

	q.seen++
	q.publish(t, 1) // it comes back, and is seen for the first time
	q.fail(t)
	q.await(t, "the failure after that", func(c schema.Conversation) bool { return e2e.Count(c, schema.EventReopened) == 1 })
}

func TestAConversationAboutWhatIsGoneIsForgottenAlone(t *testing.T) {
	q := newQuietStack(t)
	q.fail(t)
	q.await(t, "the opening", func(schema.Conversation) bool { return true })
	without := e2e.Snapshot("prod", q.seen, 0)
	without.Services = nil
	e2e.Publish(t, q.bus, without)
	bustest.Settled(t, q.bus)
	done, err := q.Forget(t.Context(), client.ForgetRequest{Ref: "checkout", Author: "ben"})
	if err != nil || done.Closed != 1 || done.Memory || done.Object == nil {
		t.Fatalf("forgot %+v, %v", done, err)
	}
	if c, err := q.Get(t.Context(), "checkout"); err != nil || c.State != schema.StateRemoved {
		t.Errorf("it is %s, %v", c.State, err)
	}
}
