package analyzer_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/llm/llmtest"
)

// A service that logs more than any prompt takes is asked about within what is configured, or else within what a model
// that nobody knows is taken to read.
func TestAPromptIsAsLongAsIsConfigured(t *testing.T) {
	for configured, most := range map[int]int{0: diagnose.SmallPromptTokens, 2500: 2500} {
		t.Run(fmt.Sprint(configured), func(t *testing.T) {
			s, model := bustest.Server(t), llmtest.New(t, llmtest.Options{})
			b := s.Connect(t)
			e2e.Start(t, e2e.NewAnalyzer(t, s, llm.Config{BaseURL: model.URL(), Model: "test", PromptTokens: configured}).Part())
			for n := range 2 {
				snapshot := e2e.Snapshot("prod", n, 0)
				for i := range 40 {
					snapshot.Services[0].RecentLogs = append(snapshot.Services[0].RecentLogs, fmt.Sprintf("panic %c%c %s", 'a'+i%26, 'a'+i/26, strings.Repeat("q? ", 120)))
				}
				e2e.Publish(t, b, snapshot)
				bustest.Settled(t, b, bus.Notify("webhook"))
			}
			asked := model.Requests()
			if len(asked) == 0 {
				t.Fatal("the model was not asked")
			}
			tokens := 0
			for _, m := range asked[0].Messages {
				tokens += diagnose.Tokens(m.Content)
			}
			if tokens > most || !strings.Contains(asked[0].User(), "evidence_left_out") {
				t.Errorf("%d tokens were sent, of a budget of %d", tokens, most)
			}
		})
	}
}
