package analyzer_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/analyzer"
	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// quietStack is two analyzers and a notifier that have seen shop/checkout running on node n1 of prod.
type quietStack struct {
	*client.Client
	bus  *bus.Bus
	hook *e2e.Receiver
	any  *analyzer.Analyzer
	seen int
}

func newQuietStack(t *testing.T) *quietStack {
	t.Helper()
	s := bustest.Server(t)
	q := &quietStack{any: e2e.StartAnalyzer(t, s, llm.Config{}), hook: e2e.NewReceiver(t)}
	e2e.StartAnalyzer(t, s, llm.Config{})
	e2e.StartNotifier(t, s, q.hook.URL)
	q.bus = s.Connect(t)
	q.Client = client.New(q.bus)
	q.publish(t, 1)
	return q
}

// publish stores the next snapshot and waits until everybody has done with it.
func (q *quietStack) publish(t *testing.T, running int) {
	t.Helper()
	x := e2e.Snapshot("prod", q.seen, running)
	x.Nodes = []schema.NodeSummary{{ID: "n1", Status: schema.NodeHealthy}}
	x.Services[0].Labels = map[string]string{"team": "shop"}
	x.Services[0].Instances[0].Node = "n1"
	q.seen++
	e2e.Publish(t, q.bus, x)
	bustest.Settled(t, q.bus)
}

func (q *quietStack) fail(t *testing.T) {
	t.Helper()
	q.publish(t, 0)
	q.publish(t, 0)
}

func (q *quietStack) await(t *testing.T, what string, done func(schema.Conversation) bool) schema.Conversation {
	t.Helper()
	return e2e.Await(t, q.bus, "prod", e2e.CheckoutID("prod"), what, done)
}

func silenced(c schema.Conversation) bool { return c.State == schema.StateSilenced }

func TestWhatIsSilencedByScopeOpensAndIsToldToNobodyBeforeTheEnd(t *testing.T) {
	for name, r := range map[string]client.SilenceRequest{
		"cluster": {Ref: "prod"},
		"node":    {Ref: "node/n1"},
		"object":  {Ref: "checkout"},
		"matcher": {Ref: "cluster=p* name=check* label.team=shop condition=service_*"},
	} {
		t.Run(name, func(t *testing.T) {
			q := newQuietStack(t)
			r.For, r.Reason, r.Author = "2h", "moving the racks", "anna"
			made, err := q.Silence(t.Context(), r)
			if err != nil || made.Silence == nil || made.Covers != 0 {
				t.Fatalf("silence: %+v, %v", made, err)
			}
			q.fail(t)
			c := q.await(t, "the silence", silenced)
			if c.SilencedBy != made.Silence.ID || !c.SilencedUntil.Equal(made.Silence.Until) {
				t.Errorf("silenced by %q until %v", c.SilencedBy, c.SilencedUntil)
			}
			if posts := q.hook.All(); len(posts) > 0 {
				t.Fatalf("told in the silence:%s", e2e.Shown(posts))
			}
			ended, err := q.Unsilence(t.Context(), client.UnsilenceRequest{Ref: made.Silence.ID[:4], Author: "ben"})
			if err != nil || ended.Covers != 1 {
				t.Fatalf("unsilence: %+v, %v", ended, err)
			}
			q.hook.Until(t, "the end of the silence", func(posts []e2e.Post) bool { return len(posts) == 1 && posts[0].Type == "conversation.opened" })
			want := []string{schema.EventOpened, schema.EventSilenced, schema.EventUnsilenced}
			q.publish(t, 0)
			c, err = q.Get(t.Context(), "checkout")
			if diff := cmp.Diff(want, e2e.Kinds(c)); diff != "" || err != nil {
				t.Errorf("events, %v (-want +got):\n%s", err, diff)
			}
			if text := c.Messages[2].Content; !strings.HasPrefix(text, "ben ended silence "+made.Silence.ID) {
				t.Errorf("the end says %q", text)
			}
		})
	}
}

