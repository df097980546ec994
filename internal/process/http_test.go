package process_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/bellbuoy/bellbuoy/internal/process"
)

// live is a process that runs inside the test.
type live struct {
	base string
	stop context.CancelFunc
	done chan error
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func daemon(t *testing.T, o process.Options) live {
	t.Helper()
	o.Listener = listen(t)
	ctx, stop := context.WithCancel(t.Context())
	d := live{base: "http://" + o.Listener.Addr().String(), stop: stop, done: make(chan error, 1)}
	ended := make(chan struct{})
	go func() {
		d.done <- process.Run(ctx, o)
		close(ended)
	}()
	t.Cleanup(func() { stop(); <-ended })
	return d
}

func (d live) get(t *testing.T, path string) (status int, body string) {
	t.Helper()
	resp, err := http.Get(d.base + path)
	if err != nil {
		t.Errorf("get %s: %v", path, err)
		return 0, ""
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Errorf("read %s: %v", path, err)
	}
	return resp.StatusCode, string(text)
}

func (d live) expect(t *testing.T, path string, status int, body string) {
	t.Helper()
	if s, b := d.get(t, path); s != status || b != body {
		t.Errorf("%s: %d %q, want %d %q", path, s, b, status, body)
	}
}

func waiting(ctx context.Context) error { <-ctx.Done(); return nil }

func TestReadyzFollowsTheParts(t *testing.T) {
	var problem atomic.Pointer[error]
	ready := func() error {
		if p := problem.Load(); p != nil {
			return *p
		}
		return nil
	}
	d := daemon(t, process.Options{Parts: []process.Part{
		{Name: "collector", Run: waiting}, {Name: "notifier", Run: waiting, Ready: ready},
	}})
	d.expect(t, "/readyz", 200, "collector: ready\nnotifier: ready\n")
	problem.Store(new(errors.New("no connection to NATS")))
	d.expect(t, "/readyz", 503, "collector: ready\nnotifier: not ready: no connection to NATS\n")
	d.expect(t, "/healthz", 200, "alive\n")
	problem.Store(nil)
	d.expect(t, "/readyz", 200, "collector: ready\nnotifier: ready\n")
}

func TestReadyzSaysWhenTheProcessIsStopping(t *testing.T) {
	told, gate := make(chan struct{}), make(chan struct{})
	d := daemon(t, process.Options{Parts: []process.Part{{Name: "slow", Run: func(ctx context.Context) error {
		<-ctx.Done()
		close(told)
		<-gate
		return nil
	}}}})
	d.expect(t, "/readyz", 200, "slow: ready\n")
	d.stop()
	<-told
	d.expect(t, "/readyz", 503, "stopping\nslow: ready\n")
	close(gate)
	if err := <-d.done; err != nil {
		t.Error(err)
	}
}

func TestMetricsHaveTheRegistrysAndTheRuntimes(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector()) // already there: no reason to fail
	alerts := prometheus.NewCounter(prometheus.CounterOpts{Name: "bellbuoy_alerts_total"})
	registry.MustRegister(alerts)
	alerts.Inc()
	d := daemon(t, process.Options{Registry: registry})
	status, body := d.get(t, "/metrics")
	if status != 200 {
		t.Fatalf("status %d", status)
	}
	for _, want := range []string{"bellbuoy_alerts_total 1\n", "\ngo_goroutines ", "\nprocess_open_fds ", "\ngo_build_info{"} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is missing", want)
		}
	}
}

func TestPartsAddPagesWithABoundOnBodies(t *testing.T) {
	echo := process.Part{Name: "echo", Run: waiting, Handle: func(mux *http.ServeMux) {
		mux.HandleFunc("POST /in/webhook", func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.ReadAll(r.Body); err != nil {
				http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			}
		})
	}}
	d := daemon(t, process.Options{Parts: []process.Part{echo}})
	for size, want := range map[int]int{10: 200, process.MaxBody: 200, process.MaxBody + 1: 413} {
		resp, err := http.Post(d.base+"/in/webhook", "text/plain", strings.NewReader(strings.Repeat("x", size)))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%d bytes: status %d, want %d", size, resp.StatusCode, want)
		}
	}
}

func TestOnlyKnownPagesAndMethodsAreServed(t *testing.T) {
	d := daemon(t, process.Options{})
	if status, _ := d.get(t, "/debug/pprof/"); status != http.StatusNotFound {
		t.Errorf("an unknown page: status %d", status)
	}
	resp, err := http.Post(d.base+"/metrics", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("a POST: status %d", resp.StatusCode)
	}
}
