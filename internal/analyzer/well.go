package analyzer

import (
	"slices"

	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// wellness judges open conversations of whose object nothing is found.
type wellness struct {
	step   *step
	result *detect.Result
	seen   map[schema.Object]bool // the objects of the snapshot, and whether what it shows of them is fresh
	off    []detect.OffCondition
}

// judge gives what c has to be told: that its object is gone, well, or no longer judged. It gives false where the
// snapshot proves nothing.
func (w *wellness) judge(c schema.Conversation) (conversation.Found, bool) {
	found := w.step.found(c.Object)
	if c.Object.Kind == schema.KindCluster {
		return found, w.result.Back
	}
	if slices.Contains(w.result.Gone, c.Object) {
		found.Removed = true
		return found, true
	}
	proof, fresh, present := w.result.Proof(c.Object.Kind), false, false
	if fresh, present = w.shows(c.Object); !present {
		found.Removed = true
		return found, proof.Gone
	}
	found.Unjudged = w.unjudged(c)
	// Not found means well only to a memory that covers what was found: one that is older than this episode, or old
	// enough to have found it again.
	return found, fresh && (proof.Well || !c.StartedAt.Before(w.step.since))
}

// shows tells whether the snapshot has the object, and whether what it shows of it is fresh.
func (w *wellness) shows(o schema.Object) (fresh, present bool) {
	if o.Kind != schema.KindSource {
		fresh, present = w.seen[o]
		return fresh, present
	}
	s := &w.step.snapshot
	stale := slices.ContainsFunc(s.Stale, func(p schema.StalePart) bool { return p.Source == o.Name })
	return !stale, detect.HasSource(s, o.Name)
}

// unjudged is why a condition that is still true of c is no longer judged; empty where all of them are.
func (w *wellness) unjudged(c schema.Conversation) string {
	for _, x := range c.Conditions {
		i := slices.IndexFunc(w.off, func(o detect.OffCondition) bool { return o.Condition == x.Name })
		if x.Until.IsZero() && i >= 0 {
			return w.off[i].Reason
		}
	}
	return ""
}

// objects are those that the snapshot has, and whether what it shows of them is fresh.
func (s *step) objects() map[schema.Object]bool {
	fresh := make(map[schema.Object]bool, len(s.snapshot.Services)+len(s.snapshot.Nodes))
	for i := range s.snapshot.Services {
		fresh[s.snapshot.Services[i].Object()] = !s.snapshot.Services[i].Stale
	}
	for i := range s.snapshot.Nodes {
		fresh[schema.Object{Kind: schema.KindNode, Name: s.snapshot.Nodes[i].ID}] = !s.snapshot.Nodes[i].Stale
	}
	return fresh
}

// own lists what the conversations about Bellbuoy itself have to be told by a snapshot of this cluster: whether two
// collectors publish it.
func (a *Analyzer) own(s *step, r detect.Result) []conversation.Found {
	object := detect.Collector(s.snapshot.ClusterName)
	found := s.found(object)
	found.Cluster = schema.OwnCluster
	if len(r.Own) > 0 {
		found.Conditions = r.Own[0].Conditions
		return []conversation.Found{found}
	}
	head, _, known := a.index.get(schema.ConversationID(schema.OwnCluster, object))
	if !known || resting(head.Conversation) || !r.Services.Well && head.Conversation.StartedAt.Before(s.since) {
		return nil
	}
	return []conversation.Found{found}
}
