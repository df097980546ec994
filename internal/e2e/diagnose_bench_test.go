package e2e_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellbuoy/bellbuoy/internal/analyzer"
	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/llm/llmtest"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const (
	queued   = 200             // incidents at once
	atOnce   = 8               // calls of the model
	thinking = 2 * time.Second // of the model over each
)

// BenchmarkDiagnoses measures how long 200 incidents at once, a cluster each, wait for a model that takes 2 s, with 8 calls at once
// over all analyzers; the ideal is 50 s. In the middle somebody asks a question, which the same model answers.
func BenchmarkDiagnoses(b *testing.B) {
	for _, n := range []int{1, 2, 4} {
		b.Run(fmt.Sprintf("analyzers=%d", n), func(b *testing.B) {
			for b.Loop() {
				diagnoses(b, n)
			}
		})
	}
}

func diagnoses(b *testing.B, analyzers int) {
	s := bustest.Server(b)
	c := s.Connect(b)
	if err := c.Setup(b.Context(), bus.Setup{Channels: []string{"webhook"}, LLMConcurrency: atOnce}); err != nil {
		b.Fatal(err)
	}
	model := llmtest.New(b, llmtest.Options{Answer: func(r llmtest.Request) string {
		<-time.NewTimer(thinking).C
		return llmtest.Answer(r)
	}})
	for range analyzers {
		cfg := analyzer.Config{LLM: llm.Config{BaseURL: model.URL(), Model: "test"}, Calls: analyzer.Calls{Concurrency: atOnce}}
		a, err := analyzer.New(cfg, s.ConnectWith(b, bus.Options{Log: e2e.Quiet()}), e2e.Quiet(), prometheus.NewRegistry())
		if err != nil {
			b.Fatal(err)
		}
		e2e.Start(b, a.Part())
	}
	seen := followDiagnoses(b, s.Connect(b))
	all := clusters(queued)
	for _, cluster := range all {
		e2e.Publish(b, c, e2e.Snapshot(cluster, 0, 0))
	}
	bustest.Settled(b, c, bus.Notify("webhook"))
	began := time.Now()
	for _, cluster := range all {
		e2e.Publish(b, c, e2e.Snapshot(cluster, 1, 0))
	}
	var asked, answered, last time.Time
	diagnosed := 0
	late := time.NewTimer(5 * time.Minute)
	defer late.Stop()
	for diagnosed < queued || answered.IsZero() {
		select {
		case e := <-seen:
			switch {
			case e.kind == schema.EventDiagnosed:
				diagnosed++
				last = e.at
			case e.kind == schema.EventAnswered && answered.IsZero():
				answered = e.at
			}
		case <-late.C:
			b.Fatalf("%d of %d diagnosed, question answered: %v", diagnosed, queued, !answered.IsZero())
		}
		if diagnosed == queued/2 && asked.IsZero() {
			asked = time.Now()
			e2e.Say(b, c, e2e.CheckoutID(all[0]), "why?")
		}
	}
	b.ReportMetric(last.Sub(began).Seconds(), "all-diagnosed-s")
	b.ReportMetric(answered.Sub(asked).Seconds(), "answer-s")
	b.ReportMetric(float64(len(model.Requests())), "calls")
}

type happened struct {
	kind string
	at   time.Time
}

// followDiagnoses hands on the kind of every event as it is stored.
func followDiagnoses(b *testing.B, tap *bus.Bus) <-chan happened {
	b.Helper()
	ready, events := make(chan struct{}), make(chan happened, 4*queued)
	bustest.Start(b, func(ctx context.Context) error {
		return tap.Follow(ctx, tap.Subjects().Alerts(), func() { close(ready) }, func(h bus.Head) error {
			events <- happened{h.Event.Kind, time.Now()}
			return nil
		})
	})
	<-ready
	return events
}
