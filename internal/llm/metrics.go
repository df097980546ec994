package llm

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	calls    *prometheus.CounterVec
	duration prometheus.Histogram
	tokens   *prometheus.CounterVec
}

func newMetrics() metrics {
	return metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bellbuoy_llm_calls_total", Help: "Questions to the model, by how they ended.",
		}, []string{"outcome"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "bellbuoy_llm_call_duration_seconds", Help: "How long a question to the model took, retries included.",
			Buckets: []float64{0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120},
		}),
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bellbuoy_llm_tokens_total", Help: "Tokens that the model's server says were used, by kind.",
		}, []string{"kind"}),
	}
}

// register makes the metrics known; a nil registerer wants none.
func (m metrics) register(reg prometheus.Registerer) error {
	if reg == nil {
		return nil
	}
	for _, c := range []prometheus.Collector{m.calls, m.duration, m.tokens} {
		if err := reg.Register(c); err != nil {
			return fmt.Errorf("register the model's metrics: %w", err)
		}
	}
	return nil
}

func (m metrics) observe(outcome string, took time.Duration) {
	m.calls.WithLabelValues(outcome).Inc()
	m.duration.Observe(took.Seconds())
}

func (m metrics) spend(prompt, completion int) {
	m.tokens.WithLabelValues("prompt").Add(float64(max(prompt, 0)))
	m.tokens.WithLabelValues("completion").Add(float64(max(completion, 0)))
}
