package notifier_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// receiver is an HTTP endpoint that remembers what arrived and answers as its script says.
type receiver struct {
	server *httptest.Server
	script func(nth int, w http.ResponseWriter) // of the nth post, counted from 1; nil: takes everything

	mu      sync.Mutex
	posts   []post
	arrived chan post // every post, once answered for
}

type post struct {
	at     time.Time
	key    string
	kind   string
	conv   string
	events []string
}

func newReceiver(t testing.TB, script func(nth int, w http.ResponseWriter)) *receiver {
	t.Helper()
	r := &receiver{script: script, arrived: make(chan post, 10_000)}
	r.server = httptest.NewServer(r)
	t.Cleanup(r.server.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	p := read(req.Header, body)
	r.mu.Lock()
	r.posts = append(r.posts, p)
	nth := len(r.posts)
	r.mu.Unlock()
	if r.script != nil {
		r.script(nth, w)
	}
	select {
	case r.arrived <- p:
	default: // nobody waits for that many
	}
}

func read(h http.Header, body []byte) post {
	var b struct {
		Type string `json:"type"`
		Data struct {
			Events       []struct{ ID string }
			Conversation struct{ ID string }
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &b); err != nil {
		return post{key: "not JSON: " + err.Error()}
	}
	p := post{at: time.Now(), key: h.Get("webhook-id"), kind: b.Type, conv: b.Data.Conversation.ID}
	for _, e := range b.Data.Events {
		p.events = append(p.events, e.ID)
	}
	return p
}

func (r *receiver) all() []post {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]post(nil), r.posts...)
}

func (r *receiver) keys() []string {
	var keys []string
	for _, p := range r.all() {
		keys = append(keys, p.key)
	}
	return keys
}

// next waits for the next post.
func (r *receiver) next(t *testing.T) post {
	t.Helper()
	late := time.NewTimer(bustest.Within)
	defer late.Stop()
	select {
	case p := <-r.arrived:
		return p
	case <-late.C:
		t.Fatalf("no post came within %s; %d came before", bustest.Within, len(r.all()))
		return post{}
	}
}

// open makes a notifier that retries at once and posts to r.
func open(t *testing.T, b *bus.Bus, r *receiver, mode string, log *slog.Logger) *notifier.Notifier {
	t.Helper()
	if log == nil {
		log = bustest.Log(t)
	}
	cfg := notifier.Config{Notify: mode, Webhook: webhook.Config{URL: config.Secret(r.server.URL)}}
	n, err := notifier.New(cfg, b, log, nil)
	if err != nil {
		t.Fatal(err)
	}
	n.SetPause(func(time.Duration) time.Duration { return time.Millisecond })
	return n
}

// store appends the conversation's newest state.
func store(t *testing.T, b *bus.Bus, c schema.Conversation) {
	t.Helper()
	head, err := b.Head(t.Context(), c.Cluster, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	w := bus.Write{Conversation: c, Event: c.Messages[len(c.Messages)-1], Expect: head.Seq}
	if _, err := b.Append(t.Context(), w); err != nil {
		t.Fatal(err)
	}
}

// nudge is the message that the conversation's newest state came with.
func nudge(t *testing.T, c schema.Conversation) bus.Message {
	t.Helper()
	data, err := json.Marshal(schema.Alert{Event: c.Messages[len(c.Messages)-1], Conversation: c})
	if err != nil {
		t.Fatal(err)
	}
	return bus.Message{Subject: schema.Subjects{}.Alert(c.Cluster, c.Severity, c.ID), Event: c.Messages[len(c.Messages)-1].Kind, Data: data, Seq: uint64(c.Revision), Deliveries: 1}
}

// settled waits until the notifier has nothing to do.
func settled(t *testing.T, b *bus.Bus) {
	t.Helper()
	bustest.Settled(t, b, bus.Diagnose, bus.Answer, bus.WatchFindings)
}

func ids(c schema.Conversation) []string {
	var all []string
	for _, m := range c.Messages {
		all = append(all, m.ID)
	}
	return all
}

// warned is a logger whose channel is closed with its first warning.
func warned() (*slog.Logger, <-chan struct{}) {
	w := &warnings{Handler: slog.DiscardHandler, first: make(chan struct{})}
	return slog.New(w), w.first
}

type warnings struct {
	slog.Handler
	once  sync.Once
	first chan struct{}
}

func (w *warnings) Enabled(context.Context, slog.Level) bool { return true }

func (w *warnings) WithAttrs([]slog.Attr) slog.Handler { return w }

func (w *warnings) Handle(_ context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn {
		w.once.Do(func() { close(w.first) })
	}
	return nil
}
