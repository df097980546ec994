package analyzer

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/breaker"
	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
	"github.com/bellbuoy/bellbuoy/internal/spend"
)

// thrifty is a model that is not asked what it has answered before, nor while it answers nobody, nor beyond what the fleet
// may spend.
type thrifty struct {
	Model
	name     string
	prices   spend.Prices
	currency string
	guard    *guard
	ledger   *ledger // nil: nothing is limited
	verdicts verdicts
	log      *slog.Logger
	metrics  *metrics
}

// settleWithin bounds the bookkeeping after a call, which goes on when the process is about to end.
const settleWithin = 2 * time.Second

// Complete asks the model. Its error is a breaker.Open or a spend.Spent if the model was not asked, because it has not
// answered lately or a budget is spent.
func (t *thrifty) Complete(ctx context.Context, p diagnose.Prompt) (diagnose.Completion, error) {
	key := verdictKey(t.name, p)
	said, rev, err := t.verdicts.get(ctx, key)
	if err != nil {
		t.log.Warn("what the model has said before is not known", "error", err)
	}
	if said.Text != "" {
		t.metrics.recalled.Inc()
		return said, nil
	}
	call, held, err := t.begin(ctx, p)
	if err != nil {
		if budget := unasked(err); budget != "" {
			t.metrics.unasked.WithLabelValues(budget).Inc()
		}
		return diagnose.Completion{Model: t.name}, err
	}
	said, failed := t.Model.Complete(ctx, p)
	t.price(&said)
	t.end(ctx, call, said, failed)
	t.book(context.WithoutCancel(ctx), held, said, failed)
	if failed == nil {
		if err := t.verdicts.put(ctx, key, said, rev); err != nil {
			t.log.Warn("what the model said is not remembered", "error", err)
		}
	}
	return said, failed
}

// begin gives the ids of a call that may be made, at the guard and in the ledger.
func (t *thrifty) begin(ctx context.Context, p diagnose.Prompt) (call, held string, err error) {
	if call, err = t.guard.ask(ctx); err != nil || t.ledger == nil {
		return call, "", err
	}
	if held, err = t.ledger.reserve(ctx, most(p)); err != nil {
		t.end(ctx, call, diagnose.Completion{}, err)
	}
	return call, held, err
}

// end tells the guard how a call went.
func (t *thrifty) end(ctx context.Context, call string, said diagnose.Completion, failed error) {
	r := result(ctx, said, failed)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleWithin)
	defer cancel()
	t.guard.went(ctx, call, r, failed)
}

// unasked names what kept a question from the model; empty: nothing did.
func unasked(err error) string {
	if s, ok := errors.AsType[spend.Spent](err); ok {
		return s.Budget
	}
	if errors.As(err, &breaker.Open{}) {
		return "breaker"
	}
	return ""
}

// most is how many tokens a call can take. Where a token is shortest, in log lines of numbers, it is two bytes.
func most(p diagnose.Prompt) int {
	return (len(p.System)+len(p.User)+len(p.Schema)+1)/2 + p.MaxTokens
}

// price adds the cost, if there are prices.
func (t *thrifty) price(said *diagnose.Completion) {
	if t.prices == (spend.Prices{}) || said.Usage.Tokens == 0 {
		return
	}
	said.Usage.Cost = t.prices.Cost(said.PromptTokens, said.Usage.Tokens-said.PromptTokens)
	said.Usage.Currency = t.currency
	t.metrics.cost.WithLabelValues(t.currency).Add(said.Usage.Cost)
}

// book settles a reservation. A call that was broken off, and one of which the server does not say what it took, stay
// spent as they were reserved.
func (t *thrifty) book(ctx context.Context, id string, said diagnose.Completion, failed error) {
	ctx, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	brokenOff := errors.Is(failed, context.DeadlineExceeded) || errors.Is(failed, context.Canceled)
	silent := failed == nil && said.Usage.Tokens == 0
	if t.ledger == nil || brokenOff || silent {
		return
	}
	if err := t.ledger.settle(ctx, id, said.Usage); err != nil {
		t.log.Warn("a call of the model stays spent as it was reserved", "error", err)
	}
}

// whyNot is what people are told of a model that gave no verdict, and whether it was not even asked. Before is what was
// wrong with what it said first.
func whyNot(before string, err error) (failed string, notAsked bool) {
	switch {
	case unasked(err) == "":
		return err.Error(), false
	case before != "":
		return before + "; it was not asked again: " + err.Error(), false
	}
	return err.Error(), true
}

// instead introduces the rules' answer in place of the model's.
func instead(err error) string {
	if unasked(err) != "" {
		return "(the model was not asked: " + scrub.Inert(err.Error()) + "; this is what the rules know) "
	}
	return "(no answer from the model, this is what the rules know) "
}

func sum(a, b schema.Usage) schema.Usage {
	if b.Currency != "" {
		a.Currency = b.Currency
	}
	return schema.Usage{Calls: a.Calls + b.Calls, Tokens: a.Tokens + b.Tokens, Cost: a.Cost + b.Cost, Currency: a.Currency}
}
