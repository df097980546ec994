package analyzer

import (
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/decide"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/silence"
)

// places tells what a silence has to cover of a conversation, by the newest snapshots.
type places struct {
	snapshots map[string]*schema.ClusterContext
	hushes    map[string]*decide.Hush // by cluster
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
		h = &decide.Hush{Snapshot: p.snapshots[c.Cluster]}
		if p.hushes == nil {
			p.hushes = map[string]*decide.Hush{}
		}
		p.hushes[c.Cluster] = h
	}
	t, _ := h.Target(f, c)
	return t
}

// about gives the silences that hold or will for an object, c being the conversation about it if it has one. Where
// nothing is true of it, those for one condition count too.
func (p *places) about(list []silence.Silence, c schema.Conversation) []silence.Silence {
	t := p.target(c)
	return slices.DeleteFunc(slices.Clone(list), func(s silence.Silence) bool {
		if len(t.Conditions) == 0 {
			s.Matcher.Condition = ""
		}
		return !s.Matcher.Covers(t)
	})
}

// windowed gives windows as silences: the time at which each holds now, or will next.
func windowed(ws silence.Windows, now time.Time) []silence.Silence {
	all := make([]silence.Silence, 0, len(ws))
	for i := range ws {
		next := ws[i].Next(now)
		all = append(all, silence.Silence{
			ID: ws[i].ID(), Matcher: ws[i].Matcher, From: next.From.UTC(), Until: next.Until.UTC(),
			Author: schema.Author{Name: decide.WindowsBy}, Reason: ws[i].Reason,
		})
	}
	return all
}
