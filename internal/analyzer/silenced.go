package analyzer

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/decide"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// silencesOf adds who silenced it, and why, and says so among the reasons if nobody is told of it now.
func (a *Analyzer) silencesOf(ctx context.Context, e *client.Explained, c schema.Conversation, s *schema.ClusterContext) error {
	list, _, err := a.silences.load(ctx)
	if err != nil && !errors.Is(err, errUnreadable) {
		return err
	}
	now := time.Now().UTC()
	places := places{snapshots: map[string]*schema.ClusterContext{e.Cluster: s}}
	c.Cluster, c.Object = e.Cluster, e.Object
	e.Silences = places.about(slices.Concat(list.Kept(now).Silences, windowed(a.windows, now)), c)
	for _, m := range c.Messages {
		if m.Kind == schema.EventSilenced && c.State == schema.StateSilenced {
			e.Silenced = m.Content
		}
	}
	if e.Silenced != "" {
		e.Reasons = append(e.Reasons, client.Reason{Verdict: client.VerdictSilenced, Text: e.Silenced, Until: c.SilencedUntil})
		return nil
	}
	if c.ID != "" && !c.Closed() { // told, whatever covers it: somebody took it out, or the next snapshot will say
		return nil
	}
	held := decide.Hush{List: list, Windows: a.windows, Now: now}
	if by := held.Over(places.target(c)); by != nil {
		text := "nobody would be told: silenced by " + cmp.Or(by.By, "somebody") + " until " + by.Until.UTC().Format("2 Jan 15:04 UTC") + ", with silence " + by.ID + ": " + by.Why
		e.Reasons = append(e.Reasons, client.Reason{Verdict: client.VerdictSilenced, Text: text, Since: by.From, Until: by.Until})
	}
	return nil
}
