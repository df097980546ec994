package e2e_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// alertsVariable sets how many alerts BenchmarkAlert raises, one at a time.
const (
	alertsVariable = "BELLBUOY_BENCH_ALERTS"
	alertsDefault  = 1000
)

// BenchmarkAlert measures the way from the snapshot that completes a hold to the webhook, one alert at a time, on a
// server that syncs every write to disk. Beside it stand the floor, which is publish to a durable consumer on the same
// server, and the stages, which a second, shorter pass takes with a tap on the alerts, as the tap costs time itself.
// Floor and alert are measured once more with a rest before each.
func BenchmarkAlert(b *testing.B) {
	n := alerts(b)
	for b.Loop() {
		s, hook := bustest.Server(b), newBell(b)
		client := s.Connect(b)
		floor := measureFloor(b, s, client, "floor", n, func() {})
		rested := measureFloor(b, s, client, "restedfloor", max(1, n/5), rest)
		e2e.StartAnalyzer(b, s, llm.Config{})
		e2e.StartNotifier(b, s, hook.URL)
		acked, webhook := measureAlerts(b, client, hook, "c", n, func() {})
		_, afterRest := measureAlerts(b, client, hook, "rested", max(1, n/5), rest)
		stored := measureStored(b, s, client, hook, max(1, n/4))
		for _, stage := range []struct {
			name string
			took []time.Duration
		}{{"floor", floor}, {"1-publish-acked", acked}, {"2-event-tapped", stored}, {"3-webhook", webhook}, {"rested-floor", rested}, {"rested-webhook", afterRest}} {
			report(b, stage.name, stage.took)
		}
	}
}

func alerts(b *testing.B) int {
	n, err := strconv.Atoi(cmp.Or(os.Getenv(alertsVariable), strconv.Itoa(alertsDefault)))
	if err != nil || n < 1 {
		b.Fatalf("%s: %v", alertsVariable, err)
	}
	return n
}

// rest is a while in which nothing happens, as there is one before most alerts. Machine and disk are slower after it,
// and the server stores the positions of its consumers at once.
func rest() {
	while := time.NewTimer(150 * time.Millisecond)
	<-while.C
}

// measureFloor times a fsynced publish until a durable consumer has the message in hand. before is called just before
// each publish.
func measureFloor(b *testing.B, s *bustest.NATS, client *bus.Bus, prefix string, n int, before func()) []time.Duration {
	b.Helper()
	got := make(chan time.Time)
	stop := bustest.Start(b, func(ctx context.Context) error {
		return s.Connect(b).Consume(ctx, bus.Watch, 1, func(context.Context, bus.Message) error {
			got <- time.Now()
			return nil
		})
	})
	defer stop()
	var took []time.Duration
	for i := range n {
		cluster := fmt.Sprintf("%s%d", prefix, i)
		body := encode(b, e2e.Snapshot(cluster, 0, 1))
		before()
		at := time.Now()
		publishBody(b, client, cluster, body)
		took = append(took, (<-got).Sub(at))
	}
	return took
}

// measureAlerts gives, for each alert, the times from the start of its snapshot's publishing to its being acked and
// to the webhook's receiving the alert. before is called just before each of those snapshots.
func measureAlerts(b *testing.B, client *bus.Bus, hook *bell, prefix string, n int, before func()) (acked, webhook []time.Duration) {
	b.Helper()
	for i := range n {
		cluster := fmt.Sprintf("%s%d", prefix, i)
		e2e.Publish(b, client, e2e.Snapshot(cluster, 0, 0))
		bustest.Settled(b, client)
		body := encode(b, e2e.Snapshot(cluster, 1, 0))
		before()
		at := time.Now()
		publishBody(b, client, cluster, body)
		acked = append(acked, time.Since(at))
		webhook = append(webhook, hook.until(b, e2e.CheckoutID(cluster), 1).Sub(at))
	}
	return acked, webhook
}

// measureStored gives the times to the event's being seen in the stream.
func measureStored(b *testing.B, s *bustest.NATS, client *bus.Bus, hook *bell, n int) []time.Duration {
	b.Helper()
	tap, ready := s.Connect(b), make(chan struct{})
	var begun atomic.Pointer[time.Time]
	var took []time.Duration
	stop := bustest.Start(b, func(ctx context.Context) error {
		return tap.Follow(ctx, tap.Subjects().Alerts(), func() { close(ready) }, func(bus.Head) error {
			if at := begun.Swap(nil); at != nil {
				took = append(took, time.Since(*at))
			}
			return nil
		})
	})
	<-ready
	measureAlerts(b, client, hook, "tapped", n, func() { begun.Store(new(time.Now())) })
	bustest.Settled(b, client)
	stop()
	return took
}

func encode(b *testing.B, s schema.ClusterContext) []byte {
	b.Helper()
	body, err := json.Marshal(s)
	if err != nil {
		b.Fatal(err)
	}
	return body
}

func publishBody(b *testing.B, client *bus.Bus, cluster string, body []byte) {
	b.Helper()
	if _, err := client.Publish(b.Context(), client.Subjects().Context(cluster), body, ""); err != nil {
		b.Fatal(err)
	}
}

func report(b *testing.B, name string, took []time.Duration) {
	slices.Sort(took)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(ms(took[len(took)/2]), name+"-p50-ms")
	b.ReportMetric(ms(took[min(len(took)-1, len(took)*99/100)]), name+"-p99-ms")
}
