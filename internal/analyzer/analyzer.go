package analyzer

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/channelfile"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/link"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/people"
	"github.com/bellbuoy/bellbuoy/internal/process"
	"github.com/bellbuoy/bellbuoy/internal/rules"
	"github.com/bellbuoy/bellbuoy/internal/silence"
	"github.com/bellbuoy/bellbuoy/internal/spend"
)

// Config is what an analyzer can be told.
type Config struct {
	LLM    llm.Config
	Calls  Calls
	Spend  Spend
	Rules  rules.File
	People channelfile.PeopleFile
}

// Calls is how many calls of the model are made at once. Whoever sets the streams up reads it too.
type Calls struct {
	Concurrency int `env:"LLM_CONCURRENCY" default:"4" desc:"Model calls at once, over all analyzers; questions may use a quarter more."`
}

// Validate refuses numbers that make no sense.
func (c *Calls) Validate() error {
	if c.Concurrency < 1 || c.Concurrency > 1000 {
		return fmt.Errorf("LLM_CONCURRENCY: %d is not between 1 and 1000", c.Concurrency)
	}
	return nil
}

// Model is one that can be asked. Its errors are told to people.
type Model interface {
	Complete(ctx context.Context, p diagnose.Prompt) (diagnose.Completion, error)
}

// store is what events are written through: the bus.
type store interface {
	Append(ctx context.Context, w bus.Write) (seq uint64, err error)
	AppendAll(ctx context.Context, ws []bus.Write) (stored []bool, err error)
}

// Analyzer is the deciding part. It is made by New and works while its Part runs.
type Analyzer struct {
	bus         *bus.Bus
	store       store
	model       Model     // nil: none is configured
	previews    previewer // of the model
	concurrency int
	rules       detect.Rules
	index       *index
	memories    *memories
	listening   listening
	silences    *silences
	windows     silence.Windows
	links       link.Templates
	roster      people.Roster
	sayings     sayings
	lapses      hints
	calmed      hints
	noticing    *noticing
	length      *length // of prompts; nil: no model
	guard       *guard  // nil: no model
	ledger      *ledger // nil: no model, or nothing is limited
	log         *slog.Logger
	metrics     *metrics
}

// New gives an analyzer on an open bus. It reads the file of rules and the people of the file of channels. Without a model in cfg it diagnoses by rules alone.
func New(cfg Config, b *bus.Bus, log *slog.Logger, reg prometheus.Registerer) (*Analyzer, error) {
	file, err := cfg.Rules.Contents()
	if err != nil {
		return nil, err
	}
	roster, err := cfg.People.Roster()
	if err != nil {
		return nil, err
	}
	a := &Analyzer{
		bus: b, store: b, concurrency: cfg.Calls.Concurrency, rules: file.Rules, windows: file.Windows, links: file.Links, roster: roster, index: newIndex(),
		memories: newMemories(b.Kept("analyzer")), silences: &silences{kept: b.Kept("analyzer")}, log: log, metrics: newMetrics(reg),
		sayings: sayings{b.Kept("analyzer")}, noticing: newNoticing(b, cfg.LLM.Model),
	}
	if !cfg.LLM.Enabled() {
		return a, nil
	}
	model, err := llm.New(cfg.LLM, log, reg)
	if err != nil {
		return nil, err
	}
	a.length = &length{model: cfg.LLM.Model, configured: cfg.LLM.PromptTokens, reads: model.PromptTokens}
	model.Keep(learned{b.Kept("analyzer")})
	a.previews = model
	a.model = a.thrifty(cfg, model)
	return a, nil
}

// thrifty spends on model what cfg allows.
func (a *Analyzer) thrifty(cfg Config, model *llm.Client) Model {
	clock := serverClock(a.bus)
	a.guard = newGuard(a.bus.Kept("analyzer"), model.Key(), clock, a.log)
	t := &thrifty{
		Model: model, guard: a.guard, name: cfg.LLM.Model, prices: spend.Prices{Prompt: cfg.Spend.PricePrompt, Completion: cfg.Spend.PriceCompletion},
		currency: cfg.Spend.Currency, verdicts: verdicts{a.bus.Kept("analyzer")}, log: a.log, metrics: a.metrics,
	}
	if limits := cfg.Spend.limits(); !limits.None() {
		a.ledger = &ledger{kept: a.bus.Kept("analyzer"), limits: limits, clock: clock}
		t.ledger = a.ledger
	}
	return t
}

// Part is the analyzer as a part of a process.
func (a *Analyzer) Part() process.Part {
	return process.Part{Name: "analyzer", Run: a.Run, Ready: a.ready}
}

func (a *Analyzer) ready() error {
	if !a.index.isCaughtUp() {
		return fmt.Errorf("reading the conversations")
	}
	return a.bus.Ready()
}

// Run works until ctx is done, and only then returns nil.
func (a *Analyzer) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.bus.Follow(ctx, a.bus.Subjects().Alerts(), a.index.caughtUp, a.index.put) })
	g.Go(func() error {
		// The index only saves reads, but starting without it would make a read of every alert that is open.
		if !a.index.wait(ctx) {
			return nil
		}
		return a.work(ctx)
	})
	return g.Wait()
}

const (
	watchers  = 4
	finders   = 2
	listeners = 4
)

func (a *Analyzer) work(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.bus.Consume(ctx, bus.Watch, watchers, a.watch) })
	g.Go(func() error { return a.bus.Consume(ctx, bus.WatchFindings, finders, a.watchFinding) })
	g.Go(func() error { return a.bus.Consume(ctx, bus.Hear, listeners, a.hear) })
	g.Go(func() error { return a.bus.Consume(ctx, bus.Diagnose, a.concurrency, a.diagnose) })
	g.Go(func() error { return a.bus.Consume(ctx, bus.Answer, max(1, a.concurrency/4), a.answer) })
	g.Go(func() error { return a.wake(ctx) })
	g.Go(func() error { return a.listen(ctx) })
	g.Go(func() error { return a.notice(ctx) })
	g.Go(func() error { return a.bus.Serve(ctx, a.service()) })
	return g.Wait()
}

// wakeEvery is how often deadlines are looked at: the delay that a deadline may have.
const wakeEvery = time.Second
