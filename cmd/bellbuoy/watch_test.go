package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/console"
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
	w := &watcher{out: &out, printer: console.New(&out, console.Options{}), newest: map[string]bus.Head{}}
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
	want := `08:00:00 CRIT aaaa checkout 0 of 1 running (investigating)
08:00:00      aaaa checkout somebody asks: message
08:00:00      aaaa checkout somebody asks: message 4
08:00:00 CRIT aaaa checkout 0 of 1 running
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("printed (-want +got):\n%s", diff)
	}
}
