package analyzer_test

import (
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestWhatIsWellAndOnlyWatchedIsNotEscalatedBeforeItFailsAgain(t *testing.T) {
	q := newQuietStack(t)
	q.fail(t)
	c := q.await(t, "the opening", func(schema.Conversation) bool { return true })
	wake := func(after time.Duration) {
		t.Helper()
		if err := q.any.WakeAt(t.Context(), "prod", c.ID, c.WakeAt.Add(after)); err != nil {
			t.Fatal(err)
		}
	}
	q.publish(t, 1) // its clear hold begins
	wake(time.Second)
	bustest.Settled(t, q.bus)
	if now := q.await(t, "how it stands", func(schema.Conversation) bool { return true }); e2e.Count(now, schema.EventEscalated) != 0 {
		t.Fatalf("it is well: %v", e2e.Kinds(now))
	}
	q.publish(t, 0)
	wake(time.Minute)
	q.await(t, "the escalation", func(c schema.Conversation) bool { return e2e.Count(c, schema.EventEscalated) == 1 })
}

// A memory that cannot be read hides no deadline: what is critical and nobody's is escalated all the same.
func TestWhatNobodyCanSayIsWellIsEscalated(t *testing.T) {
	q := newQuietStack(t)
	q.fail(t)
	c := q.await(t, "the opening", func(schema.Conversation) bool { return true })
	bustest.Settled(t, q.bus)
	kept := q.bus.Kept("analyzer")
	_, rev, err := kept.Get(t.Context(), "detect.prod")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kept.Put(t.Context(), "detect.prod", []byte("{"), rev); err != nil {
		t.Fatal(err)
	}
	if err := q.any.WakeAt(t.Context(), "prod", c.ID, c.WakeAt.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	q.await(t, "the escalation", func(c schema.Conversation) bool { return e2e.Count(c, schema.EventEscalated) == 1 })
}
