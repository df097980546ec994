package analyzer

import (
	"encoding/json"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestOnlyWhatTheIndexKnowsAndAsksNothingIsNotDecoded(t *testing.T) {
	b := bustest.New(t)
	a := &Analyzer{bus: b, index: newIndex()}
	o := schema.Object{Kind: schema.KindService, Name: "web"}
	c := schema.Conversation{ID: schema.ConversationID("prod", o), Cluster: "prod", Object: o, Severity: schema.SeverityWarning}
	if err := a.index.put(bus.Head{Conversation: c, Seq: 7}); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, event, kind string
		seq               uint64
		want              bool
	}{
		{"known", "opened", schema.EventOpened, 7, true},
		{"newer-than-the-index", "opened", schema.EventOpened, 8, false},
		{"older-than-the-index", "opened", schema.EventOpened, 6, false},
		{"with-a-question", "opened", schema.EventAsked, 7, false},
		{"not-stored-by-bellbuoy", "", schema.EventOpened, 7, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c.Messages = []schema.Message{{ID: "1", Kind: tt.kind}}
			body, err := json.Marshal(schema.Alert{Event: c.Messages[0], Conversation: c})
			if err != nil {
				t.Fatal(err)
			}
			m := bus.Message{Subject: b.Subjects().Alert("prod", c.Severity, c.ID), Data: body, Event: tt.event, Seq: tt.seq}
			if got := a.asksNothing(m); got != tt.want {
				t.Errorf("asks nothing is %v", got)
			}
		})
	}
}
