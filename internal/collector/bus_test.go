package collector_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/collector"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
)

// jsonl writes a file of snapshots.
func jsonl(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "snapshots.jsonl")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSnapshotsOfAFileReachTheBus(t *testing.T) {
	b := bustest.New(t)
	path := jsonl(t,
		`{"cluster_name":"pro d","taken_at":"2026-11-23T08:00:00Z","interval_seconds":30,"source":"docker","services":[{"name":"web"}]}`,
		`not a snapshot`,
		`{"cluster_name":"pro d","taken_at":"2026-11-23T08:00:30Z","services":[{"name":"db"}]}`)
	reg := prometheus.NewRegistry()
	c, err := collector.New(collector.Config{Source: []string{"file:" + path}, Interval: time.Second}, b, bustest.Log(t), reg)
	if err != nil {
		t.Fatal(err)
	}
	part := c.Part()
	if part.Ready() == nil {
		t.Error("ready before anything was published")
	}
	bustest.Start(t, part.Run)
	var got []string
	for range 3 {
		s := bustest.Next[schema.ClusterContext](t, b, "bellbuoy.context.pro-d")
		if s.Services[0].ErrorsTotal != nil || s.Services[0].ErrorCount1h != nil {
			t.Error("a recording was counted")
		}
		if !s.Recorded {
			t.Error("it does not say that it is a recording, whose end nobody misses")
		}
		got = append(got, s.ClusterName+" "+s.Services[0].Name+" "+s.TakenAt.Format("15:04:05"))
	}
	if diff := cmp.Diff([]string{"pro d web 08:00:00", "pro d web 08:00:00", "pro d db 08:00:30"}, got); diff != "" {
		t.Errorf("snapshots (-want +got):\n%s", diff)
	}
	if err := part.Ready(); err != nil {
		t.Errorf("not ready: %v", err)
	}
	if diff := cmp.Diff(1.0, counter(t, reg, "bellbuoy_collector_source_failures_total")); diff != "" {
		t.Errorf("source failures (-want +got):\n%s", diff)
	}
}

// counter is the sum of one metric's series.
func counter(t *testing.T, reg *prometheus.Registry, name string) (sum float64) {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

// published waits for the first snapshot of prod that satisfies ok.
func published(t *testing.T, next func() schema.ClusterContext, ok func(schema.ClusterContext) bool) schema.ClusterContext {
	t.Helper()
	for range 50 {
		if s := next(); ok(s) {
			return s
		}
	}
	t.Fatal("none of 50 snapshots is it")
	return schema.ClusterContext{}
}

func TestWakeTellsAtOnceAndStoppingSaysGoodbye(t *testing.T) {
	b := bustest.New(t)
	e := newEngine()
	c, err := collector.NewWith(collector.Config{Cluster: "prod", Interval: time.Hour}, b, b.Kept("collector"), bustest.Log(t), nil, e.fake())
	if err != nil {
		t.Fatal(err)
	}
	stop := bustest.Start(t, c.Part().Run)
	next := func() schema.ClusterContext {
		return bustest.Next[schema.ClusterContext](t, b, "bellbuoy.context.prod")
	}
	first := next()
	if !strings.HasPrefix(first.Collector, hostname(t)+"-") || first.IntervalSeconds != 3600 || first.Goodbye || first.Recorded {
		t.Errorf("first: %+v", first)
	}
	e.happens("f1", source.Failed, time.Now())
	e.wake <- struct{}{}
	got := next()
	if countsOf(t, got).Errors != 1 { // by itself it would have come in an hour
		t.Errorf("woken: %+v", countsOf(t, got))
	}
	stop()
	bye := next()
	if !bye.Goodbye || !bye.TakenAt.After(got.TakenAt) || countsOf(t, bye).Errors != 1 {
		t.Errorf("goodbye: %+v", bye)
	}
}

func TestCollectorGoesOnWhereItsPredecessorStopped(t *testing.T) {
	b := bustest.New(t)
	e := newEngine()
	e.happens("f1", source.Failed, time.Now())
	for range 2 {
		c, err := collector.NewWith(collector.Config{Cluster: "prod"}, b, b.Kept("collector"), bustest.Log(t), nil, e.fake())
		if err != nil {
			t.Fatal(err)
		}
		stop := bustest.Start(t, c.Part().Run)
		s := published(t, func() schema.ClusterContext {
			return bustest.Next[schema.ClusterContext](t, b, "bellbuoy.context.prod")
		}, func(s schema.ClusterContext) bool { return !s.Goodbye })
		if diff := cmp.Diff(counts{1, 0, 1, 0}, countsOf(t, s)); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
		stop()
	}
	if diff := cmp.Diff([]string{"", "1"}, slices.Clone(e.opened)); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}

func TestTwoNamesThatMeetInOneTokenAreRefused(t *testing.T) {
	b := bustest.New(t)
	run := func(cluster string) (*collector.Collector, error) {
		return collector.NewWith(collector.Config{Cluster: cluster}, b, b.Kept("collector"), bustest.Log(t), nil, newEngine().fake())
	}
	first, err := run("shop eu")
	if err != nil {
		t.Fatal(err)
	}
	bustest.Start(t, first.Part().Run)
	bustest.Next[schema.ClusterContext](t, b, "bellbuoy.context.shop-eu")
	second, err := run("shop.eu")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), bustest.Within)
	defer cancel()
	err = second.Part().Run(ctx)
	if err == nil || !strings.Contains(err.Error(), `"shop eu" has the same subject token, shop-eu`) {
		t.Errorf("the second runs: %v", err)
	}
}

func hostname(t *testing.T) string {
	t.Helper()
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	return name
}
