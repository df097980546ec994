package e2e_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm/llmtest"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/spend"
)

// buildAnalyzer builds the program and gives its path.
func buildAnalyzer(t testing.TB) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "analyzer")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "github.com/bellbuoy/bellbuoy/cmd/analyzer").CombinedOutput(); err != nil {
		t.Fatalf("build the analyzer: %v: %s", err, out)
	}
	return program
}

// startAnalyzerProcess runs the program until it is killed, or until the test ends. Kill ends it as kill -9 does.
func startAnalyzerProcess(t *testing.T, program, server, model string) (kill func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background()) // whose end sends SIGKILL
	p := exec.CommandContext(ctx, program)
	p.Env = append(os.Environ(), "BELLBUOY_NATS_URL="+server, "BELLBUOY_HTTP_ADDR=127.0.0.1:0", "BELLBUOY_LOG_LEVEL=error",
		"BELLBUOY_LLM_BASE_URL="+model, "BELLBUOY_LLM_MODEL=test", "BELLBUOY_LLM_CALLS_PER_HOUR=10")
	p.Stderr = t.Output()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() {
		cancel()
		_ = p.Wait() // its error is that it was killed
	}
	t.Cleanup(kill)
	return kill
}

// The first process holds the call; the second one is there by the time it dies.
func TestAnAnalyzerProcessKilledDuringACallCostsOneCallAndNothingIsToldTwice(t *testing.T) {
	t.Parallel()
	program, s, hook, model := buildAnalyzer(t), bustest.Server(t), e2e.NewReceiver(t), llmtest.New(t)
	model.Fault(llmtest.Hang()) // the first call only
	b := s.Connect(t)
	bustest.DriftConsumer(t, b, bus.StreamAlerts, bus.Diagnose, 2*time.Second) // not the thirty that it waits for an ack
	e2e.StartNotifier(t, s, hook.URL)
	kill := startAnalyzerProcess(t, program, s.URL(), model.URL())
	takeDownUnsettled(t, b, "a")
	awaitCalls(t, model, 1)
	startAnalyzerProcess(t, program, s.URL(), model.URL())
	kill()
	id := e2e.CheckoutID("a")
	e2e.Await(t, b, "a", id, "the heir's diagnosis", func(c schema.Conversation) bool { return e2e.Count(c, schema.EventDiagnosed) > 0 })
	bustest.Settled(t, b)

	h, err := b.Head(t.Context(), "a", id)
	if err != nil {
		t.Fatal(err)
	}
	once := []string{schema.EventOpened, schema.EventDiagnosed}
	if diff := cmp.Diff(once, e2e.Kinds(h.Conversation)); diff != "" || h.Conversation.Diagnosis.Source != "test" {
		t.Errorf("diagnosed by %s; events (-want +got):\n%s", h.Conversation.Diagnosis.Source, diff)
	}
	if diff := cmp.Diff(once, e2e.ToldKinds(hook.All())); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if asked := len(model.Requests()); asked != 2 {
		t.Errorf("the model was asked %d times, want twice: by the one that died and by its heir", asked)
	}
	l := ledgerOf(t, b)
	if len(l.Held) != 1 || l.Hour.Calls != 2 || l.Hour.Tokens != h.Conversation.Usage.Tokens+l.Held[0].Tokens {
		t.Errorf("%d calls and %d tokens are spent, %v held; want 2 calls, and what the dead one had reserved to stay spent", l.Hour.Calls, l.Hour.Tokens, l.Held)
	}
}

// takeDownUnsettled is takeDown of one cluster, without waiting for what comes of it.
func takeDownUnsettled(t testing.TB, b *bus.Bus, cluster string) {
	t.Helper()
	e2e.Publish(t, b, e2e.Snapshot(cluster, 0, 0))
	bustest.Settled(t, b)
	e2e.Publish(t, b, e2e.Snapshot(cluster, 1, 0))
}

func awaitCalls(t testing.TB, model *llmtest.Server, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bustest.Within)
	defer cancel()
	if err := model.Await(ctx, n); err != nil {
		t.Fatal(err)
	}
}

// ledgerOf is what the fleet has spent, as it is kept.
func ledgerOf(t testing.TB, b *bus.Bus) (l spend.Ledger) {
	t.Helper()
	data, _, err := b.Kept(bus.PartAnalyzer).Get(t.Context(), "spend")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &l); err != nil {
		t.Fatal(err)
	}
	return l
}
