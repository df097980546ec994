package docker

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
	"github.com/bellbuoy/bellbuoy/internal/source/procfs"
)

// firstPatience is how long Open waits for the engine's past.
const firstPatience = 5 * time.Second

// Config says which engine to read, and what of it. Its zero value reads the engine that Find finds.
type Config struct {
	Host          string        // like unix:///var/run/docker.sock; empty: where Find finds it
	CollectLabels []string      // labels of containers to show, beside all that begin with bellbuoy.
	Procfs        string        // where the machine's proc file system is; empty: HOST_PROC, else /proc
	Interval      time.Duration // between readings: stats are asked for once in it; 0: 15 s
	Log           *slog.Logger  // may be nil
}

// Source reads one engine. It is a source.Source and a source.Waker.
type Source struct {
	config  Config
	log     *slog.Logger
	engine  *engine
	about   about
	skew    time.Duration // of the engine's clock before ours
	proc    *procfs.Reader
	watch   *watcher
	sampler *sampler
	counter *counter

	life    context.Context // of what goes on beside the readings
	stop    context.CancelFunc
	workers sync.WaitGroup

	machineError error // why the machine was not read the last time; nil: it was

	memory  *memory
	details map[string]cached
	hung    map[string]time.Time // containers that do not answer, and when to ask again
}

// cached is an inspection that still holds, and the state that it holds for.
type cached struct {
	state  string
	detail *details
}

var (
	_ source.Source = (*Source)(nil)
	_ source.Waker  = (*Source)(nil)
)

// Open finds the engine, connects to it and begins to follow its events, from where state left off. State is what an
// earlier Source gave with a reading, or empty. The error says what to do about an engine that cannot be reached; it is
// source.ErrAbsent where there is none.
func Open(ctx context.Context, config Config, state json.RawMessage) (*Source, error) {
	at, err := config.endpoint(ctx)
	if err != nil {
		return nil, err
	}
	s := &Source{config: config, log: config.Log, engine: &engine{at: at}, details: map[string]cached{}, hung: map[string]time.Time{}}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.config.Interval = cmp.Or(config.Interval, schema.DefaultInterval)
	if err := s.engine.redial(); err != nil {
		return nil, err
	}
	about, err := s.engine.about(ctx)
	if err != nil {
		return nil, err
	}
	s.about, s.skew = about, time.Until(about.Now)
	s.recall(state)
	s.settle()
	s.begin()
	s.awaitPast(ctx)
	return s, nil
}

func (c Config) endpoint(ctx context.Context) (Endpoint, error) {
	if c.Host != "" {
		return named(Endpoint{Host: c.Host, FoundBy: "the configuration", TLS: Here().tls()})
	}
	return Find(ctx, Here())
}

// recall takes up what an earlier Source left.
func (s *Source) recall(state json.RawMessage) {
	m, fresh, err := recall(state, s.about.ID, s.about.Now)
	if err != nil {
		s.log.Warn("docker: what was remembered is not readable, beginning anew", "error", err)
		m, fresh, _ = recall(nil, s.about.ID, s.about.Now)
	}
	s.memory = m
	s.log.Info("docker: watching the engine", "engine", s.about.Name, "at", s.engine.at.Host, "found_by", s.engine.at.FoundBy,
		"first_time", fresh, "first_seen", m.FirstSeen)
}

// settle sees whether the engine's machine is this one: then its /proc is read, and it has this machine's name, which
// other sources know it by.
func (s *Source) settle() {
	proc := cmp.Or(s.config.Procfs, os.Getenv("HOST_PROC"), "/proc")
	local := s.engine.local(s.about, proc)
	if local || s.config.Procfs != "" {
		s.proc = procfs.New(proc)
	}
	if host, err := os.Hostname(); err == nil && local && label(host) == label(s.about.Name) {
		s.about.Name = host
	}
}

// label is a host's name without its domain, which not everybody writes.
func label(host string) string {
	first, _, _ := strings.Cut(host, ".")
	return strings.ToLower(first)
}

// begin starts what goes on beside the readings.
func (s *Source) begin() {
	s.life, s.stop = context.WithCancel(context.Background())
	together := statsTogether
	if s.about.Major < 25 {
		together = statsSlow
	}
	s.sampler = &sampler{ask: s.engine.stats, together: together}
	s.counter = &counter{ask: s.engine.countErrors}
	s.watch = &watcher{
		engine: s.engine, log: s.log, now: s.now, wake: make(chan struct{}, 1), caught: make(chan struct{}),
		through: time.Unix(0, s.memory.Cursor),
	}
	s.workers.Go(func() { s.watch.run(s.life) })
}

// awaitPast waits until the past was asked for, so that the first reading knows it; not for ever.
func (s *Source) awaitPast(ctx context.Context) {
	ctx, stop := context.WithTimeout(ctx, firstPatience)
	defer stop()
	select {
	case <-s.watch.caught:
	case <-ctx.Done():
	}
}

// now is the time by the engine's clock, which its events and states go by.
func (s *Source) now() time.Time { return time.Now().Add(s.skew).UTC() }

// Wake gives the channel that receives when a container has ended, run out of memory, or changed its health.
func (s *Source) Wake() <-chan struct{} { return s.watch.wake }

// Close ends everything that goes on, and waits for it.
func (s *Source) Close() error {
	s.stop()
	s.workers.Wait()
	s.sampler.batches.Wait()
	s.counter.batches.Wait()
	if err := s.engine.close(); err != nil {
		return fmt.Errorf("close the connection to the Docker engine: %w", err)
	}
	return nil
}
