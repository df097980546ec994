package e2e_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// loadOf is how many services BenchmarkLoad lets fail in one snapshot.
const loadOf = 10_000

// BenchmarkLoad measures one snapshot with 10,000 failing services, storms and folding off, so that each becomes a
// conversation of its own: events stored per second on a server that leaves writes to the operating system, which is NATS's
// default and loses nothing when it is killed, and on one that syncs each. Then it measures the list of them all.
func BenchmarkLoad(b *testing.B) {
	for _, sync := range []struct {
		name   string
		server func(testing.TB) *bustest.NATS
	}{{"default", bustest.ServerUnsynced}, {"always", bustest.Server}} {
		b.Run("sync="+sync.name, func(b *testing.B) {
			for b.Loop() {
				load(b, sync.server(b))
			}
		})
	}
}

func load(b *testing.B, s *bustest.NATS) {
	e2e.StartAnalyzerBy(b, s, llm.Config{}, "rules: {storm: off, explain: off}\n")
	c := s.Connect(b)
	stored := count(b, s.Connect(b), loadOf)
	e2e.Publish(b, c, crowd("load", 0, loadOf))
	bustest.Settled(b, c, bus.Notify("webhook"), bus.Diagnose, bus.Answer)
	body := encode(b, crowd("load", 1, loadOf))
	began := time.Now()
	publishBody(b, c, "load", body)
	took := (<-stored).Sub(began)
	b.ReportMetric(loadOf/took.Seconds(), "events/s")
	b.ReportMetric(took.Seconds(), "all-stored-s")

	bustest.Settled(b, c, bus.Notify("webhook"), bus.Diagnose, bus.Answer)
	began = time.Now()
	if got := listed(b, client.New(c)); got != loadOf {
		b.Fatalf("listed %d conversations, want %d", got, loadOf)
	}
	b.ReportMetric(float64(time.Since(began).Microseconds())/1000, "list-ms")
}

// crowd is the n-th snapshot of a cluster of which so many services are down.
func crowd(cluster string, n, services int) schema.ClusterContext {
	s := e2e.Snapshot(cluster, n, 0)
	one := s.Services[0]
	s.Services = nil
	for i := range services {
		x := one
		x.Name = fmt.Sprintf("web-%d", i)
		x.Instances = []schema.Instance{{Name: "shop-" + x.Name + "-1", State: "exited"}}
		s.Services = append(s.Services, x)
	}
	return s
}

// count tells when so many events have been seen in the stream.
func count(b *testing.B, tap *bus.Bus, want int64) <-chan time.Time {
	b.Helper()
	ready, done := make(chan struct{}), make(chan time.Time, 1)
	var seen atomic.Int64
	bustest.Start(b, func(ctx context.Context) error {
		return tap.Follow(ctx, tap.Subjects().Alerts(), func() { close(ready) }, func(bus.Head) error {
			if seen.Add(1) == want {
				done <- time.Now()
			}
			return nil
		})
	})
	<-ready
	return done
}

// listed asks for all pages, as the command does.
func listed(b *testing.B, c *client.Client) int {
	b.Helper()
	n := 0
	for {
		page, err := c.List(b.Context(), client.ListRequest{All: true, Offset: n})
		if err != nil {
			b.Fatal(err)
		}
		n += len(page.Conversations)
		if len(page.Conversations) == 0 || n >= page.Total {
			return n
		}
	}
}

// BenchmarkStorm measures how long it takes from the snapshot that completes the hold of 1,000 services to the one card
// about all of them at a webhook, every write synced.
func BenchmarkStorm(b *testing.B) {
	const rounds = 10
	for b.Loop() {
		s, hook := bustest.Server(b), newBell(b)
		c := s.Connect(b)
		e2e.StartAnalyzer(b, s, llm.Config{})
		e2e.StartNotifier(b, s, hook.URL)
		var took []time.Duration
		for i := range rounds {
			cluster := fmt.Sprintf("storm-%d", i)
			e2e.Publish(b, c, crowd(cluster, 0, 1000))
			bustest.Settled(b, c)
			body := encode(b, crowd(cluster, 1, 1000))
			began := time.Now()
			publishBody(b, c, cluster, body)
			took = append(took, hook.until(b, schema.ConversationID(cluster, schema.Object{Kind: schema.KindCluster, Name: cluster}), 1).Sub(began))
		}
		report(b, "card", took)
	}
}