func TestASilenceThatCoversSomethingElseQuietsNothing(t *testing.T) {
	q := newQuietStack(t)
	for _, ref := range []string{"name=cart", "cluster=test", "node=n2", "label.team=search", "condition=disk"} {
		if _, err := q.Silence(t.Context(), client.SilenceRequest{Ref: ref, For: "1h", Reason: "no"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := q.Silence(t.Context(), client.SilenceRequest{Ref: "prod", For: "1h", From: time.Now().Add(time.Hour), Reason: "later"}); err != nil {
		t.Fatal(err)
	}
	q.fail(t)
	q.hook.Until(t, "the alert", func(posts []e2e.Post) bool { return len(posts) == 1 })
	if c := q.await(t, "the opening", func(schema.Conversation) bool { return true }); silenced(c) {
		t.Errorf("silenced: %v", e2e.Kinds(c))
	}
}

func TestASilenceCountsAtOnceAndEndsByItself(t *testing.T) {
	q := newQuietStack(t)
	q.fail(t)
	q.hook.Until(t, "the alert", func(posts []e2e.Post) bool { return len(posts) == 1 })
	made, err := q.Silence(t.Context(), client.SilenceRequest{Ref: "cluster=prod", For: "1h", Author: "anna", Reason: "moving the racks"})
	if err != nil || made.Covers != 1 {
		t.Fatalf("silence: %+v, %v", made, err)
	}
	if c, err := q.Get(t.Context(), "checkout"); err != nil || !silenced(c) {
		t.Fatalf("before the next snapshot it is %s, %v", c.State, err)
	}
	q.publish(t, 0)
	why, err := q.Why(t.Context(), "checkout")
	if err != nil || !strings.Contains(why.Objects[0].Silenced, "Silenced by anna") || len(why.Objects[0].Silences) != 1 || why.Objects[0].Silences[0].Reason != "moving the racks" {
		t.Errorf("why: %+v, %v", why, err)
	}
	bustest.Settled(t, q.bus)
	if posts := q.hook.All(); len(posts) != 1 {
		t.Errorf("told in the silence:%s", e2e.Shown(posts))
	}
	for _, after := range []time.Duration{0, time.Second} { // the first look at the deadline, and another
		if err := q.any.WakeAt(t.Context(), "prod", e2e.CheckoutID("prod"), made.Silence.Until.Add(after)); err != nil {
			t.Fatal(err)
		}
	}
	posts := q.hook.Until(t, "the end of the silence", func(posts []e2e.Post) bool { return len(posts) == 2 })
	if c := posts[1].Conversation; posts[1].Type != "conversation.unsilenced" || c.State != schema.StateInvestigating {
		t.Errorf("the end is %s, %s", posts[1].Type, c.State)
	}
	q.publish(t, 0)
	if c, err := q.Get(t.Context(), "checkout"); err != nil || silenced(c) || e2e.Count(c, schema.EventUnsilenced) != 1 {
		t.Errorf("after the end it is %s: %v, %v", c.State, e2e.Kinds(c), err)
	}
}

func TestAnOpenConversationIsSilencedAsIfBySomebodysReply(t *testing.T) {
	q := newQuietStack(t)
	q.fail(t)
	made, err := q.Silence(t.Context(), client.SilenceRequest{Ref: "checkout", For: "2h", Author: "anna"})
	if err != nil || made.Silence != nil || made.Reply == nil {
		t.Fatalf("silence: %+v, %v", made, err)
	}
	c := q.await(t, "the silence", silenced)
	if last := c.Messages[len(c.Messages)-1]; c.SilencedBy != "" || last.ReplyID != made.Reply.ReplyID || last.Author.Name != "anna" {
		t.Errorf("silenced by %q: %+v", c.SilencedBy, last)
	}
	if list, err := q.Silences(t.Context()); err != nil || len(list.Silences) != 0 {
		t.Errorf("silences by scope: %+v, %v", list, err)
	}
	if _, err := q.Unsilence(t.Context(), client.UnsilenceRequest{Ref: "checkout", Author: "ben"}); err != nil {
		t.Fatal(err)
	}
	q.await(t, "the end of the silence", func(c schema.Conversation) bool { return e2e.Count(c, schema.EventUnsilenced) == 1 })
}

func TestWhatCannotBeSilencedIsRefusedWithTheReason(t *testing.T) {
	q := newQuietStack(t)
	for _, tt := range []struct {
		r    client.SilenceRequest
		says string
	}{
		{client.SilenceRequest{Ref: "prod", For: "2h"}, "say why"},
		{client.SilenceRequest{Ref: "prod", Reason: "x"}, "no length of time"},
		{client.SilenceRequest{Ref: "prod", For: "soon", Reason: "x"}, "no length of time"},
		{client.SilenceRequest{Ref: "prod", For: "31d", Reason: "x"}, "30 days is the longest"},
		{client.SilenceRequest{Ref: "nothing", For: "2h", Reason: "x"}, `is called "nothing"`},
		{client.SilenceRequest{Ref: "", For: "2h", Reason: "x"}, "no cluster, object or conversation"},
		{client.SilenceRequest{Ref: "host=n1", For: "2h", Reason: "x"}, "the keys are"},
		{client.SilenceRequest{Ref: "prod", For: "2h", From: time.Now().Add(-3 * time.Hour), Reason: "x"}, "over already"},
	} {
		_, err := q.Silence(t.Context(), tt.r)
		if e := new(bus.APIError); !errors.As(err, &e) || !strings.Contains(e.Message, tt.says) {
			t.Errorf("%+v: %v, want %q", tt.r, err, tt.says)
		}
	}
	_, err := q.Unsilence(t.Context(), client.UnsilenceRequest{Ref: "0123abcd"})
	if e := new(bus.APIError); !errors.As(err, &e) || e.Code != bus.CodeNotFound || !strings.Contains(e.Message, "bellbuoy silences") {
		t.Errorf("unsilence of nothing: %v", err)
	}
	if list, err := q.Silences(t.Context()); err != nil || len(list.Silences) != 0 {
		t.Errorf("silences: %+v, %v", list, err)
	}
}

func TestARecordThatCannotBeReadSilencesNothing(t *testing.T) {
	q := newQuietStack(t)
	if _, err := q.bus.Kept(bus.PartAnalyzer).Put(t.Context(), "silences", []byte("{"), 0); err != nil {
		t.Fatal(err)
	}
	q.fail(t)
	q.hook.Until(t, "the alert", func(posts []e2e.Post) bool { return len(posts) == 1 })
	if _, err := q.Silences(t.Context()); err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("silences: %v", err)
	}
	if _, err := q.Why(t.Context(), "checkout"); err != nil {
		t.Errorf("why: %v", err)
	}
	if made, err := q.Silence(t.Context(), client.SilenceRequest{Ref: "prod", For: "1h", Reason: "x"}); err != nil || made.Covers != 1 {
		t.Errorf("silence: %+v, %v", made, err)
	}
}

func TestNoSilenceIsLostToAnother(t *testing.T) {
	q := newQuietStack(t)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			made, err := q.Silence(t.Context(), client.SilenceRequest{Ref: fmt.Sprintf("name=x%d", i), For: "1h", Reason: "x"})
			if err != nil {
				t.Error(err)
				return
			}
			if i%2 == 0 {
				if _, err := q.Unsilence(t.Context(), client.UnsilenceRequest{Ref: made.Silence.ID}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if list, err := q.Silences(t.Context()); err != nil || len(list.Silences) != 4 {
		t.Errorf("%d silences, want 4: %v", len(list.Silences), err)
	}
}

func TestWhatIsCriticalAndNobodysIsToldAgain(t *testing.T) {
	q := newQuietStack(t)
	q.fail(t)
	c := q.await(t, "the opening", func(schema.Conversation) bool { return true })
	for _, after := range []time.Duration{-time.Second, 0, time.Second} {
		if err := q.any.WakeAt(t.Context(), "prod", c.ID, c.WakeAt.Add(after)); err != nil {
			t.Fatal(err)
		}
	}
	posts := q.hook.Until(t, "the escalation", func(posts []e2e.Post) bool {
		return len(posts) > 0 && e2e.Has(posts[len(posts)-1], schema.EventEscalated)
	})
	if last := posts[len(posts)-1]; e2e.Count(last.Conversation, schema.EventEscalated) != 1 {
		t.Errorf("%s: %v", last.Type, e2e.Kinds(last.Conversation))
	}
}
