package analyzer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/breaker"
	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/llm"
)

// guard keeps the fleet from asking a model that does not answer. How its calls go is one record for all analyzers. It
// only saves time: where the record cannot be read or written, the model is asked.
type guard struct {
	kept  kept
	key   string
	clock func(context.Context) (time.Time, error)
	log   *slog.Logger

	mu sync.Mutex // calls of one analyzer wait for each other here, and need not be decided again
}

func newGuard(k kept, model string, clock func(context.Context) (time.Time, error), log *slog.Logger) *guard {
	return &guard{kept: k, key: "breaker." + model, clock: clock, log: log}
}

// ask gives a call its id. Its error is a breaker.Open if the call is not to be made.
func (g *guard) ask(ctx context.Context) (id string, err error) {
	id = newTraceID()[:16]
	var open *breaker.Open
	err = g.change(ctx, func(was breaker.State, now time.Time) (next breaker.State) {
		next, open = was.Ask(now, id)
		return next
	})
	switch {
	case err != nil && ctx.Err() == nil:
		g.log.Warn("whether the model answers others is not known; it is asked", "error", err)
	case open != nil:
		return "", *open
	}
	return id, nil
}

// went notes how a call ended.
func (g *guard) went(ctx context.Context, id string, r breaker.Result, why error) {
	text := ""
	if why != nil {
		text = cut(why.Error())
	}
	err := g.change(ctx, func(was breaker.State, now time.Time) breaker.State { return was.Went(now, id, r, text) })
	if err != nil {
		g.log.Warn("how a call of the model went is not known to others", "error", err)
	}
}

func (g *guard) change(ctx context.Context, do func(breaker.State, time.Time) breaker.State) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for range ledgerAttempts {
		was, rev, err := g.read(ctx)
		if err != nil {
			return err
		}
		now, err := g.clock(ctx)
		if err != nil {
			return fmt.Errorf("look at the server's clock for how the model answers: %w", err)
		}
		next := do(was, now)
		if next == was {
			return nil
		}
		data, err := json.Marshal(next)
		if err != nil {
			return fmt.Errorf("encode how the model answers: %w", err)
		}
		if _, err = g.kept.Put(ctx, g.key, data, rev); !errors.Is(err, bus.ErrConflict) {
			return wrapped("store how the model answers", err)
		}
	}
	return fmt.Errorf("store how the model answers: others wrote first %d times in a row", ledgerAttempts)
}

// read gives the record. One that is none counts as missing, and is written over.
func (g *guard) read(ctx context.Context) (is breaker.State, rev uint64, err error) {
	data, rev, err := g.kept.Get(ctx, g.key)
	if err != nil {
		return is, 0, fmt.Errorf("read how the model answers: %w", err)
	}
	if data != nil && json.Unmarshal(data, &is) != nil {
		return breaker.State{}, rev, nil
	}
	return is, rev, nil
}

// result is what the end of a call says of its server. A server that refuses, is out of quota or wants a pause answers;
// people are told of that otherwise.
func result(ctx context.Context, said diagnose.Completion, err error) breaker.Result {
	if err == nil {
		return breaker.Well
	}
	e, ok := errors.AsType[*llm.Error](err)
	switch {
	case errors.Is(ctx.Err(), context.Canceled) || !ok || said.Usage.Calls == 0:
		return breaker.Unknown
	case e.Outcome == llm.OutcomeUnreachable || e.Outcome == llm.OutcomeTimeout || e.Outcome == llm.OutcomeServer:
		return breaker.Unanswered
	case e.Outcome == llm.OutcomeCanceled:
		return breaker.Unknown
	}
	return breaker.Useless
}
