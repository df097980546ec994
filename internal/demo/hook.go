package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/llm/fake"
	"github.com/bellbuoy/bellbuoy/internal/process"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const (
	hookPath = "/webhook"
	scripted = "scripted" // the name of the model
)

// model is the scripted model as a part: it lives on the process's HTTP server.
func model() process.Part {
	handler := fake.New(fake.Options{Models: []string{scripted}})
	return process.Part{Name: "model", Run: untilDone, Handle: func(mux *http.ServeMux) { mux.Handle("/v1/", handler) }}
}

func untilDone(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// post is one request that the webhook got.
type post struct {
	at   time.Time
	Type string `json:"type"`
	Data struct {
		Text         string              `json:"text"`
		Events       []schema.Message    `json:"events"`
		Conversation schema.Conversation `json:"conversation"`
	} `json:"data"`
}

// find gives the post's newest event that pleases.
func (p post) find(like func(schema.Message) bool) (schema.Message, bool) {
	for _, m := range slices.Backward(p.Data.Events) {
		if like(m) {
			return m, true
		}
	}
	return schema.Message{}, false
}

// sounds tells whether a person would be called, were the webhook a chat.
func (p post) sounds() bool {
	return channel.Loudest(channel.Chat, p.Data.Conversation, p.Data.Events) > channel.Quietly
}

// hook is the webhook that the notifier posts to. It takes everything and remembers it.
type hook struct {
	mu    sync.Mutex
	posts []post
	news  chan struct{} // closed and replaced with every post
}

func newHook() *hook { return &hook{news: make(chan struct{})} }

func (h *hook) part() process.Part {
	return process.Part{Name: "webhook", Run: untilDone, Handle: func(mux *http.ServeMux) { mux.Handle("POST "+hookPath, h) }}
}

// ServeHTTP takes one post.
func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p := post{at: time.Now()}
	if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
		http.Error(w, "not a post of Bellbuoy's: "+err.Error(), http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.posts = append(h.posts, p)
	close(h.news)
	h.news = make(chan struct{})
}

func (h *hook) all() (posts []post, news <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.posts), h.news
}

// await waits for a post of the kind that like picks, whether it comes or has come, and gives it with the event.
func (h *hook) await(ctx context.Context, within time.Duration, like func(schema.Message) bool) (post, schema.Message, error) {
	limit := time.NewTimer(within)
	defer limit.Stop()
	for {
		posts, news := h.all()
		for _, p := range posts {
			if m, ok := p.find(like); ok {
				return p, m, nil
			}
		}
		select {
		case <-news:
		case <-limit.C:
			return post{}, schema.Message{}, fmt.Errorf("the webhook got no such post within %v; it has %d others", within, len(posts))
		case <-ctx.Done():
			return post{}, schema.Message{}, context.Cause(ctx)
		}
	}
}

// tally counts all posts, those that make a sound, and the conversations they are about.
func (h *hook) tally() (posts, sounds, conversations int) {
	all, _ := h.all()
	ids := map[string]bool{}
	for _, p := range all {
		ids[p.Data.Conversation.ID] = true
		if p.sounds() {
			sounds++
		}
	}
	return len(all), sounds, len(ids)
}

var errManyCards = errors.New("more than one incident was told")
