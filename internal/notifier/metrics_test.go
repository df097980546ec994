package notifier_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
)

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
	want := map[string]float64{
		"bellbuoy_notifier_posts_total webhook refused": 1,
		"bellbuoy_notifier_breaker webhook":             0,
		"bellbuoy_notifier_posts_total webhook dead":    1,
		"bellbuoy_notifier_waiting webhook":             0,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
	if _, err := notifier.New(notifier.Config{}, b, bustest.Log(t), reg); err == nil {
		t.Error("a second notifier registers the same metrics without an error")
	}
}
