package analyzer_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellbuoy/bellbuoy/internal/analyzer"
	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/llm/llmtest"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/spend"
)

// quarterPast is when the tests of budgets spend.
var quarterPast = time.Date(2026, 11, 24, 20, 15, 0, 0, time.UTC)

// spender is an analyzer that may spend so much, not yet running, whose budgets stand at a quarter past eight.
func spender(t *testing.T, s *bustest.NATS, model *llmtest.Server, may analyzer.Spend) *analyzer.Analyzer {
	t.Helper()
	return spenderOn(t, s.Connect(t), model, may)
}

func spenderOn(t *testing.T, conn *bus.Bus, model *llmtest.Server, may analyzer.Spend) *analyzer.Analyzer {
	t.Helper()
	cfg := analyzer.Config{LLM: llm.Config{BaseURL: model.URL(), Model: "test"}, Calls: analyzer.Calls{Concurrency: 4}, Spend: may}
	a, err := analyzer.New(cfg, conn, e2e.Quiet(), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	a.ClockAt(func() time.Time { return quarterPast })
	return a
}

// fall makes the service of every cluster fail, all at once, and does not wait for what comes of it.
func fall(t *testing.T, b *bus.Bus, clusters ...string) {
	t.Helper()
	for n := range 2 {
		for _, c := range clusters {
			e2e.Publish(t, b, e2e.Snapshot(c, n, 0))
		}
		if n == 0 {
			watched(t, b)
		}
	}
}

// watched waits until all snapshots have been taken, whatever is still being diagnosed.
func watched(t *testing.T, b *bus.Bus) {
	t.Helper()
	bustest.Settled(t, b, bus.Notify("webhook"), bus.Diagnose)
}

func named(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("c%d", i)
	}
	return all
}

func last(c schema.Conversation) schema.Message { return c.Messages[len(c.Messages)-1] }

const notAsked = "The model was not asked: the budget of 10 calls per hour is spent until 21:00 UTC. What the rules say stands."

func TestTwoAnalyzersNeverAskMoreOftenThanTheyMayTogether(t *testing.T) {
	s, model := bustest.Server(t), llmtest.New(t)
	for range 2 {
		e2e.Start(t, spender(t, s, model, analyzer.Spend{CallsPerHour: 10}).Part())
	}
	all, b := named(25), s.Connect(t)
	fall(t, b, all...)
	settled(t, b)
	byRules := 0
	for _, cluster := range all {
		c := head(t, b, cluster, e2e.CheckoutID(cluster))
		if diff := cmp.Diff([]string{"opened", "diagnosed"}, e2e.Kinds(c)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", cluster, diff)
		}
		if c.Diagnosis.Source != schema.SourceRules {
			continue
		}
		if byRules++; last(c).Content != notAsked || last(c).Sender != schema.SenderSystem || c.Usage.Calls != 0 {
			t.Errorf("%s: %s says %q after %d calls", cluster, last(c).Sender, last(c).Content, c.Usage.Calls)
		}
	}
	if asked := len(model.Requests()); asked != 10 || byRules != len(all)-10 {
		t.Errorf("the model was asked %d times, want 10; %d diagnoses are the rules', want %d", asked, byRules, len(all)-10)
	}
}

