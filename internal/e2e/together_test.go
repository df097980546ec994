package e2e_test

import (
	"fmt"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/llm/llmtest"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// together is a cluster with many services that fail at once.
type together struct {
	name string
	with func(n int) schema.ClusterContext // the n-th snapshot
	card schema.Object
}

func togethers() []together {
	return []together{
		{
			name: "node-down-under-50-services",
			card: schema.Object{Kind: schema.KindNode, Name: "n7"},
			with: func(n int) schema.ClusterContext {
				s := crowd("prod", n, 50)
				for i := range s.Services {
					s.Services[i].Instances[0].Node = "n7"
				}
				s.Nodes = []schema.NodeSummary{{ID: "n7", Status: schema.NodeDown}, {ID: "n8", Status: schema.NodeHealthy}}
				return s
			},
		},
		{
			name: "storm-of-1000",
			card: schema.Object{Kind: schema.KindCluster, Name: "prod"},
			with: func(n int) schema.ClusterContext { return crowd("prod", n, 1000) },
		},
		{
			name: "database-down-under-12-callers",
			card: schema.Object{Kind: schema.KindService, Namespace: "shop", Name: "web-0"},
			with: func(n int) schema.ClusterContext {
				s := crowd("prod", n, 13)
				for i := range s.Services[1:] {
					s.Services[i+1].DependsOn = []string{fmt.Sprintf("web-%d", i/3)} // a tree three deep
				}
				return s
			},
		},
	}
}

func TestWhatFailsTogetherIsOneCardAndOneModelCallAtMost(t *testing.T) {
	for _, x := range togethers() {
		t.Run(x.name, func(t *testing.T) {
			s, hook, model := bustest.Server(t), e2e.NewReceiver(t), llmtest.New(t)
			e2e.StartAnalyzer(t, s, llm.Config{BaseURL: model.URL(), Model: "test"})
			e2e.StartNotifier(t, s, hook.URL)
			b := s.Connect(t)
			for n := range 6 {
				e2e.Publish(t, b, x.with(n))
				bustest.Settled(t, b)
			}
			posts := hook.All()
			if got := opened(posts); got != 1 {
				t.Errorf("%d cards, want 1: %s", got, e2e.Shown(posts))
			}
			if calls := len(model.Requests()); calls > 1 {
				t.Errorf("the model was called %d times, want once at most", calls)
			}
			stored := bustest.Conversations(t, b)
			if len(stored) != 1 || stored[0].Object != x.card {
				t.Fatalf("%d conversations, the first about %v; want one about %v", len(stored), stored[0].Object, x.card)
			}
			if want := len(x.with(0).Services); stored[0].AffectedCount < want-1 {
				t.Errorf("%d affected, want all %d", stored[0].AffectedCount, want)
			}
		})
	}
}
