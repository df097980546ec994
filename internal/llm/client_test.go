package llm_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/llm/llmtest"
)

const key = "sk-test-0123456789abcdefghij"

func prompt() diagnose.Prompt {
	return diagnose.Prompt{
		System: "You diagnose.", User: `{"allowed_components":["shop/web"]}` + "\nGo.",
		Schema: diagnose.VerdictSchema(), SchemaName: diagnose.VerdictSchemaName, MaxTokens: 500,
	}
}

func question() diagnose.Prompt {
	return diagnose.Prompt{System: "You answer.", User: "Why?", MaxTokens: 500}
}

func client(t *testing.T, s *llmtest.Server, change ...func(*llm.Config)) *llm.Client {
	t.Helper()
	cfg := llm.Config{BaseURL: s.URL(), Model: "test-model", APIKey: key, Timeout: 20 * time.Second, Temperature: 0.1}
	for _, f := range change {
		f(&cfg)
	}
	c, err := llm.New(cfg, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.SetBackoff(time.Millisecond)
	return c
}

func server(t *testing.T) *llmtest.Server {
	t.Helper()
	return llmtest.New(t, llmtest.Options{Key: key})
}

func fields(t *testing.T, r llmtest.Request) map[string]any {
	t.Helper()
	var f map[string]any
	if err := json.Unmarshal(r.Body, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

func failed(t *testing.T, err error) *llm.Error {
	t.Helper()
	var e *llm.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v (%T) is not an *llm.Error", err, err)
	}
	if strings.Contains(err.Error(), key) {
		t.Errorf("error shows the key: %v", err)
	}
	return e
}

func TestCompleteGivesTheVerdictAndWhatItCost(t *testing.T) {
	s := server(t)
	got, err := client(t, s).Complete(t.Context(), prompt())
	if err != nil {
		t.Fatal(err)
	}
	if got.Text != llmtest.VerdictOn("shop/web", "logs") || got.Model != "test-model" {
		t.Errorf("completion %+v", got)
	}
	if got.Usage.Calls != 1 || got.Usage.Tokens == 0 {
		t.Errorf("usage %+v", got.Usage)
	}
	if n := len(s.Requests()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestRequestIsSaidAsEachServerWantsIt(t *testing.T) {
	tests := []struct {
		name        string
		model       string
		temperature float64
		want        map[string]any // nil: must be absent
	}{
		{"temperature-zero-is-really-sent", "test-model", 0, map[string]any{"temperature": 0.0, "max_tokens": 500.0, "max_completion_tokens": nil}},
		{"a-tenth-is-sent-as-a-tenth", "test-model", 0.1, map[string]any{"temperature": 0.1}},
		{"reasoning-o-series", "o3-mini", 0.1, map[string]any{"temperature": nil, "max_tokens": nil, "max_completion_tokens": 500.0}},
		{"reasoning-gpt-5", "gpt-5.6-terra", 0.1, map[string]any{"temperature": nil, "max_tokens": nil, "max_completion_tokens": 500.0}},
		{"reasoning-gpt-6", "gpt-6-astra", 0.1, map[string]any{"temperature": nil, "max_tokens": nil, "max_completion_tokens": 500.0}},
		{"reasoning-behind-a-vendor-prefix", "openai/o4-mini", 0.1, map[string]any{"temperature": nil, "max_completion_tokens": 500.0}},
		{"open-weights-are-no-reasoning-family", "gpt-oss:20b", 0.1, map[string]any{"temperature": 0.1, "max_tokens": 500.0}},
		{"one-limit-and-no-extras", "test-model", 0.1, map[string]any{"stream": false, "n": nil, "metadata": nil, "tools": nil}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := server(t)
			c := client(t, s, func(cfg *llm.Config) { cfg.Model, cfg.Temperature = tt.model, tt.temperature })
			if _, err := c.Complete(t.Context(), prompt()); err != nil {
				t.Fatal(err)
			}
			sent := fields(t, s.Requests()[0])
			for name, want := range tt.want {
				if diff := cmp.Diff(want, sent[name]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
		})
	}
}

func TestStrictSchemaIsSentOnlyWhereOneIsWanted(t *testing.T) {
	s := server(t)
	c := client(t, s)
	for _, p := range []diagnose.Prompt{prompt(), question()} {
		if _, err := c.Complete(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	first, second := fields(t, s.Requests()[0]), fields(t, s.Requests()[1])
	format, _ := first["response_format"].(map[string]any)
	inner, _ := format["json_schema"].(map[string]any)
	if format["type"] != "json_schema" || inner["strict"] != true || inner["name"] != "verdict" {
		t.Errorf("response_format %v", format)
	}
	if f, ok := second["response_format"]; ok {
		t.Errorf("a question was sent with response_format %v", f)
	}
}

func TestNoKeySendsNoAuthorization(t *testing.T) {
	s := llmtest.New(t)
	if _, err := client(t, s, func(c *llm.Config) { c.APIKey = "" }).Complete(t.Context(), question()); err != nil {
		t.Fatal(err)
	}
	if h := s.Requests()[0].Header.Values("Authorization"); len(h) != 0 {
		t.Errorf("Authorization %q was sent", h)
	}
}

func TestCompleteExplainsEveryFault(t *testing.T) {
	tests := []struct {
		name    string
		fault   llmtest.Fault
		outcome string
		calls   int    // attempts on the wire
		says    string // part of the error
	}{
		{"error-as-text", llmtest.Raw(400, "application/json", `{"error":"model is not loaded"}`), llm.OutcomeRefused, 1, "model is not loaded"},
		{"flat-error", llmtest.Raw(400, "application/json", `{"object":"error","message":"max context is 4096","code":400}`), llm.OutcomeRefused, 1, "max context is 4096"},
		{"detail-text", llmtest.Raw(404, "application/json", `{"detail":"Not Found"}`), llm.OutcomeRefused, 1, "404 Not Found: Not Found"},
		{"detail-list", llmtest.Raw(422, "application/json", `{"detail":[{"loc":["body"],"msg":"field required"}]}`), llm.OutcomeRefused, 1, "field required"},
		{"error-in-a-list", llmtest.Raw(400, "application/json", `[{"error":{"code":400,"message":"API key not valid"}}]`), llm.OutcomeRefused, 1, "API key not valid"},
		{"plain-text", llmtest.Raw(503, "text/plain", "loading the model"), llm.OutcomeServer, 3, "loading the model"},
		{"empty-error-body", llmtest.Raw(500, "text/plain", ""), llm.OutcomeServer, 3, "500 Internal Server Error"},
		{"html-502", llmtest.HTML(502), llm.OutcomeServer, 3, "Bad Gateway Bad Gateway nginx"},
		{"html-200", llmtest.HTML(200), llm.OutcomeBroken, 3, "not JSON"},
		{"error-inside-200", llmtest.ErrorInside200("provider returned an error"), llm.OutcomeServer, 3, "provider returned an error"},
		{"quota-inside-200", llmtest.Raw(200, "application/json", `{"error":{"code":402,"message":"Insufficient credits"}}`), llm.OutcomeQuota, 1, "billing"},
		{"no-choices", llmtest.NoChoices(), llm.OutcomeBroken, 1, "no choices"},
		{"empty-answer", llmtest.Text("  \n"), llm.OutcomeBroken, 1, "empty"},
		{"cut-body", llmtest.Cut(), llm.OutcomeUnreachable, 3, "broke off after"},
		{"cut-by-its-limit", llmtest.Truncated(), llm.OutcomeCut, 1, "500 tokens"},
		{"content-filter", llmtest.Filtered(), llm.OutcomeFiltered, 1, "content filter"},
		{"refusal", llmtest.Refusal("I will not."), llm.OutcomeFiltered, 1, "I will not."},
		{"out-of-quota", llmtest.Quota(), llm.OutcomeQuota, 1, "check the plan and the billing"},
		{"wrong-key", llmtest.Raw(401, "application/json", `{"error":{"message":"Incorrect API key provided: `+key+`."}}`), llm.OutcomeUnauthorized, 1, "check LLM_API_KEY"},
		{"conflict-is-passing", llmtest.Status(409, "try again"), llm.OutcomeRefused, 3, "try again"},
		{"too-early-is-passing", llmtest.Status(425, "warming up"), llm.OutcomeRefused, 3, "warming up"},
		{"overloaded-529", llmtest.Status(529, "overloaded"), llm.OutcomeServer, 3, "overloaded"},
		{"redirect", llmtest.Redirect("https://elsewhere.example/v1?token=x"), llm.OutcomeRefused, 1, "sends on to elsewhere.example,"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := server(t)
			s.Always(tt.fault)
			got, err := client(t, s).Complete(t.Context(), question())
			e := failed(t, err)
			if e.Outcome != tt.outcome || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("outcome %s, error %q; want %s with %q", e.Outcome, err, tt.outcome, tt.says)
			}
			if !strings.Contains(err.Error(), "ask test-model at 127.0.0.1:") {
				t.Errorf("error %q does not say who was asked", err)
			}
			if n := len(s.Requests()); n != tt.calls {
				t.Errorf("%d attempts, want %d", n, tt.calls)
			}
			if got.Text != "" {
				t.Errorf("text %q beside an error", got.Text)
			}
		})
	}
}

func TestCompleteSurvivesPassingFaults(t *testing.T) {
	tests := []struct {
		name   string
		faults []llmtest.Fault
	}{
		{"two-500s", llmtest.Times(2, llmtest.Status(500, "oops"))},
		{"rate-limit-that-mentions-billing", []llmtest.Fault{llmtest.Throttled(0)}},
		{"milliseconds", []llmtest.Fault{llmtest.ThrottledMillis(3)}},
		{"date-in-the-past", []llmtest.Fault{llmtest.ThrottledUntil(time.Unix(1, 0))}},
		{"cut-then-html", []llmtest.Fault{llmtest.Cut(), llmtest.HTML(502)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := server(t)
			s.Fault(tt.faults...)
			if _, err := client(t, s).Complete(t.Context(), prompt()); err != nil {
				t.Fatal(err)
			}
			if got, want := len(s.Requests()), len(tt.faults)+1; got != want {
				t.Errorf("%d attempts, want %d", got, want)
			}
		})
	}
}

func TestAWaitThatDoesNotFitFailsAtOnce(t *testing.T) {
	for name, fault := range map[string]llmtest.Fault{
		"seconds": llmtest.Throttled(3600),
		"date":    llmtest.ThrottledUntil(time.Now().Add(time.Hour)),
		"millis":  llmtest.ThrottledMillis(3_600_000),
	} {
		t.Run(name, func(t *testing.T) {
			s := server(t)
			s.Always(fault)
			_, err := client(t, s).Complete(t.Context(), question())
			e := failed(t, err)
			if e.Outcome != llm.OutcomeThrottled || e.Wait < 59*time.Minute || len(s.Requests()) != 1 {
				t.Errorf("outcome %s, wait %s, %d attempts: %v", e.Outcome, e.Wait, len(s.Requests()), err)
			}
			if !strings.Contains(err.Error(), "have to wait") {
				t.Errorf("error %q does not say how long", err)
			}
		})
	}
}

func TestAHangingServerEndsByTheTimeout(t *testing.T) {
	s := server(t)
	s.Always(llmtest.Hang())
	c := client(t, s, func(cfg *llm.Config) { cfg.Timeout = 50 * time.Millisecond })
	_, err := c.Complete(t.Context(), question())
	if e := failed(t, err); e.Outcome != llm.OutcomeTimeout || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("outcome %s: %v", e.Outcome, err)
	}
	if !strings.Contains(err.Error(), "raise LLM_TIMEOUT") || len(s.Requests()) > 1 { // none, if the time was over before it arrived
		t.Errorf("%d attempts: %v", len(s.Requests()), err)
	}
}

func TestACallerWhoLeavesEndsTheCall(t *testing.T) {
	s := server(t)
	s.Always(llmtest.Hang())
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	c := client(t, s)
	go func() {
		_, err := c.Complete(ctx, question())
		ended <- err
	}()
	if err := s.Await(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	if e := failed(t, <-ended); e.Outcome != llm.OutcomeCanceled {
		t.Errorf("outcome %s", e.Outcome)
	}
}

func TestAHugeErrorBodyIsNotReadWhole(t *testing.T) {
	s := server(t)
	s.Always(llmtest.Huge(400, 64<<20))
	c := client(t, s)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := c.Complete(t.Context(), question())
	runtime.ReadMemStats(&after)
	failed(t, err)
	if len(err.Error()) > 1000 {
		t.Errorf("the error is %d bytes long", len(err.Error()))
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
		t.Errorf("%d MiB were allocated for it", used>>20)
	}
}

func TestAnAnswerBeyondTheLimitIsRefused(t *testing.T) {
	s := server(t)
	for _, fault := range []llmtest.Fault{llmtest.Text(strings.Repeat("a", 9<<20)), llmtest.GzipBomb(200, 64<<20)} {
		s.Always(fault)
		_, err := client(t, s).Complete(t.Context(), question())
		if e := failed(t, err); e.Outcome != llm.OutcomeBroken || !strings.Contains(err.Error(), "8 MiB") {
			t.Errorf("outcome %s: %v", e.Outcome, err)
		}
	}
}

func TestRedirectsCarryNothingElsewhere(t *testing.T) {
	reached := make(chan struct{}, 8)
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached <- struct{}{} }))
	defer other.Close()
	s := server(t)
	s.Always(llmtest.Redirect(other.URL))
	_, err := client(t, s).Complete(t.Context(), question())
	failed(t, err)
	if len(reached) != 0 {
		t.Error("the redirect was followed")
	}
}

func TestNobodyListeningSaysWhatToCheck(t *testing.T) {
	s := server(t)
	c := client(t, s)
	s.Close()
	_, err := c.Complete(t.Context(), question())
	if e := failed(t, err); e.Outcome != llm.OutcomeUnreachable || !strings.Contains(err.Error(), "check that the server runs") {
		t.Errorf("outcome %s: %v", e.Outcome, err)
	}
}

func TestMetricsCountCallsByOutcome(t *testing.T) {
	s := server(t)
	reg := prometheus.NewRegistry()
	c, err := llm.New(llm.Config{BaseURL: s.URL(), Model: "test-model", APIKey: key}, nil, reg)
	if err != nil {
		t.Fatal(err)
	}
	s.Fault(llmtest.Quota())
	_, first := c.Complete(t.Context(), question())
	_, second := c.Complete(t.Context(), question())
	if first == nil || second != nil {
		t.Fatalf("errors %v, %v", first, second)
	}
	got := gathered(t, reg)
	for series, want := range map[string]float64{
		"bellbuoy_llm_calls_total ok":        1,
		"bellbuoy_llm_calls_total quota":     1,
		"bellbuoy_llm_call_duration_seconds": 2,
	} {
		if got[series] != want {
			t.Errorf("%s is %v, want %v", series, got[series], want)
		}
	}
	if got["bellbuoy_llm_tokens_total prompt"] == 0 || got["bellbuoy_llm_tokens_total completion"] == 0 {
		t.Errorf("tokens were not counted: %v", got)
	}
	if _, err := llm.New(llm.Config{BaseURL: s.URL(), Model: "x"}, nil, reg); err == nil {
		t.Error("metrics were registered twice without an error")
	}
}

// gathered is every series by its name and label: a counter's value, a histogram's count.
func gathered(t *testing.T, reg *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	series := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			series[name] = m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return series
}
