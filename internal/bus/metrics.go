package bus

import (
	"cmp"
	"errors"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

type metrics struct {
	published  *prometheus.CounterVec // by kind: context, alerts, …
	consumed   *prometheus.CounterVec // by consumer and verdict
	conflicts  *prometheus.CounterVec // by kind
	badHeads   prometheus.Counter
	reconnects prometheus.Counter
}

func newMetrics(r prometheus.Registerer) metrics {
	return metrics{
		published: shared(r, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bellbuoy_bus_published_total", Help: "Messages that JetStream has stored for this process, by kind of subject.",
		}, []string{"kind"})),
		consumed: shared(r, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bellbuoy_bus_consumed_total", Help: "Messages handled, by consumer and verdict (ack, later, retry, dead, stopped).",
		}, []string{"consumer", "verdict"})),
		conflicts: shared(r, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bellbuoy_bus_conflicts_total", Help: "Compare-and-set writes that somebody else was faster with, by kind of subject.",
		}, []string{"kind"})),
		badHeads: shared(r, prometheus.NewCounter(prometheus.CounterOpts{
			Name: "bellbuoy_bus_bad_heads_total", Help: "ALERTS messages that were skipped because they are not valid.",
		})),
		reconnects: shared(r, prometheus.NewCounter(prometheus.CounterOpts{
			Name: "bellbuoy_bus_reconnects_total", Help: "Connections to NATS made again after one was lost.",
		})),
	}
}

// shared registers c, or returns the one that another bus of this process registered before.
func shared[C prometheus.Collector](r prometheus.Registerer, c C) C {
	if r == nil {
		return c
	}
	if before, ok := errors.AsType[prometheus.AlreadyRegisteredError](r.Register(c)); ok {
		if same, ok := before.ExistingCollector.(C); ok {
			return same
		}
	}
	return c
}

// kind is the token after the root: what sort of message goes there.
func (b *Bus) kind(subject string) string {
	rest := strings.TrimPrefix(subject, b.root()+".")
	kind, _, _ := strings.Cut(rest, ".")
	return kind
}

func (b *Bus) root() string { return cmp.Or(b.subjects.Root, schema.DefaultRoot) }
