package e2e_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm/llmtest"
)

// modelAlerts is how many alerts make a block: what a percentile is taken of.
const modelAlerts = 100

// alertPace is the least time from one alert to the next.
const alertPace = 25 * time.Millisecond

// BenchmarkModels measures the way from the snapshot that completes a hold to the webhook in two systems side by side,
// one with a model in some mood and one without any, in turns. A model that does answer has done so before the next
// alert; the others are at work all the time. Every iteration is a block of alerts in both; the mood none compares two
// systems without a model, which is what the measurement itself brings about.
func BenchmarkModels(b *testing.B) {
	for _, m := range benchMoods() {
		b.Run(m.name, func(b *testing.B) {
			with, without := startSystem(b, m), startSystem(b, mood{none: true})
			var r ratios
			for n := 0; b.Loop(); n++ {
				r.add(inTurns(b, with, without, fmt.Sprintf("block%d-", n)))
			}
			r.report(b)
			with.check(b)
		})
	}
}

// BenchmarkModelsInAStorm is BenchmarkModels with all alerts of a block at once: the systems take turns block by block,
// and in the one with a model that is at work while others are being told.
func BenchmarkModelsInAStorm(b *testing.B) {
	for _, m := range benchMoods() {
		b.Run(m.name, func(b *testing.B) {
			with, without := startSystem(b, m), startSystem(b, mood{none: true})
			var r ratios
			for n := 0; b.Loop(); n++ {
				prefix := fmt.Sprintf("storm%d-", n)
				w := with.storm(b, prefix)
				r.add(w, without.storm(b, prefix))
			}
			r.report(b)
			with.check(b)
		})
	}
}

// benchMoods are those of the tests, and a model that takes at least a little time, as every real one does.
func benchMoods() []mood {
	return append(moods(), mood{name: "answers-after-200ms", fault: llmtest.By(thoughtful)})
}

// thoughtful answers well after a while.
func thoughtful(r llmtest.Request) string {
	thinking := time.NewTimer(200 * time.Millisecond)
	<-thinking.C
	return llmtest.Answer(r)
}

// system is a server, an analyzer, a notifier and a webhook.
type system struct {
	client *bus.Bus
	bell   *bell
	ends   bool // its model is done with one alert soon, and so before the next
}

func startSystem(b *testing.B, m mood) *system {
	b.Helper()
	s, hook := bustest.Server(b), newBell(b)
	ends := !m.none && m.timeout == 0
	m.timeout = 0 // that of the tests is short: what is told of the failures would come often and at any time
	e2e.StartAnalyzer(b, s, m.start(b))
	e2e.StartNotifier(b, s, hook.URL)
	return &system{client: s.Connect(b), bell: hook, ends: ends}
}

// prepare lets every cluster's service fail for the first time.
func (s *system) prepare(b *testing.B, all []string) {
	b.Helper()
	for _, c := range all {
		e2e.Publish(b, s.client, e2e.Snapshot(c, 0, 0))
	}
	bustest.Settled(b, s.client, bus.Diagnose)
}

// inTurns raises a block of alerts in both systems, one at a time, and gives how long each took. Every second time the
// other system begins.
func inTurns(b *testing.B, with, without *system, prefix string) (w, wo []time.Duration) {
	b.Helper()
	all := named(prefix)
	with.prepare(b, all)
	without.prepare(b, all)
	pace := time.NewTicker(alertPace)
	defer pace.Stop()
	alert := func(s *system, cluster string) time.Duration {
		<-pace.C
		return s.alert(b, cluster)
	}
	for i, c := range all {
		if i%2 == 0 {
			w = append(w, alert(with, c))
		}
		wo = append(wo, alert(without, c))
		if i%2 == 1 {
			w = append(w, alert(with, c))
		}
	}
	return w, wo
}

// alert raises one alert and waits for what its model makes of it, if that comes soon.
func (s *system) alert(b *testing.B, cluster string) time.Duration {
	b.Helper()
	id, body := e2e.CheckoutID(cluster), encode(b, e2e.Snapshot(cluster, 1, 0))
	begun := time.Now()
	publishBody(b, s.client, cluster, body)
	took := s.bell.until(b, id, 1).Sub(begun)
	if s.ends {
		s.bell.until(b, id, 2)
	}
	return took
}

// storm raises a block of alerts at once and gives how long each took from its own snapshot.
func (s *system) storm(b *testing.B, prefix string) []time.Duration {
	b.Helper()
	all := named(prefix)
	s.prepare(b, all)
	begun := map[string]time.Time{}
	for _, c := range all {
		begun[e2e.CheckoutID(c)] = time.Now()
		e2e.Publish(b, s.client, e2e.Snapshot(c, 1, 0))
	}
	var took []time.Duration
	for id, at := range s.bell.first(b, begun) {
		took = append(took, at.Sub(begun[id]))
	}
	if s.ends {
		bustest.Settled(b, s.client)
	}
	return took
}

// check holds that every conversation has a diagnosis, whatever became of the model.
func (s *system) check(b *testing.B) {
	b.Helper()
	for _, c := range bustest.Conversations(b, s.client) {
		if c.Diagnosis == nil || c.Diagnosis.Summary == "" {
			b.Errorf("%s: conversation %s has no diagnosis", c.Cluster, c.ID)
		}
	}
}

func named(prefix string) []string {
	all := clusters(modelAlerts)
	for i := range all {
		all[i] = prefix + all[i]
	}
	return all
}

// ratios collects blocks of both systems.
type ratios struct {
	with, without []time.Duration
	p99           []float64 // of each block, with by without
}

func (r *ratios) add(with, without []time.Duration) {
	r.with, r.without = append(r.with, with...), append(r.without, without...)
	r.p99 = append(r.p99, percentile(with, 99)/percentile(without, 99))
}

// report gives the percentiles of all alerts, and of the ratios of the blocks' p99 the median and the extremes.
func (r *ratios) report(b *testing.B) {
	b.Helper()
	b.ReportMetric(0, "ns/op") // the time of a whole block says nothing
	for _, at := range []int{50, 99} {
		w, wo := percentile(r.with, at), percentile(r.without, at)
		b.ReportMetric(w, fmt.Sprintf("p%d-ms", at))
		b.ReportMetric(wo, fmt.Sprintf("p%d-without-ms", at))
		b.ReportMetric(w/wo, fmt.Sprintf("p%d-ratio", at))
	}
	slices.Sort(r.p99)
	b.ReportMetric(r.p99[len(r.p99)/2], "block-p99-ratio-median")
	b.ReportMetric(r.p99[0], "block-p99-ratio-min")
	b.ReportMetric(r.p99[len(r.p99)-1], "block-p99-ratio-max")
}

// percentile is in milliseconds.
func percentile(took []time.Duration, at int) float64 {
	slices.Sort(took)
	return float64(took[min(len(took)-1, len(took)*at/100)].Microseconds()) / 1000
}
