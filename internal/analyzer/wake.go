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

// calm tells whether somebody would be called for c now, although nothing critical of it is true at the moment. Read
// holds the memories that were read for others at the same time: many come due together.
func (a *Analyzer) calm(ctx context.Context, c *schema.Conversation, now time.Time, read map[string]memory) (bool, error) {
	if !conversation.Calls(*c, now) {
		return false, nil
	}
	if !a.calmed.due(c.ID, now) {
		return true, nil
	}
	m, known := read[c.Cluster]
	if !known {
		var err error
		if m, err = a.memories.load(ctx, c.Cluster, true); err != nil {
			return false, err
		}
		read[c.Cluster] = m
	}
	if !m.Memory.Calm(c.Object) {
		return false, nil
	}
	a.calmed.later(c.ID, now.Add(calmFor))
	return true, nil
}

func (a *Analyzer) wakeStep(ctx context.Context, now time.Time) {
	a.metrics.setOpen(a.index.openCount())
	a.calmed.forget(now)
	read := map[string]memory{}
	for _, h := range a.index.due(now) {
		c := h.Conversation
		calm, err := a.calm(ctx, &c, now, read)
		if err != nil && ctx.Err() == nil { // rather one call too many than one that never comes
			a.log.Warn("somebody is called for a conversation that may be well for now", "conversation", c.ID, "error", err)
		}
		if calm && !stirs(c, now) {
			continue
		}
		err = a.fold(ctx, c.Cluster, c.ID, func(c schema.Conversation) (conversation.Event, bool) {
			return conversation.Woke{At: now, Calm: calm}, !c.WakeAt.IsZero() && !now.Before(c.WakeAt)
		})
		if err != nil && ctx.Err() == nil {
			a.log.Error("waking a conversation", "conversation", c.ID, "error", err)
		}
	}
}

// stirs tells whether anything but calling somebody is due for c.
func stirs(c schema.Conversation, now time.Time) bool {
	next, _ := conversation.Next(c, conversation.Woke{At: now, Calm: true})
	return next.Revision != c.Revision
}
