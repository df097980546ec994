package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Limits of the HTTP server, for all of its pages.
const (
	MaxBody        = 1 << 20 // bytes of a request's body
	maxHeader      = 64 << 10
	headerTimeout  = 5 * time.Second
	readTimeout    = 15 * time.Second
	writeTimeout   = 30 * time.Second
	idleTimeout    = time.Minute
	goodbyeTimeout = 2 * time.Second // for requests that are being answered when the process stops
	maxScrapes     = 4               // at once
)

// stopping is whether the process is on its way out.
type stopping struct{ begun atomic.Bool }

func (s *stopping) begin() { s.begun.Store(true) }

// server answers /healthz, /readyz, /metrics and the pages of the parts.
type server struct {
	listener net.Listener
	http     *http.Server
}

func newServer(o Options, s *stopping) (*server, error) {
	if err := registerRuntime(o.Registry); err != nil {
		return nil, err
	}
	listener, err := o.listen()
	if err != nil {
		return nil, err
	}
	o.Log.Info("listening", "process", o.Name, "address", listener.Addr().String())
	return &server{listener: listener, http: &http.Server{
		Handler:           http.MaxBytesHandler(named(o.Name, pages(o, s)), MaxBody),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn),
	}}, nil
}

// registerRuntime adds what Go and the operating system know of the process, unless it is there already.
func registerRuntime(r *prometheus.Registry) error {
	for _, c := range []prometheus.Collector{
		collectors.NewGoCollector(), collectors.NewBuildInfoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		if err := r.Register(c); err != nil && !errors.As(err, &prometheus.AlreadyRegisteredError{}) {
			return fmt.Errorf("register metrics of the process: %w", err)
		}
	}
	return nil
}

func (o Options) listen() (net.Listener, error) {
	if o.Listener != nil {
		return o.Listener, nil
	}
	addr := o.HTTPAddr
	if strings.HasPrefix(addr, ":") {
		addr = "127.0.0.1" + addr // who wants the world to come in says 0.0.0.0
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(context.Background(), "tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("listen on %s for health and metrics: %s answers there; "+
			"stop it, or set %s_HTTP_ADDR to another address, such as 127.0.0.1:18474: %w", addr, whoAnswers(addr), Prefix, err)
	case err != nil:
		return nil, fmt.Errorf("listen on %q for health and metrics: set %s_HTTP_ADDR to an address and port of this machine, "+
			"such as 127.0.0.1:8474: %w", o.HTTPAddr, Prefix, err)
	}
	return listener, nil
}

func pages(o Options, s *stopping) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "alive\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		status, text := readiness(o.Parts, s.begun.Load())
		answer(w, status, text)
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(o.Registry, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn),
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: maxScrapes,
		Timeout:             writeTimeout / 2,
	}))
	for _, p := range o.Parts {
		if p.Handle != nil {
			p.Handle(mux)
		}
	}
	return mux
}

// readiness is one line per part: whether it can do its work, and if not, why.
func readiness(parts []Part, stopping bool) (status int, text string) {
	status = http.StatusOK
	var b strings.Builder
	if stopping {
		status = http.StatusServiceUnavailable
		b.WriteString("stopping\n")
	}
	for _, p := range parts {
		var err error
		if p.Ready != nil {
			err = p.Ready()
		}
		if err != nil {
			status = http.StatusServiceUnavailable
			fmt.Fprintf(&b, "%s: not ready: %v\n", p.Name, err)
			continue
		}
		fmt.Fprintf(&b, "%s: ready\n", p.Name)
	}
	return status, b.String()
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}

// part is the server as the part that is started first and stopped last.
func (s *server) part() Part { return Part{Name: "http", Run: s.run} }

func (s *server) run(ctx context.Context) error {
	failed := make(chan error, 1)
	go func() { failed <- s.http.Serve(s.listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve %s: %w", s.listener.Addr(), err)
	case <-ctx.Done():
	}
	goodbye, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbyeTimeout)
	defer cancel()
	if err := s.http.Shutdown(goodbye); err != nil {
		_ = s.http.Close() // who is not through by now is cut off
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", s.listener.Addr(), err)
	}
	return nil
}
