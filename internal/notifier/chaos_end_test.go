package notifier_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/channel"
)

// What becomes of a fifth of all posts.
const (
	throttles = 0.02 // 429, to come again after a second
	fails     = 0.08 // 500; each share begins where the one before ends
	breaks    = 0.14 // the connection is broken off, and nothing taken
	swallows  = 0.20 // the post is taken, and the connection broken off without an answer
)

// end is a receiver that fails now and then. It honours keys, and counts what came twice under one.
type end struct {
	*httptest.Server
	name   string
	format string
	news   chan struct{} // closed and replaced with every post that is taken

	mu        sync.Mutex
	dice      *rand.Rand
	taken     map[string]int      // posts by key
	newest    map[string]int      // revisions by conversation
	events    map[string][]string // ids by conversation, where the body has them
	mistakes  []string
	posts     int
	refused   int // posts that were failed
	swallowed map[string]int
}

func newEnd(t *testing.T, name, format string, seed uint64) *end {
	t.Helper()
	e := &end{
		name: name, format: format, news: make(chan struct{}), dice: rand.New(rand.NewPCG(seed, 1)), taken: map[string]int{}, newest: map[string]int{},
		events: map[string][]string{}, swallowed: map[string]int{},
	}
	e.Server = httptest.NewServer(e)
	t.Cleanup(e.Close)
	return e
}

// ServeHTTP takes a post, or fails.
func (e *end) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	roll := e.dice.Float64()
	if roll < breaks {
		e.refused++
	}
	e.mu.Unlock()
	switch {
	case roll < throttles:
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	case roll < fails:
		w.WriteHeader(http.StatusInternalServerError)
		return
	case roll < breaks:
		hangUp(w)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // whoever sent it was killed
	}
	e.take(r.Header, body, roll < swallows)
	if roll < swallows {
		hangUp(w)
	}
}

func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func (e *end) take(h http.Header, body []byte, swallowed bool) {
	key := h.Get("Webhook-Id")
	id, _, _ := strings.Cut(key, "-")
	revision, ok := channel.Revision(key)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.posts++
	if swallowed {
		e.swallowed[key]++
	}
	if e.taken[key]++; e.taken[key] > 1 {
		return // honours the key
	}
	switch {
	case !ok:
		e.mistakes = append(e.mistakes, "the key "+key+" names no revision")
	case revision < e.newest[id]:
		e.mistakes = append(e.mistakes, fmt.Sprintf("%s came after revision %d", key, e.newest[id]))
	}
	e.newest[id] = max(e.newest[id], revision)
	if e.format == "native" {
		e.events[id] = append(e.events[id], read(h, body).events...)
	}
	close(e.news)
	e.news = make(chan struct{})
}

// have is how many conversations have been told up to the revision, and what tells of the next post.
func (e *end) have(revision int) (n int, news <-chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range e.newest {
		if r >= revision {
			n++
		}
	}
	return n, e.news
}

// repeats are the posts that came again under their key: those whose first copy was taken and not answered for, and others.
func (e *end) repeats() (ambiguous, others int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for key, n := range e.taken {
		again := n - 1
		known := min(again, e.swallowed[key])
		ambiguous, others = ambiguous+known, others+again-known
	}
	return ambiguous, others
}

// check compares what was told with what was to be told.
func (e *end) check(t *testing.T, want map[string][]string) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range e.mistakes {
		t.Errorf("%s: %s", e.name, m)
	}
	lost := 0
	for id, events := range want {
		if e.newest[id] != len(events) || e.format == "native" && !slices.Equal(e.events[id], events) {
			if lost++; lost <= 3 {
				t.Errorf("%s: %s is told up to %d of %d, with %v", e.name, id, e.newest[id], len(events), e.events[id])
			}
		}
	}
	if lost > 0 {
		t.Errorf("%s: %d conversations are not told to their end, or not in order", e.name, lost)
	}
}
