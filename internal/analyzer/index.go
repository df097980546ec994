package analyzer

import (
	"context"
	"sync"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/decide"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// index is what this analyzer has seen of the conversations: a hint that saves reads, never the truth. It may lag
// behind the stream; what is decided from it is written by compare-and-set, so a stale entry costs a second look.
// A conversation that can rest is kept without its messages and evidence.
type index struct {
	mu    sync.Mutex
	heads map[string]entry               // by id
	live  map[string]map[string]struct{} // ids that a snapshot could change, by cluster token
	done  chan struct{}                  // closed once the backlog is through
	once  sync.Once
}

type entry struct {
	head    bus.Head
	trimmed bool
}

func newIndex() *index {
	return &index{heads: map[string]entry{}, live: map[string]map[string]struct{}{}, done: make(chan struct{})}
}

func (x *index) caughtUp() { x.once.Do(func() { close(x.done) }) }

func (x *index) isCaughtUp() bool {
	select {
	case <-x.done:
		return true
	default:
		return false
	}
}

func (x *index) wait(ctx context.Context) bool {
	select {
	case <-x.done:
		return true
	case <-ctx.Done():
		return false
	}
}

// put takes a newer head; an older one than what is there changes nothing. It never fails.
func (x *index) put(h bus.Head) error {
	c := h.Conversation
	token := schema.Token(c.Cluster)
	e := entry{head: h}
	if decide.Resting(c) {
		e.trimmed = true
		e.head.Conversation.Messages, e.head.Conversation.Evidence, e.head.Conversation.Links = nil, nil, nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if old, ok := x.heads[c.ID]; ok && old.head.Seq >= h.Seq {
		return nil
	}
	x.heads[c.ID] = e
	if e.trimmed {
		delete(x.live[token], c.ID)
		return nil
	}
	if x.live[token] == nil {
		x.live[token] = map[string]struct{}{}
	}
	x.live[token][c.ID] = struct{}{}
	return nil
}

// get gives the whole conversation as last seen. known is false when it was never seen, whole when its messages were
// kept.
func (x *index) get(id string) (h bus.Head, whole, known bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	e, ok := x.heads[id]
	return e.head, !e.trimmed, ok
}

// seen tells whether the conversation's newest state, as far as it is known here, is that of message seq.
func (x *index) seen(id string, seq uint64) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	e, ok := x.heads[id]
	return ok && e.head.Seq == seq
}

// Live gives the conversations of a cluster that a snapshot without findings could change.
func (x *index) Live(cluster string) []schema.Conversation {
	x.mu.Lock()
	defer x.mu.Unlock()
	token := schema.Token(cluster)
	live := make([]schema.Conversation, 0, len(x.live[token]))
	for id := range x.live[token] {
		live = append(live, x.heads[id].head.Conversation)
	}
	return live
}

// found gives those about what is said by others than snapshots, of all clusters.
func (x *index) found() []schema.Conversation {
	x.mu.Lock()
	defer x.mu.Unlock()
	var all []schema.Conversation
	for _, live := range x.live {
		for id := range live {
			if c := x.heads[id].head.Conversation; !schema.OfSnapshots(c.Object.Kind) {
				all = append(all, c)
			}
		}
	}
	return all
}

// Last gives the conversation as it was last seen; false if it never was.
func (x *index) Last(id string) (schema.Conversation, bool) {
	h, _, known := x.get(id)
	return h.Conversation, known
}

// clusters gives the tokens of those that have such conversations.
func (x *index) clusters() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	var tokens []string
	for token, live := range x.live {
		if len(live) > 0 {
			tokens = append(tokens, token)
		}
	}
	return tokens
}

// due gives the conversations whose deadline is past.
func (x *index) due(now time.Time) []bus.Head {
	x.mu.Lock()
	defer x.mu.Unlock()
	var heads []bus.Head
	for _, e := range x.heads {
		if at := e.head.Conversation.WakeAt; !at.IsZero() && !now.Before(at) {
			heads = append(heads, e.head)
		}
	}
	return heads
}

// all gives every conversation as far as it is kept.
func (x *index) all() []schema.Conversation {
	x.mu.Lock()
	defer x.mu.Unlock()
	all := make([]schema.Conversation, 0, len(x.heads))
	for _, e := range x.heads {
		all = append(all, e.head.Conversation)
	}
	return all
}

// openCount counts the open conversations by severity. It copies none, as it is asked every second.
func (x *index) openCount() map[string]int {
	x.mu.Lock()
	defer x.mu.Unlock()
	n := map[string]int{}
	for _, e := range x.heads {
		if e.head.Conversation.ClosedAs == "" {
			n[e.head.Conversation.Severity]++
		}
	}
	return n
}
