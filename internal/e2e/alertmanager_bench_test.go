package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/need"
)

// besideSingly is how many alerts are raised one at a time.
const besideSingly = 300

// BenchmarkBesideAlertmanager measures Bellbuoy and Alertmanager by turns, on this machine, with the same receiver: many
// alerts at once, each a notification of its own, and one at a time. Alertmanager is pushed what Bellbuoy finds by
// itself in a snapshot. Every program is a process of its own, and is started anew for each measurement. Of several rounds
// the best counts, as other work on the machine only ever makes one worse.
func BenchmarkBesideAlertmanager(b *testing.B) {
	programs := besidePrograms{alertmanager: need.Alertmanager(b), bellbuoy: buildBellbuoy(b)}
	for _, n := range []int{10_000, 1_000, 1} {
		b.Run(fmt.Sprintf("alerts=%d", n), func(b *testing.B) {
			best := map[string]besideResult{}
			for b.Loop() {
				for _, s := range besideSystems(programs) {
					r := s.measure(b, n)
					b.Logf("%s: %s", s.name, r)
					if old, had := best[s.name]; !had || r.better(old) {
						best[s.name] = r
					}
				}
			}
			for _, s := range besideSystems(programs) {
				b.Logf("best of %d: %s: %s", b.N, s.name, best[s.name])
			}
			b.ReportMetric(0, "ns/op") // the time of a whole run says nothing
		})
	}
}

type besidePrograms struct{ alertmanager, bellbuoy string }

// besideSystem is one of what is compared.
type besideSystem struct {
	name  string
	start func(b *testing.B, hook string) besideRunning
}

// besideRunning is a system at work.
type besideRunning struct {
	raise  func(b *testing.B, n int) time.Time // n alerts at once, and when it began to
	before func(b *testing.B, n int)           // what has to be known beforehand
	pids   map[string]int
	stop   func()
}

// besideResult is one measurement.
type besideResult struct {
	n           int
	posts, all  float64 // a second: from the first post to the last, and from publishing to the last
	p50, p99    time.Duration
	memory      map[string]float64 // MB at most, by process
	memoryOfAll float64
	processor   time.Duration // of each alert, in all processes but the receiver; other work on the machine shows least in it
}

func (r besideResult) better(than besideResult) bool {
	if r.n == 1 {
		return r.p50 < than.p50
	}
	return r.all > than.all
}

func (r besideResult) String() string {
	if r.n == 1 {
		return fmt.Sprintf("one at a time: p50 %.2f ms, p99 %.2f ms", ms(r.p50), ms(r.p99))
	}
	return fmt.Sprintf("%.0f/s first to last post, %.0f/s from publishing, p50 %.0f ms, p99 %.0f ms, %.0f MB %v, %d µs of processor each",
		r.posts, r.all, ms(r.p50), ms(r.p99), r.memoryOfAll, r.memory, r.processor.Microseconds())
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func (s besideSystem) measure(b *testing.B, n int) besideResult {
	b.Helper()
	hook := startCounter(b)
	running := s.start(b, hook.hook())
	defer running.stop()
	r := besideResult{n: n, memory: map[string]float64{}}
	var took []time.Duration
	if n == 1 {
		for i := range besideSingly {
			running.before(b, n)
			began := running.raise(b, n)
			took = append(took, hook.until(b, i+1)[i].Sub(began))
		}
	} else {
		running.before(b, n)
		pids := slices.Collect(maps.Values(running.pids))
		before := processorTime(b, pids)
		began := running.raise(b, n)
		at := hook.until(b, n)
		r.processor = (processorTime(b, pids) - before) / time.Duration(n)
		slices.SortFunc(at, time.Time.Compare)
		for _, t := range at {
			took = append(took, t.Sub(began))
		}
		r.posts, r.all = float64(n)/at[n-1].Sub(at[0]).Seconds(), float64(n)/at[n-1].Sub(began).Seconds()
	}
	slices.Sort(took)
	r.p50, r.p99 = took[len(took)/2], took[len(took)*99/100]
	for name, pid := range running.pids {
		r.memory[name] = peak(b, pid)
		r.memoryOfAll += r.memory[name]
	}
	return r
}

func besideSystems(p besidePrograms) []besideSystem {
	return []besideSystem{
		{"Alertmanager", p.startAlertmanager},
		{"Bellbuoy, default sync", func(b *testing.B, hook string) besideRunning {
			return p.startBellbuoy(b, hook, bustest.StartUnsyncedProcess(b))
		}},
		{"Bellbuoy, sync always", func(b *testing.B, hook string) besideRunning {
			return p.startBellbuoy(b, hook, bustest.StartProcesses(b, 1))
		}},
	}
}

// startAlertmanager lets every alert be a group of its own that waits for nothing.
func (p besidePrograms) startAlertmanager(b *testing.B, hook string) besideRunning {
	b.Helper()
	dir, address := b.TempDir(), freeAddress(b)
	config := fmt.Sprintf("route: {receiver: hook, group_by: ['...'], group_wait: 0s, group_interval: 5m, repeat_interval: 4h}\n"+
		"receivers: [{name: hook, webhook_configs: [{url: %q, send_resolved: false}]}]\n", hook)
	file := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		b.Fatal(err)
	}
	pid, stop := startProgram(b, nil, p.alertmanager, "--config.file="+file, "--storage.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--cluster.listen-address=", "--log.level=error")
	awaitHTTP(b, "http://"+address+"/-/ready")
	pushed := 0
	return besideRunning{
		raise: func(b *testing.B, n int) time.Time {
			body := pushes(b, pushed, n)
			pushed += n
			began := time.Now()
			push(b, "http://"+address+"/api/v2/alerts", body)
			return began
		},
		before: func(*testing.B, int) {},
		pids:   map[string]int{"alertmanager": pid}, stop: stop,
	}
}

