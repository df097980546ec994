package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

var started = time.Date(2026, 11, 23, 8, 0, 0, 0, time.Local)

// head is a conversation's state after n messages, of which the last is of the given kind.
func head(id string, n int, severity, kind, closedAs string) bus.Head {
	c := schema.Conversation{
		ID: strings.Repeat(id, schema.IDLength), Cluster: "prod", Object: schema.Object{Kind: schema.KindService, Name: "checkout"},
		Severity: severity, Title: "checkout: 0 of 1 running", State: schema.StateInvestigating, StartedAt: started, Revision: n, ClosedAs: closedAs,
	}
	for range n {
		c.Messages = append(c.Messages, schema.Message{At: started, Kind: kind, Content: "message"})
	}
	c.Messages[n-1].Content = "message " + string(rune('0'+n))
	return bus.Head{Conversation: c, Event: c.Messages[n-1]}
}

func TestWatchShowsWhatIsOpenOnceThenEveryEvent(t *testing.T) {
	var out strings.Builder
	w := &watcher{out: &out, newest: map[string]bus.Head{}}
	take := func(h bus.Head) {
		t.Helper()
		if err := w.take(h); err != nil {
			t.Fatal(err)
		}
	}
	take(head("a", 1, schema.SeverityWarning, schema.EventOpened, ""))
	take(head("b", 1, schema.SeverityWarning, schema.EventOpened, ""))
	take(head("a", 2, schema.SeverityCritical, schema.EventWorsened, ""))
	take(head("b", 2, schema.SeverityCritical, schema.EventCleared, schema.StateCleared)) // closed since: not open
	w.caughtUp()
	take(head("a", 4, schema.SeverityCritical, schema.EventAsked, "")) // two events in one step
	take(head("a", 1, schema.SeverityCritical, schema.EventOpened, ""))
	want := `08:00:00 CRIT  aaaaaaaa prod/checkout checkout: 0 of 1 running (investigating)
08:00:00       aaaaaaaa prod/checkout asked: message
08:00:00       aaaaaaaa prod/checkout asked: message 4
08:00:00 CRIT  aaaaaaaa prod/checkout message 1
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("printed (-want +got):\n%s", diff)
	}
}

func TestSeenCountsWhatIsNotAlertedOn(t *testing.T) {
	one, none := 1, 0
	for name, c := range map[string]struct {
		s    schema.ClusterContext
		want string
	}{
		"nothing-runs": {schema.ClusterContext{}, "0 services on 0 nodes, 0 of them running"},
		"baseline": {
			schema.ClusterContext{
				Nodes: make([]schema.NodeSummary, 1), Baseline: 1,
				Services: []schema.ServiceSummary{{ReplicasRunning: &one}, {ReplicasRunning: &none}, {}},
			},
			"3 services on 1 node, 1 of them running; 1 had ended before Bellbuoy first looked and will not be alerted on",
		},
		"unreadable": {
			schema.ClusterContext{Stale: []schema.StalePart{{Error: "no engine"}}}, "nothing yet: no engine",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := seen(&c.s); got != c.want {
				t.Errorf("sees %q, want %q", got, c.want)
			}
		})
	}
}
