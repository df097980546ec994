package analyzer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/breaker"
	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/spend"
)

// shelf keeps records as the bus does, and notes for how long.
type shelf struct {
	records map[string][]byte
	kept    map[string]time.Duration
	revs    uint64
	rev     map[string]uint64
}

func newShelf() *shelf {
	return &shelf{map[string][]byte{}, map[string]time.Duration{}, 0, map[string]uint64{}}
}

func (s *shelf) Get(_ context.Context, key string) ([]byte, uint64, error) {
	return s.records[key], s.rev[key], nil
}

func (s *shelf) PutFor(_ context.Context, key string, data []byte, expect uint64, d time.Duration) (uint64, error) {
	if s.rev[key] != expect {
		return 0, bus.ErrConflict
	}
	s.revs++
	s.records[key], s.kept[key], s.rev[key] = data, d, s.revs
	return s.revs, nil
}

func TestWhatTheModelSaidIsFoundByAllThatItDependsOn(t *testing.T) {
	base := diagnose.Prompt{System: "s", User: "u", Schema: []byte("{}"), SchemaName: "v", MaxTokens: 5}
	v := verdicts{newShelf()}
	if err := v.put(t.Context(), verdictKey("m", base), diagnose.Completion{Text: "yes", Model: "m-1"}, 0); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, model string
		change      func(*diagnose.Prompt)
		known       bool
	}{
		{"same", "m", func(*diagnose.Prompt) {}, true},
		{"another-model", "n", func(*diagnose.Prompt) {}, false},
		{"another-system", "m", func(p *diagnose.Prompt) { p.System = "t" }, false},
		{"another-byte", "m", func(p *diagnose.Prompt) { p.User = "u " }, false},
		{"another-schema", "m", func(p *diagnose.Prompt) { p.Schema = []byte("[]") }, false},
		{"another-limit", "m", func(p *diagnose.Prompt) { p.MaxTokens = 6 }, false},
		{"moved-over", "m", func(p *diagnose.Prompt) { p.System, p.User = "su", "" }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := base
			tt.change(&p)
			got, _, err := v.get(t.Context(), verdictKey(tt.model, p))
			known := got.Text != ""
			if err != nil || known != tt.known || known && (got.Text != "yes" || got.Model != "m-1" || got.Usage.Calls != 0) {
				t.Errorf("known %v, want %v: %+v, %v", known, tt.known, got, err)
			}
		})
	}
}

// Ten thousand of the largest answers that are remembered take no more room than allowed, and each goes after a week.
func TestWhatTheModelSaidTakesNoMoreThan64MB(t *testing.T) {
	s := newShelf()
	v, size := verdicts{s}, 0
	text := strings.Repeat("x", maxVerdict-200)
	for n := range 10_000 {
		key := verdictKey("m", diagnose.Prompt{User: fmt.Sprint(n)})
		_, rev, _ := v.get(t.Context(), key)
		if err := v.put(t.Context(), key, diagnose.Completion{Text: text, Model: "m"}, rev); err != nil {
			t.Fatal(err)
		}
		if got, _, _ := v.get(t.Context(), key); got.Text != text {
			t.Fatalf("the newest is not known, number %d", n)
		}
	}
	const ofTheServer = 250 // for the subject, the headers and its own account of a message
	for key, data := range s.records {
		size += len(data) + len(key) + ofTheServer
		if s.kept[key] != 7*24*time.Hour {
			t.Errorf("%s is kept for %s", key, s.kept[key])
		}
	}
	if most := int(64e6); size > most || size < most/2 {
		t.Errorf("%d bytes, want at most %d and not much less", size, most)
	}
	long := verdictKey("m", diagnose.Prompt{User: "long"})
	_, rev, _ := v.get(t.Context(), long)
	if err := v.put(t.Context(), long, diagnose.Completion{Text: text + text}, rev); err != nil {
		t.Fatal(err)
	}
	if got, _, _ := v.get(t.Context(), long); got.Text != "" {
		t.Error("an answer without end is remembered")
	}
}

func TestPeopleAreToldWhyTheModelGaveNoVerdict(t *testing.T) {
	spent := spend.Spent{Budget: spend.CallsPerHour, Limit: 1, Until: time.Date(2026, 11, 24, 21, 0, 0, 0, time.UTC)}
	for _, tt := range []struct {
		name, before string
		err          error
		want         string
		unasked      bool
	}{
		{"failed", "", errors.New("it burns"), "it burns", false},
		{"not-asked", "", spent, "the budget of 1 call per hour is spent until 21:00 UTC", true},
		{"not-asked-again", "no E9", spent, "no E9; it was not asked again: the budget of 1 call per hour is spent until 21:00 UTC", false},
		{"failed-again", "no E9", errors.New("it burns"), "it burns", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, unasked := whyNot(tt.before, tt.err)
			if got != tt.want || unasked != tt.unasked {
				t.Errorf("%q, not asked %v", got, unasked)
			}
		})
	}
}

func TestSpendRefusesWhatMakesNoSense(t *testing.T) {
	for _, tt := range []struct {
		name string
		may  Spend
		want string
	}{
		{"nothing-set", Spend{}, ""},
		{"all-set", Spend{10, 200_000, 1_000_000, 0.15, 0.6, "USD"}, ""},
		{"below-zero", Spend{CallsPerHour: -1, TokensPerHour: -2}, "LLM_CALLS_PER_HOUR=\"-1\" is below 0; 0 is no limit\nLLM_TOKENS_PER_HOUR=\"-2\" is below 0; 0 is no limit"},
		{"no-price", Spend{PricePrompt: -0.1}, "LLM_PRICE_PROMPT=\"-0.1\" is not a price of a million tokens, 0 to 1000000"},
		{"a-long-currency", Spend{Currency: "pieces of silver, by weight"}, "LLM_CURRENCY=\"pieces of silver, by weight\" is longer than 16 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if err := tt.may.Validate(); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("mistakes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOnlyAServerThatDoesNotAnswerIsLeftAlone(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	asked := diagnose.Completion{Usage: schema.Usage{Calls: 1}}
	for outcome, want := range map[string]breaker.Result{
		llm.OutcomeTimeout: breaker.Unanswered, llm.OutcomeUnreachable: breaker.Unanswered, llm.OutcomeServer: breaker.Unanswered,
		llm.OutcomeThrottled: breaker.Useless, llm.OutcomeQuota: breaker.Useless, llm.OutcomeUnauthorized: breaker.Useless,
		llm.OutcomeRefused: breaker.Useless, llm.OutcomeBroken: breaker.Useless, llm.OutcomeCut: breaker.Useless,
		llm.OutcomeFiltered: breaker.Useless, llm.OutcomeTooLong: breaker.Useless, llm.OutcomeTruncated: breaker.Useless,
		llm.OutcomeCanceled: breaker.Unknown,
	} {
		err := &llm.Error{Outcome: outcome}
		if got := result(t.Context(), asked, err); got != want {
			t.Errorf("%s: %d, want %d", outcome, got, want)
		}
		if got := result(ended, asked, err); got != breaker.Unknown {
			t.Errorf("%s as the process ends: %d", outcome, got)
		}
		if got := result(t.Context(), diagnose.Completion{}, err); got != breaker.Unknown {
			t.Errorf("%s of a call that was not made: %d", outcome, got)
		}
	}
	if got := result(t.Context(), asked, nil); got != breaker.Well {
		t.Errorf("an answer: %d", got)
	}
	if got := result(t.Context(), asked, spend.Spent{}); got != breaker.Unknown {
		t.Errorf("a budget that is spent: %d", got)
	}
}
