package analyzer

import (
	"crypto/rand"
	"encoding/hex"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

type metrics struct {
	snapshots  *prometheus.CounterVec
	events     *prometheus.CounterVec
	conflicts  prometheus.Counter
	open       *prometheus.GaugeVec
	recalled   prometheus.Counter
	unasked    *prometheus.CounterVec
	cost       *prometheus.CounterVec
	suspicious prometheus.Counter
	refused    *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	f := promauto.With(reg)
	return &metrics{
		snapshots: f.NewCounterVec(prometheus.CounterOpts{
			Name: "bellbuoy_snapshots_total", Help: "Snapshots taken, by what became of them: decided, dropped, refused.",
		}, []string{"result"}),
		events: f.NewCounterVec(prometheus.CounterOpts{
			Name: "bellbuoy_events_total", Help: "Events stored, by kind.",
		}, []string{"kind"}),
		conflicts: f.NewCounter(prometheus.CounterOpts{
			Name: "bellbuoy_conflicts_total", Help: "Writes that lost to another analyzer's and were decided again.",
		}),
		suspicious: f.NewCounter(prometheus.CounterOpts{
			Name: "bellbuoy_suspicious_evidence_total", Help: "Pieces of evidence that went to a model and read like an instruction to it.",
		}),
		refused: f.NewCounterVec(prometheus.CounterOpts{
			Name: "bellbuoy_replies_refused_total", Help: "What people said and may not say, by the channel that it came through and the reason.",
		}, []string{"channel", "reason"}),
		open: f.NewGaugeVec(prometheus.GaugeOpts{
			Name: "bellbuoy_open_conversations", Help: "Open conversations, by severity.",
		}, []string{"severity"}),
		recalled: f.NewCounter(prometheus.CounterOpts{
			Name: "bellbuoy_llm_recalled_total", Help: "Questions that the model had answered before, and was not asked again.",
		}),
		unasked: f.NewCounterVec(prometheus.CounterOpts{
			Name: "bellbuoy_llm_unasked_total", Help: "Questions that the model was not asked because a budget was spent or it answers nobody, by budget or breaker.",
		}, []string{"budget"}),
		cost: f.NewCounterVec(prometheus.CounterOpts{
			Name: "bellbuoy_llm_cost_total", Help: "What the model has cost by the prices that are set, by currency.",
		}, []string{"currency"}),
	}
}

func (m *metrics) setOpen(n map[string]int) {
	for _, s := range []string{schema.SeverityInfo, schema.SeverityWarning, schema.SeverityCritical} {
		m.open.WithLabelValues(s).Set(float64(n[s]))
	}
}

// newTraceID gives 16 random bytes in hex: a trace id as the W3C Trace Context recommendation has it.
func newTraceID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, by its documentation
	return hex.EncodeToString(b[:])
}
