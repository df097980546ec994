package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellbuoy/bellbuoy/internal/analyzer"
	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
	"github.com/bellbuoy/bellbuoy/internal/process"
	"github.com/bellbuoy/bellbuoy/internal/rules"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// within bounds every wait; it decides no test that works.
const within = 60 * time.Second

// Start runs a part until the test ends, when it has to stop cleanly.
func Start(t testing.TB, p process.Part) (stop func()) {
	t.Helper()
	return bustest.Start(t, p.Run)
}

// Quiet is a logger that says nothing.
func Quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// StartAnalyzer runs an analyzer of its own connection until the test ends.
func StartAnalyzer(t testing.TB, s *bustest.NATS, model llm.Config) *analyzer.Analyzer {
	t.Helper()
	a := NewAnalyzer(t, s, model)
	Start(t, a.Part())
	return a
}

// NewAnalyzer is an analyzer with a connection of its own, not yet running.
func NewAnalyzer(t testing.TB, s *bustest.NATS, model llm.Config) *analyzer.Analyzer {
	t.Helper()
	return NewAnalyzerLogging(t, s, model, Quiet())
}

// NewAnalyzerLogging is NewAnalyzer with a log, which its bus writes to as well.
func NewAnalyzerLogging(t testing.TB, s *bustest.NATS, model llm.Config, log *slog.Logger) *analyzer.Analyzer {
	t.Helper()
	b := s.ConnectWith(t, bus.Options{Log: log})
	a, err := analyzer.New(analyzer.Config{LLM: model, Calls: analyzer.Calls{Concurrency: 4}}, b, log, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// StartAnalyzerBy is StartAnalyzer for one that judges by a file of rules with that text.
func StartAnalyzerBy(t testing.TB, s *bustest.NATS, model llm.Config, text string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := analyzer.Config{LLM: model, Calls: analyzer.Calls{Concurrency: 4}, Rules: rules.File{Path: path}}
	a, err := analyzer.New(cfg, s.ConnectWith(t, bus.Options{Log: Quiet()}), Quiet(), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	Start(t, a.Part())
}

// StartNotifier runs a notifier that posts to url, until stop is called or the test ends.
func StartNotifier(t testing.TB, s *bustest.NATS, url string) (stop func()) {
	t.Helper()
	return StartNotifierLogging(t, s, url, Quiet())
}

// StartNotifierLogging is StartNotifier with a log, which its bus writes to as well.
func StartNotifierLogging(t testing.TB, s *bustest.NATS, url string, log *slog.Logger) (stop func()) {
	t.Helper()
	b := s.ConnectWith(t, bus.Options{Log: log})
	cfg := notifier.Config{Notify: "on", Webhook: webhook.Config{URL: config.Secret(url), Format: webhook.FormatNative}}
	n, err := notifier.New(cfg, b, log, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return Start(t, n.Part())
}

// Post is one request that the Receiver got.
type Post struct {
	ID           string
	At           time.Time
	Type         string
	Text         string
	Conversation schema.Conversation
	Events       []schema.Message
}

// Receiver is the other end of a webhook. It remembers every request.
type Receiver struct {
	*httptest.Server
	mu    sync.Mutex
	posts []Post
	news  chan struct{} // closed and replaced with every request
}

// NewReceiver is a webhook that takes everything. It ends with the test.
func NewReceiver(t testing.TB) *Receiver {
	t.Helper()
	r := &Receiver{news: make(chan struct{})}
	r.Server = httptest.NewServer(http.HandlerFunc(r.take))
	t.Cleanup(r.Close)
	return r
}

func (r *Receiver) take(w http.ResponseWriter, q *http.Request) {
	at := time.Now()
	body, err := io.ReadAll(q.Body)
	var got struct {
		Type string `json:"type"`
		Data struct {
			Text         string              `json:"text"`
			Conversation schema.Conversation `json:"conversation"`
			Events       []schema.Message    `json:"events"`
		} `json:"data"`
	}
	if err == nil {
		err = json.Unmarshal(body, &got)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.posts = append(r.posts, Post{
		ID: q.Header.Get("webhook-id"), At: at, Type: got.Type, Text: got.Data.Text,
		Conversation: got.Data.Conversation, Events: got.Data.Events,
	})
	close(r.news)
	r.news = make(chan struct{})
}

// All gives what has come so far, in order.
func (r *Receiver) All() []Post {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.posts)
}

// Until waits until done likes what has come so far, and returns that.
func (r *Receiver) Until(t testing.TB, what string, done func([]Post) bool) []Post {
	t.Helper()
	limit := time.NewTimer(within)
	defer limit.Stop()
	for {
		r.mu.Lock()
		posts, news := slices.Clip(r.posts), r.news // no copy: it would be made while an alert is on its way
		r.mu.Unlock()
		if done(posts) {
			return slices.Clone(posts)
		}
		select {
		case <-news:
		case <-limit.C:
			t.Fatalf("waited in vain for %s; what came: %s", what, Shown(posts))
		}
	}
}

// Shown lists posts, one a line, for a test's complaint.
func Shown(posts []Post) string {
	var s strings.Builder
	for _, p := range posts {
		fmt.Fprintf(&s, "\n  %s %s %s %q", p.ID, p.Type, p.Conversation.State, p.Text)
	}
	return s.String()
}

// epoch is when the made-up clusters' time begins. It is long past, so that nothing is waited for by the real clock.
var epoch = time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)

// Interval lies between the snapshots of a made-up cluster.
const Interval = 15 * time.Second

// Snapshot is the n-th snapshot of a cluster with one service, running or not.
func Snapshot(cluster string, n, running int) schema.ClusterContext {
	status := schema.ServiceHealthy
	if running == 0 {
		status = schema.ServiceStopped
	}
	return schema.ClusterContext{
		Schema: schema.ContextVersion, ClusterName: cluster, TakenAt: epoch.Add(time.Duration(n) * Interval),
		IntervalSeconds: Interval.Seconds(), Source: "docker",
		Services: []schema.ServiceSummary{{
			Name: "checkout", Namespace: "shop", Runtime: "container", Image: "checkout:1.4", Status: status,
			ReplicasRunning: new(running), ReplicasDesired: new(1), RestartsTotal: new(int64(0)), ErrorsTotal: new(int64(0)),
			Instances: []schema.Instance{{Name: "shop-checkout-1", State: "exited"}},
		}},
	}
}

// CheckoutID is the id of the conversation about the service that Snapshot shows.
func CheckoutID(cluster string) string {
	return schema.ConversationID(cluster, schema.Object{Kind: schema.KindService, Namespace: "shop", Name: "checkout"})
}

// Publish stores a snapshot as its collector would.
func Publish(t testing.TB, b *bus.Bus, s schema.ClusterContext) {
	t.Helper()
	body, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Publish(t.Context(), b.Subjects().Context(s.ClusterName), body, ""); err != nil {
		t.Fatal(err)
	}
}

// Say stores an operator's words as a reply to a conversation.
func Say(t testing.TB, b *bus.Bus, id, text string) {
	t.Helper()
	if _, err := b.Publish(t.Context(), b.Subjects().Replies(id), []byte(text), ""); err != nil {
		t.Fatal(err)
	}
}

// Await waits until the newest state of a conversation pleases.
func Await(t testing.TB, b *bus.Bus, cluster, id, what string, done func(schema.Conversation) bool) schema.Conversation {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	var got, last schema.Conversation
	_ = b.Follow(ctx, b.Subjects().Conversation(cluster, id), func() {}, func(h bus.Head) error {
		last = h.Conversation
		if got.ID == "" && done(last) {
			got = last
			cancel()
		}
		return nil
	})
	if got.ID == "" {
		t.Fatalf("waited in vain for %s; the conversation is %s with %v", what, last.State, Kinds(last))
	}
	return got
}

// Kinds lists the kinds of a conversation's messages, in order.
func Kinds(c schema.Conversation) []string {
	var k []string
	for _, m := range c.Messages {
		k = append(k, m.Kind)
	}
	return k
}

// Count counts a conversation's messages of one kind.
func Count(c schema.Conversation, kind string) int {
	n := 0
	for _, k := range Kinds(c) {
		if k == kind {
			n++
		}
	}
	return n
}

// Has tells whether a post brings an event of the kind.
func Has(p Post, kind string) bool {
	return slices.ContainsFunc(p.Events, func(m schema.Message) bool { return m.Kind == kind })
}

// ToldKinds lists the kinds of all events that posts bring, in order.
func ToldKinds(posts []Post) []string {
	var k []string
	for _, p := range posts {
		for _, m := range p.Events {
			k = append(k, m.Kind)
		}
	}
	return k
}
