package collector_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/collector"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
)

// mayBeAbsent is a source of SOURCE=auto that cannot be opened while *why is not nil.
func mayBeAbsent(e *engine, name string, why *error) collector.Fake {
	f := e.fake()
	f.Name, f.Optional, f.Parts = name, true, []string{schema.PartServices, schema.PartHealth}
	open := f.Open
	f.Open = func(ctx context.Context, state json.RawMessage) (source.Source, error) {
		if *why != nil {
			return nil, *why
		}
		return open(ctx, state)
	}
	return f
}

func TestSourceThatTheMachineHasNotIsLeftOutAndLookedForAgain(t *testing.T) {
	e, host := newEngine(), newEngine()
	host.services = []schema.ServiceSummary{{Name: "sshd"}}
	host.reads = map[string]string{schema.PartServices: ""}
	absent := fmt.Errorf("find the engine: %w", source.ErrAbsent)
	other := host.fake()
	other.Name = "host"
	w := collect(t, newLedger(), mayBeAbsent(e, "docker", &absent), other)
	for range 2 {
		got := w.at(t, start)
		if got.Stale != nil || len(got.RecentEvents) != 0 || len(got.Services) != 1 || got.Source != "host" {
			t.Errorf("without it: %+v", got)
		}
		if diff := cmp.Diff("docker: find the engine: not there", unread(got)[schema.PartHealth]); diff != "" {
			t.Errorf("why there is no health (-want +got):\n%s", diff)
		}
		if _, listed := unread(got)[schema.PartServices]; listed {
			t.Error("services are read by the other")
		}
	}
	absent = nil
	if got := w.at(t, start); len(got.Services) != 2 || got.Source != "docker,host" || got.Stale != nil {
		t.Errorf("with it: %+v", got)
	}
}

// unread is the reason of each part that is not read.
func unread(s schema.ClusterContext) map[string]string {
	reasons := map[string]string{}
	for _, u := range s.Unread {
		reasons[u.Part] = u.Reason
	}
	return reasons
}

