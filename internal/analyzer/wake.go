package analyzer

import (
	"context"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

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

// calmFor is how long it is taken for granted that what was calm still is.
const calmFor = 15 * time.Second

// calm tells whether somebody would be called for c now, although nothing critical of it is true at the moment.
func (a *Analyzer) calm(ctx context.Context, c *schema.Conversation, now time.Time) (bool, error) {
	if !conversation.Calls(*c, now) {
		return false, nil
	}
	if !a.calmed.due(c.ID, now) {
		return true, nil
	}
	m, err := a.memories.load(ctx, c.Cluster, true)
	if err != nil || !m.Memory.Calm(c.Object) {
		return false, err
	}
	a.calmed.later(c.ID, now.Add(calmFor))
	return true, nil
}

func (a *Analyzer) wakeStep(ctx context.Context, now time.Time) {
	a.metrics.setOpen(a.index.openCount())
	a.calmed.forget(now)
	for _, h := range a.index.due(now) {
		c := h.Conversation
		calm, err := a.calm(ctx, &c, now)
		if err == nil {
			err = a.fold(ctx, c.Cluster, c.ID, func(c schema.Conversation) (conversation.Event, bool) {
				return conversation.Woke{At: now, Calm: calm}, !c.WakeAt.IsZero() && !now.Before(c.WakeAt)
			})
		}
		if err != nil && ctx.Err() == nil {
			a.log.Error("waking a conversation", "conversation", c.ID, "error", err)
		}
	}
}
