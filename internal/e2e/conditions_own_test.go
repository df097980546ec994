package e2e_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/collector"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// ownID is the id of the conversation about an object of Bellbuoy itself.
func ownID(kind, name string) string {
	return schema.ConversationID(schema.OwnCluster, schema.Object{Kind: kind, Name: name})
}

func TestClockSkewFiresFromACollectorWhoseClockIsBehind(t *testing.T) {
	t.Parallel()
	const cluster = "late"
	c := collect(t, bustest.Server(t), collector.Config{Cluster: cluster, Source: []string{"host"}, Host: newMachine(t).config()})
	server := bustest.Server(t)
	b := server.Connect(t)
	e2e.StartAnalyzer(t, server, llm.Config{})
	publish := func(n int, behind time.Duration) []schema.Conversation {
		t.Helper()
		for range n {
			s := c.until(t, "anything", func(schema.ClusterContext) bool { return true })
			s.TakenAt, s.IntervalSeconds = time.Now().Add(-behind), 1
			e2e.Publish(t, b, s)
			bustest.Settled(t, b, bus.Notify("webhook"))
		}
		return bustest.Conversations(t, b)
	}
	if all := publish(3, 20*time.Second); len(all) > 0 {
		t.Fatalf("20 s behind there is %s", all[0].Title)
	}
	all := publish(3, 40*time.Second)
	if len(all) != 1 || all[0].Object != detect.Clock(cluster) || !firing(all[0], detect.ClockSkew, schema.SeverityWarning) {
		t.Fatalf("40 s behind there is %+v", all)
	}
	if all = publish(3, time.Second); len(all) != 1 || all[0].State != schema.StateCleared {
		t.Errorf("with the right clock there is %+v", all)
	}
}

func TestChannelFailingFiresFromAReceiverThatIsDownUntilItIsBack(t *testing.T) {
	t.Parallel()
	const critical = 6
	server, hook := bustest.Server(t), e2e.NewReceiver(t)
	var down atomic.Bool
	down.Store(true)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			http.Error(w, "out of order", http.StatusServiceUnavailable)
			return
		}
		hook.Config.Handler.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	b := server.Connect(t)
	e2e.StartAnalyzer(t, server, llm.Config{})
	for range 2 {
		e2e.StartNotifier(t, server, front.URL)
	}
	for n := range 3 {
		for i := range critical {
			e2e.Publish(t, b, e2e.Snapshot(fmt.Sprintf("c%d", i), n, 0))
		}
		bustest.Settled(t, b, bus.Notify("webhook"))
	}
	id := ownID(schema.KindChannel, "webhook")
	c := e2e.Await(t, b, schema.OwnCluster, id, "the channel's trouble", func(c schema.Conversation) bool {
		return firing(c, detect.ChannelFailing, schema.SeverityCritical)
	})
	if !strings.Contains(strings.Join(c.Conditions[0].Facts, "; "), "503") {
		t.Errorf("facts %q", c.Conditions[0].Facts)
	}
	down.Store(false)
	const trial = "bellbuoy-test-again" // a person's test goes out though the channel is left alone
	for n := range 3 {
		e2e.Publish(t, b, e2e.Snapshot(trial, n, 0))
		bustest.Settled(t, b, bus.Notify("webhook")) // or a later one takes its place unseen
	}
	c = e2e.Await(t, b, schema.OwnCluster, id, "its end", func(c schema.Conversation) bool { return c.Closed() })
	if c.ClosedAs != schema.StateCleared || e2e.Count(c, schema.EventOpened) != 1 {
		t.Errorf("closed as %s with %v", c.ClosedAs, e2e.Kinds(c))
	}
	told := func(posts []e2e.Post) map[string]bool {
		all := map[string]bool{}
		for _, p := range posts {
			all[p.Conversation.ID] = true
		}
		return all
	}
	posts := hook.Until(t, "all of it", func(posts []e2e.Post) bool { return len(told(posts)) == critical+2 })
	want := map[string]bool{id: true, e2e.CheckoutID(trial): true}
	for i := range critical {
		want[e2e.CheckoutID(fmt.Sprintf("c%d", i))] = true
	}
	if diff := cmp.Diff(want, told(posts)); diff != "" {
		t.Errorf("told of (-want +got):\n%s", diff)
	}
}
