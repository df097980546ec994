package collector_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/collector"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
)

// start is later than the machine's own clock, so that a test's time is the newest there is.
var start = time.Date(2100, 1, 1, 12, 0, 0, 0, time.UTC)

// engine is a platform that outlives its sources: a log of what happened to the service web, in order. A source
// opened on it reports what came after its state, so what was reported but not stored is reported again.
type engine struct {
	mu       sync.Mutex
	happened []source.Happening
	services []schema.ServiceSummary
	down     error         // reading fails with it
	hang     chan struct{} // reading waits until it is closed
	gap      bool
	reads    map[string]string
	nodes    []schema.NodeSummary
	opened   []string // the states it was opened with
	wake     chan struct{}
}

func newEngine() *engine {
	return &engine{wake: make(chan struct{}, 1), services: []schema.ServiceSummary{{Name: "web", Status: schema.ServiceStopped}}}
}

func (e *engine) fake() collector.Fake {
	return collector.Fake{Name: "engine", Open: func(_ context.Context, state json.RawMessage) (source.Source, error) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.opened = append(e.opened, string(state))
		s := &engineSource{engine: e}
		if state == nil {
			return s, nil
		}
		return s, json.Unmarshal(state, &s.cursor)
	}}
}

// happens adds something to the engine's log.
func (e *engine) happens(key, kind string, at time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	h := source.Happening{Key: key, At: at, Kind: kind, Object: schema.Object{Kind: schema.KindService, Name: "web"}, Event: "die", Text: key}
	if kind == source.Failed {
		h.Failure = &schema.Failure{Reason: schema.FailureExit, At: at}
	}
	e.happened = append(e.happened, h)
}

// set changes the engine.
func (e *engine) set(change func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change()
}

type engineSource struct {
	engine *engine
	cursor int
}

func (s *engineSource) Read(ctx context.Context) (source.Reading, error) {
	e := s.engine
	e.mu.Lock()
	hang := e.hang
	e.mu.Unlock()
	if hang != nil {
		<-hang // whatever ctx says
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.down != nil {
		return source.Reading{}, e.down
	}
	r := source.Reading{Happened: e.happened[s.cursor:], GapBefore: e.gap, Reads: e.reads}
	r.Snapshot.Nodes = e.nodes
	s.cursor = len(e.happened)
	r.State, _ = json.Marshal(s.cursor)
	r.Snapshot.Services = e.services
	return r, ctx.Err()
}

func (s *engineSource) Wake() <-chan struct{} { return s.engine.wake }
func (s *engineSource) Close() error          { return nil }

// ledger keeps records in memory, and can be told to fail.
type ledger struct {
	records map[string][]byte
	revs    map[string]uint64
	puts    int
	fail    error
	lose    bool // the next Put stores, but its answer is lost
}

func newLedger() *ledger { return &ledger{records: map[string][]byte{}, revs: map[string]uint64{}} }

func (l *ledger) Get(_ context.Context, key string) ([]byte, uint64, error) {
	return l.records[key], l.revs[key], nil
}

func (l *ledger) Put(_ context.Context, key string, data []byte, expect uint64) (uint64, error) {
	switch {
	case l.fail != nil:
		return 0, l.fail
	case l.revs[key] != expect:
		return 0, bus.ErrConflict
	}
	l.puts++
	l.records[key] = data
	l.revs[key]++
	if l.lose {
		l.lose = false
		return 0, errors.New("no answer")
	}
	return l.revs[key], nil
}

// board shows the snapshots that were published, and can be told to fail.
type board struct {
	shown []schema.ClusterContext
	fail  error
}

func (b *board) Publish(_ context.Context, subject string, body []byte, _ string) (uint64, error) {
	if b.fail != nil {
		return 0, b.fail
	}
	s, err := schema.DecodeContext(body)
	if err == nil && subject != b.Subjects().Context(s.ClusterName) {
		err = errors.New("a snapshot on another cluster's subject")
	}
	b.shown = append(b.shown, s)
	return uint64(len(b.shown)), err
}

func (b *board) Answer(ctx context.Context, _ string, _ func(context.Context, string, []byte) (any, error)) error {
	<-ctx.Done()
	return nil
}

func (b *board) Subjects() schema.Subjects { return schema.Subjects{} }
func (b *board) Ready() error              { return nil }

// newest is the snapshot published last.
func (b *board) newest(t *testing.T) schema.ClusterContext {
	t.Helper()
	if len(b.shown) == 0 {
		t.Fatal("nothing has been published")
	}
	return b.shown[len(b.shown)-1]
}

// world is a collector with what it stands on.
type world struct {
	*collector.Collector
	kill   func()
	board  *board
	ledger *ledger
}

// collect starts a collector of cluster prod over a ledger that may outlive it.
func collect(t *testing.T, l *ledger, fakes ...collector.Fake) *world {
	t.Helper()
	w := &world{board: &board{}, ledger: l}
	c, err := collector.NewWith(collector.Config{Cluster: "prod"}, w.board, l, bustest.Log(t), nil, fakes...)
	if err != nil {
		t.Fatal(err)
	}
	w.Collector, w.kill = c, c.Sources(t)
	return w
}

// at takes the snapshot of a moment and returns it.
func (w *world) at(t *testing.T, now time.Time) schema.ClusterContext {
	t.Helper()
	if err := w.Step(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	return w.board.newest(t)
}

// counts is what a snapshot says about the service web: errors and restarts in their windows, and since ever.
type counts struct{ Errors1h, Restarts24h, Errors, Restarts int64 }

func countsOf(t *testing.T, s schema.ClusterContext) counts {
	t.Helper()
	for _, v := range s.Services {
		if v.Name == "web" && v.ErrorsTotal != nil && v.RestartsTotal != nil && v.ErrorCount1h != nil && v.RestartCount24h != nil {
			return counts{*v.ErrorCount1h, *v.RestartCount24h, *v.ErrorsTotal, *v.RestartsTotal}
		}
	}
	t.Fatalf("no counts of web in %+v", s.Services)
	return counts{}
}
