package analyzer_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/analyzer"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm/llmtest"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// burning is a server in trouble that nobody asks again at once.
func burning(x *llmtest.Exchange) {
	x.Header().Set("X-Should-Retry", "false")
	x.Error(http.StatusInternalServerError, "server_error", "", "it burns")
}

// fleet is what analyzers of one time are made of.
type fleet struct {
	server *bustest.NATS
	model  *llmtest.Server
	now    atomic.Pointer[time.Time]
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	f := &fleet{server: bustest.Server(t), model: llmtest.New(t)}
	f.pass(0)
	return f
}

// pass sets the time to a quarter past eight and that long.
func (f *fleet) pass(d time.Duration) {
	at := quarterPast.Add(d)
	f.now.Store(&at)
}

func (f *fleet) start(t *testing.T) (stop func()) {
	t.Helper()
	a := spender(t, f.server, f.model, analyzer.Spend{CallsPerHour: 100})
	a.ClockAt(func() time.Time { return *f.now.Load() })
	return e2e.Start(t, a.Part())
}

const leftAlone = "5 calls in a row were not answered, and none is made before 20:15:30 UTC; the last: ask test at "

func TestAModelThatOneAnalyzerFoundDeadIsLeftAloneByTheOthers(t *testing.T) {
	f := newFleet(t)
	f.model.Always(burning)
	b, stop := f.server.Connect(t), f.start(t)
	for _, c := range named(5) { // one after the other: none of them begins before the breaker is open
		fall(t, b, c)
		settled(t, b)
	}
	stop()
	f.start(t) // which has never asked it
	fall(t, b, "later")
	settled(t, b)
	id := e2e.CheckoutID("later")
	c := head(t, b, "later", id)
	if got := last(c).Content; !strings.HasPrefix(got, "The model was not asked: "+leftAlone) || !strings.Contains(got, "it burns") {
		t.Errorf("says %q", got)
	}
	if c.Diagnosis.Source != schema.SourceRules || e2e.Count(c, "diagnosed") != 1 || c.Usage.Calls != 0 {
		t.Errorf("diagnosed by %s in %v, after %d calls", c.Diagnosis.Source, e2e.Kinds(c), c.Usage.Calls)
	}
	e2e.Say(t, b, id, "what depends on it?")
	settled(t, b)
	if got := last(head(t, b, "later", id)).Content; !strings.HasPrefix(got, "(the model was not asked: "+leftAlone) || !strings.Contains(got, "; this is what the rules know) ") {
		t.Errorf("answers %q", got)
	}
	if asked := len(f.model.Requests()); asked != 5 {
		t.Errorf("the model was asked %d times, want 5", asked)
	}
}

func TestOneCallOfAllAnalyzersTriesADeadModelAndWhatIsSettledIsNotAskedLater(t *testing.T) {
	f := newFleet(t)
	f.model.Always(burning)
	b := f.server.Connect(t)
	for range 2 {
		f.start(t)
	}
	before := named(8)
	for _, c := range before {
		fall(t, b, c)
		settled(t, b)
	}
	release := make(chan struct{})
	f.model.Always(llmtest.Until(release))
	f.pass(30 * time.Second)
	fall(t, b, "x", "y", "z")
	awaitRequests(t, f.model, 6)
	others := slices.DeleteFunc([]string{"x", "y", "z"}, func(c string) bool {
		return strings.Contains(f.model.Requests()[5].User(), fmt.Sprintf("%q:%q", "cluster", c))
	})
	for _, cluster := range others { // while the model still thinks of the third
		c := e2e.Await(t, b, cluster, e2e.CheckoutID(cluster), "the rules' diagnosis", func(c schema.Conversation) bool { return e2e.Count(c, "diagnosed") > 0 })
		if got := last(c).Content; !strings.Contains(got, "it is being tried with another one at the moment") {
			t.Errorf("%s says %q", cluster, got)
		}
	}
	close(release)
	settled(t, b)
	if asked := len(f.model.Requests()); len(others) != 2 || asked != 6 {
		t.Fatalf("the model was asked %d times, want 6; of %v it was not", asked, others)
	}
	fall(t, b, "after")
	settled(t, b)
	if c := head(t, b, "after", e2e.CheckoutID("after")); c.Diagnosis.Source != "test" {
		t.Errorf("after it answered the diagnosis is by %s: %s", c.Diagnosis.Source, last(c).Content)
	}
	for _, cluster := range append(before, others...) {
		c := head(t, b, cluster, e2e.CheckoutID(cluster))
		if diff := cmp.Diff([]string{"opened", "diagnosed"}, e2e.Kinds(c)); diff != "" || c.Diagnosis.Source != schema.SourceRules {
			t.Errorf("%s is diagnosed by %s; events (-want +got):\n%s", cluster, c.Diagnosis.Source, diff)
		}
	}
	if asked := len(f.model.Requests()); asked != 7 {
		t.Errorf("the model was asked %d times, want 7", asked)
	}
}

func awaitRequests(t *testing.T, model *llmtest.Server, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bustest.Within)
	defer cancel()
	if err := model.Await(ctx, n); err != nil {
		t.Fatal(err)
	}
}

func TestAModelThatRefusesIsAskedOn(t *testing.T) {
	f := newFleet(t)
	f.model.Always(llmtest.Status(401, "no such key"))
	b := f.server.Connect(t)
	f.start(t)
	fall(t, b, named(6)...)
	settled(t, b)
	if asked := len(f.model.Requests()); asked != 6 {
		t.Errorf("the model was asked %d times, want 6", asked)
	}
}
