package e2e_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/collector"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/llm/llmtest"
	"github.com/bellbuoy/bellbuoy/internal/process"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// leaky is a snapshot with every secret in every place that has room for text.
func leaky(cluster string, n int) schema.ClusterContext {
	s := e2e.Snapshot(cluster, n, 0)
	v := &s.Services[0]
	v.Labels = map[string]string{"db_password": "Zq09xV7kW3mT9pLs"}
	v.LastFailure = &schema.Failure{Reason: schema.FailureStart, At: s.TakenAt.Add(-time.Minute)}
	v.RecentLogs = pemLines()
	all := secrets()
	for i, x := range all {
		v.RecentLogs = append(v.RecentLogs, x.text)
		v.Labels["team"+string(rune('a'+i%26))] = x.text
		s.RecentEvents = append(s.RecentEvents, schema.ClusterEvent{At: s.TakenAt, Kind: x.text, Object: "shop/checkout", Text: x.text})
		if i < 20 { // an error text has its bounds
			v.LastFailure.Text += x.text + "; "
		}
	}
	v.Image, v.PreviousImage = "https://u:Zq01xV7kW3mT9pLs@registry.example/shop:1.4", "registry.example/shop:1.3?token=Zq14xV7kW3mT9pLs"
	v.LastDeployAt = s.TakenAt.Add(-2 * time.Minute)
	v.Instances[0].State = all[8].text
	s.Unread = []schema.UnreadPart{{Part: schema.PartGPUs, Reason: all[0].text}}
	return s
}

// What is published by others, and what people say, is stored as they said it; all else that leaves is looked at.
func TestNoSecretLeaves(t *testing.T) {
	t.Parallel()
	s, hook, logs := bustest.Server(t), newOutlet(t), &buffer{}
	model := llmtest.New(t, llmtest.Options{Answer: func(r llmtest.Request) string {
		return strings.ReplaceAll(llmtest.Answer(r), "The ", "DB_PASSWORD=Zq09xV7kW3mT9pLs the ")
	}})
	b := s.Connect(t)
	heard := bustest.Tap(t, b)
	log := process.Logger(logs, process.LogConfig{Level: "debug", Format: "json"})
	a := e2e.NewAnalyzerLogging(t, s, llm.Config{BaseURL: model.URL(), Model: "test"}, log)
	e2e.Start(t, a.Part())
	e2e.StartNotifierLogging(t, s, hook.URL, log)
	reg := prometheus.NewRegistry()
	collectOnce(t, s, reg, leaky("prod", 0), leaky("prod", 1))
	for n := range 2 {
		e2e.Publish(t, b, leaky("others", n))
		bustest.Settled(t, b)
	}
	for _, cluster := range []string{"prod", "others"} {
		e2e.Await(t, b, cluster, e2e.CheckoutID(cluster), "the model's diagnosis", func(c schema.Conversation) bool {
			return e2e.Count(c, schema.EventDiagnosed) == 1
		})
	}
	tellAll(t, b, log.Error)
	bustest.Settled(t, b)
	checkLeaks(t, heard(), hook, model, logs)
	if n := removed(t, reg); n < len(secrets()) {
		t.Errorf("the metric counts %v secrets of %d", n, len(secrets()))
	}
}

// collectOnce plays snapshots through a real collector.
func collectOnce(t *testing.T, s *bustest.NATS, reg *prometheus.Registry, snapshots ...schema.ClusterContext) {
	t.Helper()
	var lines []byte
	for _, x := range snapshots {
		lines = append(append(lines, toJSON(t, x)...), '\n')
	}
	path := filepath.Join(t.TempDir(), "leaky.jsonl")
	if err := os.WriteFile(path, lines, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := collector.Config{Source: []string{"file:" + path}, Interval: time.Second}
	c, err := collector.New(cfg, s.Connect(t), e2e.Quiet(), reg)
	if err != nil {
		t.Fatal(err)
	}
	e2e.Start(t, c.Part())
}

// tellAll has people tell every secret: by the API, on the open subject, to nobody, and in what is no snapshot; and has a
// part log them.
func tellAll(t *testing.T, b *bus.Bus, log func(string, ...any)) {
	t.Helper()
	all, ask := secrets(), client.New(b)
	for from := 0; from < len(all); from += 8 {
		var text []string
		for _, x := range all[from:min(from+8, len(all))] {
			text = append(text, x.text)
			log("a part says "+x.text, "what", x.text, "err", errors.New(x.text), "n", []string{x.text})
		}
		if _, err := ask.Reply(t.Context(), client.ReplyRequest{Ref: e2e.CheckoutID("prod"), Text: "why? " + strings.Join(text, "\n"), Author: "ada"}); err != nil {
			t.Error(err)
		}
		e2e.Say(t, b, e2e.CheckoutID("others"), "why? "+strings.Join(text, "\n"))
		e2e.Say(t, b, "0123456789abcdef", strings.Join(text, "\n"))
		bustest.Settled(t, b)
	}
	bad := leaky("broken", 0)
	bad.Services[0].Status = "odd"
	e2e.Publish(t, b, bad)
}

// checkLeaks looks for secrets in what was stored, posted, asked and logged.
func checkLeaks(t *testing.T, heard []bustest.Seen, hook *outlet, model *llmtest.Server, logs *buffer) {
	t.Helper()
	out := map[string]int{}
	look := func(where, text string) {
		out[where]++
		if found := leaks(text); len(found) > 0 {
			t.Errorf("%s holds %v: %s", where, found, around(text, found))
		}
	}
	for _, m := range heard {
		kind := strings.Split(m.Subject, ".")[1]
		if kind == "api" || kind == "replies" || kind == "context" && !strings.HasSuffix(m.Subject, ".prod") {
			continue // as others said it
		}
		look(kind, string(m.Data))
	}
	for _, body := range hook.all() {
		look("post", string(body))
	}
	for _, r := range model.Requests() {
		look("prompt", string(r.Body))
		for _, m := range r.Messages {
			look("message", m.Content)
		}
	}
	look("log", logs.String())
	for _, where := range []string{"context", "alerts", "heard", "dead", "kept", "post", "prompt", "log"} {
		if out[where] == 0 {
			t.Errorf("nothing of kind %s was looked at: %v", where, out)
		}
	}
	if !strings.Contains(logs.String(), "[REDACTED:") || !json.Valid([]byte(strings.SplitN(logs.String(), "\n", 2)[0])) {
		t.Errorf("the log is not what was asked for: %.500s", logs.String())
	}
}

// around shows where text holds the first of the secrets found.
func around(text string, found []string) string {
	for _, s := range append(secrets(), secret{"pem", "", pemCore}) {
		if i := strings.Index(text, s.core); i >= 0 && s.kind == found[0] {
			return text[max(0, i-150):min(len(text), i+50)]
		}
	}
	return text
}

// removed is how many secrets the collector has counted.
func removed(t *testing.T, reg *prometheus.Registry) int {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	n := 0.0
	for _, f := range families {
		if f.GetName() == "bellbuoy_collector_secrets_removed_total" {
			for _, m := range f.GetMetric() {
				n += m.GetCounter().GetValue()
			}
		}
	}
	return int(n)
}