// pushes is what a Prometheus would push of services that are down, in one request.
func pushes(b *testing.B, first, n int) []byte {
	b.Helper()
	type alert struct {
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
	}
	var all []alert
	for i := range n {
		name := fmt.Sprintf("web-%d", first+i)
		all = append(all, alert{
			Labels:      map[string]string{"alertname": "ServiceDown", "cluster": "load", "namespace": "shop", "service": name, "severity": "critical"},
			Annotations: map[string]string{"summary": "shop/" + name + " is down: 0 of 1 instances are running"},
		})
	}
	body, err := json.Marshal(all)
	if err != nil {
		b.Fatal(err)
	}
	return body
}

func push(b *testing.B, url string, body []byte) {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		b.Fatalf("pushing alerts is answered with %s", resp.Status)
	}
}

// startBellbuoy lets every service be a conversation of its own. It has no model.
func (p besidePrograms) startBellbuoy(b *testing.B, hook string, server *bustest.Processes) besideRunning {
	b.Helper()
	file := filepath.Join(b.TempDir(), "rules.yml")
	if err := os.WriteFile(file, []byte("rules: {storm: off, explain: off}\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	pids, stops := map[string]int{"nats-server": server.PID()}, []func(){}
	for _, daemon := range besideDaemons() {
		address := freeAddress(b)
		env := []string{"BELLBUOY_NATS_URL=" + server.URL(), "BELLBUOY_HTTP_ADDR=" + address, "BELLBUOY_LOG_LEVEL=warn"}
		switch daemon {
		case "analyzer":
			env = append(env, "BELLBUOY_RULES_FILE="+file)
		case "notifier":
			env = append(env, "BELLBUOY_WEBHOOK_URL="+hook)
		}
		pid, stop := startProgram(b, env, filepath.Join(p.bellbuoy, daemon))
		pids[daemon], stops = pid, append(stops, stop)
		awaitHTTP(b, "http://"+address+"/readyz")
	}
	client := server.Connect(b)
	cluster, round, body := "load", 0, []byte(nil)
	return besideRunning{
		before: func(b *testing.B, n int) {
			if n == 1 {
				cluster, round = fmt.Sprintf("c%d", round), round+1
				e2e.Publish(b, client, e2e.Snapshot(cluster, 0, 0))
				bustest.Settled(b, client)
				body = encode(b, e2e.Snapshot(cluster, 1, 0))
				return
			}
			e2e.Publish(b, client, crowd(cluster, 0, n))
			bustest.Settled(b, client, bus.Notify("webhook"), bus.Diagnose, bus.Answer)
			body = encode(b, crowd(cluster, 1, n))
		},
		raise: func(b *testing.B, _ int) time.Time {
			began := time.Now()
			publishBody(b, client, cluster, body)
			return began
		},
		pids: pids,
		stop: func() {
			for _, stop := range stops {
				stop()
			}
			server.Stop()
		},
	}
}

// besideDaemons are Bellbuoy's part in it: nobody watches a terminal, and the snapshots come from the benchmark.
func besideDaemons() []string { return []string{"analyzer", "notifier"} }

// buildBellbuoy gives the directory with the daemons.
func buildBellbuoy(b *testing.B) string {
	b.Helper()
	dir := b.TempDir()
	for _, daemon := range besideDaemons() {
		out, err := exec.CommandContext(b.Context(), "go", "build", "-o", dir, "github.com/bellbuoy/bellbuoy/cmd/"+daemon).CombinedOutput() //nolint:gosec // of this list
		if err != nil {
			b.Fatalf("build %s: %v: %s", daemon, err, out)
		}
	}
	return dir
}

// startProgram runs a program until stop is called.
func startProgram(b *testing.B, env []string, program string, args ...string) (pid int, stop func()) {
	b.Helper()
	p := exec.CommandContext(context.WithoutCancel(b.Context()), program, args...)
	p.Env = append(os.Environ(), env...)
	p.Stderr = b.Output()
	if err := p.Start(); err != nil {
		b.Fatal(err)
	}
	stop = func() {
		_ = p.Process.Kill()
		_ = p.Wait() // its error is that it was killed
	}
	return p.Process.Pid, stop
}

func freeAddress(b *testing.B) string {
	b.Helper()
	l, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// awaitHTTP waits until a program is ready.
func awaitHTTP(b *testing.B, url string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), bustest.Within)
	defer cancel()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			b.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			b.Fatalf("%s: not ready within %s: %v", url, bustest.Within, err)
		}
	}
}
