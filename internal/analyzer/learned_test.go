package analyzer_test

import (
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/llm/llmtest"
)

// The server reads a part of the first prompt and says nothing. It is asked again with half the evidence; and the next
// analyzer, which never talked to it, sends no more than that, in the format that the first one found.
func TestAPromptThatIsCutIsBuiltAnewAndTheNextAnalyzerKnows(t *testing.T) {
	s, model := bustest.Server(t), llmtest.New(t, llmtest.Options{Refuses: []string{"json_schema"}})
	cfg := llm.Config{BaseURL: model.URL(), Model: "test"}
	b := s.Connect(t)
	model.Fault(llmtest.NoSchema(), llmtest.NoSchema(), llmtest.Reading(100))
	for i, cluster := range []string{"prod", "stage"} {
		stop := e2e.Start(t, e2e.NewAnalyzer(t, s, cfg).Part())
		before := len(model.Requests())
		e2e.Publish(t, b, e2e.Snapshot(cluster, 0, 0))
		bustest.Settled(t, b, bus.Notify("webhook"))
		e2e.Publish(t, b, e2e.Snapshot(cluster, 1, 0))
		bustest.Settled(t, b, bus.Notify("webhook"))
		stop()

		head, err := b.Head(t.Context(), cluster, e2e.CheckoutID(cluster))
		if err != nil {
			t.Fatal(err)
		}
		if d := head.Conversation.Diagnosis; d == nil || d.Source != "test" {
			t.Errorf("%s: diagnosis %+v, events %v", cluster, d, e2e.Kinds(head.Conversation))
		}
		asked := model.Requests()[before:]
		if want := []int{4, 1}[i]; len(asked) != want {
			t.Fatalf("%s: %d requests, want %d", cluster, len(asked), want)
		}
		last := asked[len(asked)-1]
		if !last.JSON || !strings.Contains(last.User(), "evidence_left_out") {
			t.Errorf("%s: JSON %v, asked %s", cluster, last.JSON, last.User())
		}
		if calls := head.Conversation.Usage.Calls; calls != len(asked) {
			t.Errorf("%s: %d calls are accounted for, want %d", cluster, calls, len(asked))
		}
	}
}
