package analyzer_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// by is a snapshot of prod by the collector of that name.
func by(id string, n int, goodbye bool) schema.ClusterContext {
	s := e2e.Snapshot("prod", n, 1)
	s.Collector, s.Host, s.Goodbye = id, "host-"+id, goodbye
	return s
}

func TestTwoCollectorsBecomeOneConversationOfBellbuoyItself(t *testing.T) {
	s := bustest.Server(t)
	e2e.StartAnalyzer(t, s, llm.Config{})
	e2e.StartAnalyzer(t, s, llm.Config{})
	hook := e2e.NewReceiver(t)
	e2e.StartNotifier(t, s, hook.URL)
	b := s.Connect(t)
	publish := func(id string, n int) {
		t.Helper()
		x := by(id, n, false)
		x.TakenAt = time.Now() // or else their clock would be off
		e2e.Publish(t, b, x)
		bustest.Settled(t, b)
	}
	for n := range 4 {
		publish("a", n)
		publish("b", n)
	}
	id := schema.ConversationID(schema.OwnCluster, detect.Collector("prod"))
	c := e2e.Await(t, b, schema.OwnCluster, id, "the opening", func(schema.Conversation) bool { return true })
	if c.Title != "two collectors say they are prod" || c.Severity != schema.SeverityWarning || e2e.Count(c, schema.EventOpened) != 1 {
		t.Errorf("%s %s %v", c.Title, c.Severity, e2e.Kinds(c))
	}
	if !strings.Contains(c.Diagnosis.RootCause.Statement, "set BELLBUOY_CLUSTER to another name") {
		t.Errorf("diagnosis %q", c.Diagnosis.RootCause.Statement)
	}
	hook.Until(t, "the alert", func(posts []e2e.Post) bool { return len(posts) == 1 && posts[0].Conversation.ID == id })
	letter := bustest.Next[bus.DeadLetter](t, b, b.Subjects().Dead("analyzer"))
	if !strings.Contains(letter.Reason, "host-a") || !strings.Contains(letter.Reason, "host-b") {
		t.Errorf("dead letter says %q", letter.Reason)
	}

	asked := client.New(b)
	why, err := asked.Why(t.Context(), "bellbuoy/prod")
	if err != nil || len(why.Objects) != 1 || why.Objects[0].Reasons[0].Verdict != detect.VerdictFiring {
		t.Errorf("why: %+v, %v", why, err)
	}
	list, err := asked.List(t.Context(), client.ListRequest{})
	if err != nil || list.Total != 1 || list.Conversations[0].Cluster != schema.OwnCluster {
		t.Errorf("list: %+v, %v", list, err)
	}
	if _, err := asked.Get(t.Context(), "bellbuoy/prod"); err != nil {
		t.Error(err)
	}
}

func TestAnotherCollectorTakesOverAfterAGoodbye(t *testing.T) {
	s := bustest.Server(t)
	e2e.StartAnalyzer(t, s, llm.Config{})
	b := s.Connect(t)
	e2e.Publish(t, b, by("a", 0, false))
	settled(t, b)
	e2e.Publish(t, b, by("a", 1, true))
	settled(t, b)
	for n := range 2 {
		down := by("b", 2+n, false)
		down.Services = e2e.Snapshot("prod", 2+n, 0).Services
		e2e.Publish(t, b, down)
		settled(t, b)
	}
	e2e.Await(t, b, "prod", e2e.CheckoutID("prod"), "the opening", func(schema.Conversation) bool { return true })
}

func TestSnapshotThatClaimsToBeBellbuoyItselfIsADeadLetter(t *testing.T) {
	s := bustest.Server(t)
	e2e.StartAnalyzer(t, s, llm.Config{})
	b := s.Connect(t)
	e2e.Publish(t, b, e2e.Snapshot(schema.OwnCluster, 0, 0))
	letter := bustest.Next[bus.DeadLetter](t, b, b.Subjects().Dead("analyzer"))
	if !strings.Contains(letter.Reason, "BELLBUOY_CLUSTER") {
		t.Errorf("dead letter says %q", letter.Reason)
	}
}

// machine is a snapshot of prod with one service that is well and one node.
func machine(n int, change func(*schema.ClusterContext)) schema.ClusterContext {
	s := e2e.Snapshot("prod", n, 1)
	s.Nodes = []schema.NodeSummary{{ID: "n1", Status: schema.NodeHealthy, MemoryPercent: new(99.0)}}
	change(&s)
	return s
}

func TestNodeIsClearedWhileItsServicesAreStale(t *testing.T) {
	s := bustest.Server(t)
	e2e.StartAnalyzer(t, s, llm.Config{})
	b := s.Connect(t)
	n := 0
	see := func(times int, running int, change func(*schema.ClusterContext)) {
		t.Helper()
		for range times {
			e2e.Publish(t, b, machine(n, func(c *schema.ClusterContext) {
				c.Services = e2e.Snapshot("prod", n, running).Services
				change(c)
			}))
			settled(t, b)
			n++
		}
	}
	see(22, 0, func(*schema.ClusterContext) {})
	node := schema.ConversationID("prod", schema.Object{Kind: schema.KindNode, Name: "n1"})
	e2e.Await(t, b, "prod", node, "the node's opening", func(schema.Conversation) bool { return true })
	e2e.Await(t, b, "prod", e2e.CheckoutID("prod"), "the service's opening", func(schema.Conversation) bool { return true })
	see(22, 1, func(c *schema.ClusterContext) {
		c.Stale = []schema.StalePart{{Source: "docker", Since: time.Now()}}
		c.Services[0].Stale = true
		c.Nodes[0].MemoryPercent = new(20.0)
	})
	got := e2e.Await(t, b, "prod", node, "the node's end", func(c schema.Conversation) bool { return c.Closed() })
	if got.ClosedAs != schema.StateCleared {
		t.Errorf("closed as %s", got.ClosedAs)
	}
	head, err := b.Head(t.Context(), "prod", e2e.CheckoutID("prod"))
	if err != nil || head.Conversation.Closed() {
		t.Errorf("the stale service is %s, %v", head.Conversation.State, err)
	}
}

func TestConditionThatNothingReadsAnyMoreIsNotCalledWell(t *testing.T) {
	s := bustest.Server(t)
	e2e.StartAnalyzer(t, s, llm.Config{})
	b := s.Connect(t)
	for n := range 22 {
		e2e.Publish(t, b, machine(n, func(*schema.ClusterContext) {}))
		settled(t, b)
	}
	node := schema.ConversationID("prod", schema.Object{Kind: schema.KindNode, Name: "n1"})
	e2e.Await(t, b, "prod", node, "the opening", func(schema.Conversation) bool { return true })
	for n := range 10 {
		e2e.Publish(t, b, machine(22+n, func(c *schema.ClusterContext) {
			c.Nodes[0].MemoryPercent = nil
			c.Unread = []schema.UnreadPart{{Part: schema.PartMachine, Reason: "host is not among the sources"}}
		}))
		settled(t, b)
	}
	c := e2e.Await(t, b, "prod", node, "the end", func(c schema.Conversation) bool { return c.Closed() })
	if last := c.Messages[len(c.Messages)-1].Content; c.ClosedAs != schema.StateRemoved || !strings.Contains(last, "host is not among the sources") {
		t.Errorf("closed as %s: %s", c.ClosedAs, last)
	}
}
