package analyzer

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// wakeAgain is the time between two looks at what is due of a conversation whose object is recovering.
const wakeAgain = 15 * time.Second

// wake looks once a second for conversations whose deadline is past. All analyzers do; the first one's write counts.
func (a *Analyzer) wake(ctx context.Context) error {
	tick := time.NewTicker(wakeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			a.wakeStep(ctx, now.UTC())
		}
	}
}

func (a *Analyzer) wakeStep(ctx context.Context, now time.Time) {
	a.metrics.setOpen(a.index.openCount())
	known := map[string]detect.Memory{}
	for _, h := range a.index.due(now) {
		c := h.Conversation
		if !a.postponed.due(c.ID, now) {
			continue
		}
		recovering := a.recovering(ctx, c, known)
		if recovering {
			a.postponed.until(c.ID, now.Add(wakeAgain), now)
		}
		err := a.fold(ctx, c.Cluster, c.ID, func(c schema.Conversation) (conversation.Event, bool) {
			return conversation.Woke{At: now, Recovering: recovering}, !c.WakeAt.IsZero() && !now.Before(c.WakeAt)
		})
		if err != nil && ctx.Err() == nil {
			a.log.Error("waking a conversation", "conversation", c.ID, "error", err)
		}
	}
}

// recovering tells whether only clear holds keep c open. known are the memories that were read in this step; one that
// cannot be read says no, because it is better to wake somebody too often.
func (a *Analyzer) recovering(ctx context.Context, c schema.Conversation, known map[string]detect.Memory) bool {
	m, read := known[c.Cluster]
	if !read {
		got, err := a.memories.load(ctx, c.Cluster, true)
		if err == nil {
			m = got.Memory
		}
		known[c.Cluster] = m
	}
	return m.Recovering(c.Object)
}

// postponed are conversations that are not to be woken before a time.
type postponed struct {
	mu sync.Mutex
	at map[string]time.Time // by id
}

func (p *postponed) due(id string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !now.Before(p.at[id])
}

// until postpones one, and forgets those whose time has come.
func (p *postponed) until(id string, at, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at == nil {
		p.at = map[string]time.Time{}
	}
	maps.DeleteFunc(p.at, func(_ string, at time.Time) bool { return !now.Before(at) })
	p.at[id] = at
}
