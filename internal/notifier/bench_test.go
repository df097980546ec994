package notifier_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
)

// BenchmarkDeliver measures from an event that is stored to the post that arrives, one at a time.
func BenchmarkDeliver(b *testing.B) {
	arrived := make(chan time.Time, 1)
	server := benchServer(b, arrived)
	bench := bustest.New(b)
	cfg := notifier.Config{Webhook: webhook.Config{URL: config.Secret(server)}}
	n, err := notifier.New(cfg, bench, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		b.Fatal(err)
	}
	bustest.Start(b, n.Part().Run)
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		c := channeltest.Opened(fmt.Sprintf("service-%d", i))
		if _, err := bench.Append(b.Context(), bus.Write{Conversation: c, Event: c.Messages[0]}); err != nil {
			b.Fatal(err)
		}
		stored := time.Now()
		took = append(took, (<-arrived).Sub(stored))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs-p99")
}

func benchServer(b *testing.B, arrived chan<- time.Time) (url string) {
	b.Helper()
	r := newReceiver(b, func(int, http.ResponseWriter) { arrived <- time.Now() })
	return r.server.URL
}