func TestSourceThatWasReadBeforeIsMissedWhenItIsGone(t *testing.T) {
	e, l := newEngine(), newLedger()
	var absent error
	first := collect(t, l, mayBeAbsent(e, "docker", &absent))
	first.at(t, start)
	first.kill()
	absent = fmt.Errorf("find the engine: %w", source.ErrAbsent)
	got := collect(t, l, mayBeAbsent(e, "docker", &absent)).at(t, start)
	if len(got.Stale) != 1 {
		t.Fatalf("stale: %+v", got.Stale)
	}
	want := "open source docker: find the engine: not there; it was read here before. If it was taken away on purpose, set BELLBUOY_SOURCE to what is left"
	if diff := cmp.Diff(want, got.Stale[0].Error); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

func TestSourceThatWasAskedForByNameFailsWhenItIsAbsent(t *testing.T) {
	absent := fmt.Errorf("find the engine: %w", source.ErrAbsent)
	f := mayBeAbsent(newEngine(), "docker", &absent)
	f.Optional = false
	got := collect(t, newLedger(), f).at(t, start)
	if len(got.Stale) != 1 || len(got.RecentEvents) != 1 {
		t.Errorf("stale %+v, events %+v", got.Stale, got.RecentEvents)
	}
}

func TestSourceThatMayNotBeReadFailsThoughNobodyNamedIt(t *testing.T) {
	refused := errors.New("permission denied")
	got := collect(t, newLedger(), mayBeAbsent(newEngine(), "docker", &refused)).at(t, start)
	if _, listed := unread(got)[schema.PartServices]; len(got.Stale) != 1 || listed {
		t.Errorf("stale %+v, unread %+v", got.Stale, got.Unread)
	}
}

func TestPartsThatNothingReadsAreListedWithReasons(t *testing.T) {
	one, two := newEngine(), newEngine()
	one.reads = map[string]string{schema.PartServices: "", schema.PartMachine: "it is elsewhere", schema.PartGPUs: "no driver", schema.PartNodes: "it cannot"}
	two.services = []schema.ServiceSummary{{Name: "other"}}
	two.reads = map[string]string{schema.PartMachine: "", schema.PartGPUs: "no such device", schema.PartNodes: "it cannot"}
	f := two.fake()
	f.Name = "two"
	got := collect(t, newLedger(), one.fake(), f).at(t, start)
	want := []schema.UnreadPart{
		{Part: schema.PartHealth, Reason: "no configured source reads it; add docker to BELLBUOY_SOURCE"},
		{Part: schema.PartJobs, Reason: "no configured source reads it; add docker to BELLBUOY_SOURCE"},
		{Part: schema.PartErrors, Reason: "no configured source reads it; add docker to BELLBUOY_SOURCE"},
		{Part: schema.PartNodes, Reason: "it cannot"},
		{Part: schema.PartDisks, Reason: "no configured source reads it"},
		{Part: schema.PartGPUs, Reason: "no driver; no such device"},
		{Part: schema.PartGPUErrors, Reason: "no configured source reads it"},
	}
	// What would help depends on the kinds that there are.
	got.Unread = got.Unread[:min(len(got.Unread), len(want))]
	for i := range got.Unread {
		if got.Unread[i].Part == schema.PartDisks || got.Unread[i].Part == schema.PartGPUErrors {
			got.Unread[i].Reason = want[i].Reason
		}
	}
	if diff := cmp.Diff(want, got.Unread); diff != "" {
		t.Errorf("unread (-want +got):\n%s", diff)
	}
	if got := collect(t, newLedger(), newEngine().fake()).at(t, start); got.Unread != nil {
		t.Errorf("a source that does not say what it reads is taken to read all: %+v", got.Unread)
	}
}

func TestOneMachineSeenByTwoSourcesIsOneNode(t *testing.T) {
	one, two := newEngine(), newEngine()
	one.nodes = []schema.NodeSummary{{ID: "a", Status: schema.NodeHealthy, CPUPercent: new(7.0), BootAt: start}}
	two.nodes = []schema.NodeSummary{
		{ID: "a", CPUPercent: new(9.0), MemoryPercent: new(50.0), Disks: []schema.DiskSummary{{Mount: "/"}}, GPUs: []schema.GPUSummary{{Index: 1}}},
		{ID: "b", Status: schema.NodeHealthy},
	}
	two.services = []schema.ServiceSummary{{Name: "other"}}
	f := two.fake()
	f.Name = "two"
	w := collect(t, newLedger(), one.fake(), f)
	got := w.at(t, start)
	want := []schema.NodeSummary{
		{
			ID: "a", Status: schema.NodeHealthy, CPUPercent: new(7.0), MemoryPercent: new(50.0), BootAt: start,
			Disks: []schema.DiskSummary{{Mount: "/"}}, GPUs: []schema.GPUSummary{{Index: 1}},
		},
		{ID: "b", Status: schema.NodeHealthy},
	}
	if diff := cmp.Diff(want, got.Nodes); diff != "" || got.Omitted != nil {
		t.Errorf("omitted %v, nodes (-want +got):\n%s", got.Omitted, diff)
	}

	// One of them fails: only what it alone reads is old, and what the other reads is the other's.
	one.set(func() { one.down = errors.New("gone") })
	got = w.at(t, start.Add(time.Second))
	fresh := map[string]bool{}
	for _, n := range got.Nodes {
		fresh["node "+n.ID] = !n.Stale
	}
	for _, s := range got.Services {
		fresh[s.Name] = !s.Stale
	}
	if diff := cmp.Diff(map[string]bool{"node a": true, "node b": true, "web": false, "other": true}, fresh); diff != "" {
		t.Errorf("fresh (-want +got):\n%s", diff)
	}
	for _, n := range got.Nodes {
		if n.ID == "a" && *n.CPUPercent != 9 {
			t.Errorf("an old load went before a new one: %v", *n.CPUPercent)
		}
	}
	one.set(func() { one.down = nil })
	two.set(func() { two.down = errors.New("gone") })
	for _, n := range w.at(t, start.Add(2*time.Second)).Nodes {
		if n.Stale != (n.ID == "b") {
			t.Errorf("node %s is stale: %v", n.ID, n.Stale)
		}
	}
}

func TestMachineIsOneNodeWithAndWithoutItsDomain(t *testing.T) {
	tests := []struct {
		name     string
		one, two []string // the nodes of two sources
		want     []string
	}{
		{"short-first", []string{"web1"}, []string{"WEB1.example.com"}, []string{"web1"}},
		{"long-first", []string{"web1.example.com"}, []string{"web1"}, []string{"web1.example.com"}},
		{"two-domains", []string{"web1.example.com"}, []string{"web1.example.org"}, []string{"web1.example.com", "web1.example.org"}},
		{"part-of-a-label", []string{"web"}, []string{"web1.example.com"}, []string{"web", "web1.example.com"}},
		{"two-of-one-source", []string{"web1", "web1.example.com"}, nil, []string{"web1", "web1.example.com"}},
		{"either-of-two", []string{"web1.example.com", "web1.example.org"}, []string{"web1"}, []string{"web1.example.com", "web1.example.org", "web1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			one, two := newEngine(), newEngine()
			for _, id := range tt.one {
				one.nodes = append(one.nodes, schema.NodeSummary{ID: id})
			}
			for _, id := range tt.two {
				two.nodes = append(two.nodes, schema.NodeSummary{ID: id})
			}
			two.services = nil
			for _, id := range tt.two {
				two.services = append(two.services, schema.ServiceSummary{Name: "on-" + id, Nodes: []string{id}, Instances: []schema.Instance{{Name: "i", Node: id}}})
			}
			f := two.fake()
			f.Name = "two"
			w := collect(t, newLedger(), one.fake(), f)
			check := func(got schema.ClusterContext) {
				t.Helper()
				var ids []string
				for _, n := range got.Nodes {
					ids = append(ids, n.ID)
				}
				if diff := cmp.Diff(tt.want, ids); diff != "" || got.Omitted != nil {
					t.Errorf("omitted %v, nodes (-want +got):\n%s", got.Omitted, diff)
				}
				for _, s := range got.Services {
					if len(s.Nodes) > 0 && (!slices.Contains(ids, s.Nodes[0]) || s.Instances[0].Node != s.Nodes[0]) {
						t.Errorf("%s runs on %s, its instance on %s", s.Name, s.Nodes[0], s.Instances[0].Node)
					}
				}
			}
			check(w.at(t, start))
			if len(tt.want) == 1 { // the name does not change with which source can be read
				one.set(func() { one.down = errors.New("gone") })
				check(w.at(t, start.Add(time.Second)))
			}
		})
	}
}

func TestOldNumbersOfOneSourceAreUnknownOnANodeThatAnotherReadsNow(t *testing.T) {
	one, two := newEngine(), newEngine()
	one.nodes = []schema.NodeSummary{{ID: "a", Status: schema.NodeHealthy, CPUPercent: new(7.0)}}
	two.services = nil
	two.nodes = []schema.NodeSummary{{
		ID: "a", Address: "10.0.0.1", MemoryPercent: new(50.0), BootAt: start, LastSeen: start,
		Disks: []schema.DiskSummary{{Mount: "/", UsedPercent: new(99.0), InodesPercent: new(1.0), FreeBytes: new(int64(1))}},
		GPUs:  []schema.GPUSummary{{Index: 1, Model: "A Card", Temperature: new(95.0), ErrorsTotal: new(int64(3))}},
	}}
	f := two.fake()
	f.Name = "two"
	w := collect(t, newLedger(), one.fake(), f)
	w.at(t, start)
	two.set(func() { two.down = errors.New("gone") })
	want := []schema.NodeSummary{{
		ID: "a", Address: "10.0.0.1", Status: schema.NodeHealthy, CPUPercent: new(7.0),
		Disks: []schema.DiskSummary{{Mount: "/"}}, GPUs: []schema.GPUSummary{{Index: 1, Model: "A Card"}},
	}}
	if diff := cmp.Diff(want, w.at(t, start.Add(time.Hour)).Nodes); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
	one.set(func() { one.down = errors.New("gone, too") })
	for _, n := range w.at(t, start.Add(2*time.Hour)).Nodes {
		if !n.Stale || n.MemoryPercent == nil || n.Disks[0].UsedPercent == nil {
			t.Errorf("all of it is old, and what was last read stands: %+v", n)
		}
	}
}

func TestLoggedLinesAreErrorsAndNoFailure(t *testing.T) {
	e := newEngine()
	w := collect(t, newLedger(), e.fake())
	for _, key := range []string{"l1", "l1", "l2"} {
		e.set(func() {
			e.happened = append(e.happened, source.Happening{
				Key: key, At: start, Kind: source.Logged, Count: 20, Object: schema.Object{Kind: schema.KindService, Name: "web"},
			})
		})
	}
	got := w.at(t, start)
	if diff := cmp.Diff(counts{40, 0, 40, 0}, countsOf(t, got)); diff != "" || got.Services[0].LastFailure != nil || len(got.RecentEvents) != 0 {
		t.Errorf("failure %v, events %v, counts (-want +got):\n%s", got.Services[0].LastFailure, got.RecentEvents, diff)
	}
	if diff := cmp.Diff(counts{0, 0, 40, 0}, countsOf(t, w.at(t, start.Add(2*time.Hour)))); diff != "" {
		t.Errorf("counts two hours later (-want +got):\n%s", diff)
	}
}
