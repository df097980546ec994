package notifier_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
)

// values are all counters and gauges, by name and labels.
func values(t *testing.T, reg *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			got[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return got
}

func TestPostsAreCountedByChannelAndOutcome(t *testing.T) {
	b, reg := bustest.New(t), prometheus.NewRegistry()
	r := newReceiver(t, func(_ int, w http.ResponseWriter) { w.WriteHeader(http.StatusUnprocessableEntity) })
	n, err := notifier.New(notifier.Config{Webhook: webhook.Config{URL: config.Secret(r.server.URL)}}, b, bustest.Log(t), reg)
	if err != nil {
		t.Fatal(err)
	}
	bustest.Start(t, n.Part().Run)
	store(t, b, channeltest.Opened("checkout"))
	settled(t, b)
	want := map[string]float64{
		"bellbuoy_notifier_posts_total webhook refused": 1,
		"bellbuoy_notifier_breaker webhook":             0,
		"bellbuoy_notifier_posts_total webhook dead":    1,
		"bellbuoy_notifier_waiting webhook":             0,
	}
	if diff := cmp.Diff(want, values(t, reg)); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
	if _, err := notifier.New(notifier.Config{}, b, bustest.Log(t), reg); err == nil {
		t.Error("a second notifier registers the same metrics without an error")
	}
}

func TestWhatIsKeptBackIsCountedAndBurnsNoAttempt(t *testing.T) {
	b, reg := bustest.New(t), prometheus.NewRegistry()
	r := newReceiver(t, func(_ int, w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) })
	n, err := notifier.New(notifier.Config{Webhook: webhook.Config{URL: config.Secret(r.server.URL)}}, b, bustest.Log(t), reg)
	if err != nil {
		t.Fatal(err)
	}
	c := channeltest.Opened("checkout")
	store(t, b, c)
	for range 8 {
		if wait, err := n.Step(t.Context(), nudge(t, c)); wait <= 0 || err == nil {
			t.Fatalf("wait %s, %v", wait, err)
		}
	}
	want := map[string]float64{
		"bellbuoy_notifier_breaker webhook":             1,
		"bellbuoy_notifier_held_total webhook open":     3,
		"bellbuoy_notifier_posts_total webhook passing": 5,
		"bellbuoy_notifier_waiting webhook":             0,
	}
	if diff := cmp.Diff(want, values(t, reg)); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
	record, _, err := b.Kept(bus.PartNotifier).Get(t.Context(), "told.webhook."+c.ID)
	var told channel.Told
	if err = errors.Join(err, json.Unmarshal(record, &told)); err != nil || told.Attempts != 5 {
		t.Errorf("%d attempts, %v; want 5", told.Attempts, err)
	}
}
