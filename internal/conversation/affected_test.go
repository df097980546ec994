package conversation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func needer(name string) schema.Affected {
	return schema.Affected{Object: schema.Object{Kind: schema.KindService, Namespace: "shop", Name: name}, Condition: schema.AffectedRunning}
}

func TestWhoNeedsTheObjectIsFrozenWithOpenedAndWorsened(t *testing.T) {
	f := finding(noon, 1, false, "service_down", schema.SeverityWarning)
	f.Affected, f.Dependents = []schema.Affected{needer("a"), needer("b"), needer("c"), needer("d")}, 9
	c, _ := conversation.Next(schema.Conversation{}, f)
	if diff := cmp.Diff(f.Affected, c.Affected); diff != "" || c.AffectedCount != 9 {
		t.Errorf("%d affected (-want +got):\n%s", c.AffectedCount, diff)
	}
	if text := c.Messages[0].Content; !strings.HasSuffix(text, " Needed by shop/a, shop/b, shop/c (+6).") {
		t.Errorf("opened says %q", text)
	}

	same := finding(noon.Add(time.Minute), 2, false, "service_down", schema.SeverityWarning)
	same.Affected, same.Dependents = []schema.Affected{needer("e")}, 1
	if again, _ := conversation.Next(c, same); again.AffectedCount != 9 || again.Revision != c.Revision {
		t.Errorf("a repeated finding changed it: %d affected at revision %d", again.AffectedCount, again.Revision)
	}
	worse := finding(noon.Add(2*time.Minute), 3, false, "service_down", schema.SeverityCritical)
	worse.Affected, worse.Dependents = []schema.Affected{needer("e")}, 1
	want := append([]schema.Affected{needer("e")}, f.Affected...) // who was affected in this episode stays named, behind
	if c, _ = conversation.Next(c, worse); c.AffectedCount != 9 || !cmp.Equal(want, c.Affected) {
		t.Errorf("worsened keeps %d affected: %v", c.AffectedCount, c.Affected)
	}
}
