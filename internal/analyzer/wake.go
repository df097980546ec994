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

func (a *Analyzer) wakeStep(ctx context.Context, now time.Time) {
	a.metrics.setOpen(a.index.openCount())
	for _, h := range a.index.due(now) {
		c := h.Conversation
		err := a.fold(ctx, c.Cluster, c.ID, func(c schema.Conversation) (conversation.Event, bool) {
			return conversation.Woke{At: now}, !c.WakeAt.IsZero() && !now.Before(c.WakeAt)
		})
		if err != nil && ctx.Err() == nil {
			a.log.Error("waking a conversation", "conversation", c.ID, "error", err)
		}
	}
}
