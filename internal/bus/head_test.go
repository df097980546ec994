package bus_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestHeadOfNothingIsEmpty(t *testing.T) {
	b := bustest.New(t)
	id := write("checkout", 1, schema.SeverityWarning, 0).Conversation.ID
	if diff := cmp.Diff(bus.Head{}, mustHead(t, b, id)); diff != "" {
		t.Errorf("head (-want +got):\n%s", diff)
	}
	if _, err := b.HeadByID(t.Context(), id); !errors.Is(err, bus.ErrNotFound) {
		t.Errorf("by id: %v, want ErrNotFound", err)
	}
}

func TestHeadIsTheNewestWhateverItsSeverity(t *testing.T) {
	b := bustest.New(t)
	first := write("checkout", 1, schema.SeverityCritical, 0)
	second := write("checkout", 2, schema.SeverityWarning, mustAppend(t, b, first))
	seq := mustAppend(t, b, second)
	mustAppend(t, b, write("other", 1, schema.SeverityWarning, 0))
	want := bus.Head{Conversation: second.Conversation, Event: second.Event, Seq: seq}
	if diff := cmp.Diff(want, mustHead(t, b, first.Conversation.ID)); diff != "" {
		t.Errorf("head (-want +got):\n%s", diff)
	}
	got, err := b.HeadByID(t.Context(), first.Conversation.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("head by id (-want +got):\n%s", diff)
	}
}

// foreign is every way in which a message can look like a head and not be one.
func foreign(t *testing.T, w bus.Write) map[string]struct {
	header map[string]string
	body   []byte
} {
	event := map[string]string{bus.EventHeader: schema.EventOpened}
	other := write("other", 1, schema.SeverityWarning, 0)
	later := w
	later.Conversation.Schema = "bellbuoy.conversation/v2"
	type message = struct {
		header map[string]string
		body   []byte
	}
	return map[string]message{
		"no-header":     {nil, body(t, w)},
		"garbage":       {event, []byte("\x00\xffnot json")},
		"empty":         {event, nil},
		"null":          {event, []byte("null")},
		"other-id":      {event, body(t, other)},
		"wrong-version": {event, body(t, later)},
		"puback":        {nil, []byte(`{"stream":"CONTEXT","seq":2}`)},
	}
}

func TestAForeignMessageIsNoHeadAndTheNextWriteGoesOnTopOfIt(t *testing.T) {
	for name, m := range foreign(t, write("checkout", 9, schema.SeverityWarning, 0)) {
		t.Run(name, func(t *testing.T) {
			b := bustest.New(t)
			good := write("checkout", 1, schema.SeverityWarning, 0)
			mustAppend(t, b, good)
			for i := range 9 {
				mustAppend(t, b, write(fmt.Sprintf("other-%d", i), 1, schema.SeverityWarning, 0))
			}
			var bad uint64
			for _, severity := range []string{schema.SeverityWarning, schema.SeverityCritical, "no-severity"} {
				bad = bustest.Inject(t, b, b.Subjects().Alert(cluster, severity, good.Conversation.ID), m.header, m.body)
			}
			want := bus.Head{Conversation: good.Conversation, Event: good.Event, Seq: bad}
			if diff := cmp.Diff(want, mustHead(t, b, good.Conversation.ID)); diff != "" {
				t.Fatalf("head (-want +got):\n%s", diff)
			}
			next := write("checkout", 2, schema.SeverityWarning, bad)
			mustAppend(t, b, next)
			if h := mustHead(t, b, good.Conversation.ID); h.Conversation.Revision != 2 {
				t.Errorf("revision after the next write is %d, want 2", h.Conversation.Revision)
			}
		})
	}
}

func TestAForeignMessageAloneIsNoConversation(t *testing.T) {
	b := bustest.New(t)
	w := write("checkout", 1, schema.SeverityWarning, 0)
	bad := bustest.Inject(t, b, b.Subjects().Alert(cluster, schema.SeverityWarning, w.Conversation.ID), nil, []byte("x"))
	if diff := cmp.Diff(bus.Head{Seq: bad}, mustHead(t, b, w.Conversation.ID)); diff != "" {
		t.Errorf("head (-want +got):\n%s", diff)
	}
	w.Expect = bad
	mustAppend(t, b, w)
}

func TestHeadByIDIgnoresTheSameIDInAnotherCluster(t *testing.T) {
	b := bustest.New(t)
	w := write("checkout", 1, schema.SeverityWarning, 0)
	seq := mustAppend(t, b, w)
	bustest.Inject(t, b, b.Subjects().Alert("elsewhere", schema.SeverityWarning, w.Conversation.ID), map[string]string{bus.EventHeader: "opened"}, body(t, w))
	h, err := b.HeadByID(t.Context(), w.Conversation.ID)
	if err != nil {
		t.Fatal(err)
	}
	if h.Seq != seq || h.Conversation.Cluster != cluster {
		t.Errorf("head is %d in %q, want %d in %q", h.Seq, h.Conversation.Cluster, seq, cluster)
	}
	mustAppend(t, b, write("checkout", 2, schema.SeverityWarning, h.Seq))
}

func TestABadHeadIsReportedOnce(t *testing.T) {
	s := bustest.Server(t)
	var log notes
	registry := prometheus.NewRegistry()
	b := s.ConnectWith(t, bus.Options{Log: log.logger(), Registerer: registry})
	w := write("checkout", 1, schema.SeverityWarning, 0)
	bustest.Inject(t, b, b.Subjects().Alert(cluster, schema.SeverityWarning, w.Conversation.ID), nil, []byte("x"))
	for range 3 {
		mustHead(t, b, w.Conversation.ID)
	}
	if n := strings.Count(log.String(), "does not count"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, log.String())
	}
	if n := counted(t, registry, "bellbuoy_bus_bad_heads_total"); n != 1 {
		t.Errorf("counted %v times", n)
	}
}

func TestHeadUnlessReadsOnlyWhatIsNotInHand(t *testing.T) {
	b := bustest.New(t)
	first := mustAppend(t, b, write("checkout", 1, "warning", 0))
	id := write("checkout", 1, "warning", 0).Conversation.ID
	if h, newest, err := b.HeadUnless(t.Context(), cluster, id, first); !newest || h.Conversation.ID != "" || err != nil {
		t.Errorf("of the newest: %+v, %v, %v", h, newest, err)
	}
	second := mustAppend(t, b, write("checkout", 2, "critical", first))
	if h, newest, err := b.HeadUnless(t.Context(), cluster, id, first); newest || h.Seq != second || h.Conversation.Revision != 2 || err != nil {
		t.Errorf("of an older one: %+v, %v, %v", h, newest, err)
	}
	if h, newest, err := b.HeadUnless(t.Context(), cluster, "0123456789abcdef", first); newest || h.Conversation.ID != "" || err != nil {
		t.Errorf("of none: %+v, %v, %v", h, newest, err)
	}
}
