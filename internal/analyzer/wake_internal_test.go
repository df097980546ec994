package analyzer

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// tallied is kept records that count how often they are read.
type tallied struct {
	kept
	data  []byte
	reads int
}

func (c *tallied) Get(context.Context, string) ([]byte, uint64, error) {
	c.reads++
	return c.data, 1, nil
}

// A thousand that become due at once are in clusters of which the memory is large: it is read once for all of them.
func TestWhoWakesManyReadsTheMemoryOnce(t *testing.T) {
	record, err := json.Marshal(remembered{Cluster: "prod"})
	if err != nil {
		t.Fatal(err)
	}
	records := &tallied{data: record}
	a, read := &Analyzer{memories: newMemories(records)}, map[string]memory{}
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for k := range 1000 {
		c, _ := conversation.Next(schema.Conversation{}, conversation.Found{
			At: at, Cluster: "prod", Object: schema.Object{Kind: schema.KindService, Name: fmt.Sprint(k)},
			Conditions: []schema.Condition{{Name: "service_down", Severity: schema.SeverityCritical}},
		})
		later := at.Add(time.Hour)
		if !conversation.Calls(c, later) {
			t.Fatal("nobody would be called")
		}
		if calm, err := a.calm(t.Context(), &c, later, read); calm || err != nil {
			t.Fatal(calm, err)
		}
		if !conversation.Calls(c, later) || stirs(c, later) {
			t.Error("nothing but a call is due")
		}
	}
	if records.reads != 1 {
		t.Errorf("the memory was read %d times", records.reads)
	}
}
