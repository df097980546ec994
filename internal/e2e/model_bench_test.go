package e2e_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/llm/llmtest"
)

// Numbers of alerts that BenchmarkModels raises in each run.
const (
	modelAlerts = 100
	warmAlerts  = 20 // before those that count
)

// alertPace is the time from one alert to the next: enough for what a model that answers at once brings about, so that
// alerts come one at a time; models that are not well still work on many at once.
const alertPace = 25 * time.Millisecond

// BenchmarkModels measures the way from the snapshot that completes a hold to the webhook, one alert at a time, with a
// model in every mood, each beside runs without a model: one before and one after. Every iteration adds such runs to
// the samples. The moods of the tests come first: there a model that answers does so at once, which no real one does,
// and what it brings about meets the alert that it is about.
func BenchmarkModels(b *testing.B) {
	for _, m := range append(moods(), mood{name: "answers-after-200ms", fault: llmtest.By(thoughtful)}) {
		b.Run(m.name, func(b *testing.B) {
			var with, without []time.Duration
			for b.Loop() {
				without = append(without, alertTimes(b, llm.Config{})...)
				with = append(with, alertTimes(b, m.start(b))...)
				with = append(with, alertTimes(b, m.start(b))...)
				without = append(without, alertTimes(b, llm.Config{})...)
			}
			b.ReportMetric(0, "ns/op") // the time of a whole run says nothing
			for _, at := range []int{50, 99} {
				w, wo := percentile(with, at), percentile(without, at)
				b.ReportMetric(w, fmt.Sprintf("p%d-ms", at))
				b.ReportMetric(wo, fmt.Sprintf("p%d-without-ms", at))
				b.ReportMetric(w/wo, fmt.Sprintf("p%d-ratio", at))
			}
		})
	}
}

// thoughtful answers well after a while.
func thoughtful(r llmtest.Request) string {
	thinking := time.NewTimer(200 * time.Millisecond)
	<-thinking.C
	return llmtest.Answer(r)
}

// percentile is in milliseconds.
func percentile(took []time.Duration, at int) float64 {
	slices.Sort(took)
	return float64(took[min(len(took)-1, len(took)*at/100)].Microseconds()) / 1000
}

// alertTimes raises alerts in clusters of their own, one after the other, on a server of their own.
func alertTimes(b *testing.B, model llm.Config) []time.Duration {
	b.Helper()
	s, hook := bustest.Server(b), e2e.NewReceiver(b)
	stopAnalyzer := e2e.Start(b, e2e.NewAnalyzer(b, s, model).Part())
	stopNotifier := e2e.StartNotifier(b, s, hook.URL)
	defer func() { stopNotifier(); stopAnalyzer() }()
	client, all := s.Connect(b), clusters(warmAlerts+modelAlerts)
	defer client.Close()
	for _, c := range all {
		e2e.Publish(b, client, e2e.Snapshot(c, 0, 0))
	}
	bustest.Settled(b, client)
	var took []time.Duration
	pace := time.NewTicker(alertPace)
	defer pace.Stop()
	for _, c := range all {
		<-pace.C
		took = append(took, alertTime(b, client, hook, c))
	}
	return took[warmAlerts:]
}

// alertTime is how long it takes from the beginning of a snapshot's publishing until the opening is received.
func alertTime(b *testing.B, client *bus.Bus, hook *e2e.Receiver, cluster string) time.Duration {
	b.Helper()
	id := e2e.CheckoutID(cluster)
	begun := time.Now()
	e2e.Publish(b, client, e2e.Snapshot(cluster, 1, 0))
	isIt := func(p e2e.Post) bool { return p.Conversation.ID == id && p.Type == "conversation.opened" }
	posts := hook.Until(b, cluster, func(p []e2e.Post) bool { return slices.ContainsFunc(p, isIt) })
	return posts[slices.IndexFunc(posts, isIt)].At.Sub(begun)
}
