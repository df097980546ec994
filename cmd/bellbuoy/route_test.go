package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
)

const exampleOfChannels = "../../docs/channels.example.yml"

func TestRouteSaysOfAFileWhoWouldBeTold(t *testing.T) {
	for _, tt := range []struct {
		name, words, want string
	}{
		{"by-day", "prod/shop/checkout critical --label team=shop --at 2026-11-24T11:00:00Z", `critical prod/shop/checkout as of Tue 2026-11-24 11:00 UTC
ops    not told  route own (line 39) would tell it, but cluster is prod and not bellbuoy
shop   told      route shop-by-day (line 45); of what begins before Tue 2026-11-24 16:00 UTC
pager  not yet   route shop-by-day (line 45) tells it of what is critical once nobody has had it for 15m; from Tue 2026-11-24 11:15 UTC on, if it is still open then
chat   not yet   route shop-by-day (line 45) has it and does not continue to route critical (line 60); from Tue 2026-11-24 16:00 UTC on, if it is still open then
`},
		{"at-night", "prod/shop/checkout critical --label=team=shop --condition service_down --at 2026-11-24T21:00:00Z", `critical prod/shop/checkout as of Tue 2026-11-24 21:00 UTC
ops    not told  route own (line 39) would tell it, but cluster is prod and not bellbuoy
shop   not yet   route shop-by-day (line 45) tells it at other hours: mon-fri 09:00–17:00 Europe/Berlin; from Wed 2026-11-25 08:00 UTC on, if it is still open then
pager  told      route critical (line 60); of what begins before Wed 2026-11-25 08:00 UTC
chat   told      route critical (line 60); of what begins before Wed 2026-11-25 08:00 UTC
`},
		{"a-node-in-a-digest", "test-1/node/n1 info --at 2026-11-24T21:00:00Z", `info test-1/n1 as of Tue 2026-11-24 21:00 UTC
ops    told daily 08:00 Europe/Berlin  route test-systems (line 65)
shop   not told                        route shop-by-day (line 45) would tell it, but severity is info and not warning or critical, and cluster is test-1 and not prod, and namespace is none and not shop or shop-*, and label team is none and not shop
pager  not told                        route critical (line 60) would tell it, but severity is info and not critical, and cluster is test-1 and not prod
chat   not told                        route critical (line 60) would tell it, but severity is info and not critical, and cluster is test-1 and not prod
`},
		{"what-is-only-information", "prod/pay/x info --at 2026-11-24T21:00:00Z", `info prod/pay/x as of Tue 2026-11-24 21:00 UTC
ops    not told  no route has it, so that the default is told; but what is only information is told in digests alone, and it has none
shop   not told  route shop-by-day (line 45) would tell it, but severity is info and not warning or critical, and namespace is pay and not shop or shop-*, and label team is none and not shop
pager  not told  route critical (line 60) would tell it, but severity is info and not critical
chat   not told  route critical (line 60) would tell it, but severity is info and not critical
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := typed(t, append([]string{"route", "--file", exampleOfChannels}, strings.Fields(tt.words)...)...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, out); diff != "" {
				t.Errorf("printed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRouteAsksANotifier(t *testing.T) {
	s := bustest.Server(t)
	t.Setenv("BELLBUOY_NATS_URL", s.URL())
	if _, err := typed(t, "route", "prod/shop/checkout", "critical"); err == nil || !strings.Contains(err.Error(), "no notifier runs") || !strings.Contains(err.Error(), "--file") {
		t.Errorf("without a notifier: %v", err)
	}
	e2e.StartNotifier(t, s, "http://127.0.0.1:1/s3cret")
	_, err := typed(t, "route", "prod/shop/checkout", "critical")
	for errors.Is(err, bus.ErrNobody) { // it is starting
		_, err = typed(t, "route", "prod/shop/checkout", "critical")
	}
	if err != nil {
		t.Fatal(err)
	}
	got := into[client.RouteResponse](t, "route", "prod/shop/checkout", "critical", "--json", "--at", "2026-11-24T12:00:00Z")
	want := client.RouteResponse{At: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC), Channels: []client.Routed{
		{Channel: "webhook", Tell: true, Why: "there are no routes, so that every channel is told of everything"},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRouteRefusesWhatItCannotAsk(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "channels.yml")
	if err := os.WriteFile(bad, []byte("channels:\n  - {name: a, kind: webhook, url: 's3cret'}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for words, want := range map[string]string{
		"route prod/shop/checkout":                                   "use bellbuoy route CLUSTER/NAMESPACE/NAME SEVERITY",
		"route checkout critical":                                    "CLUSTER/NAMESPACE/NAME, CLUSTER/NAME or CLUSTER/node/NAME",
		"route prod//x critical":                                     "names no object",
		"route prod/shop/x severe":                                   "write info, warning or critical",
		"route prod/shop/x critical --label team":                    "a label is written NAME=VALUE",
		"route prod/shop/x critical --at noon":                       "is no time: write it like",
		"route prod/shop/x critical --file no/such/file":             "no such file",
		"route prod/shop/x critical --file " + bad:                   "line 2: channel a: url is not an http or https URL",
		"route prod/shop/x critical --file ../../docs/benchmarks.md": "line ",
	} {
		if _, err := typed(t, strings.Fields(words)...); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want %q", words, err, want)
		}
	}
}