func TestOverBudgetTheRulesAnswerAtOnce(t *testing.T) {
	s, model := bustest.Server(t), llmtest.New(t)
	release := make(chan struct{})
	model.Always(llmtest.Until(release))
	e2e.Start(t, spender(t, s, model, analyzer.Spend{CallsPerHour: 2}).Part())
	b := s.Connect(t)
	fall(t, b, "a", "b")
	if err := model.Await(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	fall(t, b, "c") // while the model is still thinking of the others
	id := e2e.CheckoutID("c")
	c := e2e.Await(t, b, "c", id, "the rules' diagnosis", func(c schema.Conversation) bool { return e2e.Count(c, "diagnosed") > 0 })
	if got := last(c).Content; !strings.HasPrefix(got, "The model was not asked: the budget of 2 calls per hour is spent until 21:00 UTC.") {
		t.Errorf("says %q", got)
	}
	e2e.Say(t, b, id, "what depends on it?")
	c = e2e.Await(t, b, "c", id, "an answer", func(c schema.Conversation) bool { return e2e.Count(c, "answered") > 0 })
	if got := last(c).Content; !strings.HasPrefix(got, "(the model was not asked: the budget of 2 calls per hour is spent until 21:00 UTC; this is what the rules know) ") {
		t.Errorf("answers %q", got)
	}
	close(release)
	settled(t, b)
	if asked := len(model.Requests()); asked != 2 {
		t.Errorf("the model was asked %d times, want 2", asked)
	}
}

func TestASpentBudgetIsToldUntilItBeginsAnew(t *testing.T) {
	s, model := bustest.Server(t), llmtest.New(t)
	a := spender(t, s, model, analyzer.Spend{CallsPerHour: 1})
	var now atomic.Pointer[time.Time]
	now.Store(&quarterPast)
	a.ClockAt(func() time.Time { return *now.Load() })
	a.Deaf()
	a.Unnoticing()
	e2e.Start(t, a.Part())
	b, id := s.Connect(t), own(schema.KindBudget, spend.CallsPerHour)
	look := func() schema.Conversation {
		t.Helper()
		a.Notice(t.Context(), time.Now())
		settled(t, b)
		return head(t, b, schema.OwnCluster, id)
	}
	if c := look(); c.ID != "" {
		t.Errorf("opened before anything was spent: %s", c.Title)
	}
	fall(t, b, "a")
	settled(t, b)
	c := look()
	if c.Condition != detect.BudgetSpent || c.Severity != schema.SeverityInfo || c.Title != "the model's budget of 1 call per hour is spent" {
		t.Errorf("%s %s %q", c.Condition, c.Severity, c.Title)
	}
	if diff := cmp.Diff([]string{"until 21:00 UTC", "LLM_CALLS_PER_HOUR sets it", "as said by the analyzers"}, c.Conditions[0].Facts); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
	later := quarterPast.Add(time.Hour)
	now.Store(&later)
	if diff := cmp.Diff([]string{"opened", "cleared"}, e2e.Kinds(look())); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	fall(t, b, "b")
	settled(t, b)
	if asked := len(model.Requests()); asked != 2 {
		t.Errorf("the model was asked %d times, want once in each hour", asked)
	}
}

// The write of the verdict dies once. The one who takes over remembers what the model said.
func TestAVerdictThatWasPaidForIsNotPaidForAgain(t *testing.T) {
	s, model := bustest.Server(t), llmtest.New(t)
	a := spender(t, s, model, analyzer.Spend{TokensPerDay: 1_000_000})
	var dead atomic.Bool
	a.Killed(func() (before, after bool) { return len(model.Requests()) > 0 && !dead.Swap(true), false }, errKilled)
	e2e.Start(t, a.Part())
	b := s.Connect(t)
	fall(t, b, "a")
	settled(t, b)
	c := head(t, b, "a", e2e.CheckoutID("a"))
	if c.Diagnosis.Source != "test" || e2e.Count(c, "diagnosed") != 1 || !dead.Load() {
		t.Errorf("killed %v; diagnosed %d times, by %s", dead.Load(), e2e.Count(c, "diagnosed"), c.Diagnosis.Source)
	}
	if asked := len(model.Requests()); asked != 1 {
		t.Errorf("the model was asked %d times for the same evidence", asked)
	}
}

// It stops, or loses its connection for good as if it were killed, while the model thinks.
func TestAnAnalyzerThatEndsDuringACallCostsOneCallAndNoDiagnosis(t *testing.T) {
	t.Run("stopped", func(t *testing.T) {
		endsDuringACall(t, func(a *analyzer.Analyzer, _ *bus.Bus) (end func()) { return e2e.Start(t, a.Part()) })
	})
	t.Run("killed", func(t *testing.T) {
		endsDuringACall(t, func(a *analyzer.Analyzer, conn *bus.Bus) (end func()) {
			done := make(chan struct{})
			go func() {
				defer close(done)
				_ = a.Run(t.Context()) // what it ends with, nobody would hear
			}()
			t.Cleanup(func() { <-done })
			return conn.Conn().Close
		})
	})
}

func endsDuringACall(t *testing.T, run func(*analyzer.Analyzer, *bus.Bus) (end func())) {
	t.Helper()
	s, model := bustest.Server(t), llmtest.New(t)
	model.Fault(llmtest.Hang())
	may := analyzer.Spend{CallsPerHour: 10, TokensPerDay: 1_000_000}
	b, conn := s.Connect(t), s.Connect(t)
	bustest.DriftConsumer(t, b, bus.StreamAlerts, bus.Diagnose, time.Second) // not the thirty that it waits for an ack
	end := run(spenderOn(t, conn, model, may), conn)
	fall(t, b, "a")
	if err := model.Await(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	end()
	heir := spender(t, s, model, may)
	e2e.Start(t, heir.Part())
	settled(t, b)
	c := head(t, b, "a", e2e.CheckoutID("a"))
	if c.Diagnosis.Source != "test" || e2e.Count(c, "diagnosed") != 1 {
		t.Errorf("diagnosed %d times, by %s", e2e.Count(c, "diagnosed"), c.Diagnosis.Source)
	}
	l, err := heir.Ledger(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if asked := len(model.Requests()); asked != 2 || l.Hour.Calls != 2 || len(l.Held) != 1 {
		t.Errorf("asked %d times, %d calls are spent and %d held; want 2, 2 and the one that ended held", asked, l.Hour.Calls, len(l.Held))
	}
}

func TestWhatACallReallyTookIsBookedAndPriced(t *testing.T) {
	s, model := bustest.Server(t), llmtest.New(t)
	a := spender(t, s, model, analyzer.Spend{TokensPerHour: 200_000, PricePrompt: 2, PriceCompletion: 10, Currency: "EUR"})
	e2e.Start(t, a.Part())
	b := s.Connect(t)
	fall(t, b, "a")
	settled(t, b)
	c := head(t, b, "a", e2e.CheckoutID("a"))
	l, err := a.Ledger(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if c.Usage.Tokens == 0 || l.Hour.Tokens != c.Usage.Tokens || l.Day.Tokens != c.Usage.Tokens || len(l.Held) != 0 {
		t.Errorf("the incident took %d tokens; booked are %d in the hour, %d in the day, %d held", c.Usage.Tokens, l.Hour.Tokens, l.Day.Tokens, len(l.Held))
	}
	least, most := float64(c.Usage.Tokens)*2/1e6, float64(c.Usage.Tokens)*10/1e6
	if c.Usage.Cost <= least || c.Usage.Cost >= most || c.Usage.Currency != "EUR" || math.Round(c.Usage.Cost*1e8)/1e8 != c.Usage.Cost {
		t.Errorf("cost %v %s, want between %v and %v EUR", c.Usage.Cost, c.Usage.Currency, least, most)
	}
}

// All calls that may be made at once are held while another incident waits and gets worse.
func TestWhatWorsensWhileItsDiagnosisWaitsIsAskedOnce(t *testing.T) {
	s, model := bustest.Server(t), llmtest.New(t)
	release := make(chan struct{})
	model.Always(llmtest.Until(release))
	e2e.Start(t, spender(t, s, model, analyzer.Spend{CallsPerHour: 100}).Part())
	b := s.Connect(t)
	fall(t, b, named(4)...)
	waiting, cancel := context.WithTimeout(t.Context(), bustest.Within)
	defer cancel()
	if err := model.Await(waiting, 4); err != nil {
		t.Fatal(err)
	}
	two := func(n, running int) schema.ClusterContext {
		x := e2e.Snapshot("late", n, running)
		x.Services[0].ReplicasDesired = new(2)
		if running > 0 {
			x.Services[0].Status = schema.ServiceDegraded
		}
		return x
	}
	id := e2e.CheckoutID("late")
	for n := range 40 { // ten minutes with one of two running, then with none
		running := 1
		if n >= 36 {
			running = 0
		}
		e2e.Publish(t, b, two(n, running))
		watched(t, b)
	}
	e2e.Await(t, b, "late", id, "the worsening", func(c schema.Conversation) bool { return e2e.Count(c, "worsened") > 0 })
	close(release)
	settled(t, b)
	c := head(t, b, "late", id)
	if diff := cmp.Diff([]string{"opened", "worsened", "diagnosed"}, e2e.Kinds(c)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	asked := 0
	for _, r := range model.Requests() {
		if strings.Contains(r.User(), `"cluster":"late"`) {
			if asked++; !strings.Contains(r.User(), "0 of 2 running") {
				t.Errorf("was asked of what it had been before it got worse:\n%s", r.User())
			}
		}
	}
	if asked != 1 {
		t.Errorf("the model was asked %d times of what worsened", asked)
	}
}
