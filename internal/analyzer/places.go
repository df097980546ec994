package analyzer

import (
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/silence"
)

// places tells what a silence has to cover of a conversation, by the newest snapshots.
type places struct {
	snapshots map[string]*schema.ClusterContext
	hushes    map[string]*hush // by cluster
}

func (p *places) target(c schema.Conversation) silence.Target {
	f := conversation.Found{Cluster: c.Cluster, Object: c.Object, Labels: c.Labels}
	for _, x := range c.Conditions {
		if x.Until.IsZero() {
			f.Conditions = append(f.Conditions, x)
		}
	}
	h := p.hushes[c.Cluster]
	if h == nil {
		h = &hush{snapshot: p.snapshots[c.Cluster]}
		if h.snapshot == nil {
			h.snapshot = &schema.ClusterContext{}
		}
		if p.hushes == nil {
			p.hushes = map[string]*hush{}
		}
		p.hushes[c.Cluster] = h
	}
	t, _ := h.target(f, c)
	return t
}

// about gives the silences that hold or will for an object, c being the conversation about it if it has one. Where
// nothing is true of it, those for one condition count too.
func (p *places) about(list silence.List, c schema.Conversation, now time.Time) []silence.Silence {
	t := p.target(c)
	return slices.DeleteFunc(list.Kept(now).Silences, func(s silence.Silence) bool {
		if len(t.Conditions) == 0 {
			s.Matcher.Condition = ""
		}
		return !s.Matcher.Covers(t)
	})
}
