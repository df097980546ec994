package conversation_test

import (
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// What explains a folded conversation is read from the very text that package conversation writes.
func TestExplainerIsReadFromTheEventThatFolded(t *testing.T) {
	for _, name := range []string{"db", "db (old): x", "n7"} {
		at := time.Date(2026, 11, 24, 3, 2, 0, 0, time.UTC)
		me := schema.Object{Kind: schema.KindService, Namespace: "shop", Name: "web"}
		f := conversation.Found{At: at, Cluster: "prod", Object: me, Seq: 1, Conditions: []schema.Condition{{Name: "service_down", Severity: schema.SeverityCritical, Since: at}}}
		c, _ := conversation.Next(schema.Conversation{}, f)
		f.Seq, f.Cause = 2, &conversation.Cause{ID: "9f2c51d07be34a68", Object: schema.Object{Kind: schema.KindService, Name: name}}
		c, _ = conversation.Next(c, f)
		if object, id := c.Explainer(); object != name || id != "9f2c51d0" {
			t.Errorf("explained by %q (%q), want %q; it says %q", object, id, name, c.Messages[len(c.Messages)-1].Content)
		}
	}
	c := schema.Conversation{Messages: []schema.Message{{Kind: schema.EventFolded, Content: "It is folded."}}}
	if object, id := c.Explainer(); object != "" || id != "" {
		t.Errorf("a text of somebody else's is read as %q (%q)", object, id)
	}
}
