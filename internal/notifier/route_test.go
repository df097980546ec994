package notifier_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestTheServiceSaysWhoWouldBeTold(t *testing.T) {
	s := routedBy(t, "routes:\n  - {name: shop, match: {namespace: shop}, to: [ops], digest: 15m, escalate: {after: 15m, to: [pager]}}\ndefault: [pager]\n")
	bustest.Start(t, s.notifier.Part().Run)
	ask := func(q client.RouteRequest) (r client.RouteResponse, err error) {
		for r, err = client.New(s.bus).Route(t.Context(), q); errors.Is(err, bus.ErrNobody); { // it is starting
			r, err = client.New(s.bus).Route(t.Context(), q)
		}
		return r, err
	}
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	const shop = "route shop (line 5)"
	for _, tt := range []struct {
		severity string
		want     []client.Routed
	}{
		{schema.SeverityCritical, []client.Routed{
			{Channel: "ops", Tell: true, Why: shop},
			{Channel: "pager", Why: shop + " tells it of what is critical once nobody has had it for 15m", Again: at.Add(15 * time.Minute)},
		}},
		{schema.SeverityWarning, []client.Routed{
			{Channel: "ops", Tell: true, Why: shop, Digest: "every 15m"},
			{Channel: "pager", Why: shop + " tells it of what is critical once nobody has had it for 15m; this is warning"},
		}},
	} {
		t.Run(tt.severity, func(t *testing.T) {
			got, err := ask(client.RouteRequest{
				Cluster: "prod", Object: schema.Object{Namespace: "shop", Name: "checkout"}, Severity: tt.severity, At: at,
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(client.RouteResponse{At: at, Channels: tt.want}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	_, err := ask(client.RouteRequest{Cluster: "prod", Severity: "severe"})
	if err == nil || !strings.Contains(err.Error(), "info, warning or critical") {
		t.Errorf("a request that is none: %v", err)
	}
}
