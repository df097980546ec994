package collector

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	snapshots prometheus.Counter
	failed    prometheus.Counter
	bytes     prometheus.Gauge
	read      *prometheus.HistogramVec
	failures  *prometheus.CounterVec
	happened  *prometheus.CounterVec
	looks     *prometheus.CounterVec
}

// looked counts a look-up.
func (m metrics) looked(err error) {
	outcome := "answered"
	if err != nil {
		outcome = "refused"
	}
	m.looks.WithLabelValues(outcome).Inc()
}

// newMetrics makes the collector's metrics and registers them, unless there is no registerer.
func newMetrics(reg prometheus.Registerer) (metrics, error) {
	const namespace, subsystem = "bellbuoy", "collector"
	counter := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: namespace, Subsystem: subsystem, Name: name, Help: help}
	}
	m := metrics{
		snapshots: prometheus.NewCounter(counter("snapshots_published_total", "Snapshots stored on the bus.")),
		failed:    prometheus.NewCounter(counter("snapshots_failed_total", "Snapshots that could not be made or stored.")),
		bytes: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "snapshot_bytes", Help: "Size of the newest snapshot.",
		}),
		read: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "source_read_seconds", Help: "Time that one reading of a source took.",
			Buckets: []float64{.001, .005, .025, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"source"}),
		failures: prometheus.NewCounterVec(counter("source_failures_total", "Readings of a source that failed or came too late."), []string{"source"}),
		happened: prometheus.NewCounterVec(counter("happenings_total", "What sources reported, each once, by kind."), []string{"kind"}),
		looks:    prometheus.NewCounterVec(counter("lookups_total", "Look-ups that were asked for, by what became of them."), []string{"outcome"}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.snapshots, m.failed, m.bytes, m.read, m.failures, m.happened, m.looks} {
		if err := reg.Register(c); err != nil {
			return m, fmt.Errorf("register the collector's metrics: %w", err)
		}
	}
	return m, nil
}
