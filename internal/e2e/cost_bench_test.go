package e2e_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/need/engine"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// What the collector is measured at.
const (
	costContainers = 20
	costSpammers   = 2 // of those, that log ten lines a second
	costInterval   = 15 * time.Second
	costFor        = 5 * time.Minute
)

// BenchmarkCollector measures what watching 20 containers every 15 s costs over 5 minutes: the collector's own processor
// time and most memory, as a process of its own, and the processor time that the engine spends more than it does in the
// 5 minutes before without a collector. Whatever else uses the engine meanwhile shows in it.
func BenchmarkCollector(b *testing.B) {
	ship := engine.New(b)
	for n := range costContainers {
		spec := engine.Spec{Restart: "always"}
		if n < costSpammers {
			spec.Args = []string{"spam"}
		}
		ship.Run(b, fmt.Sprintf("service%02d", n), spec)
	}
	server := bustest.Server(b)
	snapshots := tap(b, server.ConnectWith(b, bus.Options{Log: e2e.Quiet()}), ship.Project)
	program := build(b)
	for b.Loop() {
		engines := processes(b, "dockerd", "containerd")
		idle := spent(b, costFor, engines)
		collector := startApart(b, program, server.URL(), ship.Project)
		snapshots.until(b, "the first snapshot", time.Minute, func(schema.ClusterContext) bool { return true })
		took := spent(b, costFor, engines, []int{collector})
		cost, busy := took[1], took[0]
		core := func(d time.Duration) float64 { return 100 * d.Seconds() / costFor.Seconds() }
		b.ReportMetric(0, "ns/op") // the time of a whole run says nothing
		b.ReportMetric(core(cost), "collector-%core")
		b.ReportMetric(core(idle[0]), "engine-without-%core")
		b.ReportMetric(core(busy), "engine-with-%core")
		b.ReportMetric(core(busy-idle[0]), "engine-more-%core")
		b.ReportMetric(peak(b, collector), "collector-peak-MB")
	}
}

// startApart runs the collector on this machine, as it is configured unless told otherwise, until the benchmark ends.
func startApart(b *testing.B, program, url, cluster string) (pid int) {
	b.Helper()
	p := exec.CommandContext(context.WithoutCancel(b.Context()), program)
	p.Env = append(os.Environ(), "BELLBUOY_NATS_URL="+url, "BELLBUOY_CLUSTER="+cluster,
		"BELLBUOY_INTERVAL="+costInterval.String(), "BELLBUOY_HTTP_ADDR=127.0.0.1:0")
	p.Stderr = b.Output()
	if err := p.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = p.Process.Kill()
		_ = p.Wait() // its error is that it was killed
	})
	return p.Process.Pid
}

// processes are those of this machine that run one of the programs.
func processes(b *testing.B, programs ...string) []int {
	b.Helper()
	names, err := filepath.Glob("/proc/[0-9]*/comm")
	if err != nil {
		b.Fatal(err)
	}
	var pids []int
	for _, name := range names {
		comm, err := os.ReadFile(name)
		if err != nil || !slices.Contains(programs, strings.TrimSpace(string(comm))) {
			continue // or it has ended meanwhile
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if err != nil {
			b.Fatal(err)
		}
		pids = append(pids, pid)
	}
	if len(pids) == 0 {
		b.Fatalf("no process of this machine runs any of %v: measure where the engine runs", programs)
	}
	return pids
}

// spent gives the processor time of each group of processes over a stretch of time.
func spent(b *testing.B, over time.Duration, groups ...[]int) []time.Duration {
	b.Helper()
	before := make([]time.Duration, len(groups))
	for i, pids := range groups {
		before[i] = processorTime(b, pids)
	}
	stretch := time.NewTimer(over)
	<-stretch.C
	for i, pids := range groups {
		before[i] = processorTime(b, pids) - before[i]
	}
	return before
}

// ticks is the unit of /proc/PID/stat, 100 a second on every Linux that Go runs on.
const ticks = 10 * time.Millisecond

func processorTime(b *testing.B, pids []int) time.Duration {
	b.Helper()
	var total time.Duration
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			b.Fatal(err)
		}
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:])) // from the third on: the state
		for _, field := range fields[11:13] {                                               // utime and stime
			n, err := strconv.ParseInt(field, 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			total += time.Duration(n) * ticks
		}
	}
	return total
}

// peak is the most memory that a process had at once, in MB.
func peak(b *testing.B, pid int) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			kb, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 64)
			if err != nil {
				b.Fatal(err)
			}
			return kb / 1000
		}
	}
	b.Fatal("the process does not say how much memory it had")
	return 0
}
