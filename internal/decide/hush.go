package decide

import (
	"time"

	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/silence"
)

// Hush is what silences by scope and weekly windows say, at one time, of the objects of one snapshot. It belongs to one
// goroutine.
type Hush struct {
	Snapshot *schema.ClusterContext // nil: nothing is known
	List     silence.List
	Windows  silence.Windows
	Now      time.Time

	standing *silence.Standing
	services map[schema.Object]*schema.ServiceSummary // indexed when first asked for
}

// WindowsBy is who is named as the author of what a window silences.
const WindowsBy = "the rules file"

// At sets the time. All objects of a snapshot may be judged by one that is up to a second old.
func (h *Hush) At(now time.Time) {
	if h.Now.IsZero() || now.Sub(h.Now) >= time.Second {
		h.Now, h.standing = now, nil
	}
}

// Covering gives what covers what f found, c being the conversation about it so far: of a silence by scope and a window
// that which holds longer. Where an object runs, and its labels, are not known while the snapshot lacks it: what silenced
// it goes on.
func (h *Hush) Covering(f conversation.Found, c schema.Conversation) *conversation.Silence {
	if len(f.Conditions) == 0 || len(h.List.Silences)+len(h.Windows) == 0 {
		return nil
	}
	t, present := h.Target(f, c)
	if !present {
		if goesOn := h.goesOn(SilencedBy(c)); goesOn != nil {
			return goesOn
		}
	}
	return h.Over(t)
}

// Over gives what covers t.
func (h *Hush) Over(t silence.Target) *conversation.Silence {
	var best *conversation.Silence
	if s, found := h.List.Covering(t, h.Now); found {
		best = told(s)
	}
	if len(h.Windows) == 0 {
		return best
	}
	if h.standing == nil {
		h.standing = h.Windows.At(h.Now)
	}
	if w, held, found := h.standing.Covering(t); found && (best == nil || held.Until.After(best.Until)) {
		best = inWindow(w, held)
	}
	return best
}

// goesOn is the silence of that id if it holds.
func (h *Hush) goesOn(id string) *conversation.Silence {
	if s, listed := h.List.Find(id); listed && s.Active(h.Now) {
		return told(s)
	}
	if w, known := h.Windows.Find(id); known {
		if until, active := w.ActiveAt(h.Now); active {
			return inWindow(w, silence.Span{From: w.Next(h.Now).From, Until: until})
		}
	}
	return nil
}

// SilencedBy is the id of the silence by scope, or of the window, that holds for c, if one does.
func SilencedBy(c schema.Conversation) string {
	if c.SilencedUntil.IsZero() {
		return ""
	}
	return c.SilencedBy
}

func told(s silence.Silence) *conversation.Silence {
	return &conversation.Silence{ID: s.ID, Until: s.Until, By: s.Author.Name, Why: s.Reason}
}

func inWindow(w *silence.Weekly, held silence.Span) *conversation.Silence {
	return &conversation.Silence{ID: w.ID(), From: held.From, Until: held.Until, By: WindowsBy, Why: w.Reason}
}

// Target is what a silence would have to cover, and whether the snapshot has it.
func (h *Hush) Target(f conversation.Found, c schema.Conversation) (t silence.Target, present bool) {
	t = silence.Target{Cluster: f.Cluster, Object: f.Object, Labels: f.Labels}
	for _, x := range f.Conditions {
		t.Conditions = append(t.Conditions, x.Name)
	}
	x := h.Service(f.Object)
	if x == nil {
		t.Labels = c.Labels
		return t, f.Object.Kind != schema.KindService
	}
	t.Labels, t.Nodes = x.Labels, nodesOf(x)
	return t, true
}

// Service gives a service of the snapshot; nil if it has none of that name.
func (h *Hush) Service(o schema.Object) *schema.ServiceSummary {
	if h.Snapshot == nil {
		return nil
	}
	if h.services == nil {
		h.services = make(map[schema.Object]*schema.ServiceSummary, len(h.Snapshot.Services))
		for i := range h.Snapshot.Services {
			h.services[h.Snapshot.Services[i].Object()] = &h.Snapshot.Services[i]
		}
	}
	return h.services[o]
}

// nodesOf are the nodes that a service runs on.
func nodesOf(x *schema.ServiceSummary) []string {
	nodes := append([]string{}, x.Nodes...)
	for _, i := range x.Instances {
		if i.Node != "" {
			nodes = append(nodes, i.Node)
		}
	}
	return nodes
}
