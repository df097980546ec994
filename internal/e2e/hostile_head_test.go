package e2e_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// header marks what claims to be an event.
func header(kind string) map[string]string { return map[string]string{bus.EventHeader: kind} }

// Each message is stored as the newest of a conversation, before it begins and twice while it goes on.
func TestAForeignHeadIsBuriedAndTheConversationGoesOnFromItsLastGoodState(t *testing.T) {
	t.Parallel()
	forged := func(change func(*schema.Alert)) func(schema.Conversation) []byte {
		return func(c schema.Conversation) []byte {
			m := schema.Message{ID: eventID(c, c.Revision+1), At: c.UpdatedAt, Kind: schema.EventResolved, Content: foreign}
			c.Title, c.ClosedAs, c.State, c.Revision = foreign, schema.StateResolved, schema.StateResolved, c.Revision+1
			c.Messages = append(slices.Clip(c.Messages), m)
			a := schema.Alert{Event: m, Conversation: c}
			change(&a)
			return toJSON(t, a)
		}
	}
	text := func(s string) func(schema.Conversation) []byte {
		return func(schema.Conversation) []byte { return []byte(s) }
	}
	long := strings.Repeat("x", 900<<10)
	tests := []struct {
		name, severity string
		header         map[string]string
		body           func(schema.Conversation) []byte
		reason         string
	}{
		{"garbage", "critical", header("opened"), text(foreign + "\x00\xff"), "decode alert: invalid character"},
		{"empty", "critical", header("opened"), text(""), "decode alert: unexpected end of JSON input"},
		{"pub-ack", "critical", nil, text(`{"stream":"ALERTS","seq":3}`), "no header Bellbuoy-Event"},
		{"pub-ack-with-header", "critical", header("opened"), text(`{"stream":"ALERTS","seq":3}`), `schema: ""`},
		{"no-header", "critical", nil, forged(func(*schema.Alert) {}), "no header Bellbuoy-Event"},
		{"other-severity-no-header", "info", nil, forged(func(*schema.Alert) {}), "no header Bellbuoy-Event"},
		{"no-severity", "severe", header("resolved"), forged(func(*schema.Alert) {}), "is not bellbuoy.alerts.<cluster>.<severity>.<id>"},
		{"other-id", "critical", header("resolved"), forged(func(a *schema.Alert) { a.Conversation.ID = "0123456789abcdef" }), `body is of conversation "0123456789abcdef"`},
		{"endless-id", "critical", header("resolved"), forged(func(a *schema.Alert) { a.Conversation.ID = long }), "body is of conversation"},
		{"other-object", "critical", header("resolved"), forged(func(a *schema.Alert) { a.Conversation.Object.Name = foreign }), "is not that of its object"},
		{"other-cluster", "critical", header("resolved"), forged(func(a *schema.Alert) { a.Conversation.Cluster = "elsewhere" }), `in cluster "elsewhere"`},
		{"other-version", "critical", header("resolved"), forged(func(a *schema.Alert) { a.Conversation.Schema = "bellbuoy.conversation/v9" }), `schema: "bellbuoy.conversation/v9"`},
	}
	h := newHouse(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cluster := token(t)
			id := e2e.CheckoutID(cluster)
			subject := h.bus.Subjects().Alert(cluster, tt.severity, id)
			c := h.live(t, cluster, func() {
				head, err := h.bus.Head(t.Context(), cluster, id)
				if err != nil {
					t.Fatal(err)
				}
				good := head.Conversation
				if good.ID == "" { // nothing is stored yet
					good = beginning(cluster)
				}
				bustest.Inject(t, h.bus, subject, tt.header, tt.body(good))
			})
			h.unharmed(t, c)
			if lines := h.log.Lines("level=ERROR", "message in ALERTS is not valid", id); len(lines) < disturbances {
				t.Errorf("the log mentions %d bad heads, want at least %d", len(lines), disturbances)
			}
			each := 1
			if tt.severity == "severe" {
				each = 2 // the notifier cannot tell whom it is about either
			}
			h.refused(t, subject, tt.reason, each*disturbances)
		})
	}
	h.neverSaid(t)
}

func beginning(cluster string) schema.Conversation {
	return schema.Conversation{
		Schema: schema.ConversationVersion, ID: e2e.CheckoutID(cluster), Cluster: cluster, Severity: schema.SeverityCritical,
		Object: schema.Object{Kind: schema.KindService, Namespace: "shop", Name: "checkout"}, StartedAt: e2e.Snapshot(cluster, 0, 0).TakenAt,
	}
}

// A newer version adds fields; this one, which does not know them, hands them on.
func TestFieldsOfANewerVersionSurviveOurWrites(t *testing.T) {
	h := newHouse(t)
	id, n := e2e.CheckoutID("prod"), 0
	c := h.live(t, "prod", func() {
		if n++; n != 2 {
			return
		}
		head, err := h.bus.Head(t.Context(), "prod", id)
		if err != nil {
			t.Fatal(err)
		}
		newer := head.Conversation
		extra := map[string]json.RawMessage{"mood": json.RawMessage(`{"tone":["calm",1]}`)}
		newer.Schema, newer.Unknown, newer.Messages[0].Unknown = schema.ConversationVersion+".7", extra, extra
		newer.Conditions[0].Unknown, newer.Diagnosis.Unknown = extra, extra
		bustest.Inject(t, h.bus, h.bus.Subjects().Alert("prod", newer.Severity, id), header("opened"),
			toJSON(t, schema.Alert{Event: newer.Messages[0], Conversation: newer}))
	})
	h.unharmed(t, c)
	want := map[string]json.RawMessage{"mood": json.RawMessage(`{"tone":["calm",1]}`)}
	for where, got := range map[string]map[string]json.RawMessage{
		"conversation": c.Unknown, "event": c.Messages[0].Unknown, "condition": c.Conditions[0].Unknown, "diagnosis": c.Diagnosis.Unknown,
	} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("unknown fields of the %s (-want +got):\n%s", where, diff)
		}
	}
}
