package llm_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/llm/llmtest"
)

// dialled is a client that knows the server by the name that its dialect goes by, and reaches it even so.
func dialled(t *testing.T, s *llmtest.Server, d llmtest.Dialect, model string) *llm.Client {
	t.Helper()
	cfg := llm.Config{BaseURL: "http://" + d.Host + d.Base, Model: model, APIKey: key, Timeout: 20 * time.Second, Temperature: 0.1}
	c, err := llm.New(cfg, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.SetBackoff(time.Millisecond)
	c.DialOnly(s.Addr())
	return c
}

// cell is how a question ends under one fault.
type cell struct {
	outcome string // "" is ok
	calls   int    // requests on the wire
	says    string // part of what a person reads; of the answer where all is well
}

const verdictSays = `"summary":"The model blames shop/web"`

// faults are the ways of all servers to break, and how a question ends under each. Except names the dialects under
// which it ends otherwise.
func faults() []struct {
	name   string
	next   []llmtest.Fault // one request each
	always llmtest.Fault   // all after them
	want   cell
	except map[string]cell
} {
	hour := time.Now().Add(time.Hour)
	none := map[string]cell(nil)
	return []struct {
		name   string
		next   []llmtest.Fault
		always llmtest.Fault
		want   cell
		except map[string]cell
	}{
		{"none", nil, nil, cell{"", 1, verdictSays}, none},
		{"told-to-wait-a-little", []llmtest.Fault{llmtest.ThrottledMillis(2)}, nil, cell{"", 2, verdictSays}, none},
		{"told-to-come-back-at-once", []llmtest.Fault{llmtest.Throttled(0)}, nil, cell{"", 2, verdictSays}, none},
		{"told-to-wait-an-hour", nil, llmtest.Throttled(3600), cell{llm.OutcomeThrottled, 1, "it would have to wait 1h0m0s"}, none},
		{"told-to-wait-milliseconds", nil, llmtest.ThrottledMillis(3_600_000), cell{llm.OutcomeThrottled, 1, "it would have to wait 1h0m0s"}, none},
		{"told-to-wait-until", nil, llmtest.ThrottledUntil(hour), cell{llm.OutcomeThrottled, 1, "it would have to wait"}, none},
		{"told-not-to-retry", nil, noRetry(500), cell{llm.OutcomeServer, 1, "no second try"}, none},
		{"nothing-left-to-spend", nil, llmtest.Quota(), cell{llm.OutcomeQuota, 1, "check the plan and the billing"}, none},
		{"wrong-key", nil, llmtest.Status(401, "Incorrect API key provided: "+key), cell{llm.OutcomeUnauthorized, 1, "provided: ***; check LLM_API_KEY"}, none},
		{"no-such-model", nil, llmtest.Status(404, "The model `test-model` does not exist"), cell{llm.OutcomeRefused, 1, "does not exist; check LLM_BASE_URL and LLM_MODEL"}, none},
		{"in-trouble", nil, llmtest.Status(500, "oops"), cell{llm.OutcomeServer, 3, "500 Internal Server Error: oops"}, none},
		{"in-trouble-twice", llmtest.Times(2, llmtest.Status(500, "oops")), nil, cell{"", 3, verdictSays}, none},
		{"overloaded", nil, llmtest.Status(529, "overloaded"), cell{llm.OutcomeServer, 3, "overloaded"}, none},
		{"loading", nil, llmtest.Status(503, "Loading model"), cell{llm.OutcomeServer, 3, "Loading model"}, none},
		{"a-proxy-speaks", nil, llmtest.HTML(502), cell{llm.OutcomeServer, 3, "Bad Gateway nginx"}, none},
		{"a-proxy-says-200", nil, llmtest.HTML(200), cell{llm.OutcomeBroken, 3, "not JSON"}, none},
		{"an-error-inside-200", nil, llmtest.ErrorInside200("the provider returned an error"), cell{llm.OutcomeServer, 3, "the provider returned an error"}, none},
		{"a-body-cut-off", nil, llmtest.Cut(), cell{llm.OutcomeUnreachable, 3, "broke off after"}, none},
		{"sent-elsewhere", nil, llmtest.Redirect("https://elsewhere.example/?token=x"), cell{llm.OutcomeRefused, 1, "set LLM_BASE_URL to the final address"}, none},
		{"a-huge-error", nil, llmtest.Huge(400, 1<<20), cell{llm.OutcomeRefused, 1, "400 Bad Request"}, none},
		{"compressed", nil, llmtest.Gzipped(), cell{"", 1, verdictSays}, none},
		{"a-bomb-in-an-error", nil, llmtest.GzipBomb(400, 9<<20), cell{llm.OutcomeRefused, 1, "400 Bad Request"}, none},
		{"byte-by-byte", nil, llmtest.ByteByByte(), cell{"", 1, verdictSays}, none},
		{"streamed", nil, llmtest.Streamed(0), cell{"", 1, verdictSays}, none},
		{"streamed-with-comments", nil, llmtest.Streamed(400), cell{"", 1, verdictSays}, none},
		{"a-stream-cut-off", nil, llmtest.StreamCut(), cell{llm.OutcomeUnreachable, 3, "neither [DONE] nor a reason to finish"}, none},
		{"a-stream-with-an-error", nil, llmtest.StreamError(503, "no instance is left"), cell{llm.OutcomeServer, 3, "no instance is left"}, none},
		{"comments-before-it", nil, llmtest.Commented(200), cell{"", 1, verdictSays}, none},
		{"no-choices", nil, llmtest.NoChoices(), cell{llm.OutcomeBroken, 1, "no choices"}, none},
		{"an-empty-answer", nil, llmtest.Text(" \n"), cell{llm.OutcomeBroken, 1, "the answer is empty"}, none},
		{"out-of-tokens", nil, llmtest.Truncated(), cell{llm.OutcomeCut, 1, "cut off at its limit of 500 tokens"}, none},
		{"out-of-room", nil, llmtest.ContextFull(), cell{llm.OutcomeTooLong, 1, "of an answer of at most 500 there was no room left; raise the server's context length"}, none},
		{"filtered", nil, llmtest.Filtered(), cell{llm.OutcomeFiltered, 1, "content filter"}, none},
		{"unwilling", nil, llmtest.Refusal("I will not."), cell{llm.OutcomeFiltered, 1, "refuses to answer: I will not."}, none},
		{"a-tool-called", nil, llmtest.ToolCall(), cell{llm.OutcomeBroken, 1, "calls a tool"}, none},
		{"in-a-fence", nil, llmtest.Fenced(), cell{"", 1, verdictSays}, none},
		{"thinking-first", nil, llmtest.Think(), cell{"", 1, verdictSays}, none},
		{"thinking-only", nil, llmtest.OnlyThinking(), cell{llm.OutcomeBroken, 1, "nothing but thinking"}, none},
		{"prose", nil, llmtest.Prose(), cell{"", 1, "seems to be down"}, none},
		{"another-shape", nil, llmtest.Misshapen(), cell{"", 1, `"fix":"restart it"`}, none},
		{"half-of-it-read", nil, llmtest.Reading(300), cell{llm.OutcomeTruncated, 1, "read 300 tokens of a prompt of about 500"}, none},
		{"structure-refused", nil, llmtest.NoSchema(), cell{"", 3, verdictSays}, map[string]cell{"anthropic": {"", 1, verdictSays}}},
	}
}

func noRetry(status int) llmtest.Fault {
	return func(x *llmtest.Exchange) {
		x.Header().Set("X-Should-Retry", "false")
		x.Error(status, "server_error", "", "no second try")
	}
}

func TestEveryFaultOfEveryDialectEndsAsItShould(t *testing.T) {
	for _, d := range llmtest.Dialects() {
		for _, f := range faults() {
			t.Run(d.Name+"/"+f.name, func(t *testing.T) {
				want := f.want
				if other, ok := f.except[d.Name]; ok {
					want = other
				}
				s := llmtest.New(t, llmtest.Options{Key: key, Dialect: d})
				s.Fault(f.next...)
				s.Always(f.always)
				p := prompt()
				p.Estimate = 500
				got, err := dialled(t, s, d, "test-model").Complete(t.Context(), p)
				checkCell(t, want, got.Text, err)
				if n := len(s.Requests()); n != want.calls {
					t.Errorf("%d requests, want %d", n, want.calls)
				}
				for _, r := range s.Requests() {
					if r.Refused != "" {
						t.Errorf("a request was malformed: %s", r.Refused)
					}
				}
			})
		}
	}
}

func checkCell(t *testing.T, want cell, text string, err error) {
	t.Helper()
	if want.outcome == "" {
		if err != nil || !strings.Contains(text, want.says) {
			t.Errorf("said %q, error %v; want %q", text, err, want.says)
		}
		return
	}
	if err == nil {
		t.Fatalf("said %q; want the outcome %s", text, want.outcome)
	}
	if e := failed(t, err); e.Outcome != want.outcome || !strings.Contains(err.Error(), want.says) {
		t.Errorf("outcome %s, error %q; want %s with %q", e.Outcome, err, want.outcome, want.says)
	}
	if text != "" || len(err.Error()) > 700 {
		t.Errorf("text %q beside an error of %d bytes", text, len(err.Error()))
	}
}

func TestAHangingServerOfAnyDialectEndsByTheTimeout(t *testing.T) {
	for _, d := range llmtest.Dialects() {
		t.Run(d.Name, func(t *testing.T) {
			s := llmtest.New(t, llmtest.Options{Key: key, Dialect: d})
			s.Always(llmtest.Hang())
			c, err := llm.New(llm.Config{BaseURL: "http://" + d.Host + d.Base, Model: "m", APIKey: key, Timeout: 30 * time.Millisecond}, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			c.DialOnly(s.Addr())
			_, err = c.Complete(t.Context(), prompt())
			if e := failed(t, err); e.Outcome != llm.OutcomeTimeout || !strings.Contains(err.Error(), "raise LLM_TIMEOUT") {
				t.Errorf("outcome %s: %v", e.Outcome, err)
			}
		})
	}
}

// What each dialect says when it does not take a field is understood, but for OpenRouter, which does not say which: there
// the format and the temperature are tried, and a refused limit or role stays refused.
func TestEveryDialectsRefusalsAreUnderstood(t *testing.T) {
	fields := []struct {
		refused []string
		calls   int
		except  map[string]int // negative: in vain, after so many
	}{
		{[]string{"json_schema"}, 3, map[string]int{"anthropic": 1}},
		{[]string{"json_schema", "json_object"}, 4, map[string]int{"anthropic": 1}},
		{[]string{"strict"}, 2, map[string]int{"anthropic": 1}},
		{[]string{"temperature"}, 2, map[string]int{"openrouter": 5}},
		{[]string{"max_tokens"}, 2, map[string]int{"openai": 1, "azure": 1, "openrouter": -5}},
		{[]string{"max_completion_tokens"}, 1, map[string]int{"openai": 2, "azure": 2}},
		{[]string{"max_tokens", "max_completion_tokens"}, 3, map[string]int{"openrouter": -5}},
		{[]string{"system"}, 2, map[string]int{"openrouter": -5}},
		{[]string{"temperature", "json_schema"}, 4, map[string]int{"openrouter": 5, "anthropic": 2}},
	}
	for _, d := range llmtest.Dialects() {
		for _, f := range fields {
			t.Run(d.Name+"/"+strings.Join(f.refused, "-"), func(t *testing.T) {
				want := f.calls
				if n, ok := f.except[d.Name]; ok {
					want = n
				}
				s := llmtest.New(t, llmtest.Options{Key: key, Dialect: d, Refuses: f.refused})
				got, err := dialled(t, s, d, "test-model").Complete(t.Context(), prompt())
				if (err != nil) != (want < 0) || got.Usage.Calls != max(want, -want) {
					t.Errorf("%d calls, want %d: %v", got.Usage.Calls, want, err)
				}
				if e, ok := errors.AsType[*llm.Error](err); ok && e.Outcome != llm.OutcomeRefused {
					t.Errorf("outcome %s", e.Outcome)
				}
			})
		}
	}
}
