package analyzer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/spend"
)

// Spend is what the model may cost, and what it does. Every analyzer needs the same.
type Spend struct {
	CallsPerHour    int     `env:"LLM_CALLS_PER_HOUR" unset:"no limit" desc:"How often the model is asked in an hour, over all analyzers; 0 is no limit. Beyond it the rules diagnose and answer at once."`
	TokensPerHour   int     `env:"LLM_TOKENS_PER_HOUR" default:"200000" desc:"Tokens of prompts and answers in an hour, over all analyzers; 0 is no limit. A call that could exceed it is not made."`
	TokensPerDay    int     `env:"LLM_TOKENS_PER_DAY" default:"1000000" desc:"The same in a day. Hours and days are UTC."`
	PricePrompt     float64 `env:"LLM_PRICE_PROMPT" unset:"no cost is shown" desc:"What a million tokens of prompts cost; with it the cost of each incident is shown."`
	PriceCompletion float64 `env:"LLM_PRICE_COMPLETION" unset:"no cost is shown" desc:"What a million tokens of answers cost."`
	Currency        string  `env:"LLM_CURRENCY" desc:"What the prices are in, such as USD; it is shown behind a cost."`
}

// maxCurrency bounds a text that every event of a conversation carries.
const maxCurrency = 16

// Validate refuses what makes no sense.
func (s *Spend) Validate() error {
	price := func(p float64) bool { return p >= 0 && p <= 1e6 }
	const below, noPrice = "is below 0; 0 is no limit", "is not a price of a million tokens, 0 to 1000000"
	var wrong []error
	for _, x := range []struct {
		name    string
		value   any
		right   bool
		problem string
	}{
		{"LLM_CALLS_PER_HOUR", s.CallsPerHour, s.CallsPerHour >= 0, below},
		{"LLM_TOKENS_PER_HOUR", s.TokensPerHour, s.TokensPerHour >= 0, below},
		{"LLM_TOKENS_PER_DAY", s.TokensPerDay, s.TokensPerDay >= 0, below},
		{"LLM_PRICE_PROMPT", s.PricePrompt, price(s.PricePrompt), noPrice},
		{"LLM_PRICE_COMPLETION", s.PriceCompletion, price(s.PriceCompletion), noPrice},
		{"LLM_CURRENCY", s.Currency, len(s.Currency) <= maxCurrency, fmt.Sprintf("is longer than %d bytes", maxCurrency)},
	} {
		if !x.right {
			wrong = append(wrong, config.Mistake{Name: x.name, Value: fmt.Sprint(x.value), Problem: x.problem})
		}
	}
	return errors.Join(wrong...)
}

func (s *Spend) limits() spend.Limits {
	return spend.Limits{CallsPerHour: s.CallsPerHour, TokensPerHour: s.TokensPerHour, TokensPerDay: s.TokensPerDay}
}

// variable is the one that sets a budget.
func variable(budget string) string {
	return "LLM_" + strings.ToUpper(strings.ReplaceAll(budget, "-", "_"))
}

// ledger is the fleet's one record of what is spent, changed by compare-and-set.
type ledger struct {
	kept   kept
	limits spend.Limits
	clock  func(context.Context) (time.Time, error)

	mu   sync.Mutex   // calls of one analyzer wait for each other here, and need not be decided again
	last spend.Ledger // that this analyzer stored, as revision rev; 0: it has to be read. It saves reads
	rev  uint64
}

const ledgerKey = "spend"

// ledgerAttempts is how often a change is decided anew: more than other writes, because all analyzers share one record.
const ledgerAttempts = 100

// reserve books one call of at most so many tokens. Its error is a spend.Spent if that would exceed a budget.
func (l *ledger) reserve(ctx context.Context, tokens int) (id string, err error) {
	id = newTraceID()[:16]
	var spent *spend.Spent
	err = l.change(ctx, func(was spend.Ledger, now time.Time) (next spend.Ledger) {
		next, spent = was.Reserve(l.limits, spend.Held{ID: id, At: now, Calls: 1, Tokens: tokens})
		return next
	})
	if err == nil && spent != nil {
		return "", *spent
	}
	return id, err
}

// settle puts what was really used in place of a reservation.
func (l *ledger) settle(ctx context.Context, id string, u schema.Usage) error {
	return l.change(ctx, func(was spend.Ledger, now time.Time) spend.Ledger {
		return was.Settle(now, id, max(1, u.Calls), u.Tokens)
	})
}

func (l *ledger) change(ctx context.Context, do func(spend.Ledger, time.Time) spend.Ledger) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for range ledgerAttempts {
		was, rev, err := l.last, l.rev, error(nil)
		if rev == 0 {
			if was, rev, err = l.read(ctx); err != nil {
				return err
			}
		}
		now, err := l.clock(ctx)
		if err != nil {
			return fmt.Errorf("look at the server's clock for the model's budgets: %w", err)
		}
		next := do(was, now)
		data, err := json.Marshal(next)
		if err != nil {
			return fmt.Errorf("encode the model's budgets: %w", err)
		}
		l.last = next
		l.rev, err = l.kept.Put(ctx, ledgerKey, data, rev)
		if err != nil {
			l.rev = 0
		}
		if !errors.Is(err, bus.ErrConflict) {
			return wrapped("store the model's budgets", err)
		}
	}
	return fmt.Errorf("store the model's budgets: others wrote first %d times in a row", ledgerAttempts)
}

func (l *ledger) read(ctx context.Context) (is spend.Ledger, rev uint64, err error) {
	data, rev, err := l.kept.Get(ctx, ledgerKey)
	if err != nil {
		return is, 0, fmt.Errorf("read the model's budgets: %w", err)
	}
	if data != nil {
		if err := json.Unmarshal(data, &is); err != nil {
			return is, 0, fmt.Errorf("decode the model's budgets: %w", err)
		}
	}
	return is, rev, nil
}

// findings tell which budgets are spent.
func (l *ledger) findings(ctx context.Context) ([]schema.Finding, error) {
	is, _, err := l.read(ctx)
	if err != nil {
		return nil, err
	}
	now, err := l.clock(ctx)
	if err != nil {
		return nil, err
	}
	var firing []schema.Finding
	for _, s := range is.Spent(l.limits, now) {
		firing = append(firing, schema.Finding{
			Object: schema.Object{Kind: schema.KindBudget, Name: s.Budget}, Condition: detect.BudgetSpent, Severity: schema.SeverityInfo, Since: s.Since,
			Title: fmt.Sprintf("the model's budget of %s is spent", s.Title()),
			Facts: []string{fmt.Sprintf("until %s", s.Ends()), variable(s.Budget) + " sets it"},
		})
	}
	return firing, nil
}

// clockEvery is how often the difference to the server's clock is measured.
const clockEvery = time.Minute

// serverClock gives the time by the server's clock, which all analyzers share.
func serverClock(b *bus.Bus) func(context.Context) (time.Time, error) {
	var mu sync.Mutex
	var looked time.Time
	var ahead time.Duration
	return func(ctx context.Context) (time.Time, error) {
		mu.Lock()
		defer mu.Unlock()
		if looked.IsZero() || time.Since(looked) >= clockEvery {
			_, measured, err := b.Roll(ctx)
			if err != nil {
				return time.Time{}, err
			}
			looked, ahead = time.Now(), measured
		}
		return time.Now().Add(ahead).UTC(), nil
	}
}
