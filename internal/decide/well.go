package decide

import (
	"slices"

	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// wellness judges open conversations of whose object nothing is found.
type wellness struct {
	step *Step
	seen map[schema.Object]bool // the objects of the snapshot, and whether what it shows of them is fresh
	off  []detect.OffCondition
}

// judge gives what c has to be told: that its object is gone, well, or no longer judged. It gives false where the
// snapshot proves nothing.
func (w *wellness) judge(c schema.Conversation) (conversation.Found, bool) {
	found := w.step.found(c.Object)
	if slices.Contains(w.step.result.Gone, c.Object) {
		found.Removed = true
		return found, true
	}
	proof, fresh, present := w.step.result.Proof(c.Object.Kind), false, false
	if fresh, present = w.seen[c.Object]; !present {
		found.Removed = true
		return found, proof.Gone
	}
	found.Unjudged = w.unjudged(c)
	// Not found means well only to a memory that covers what was found: one that is older than this episode, or old
	// enough to have found it again.
	return found, fresh && (proof.Well || !c.StartedAt.Before(w.step.since))
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
func (s *Step) objects() map[schema.Object]bool {
	fresh := make(map[schema.Object]bool, len(s.Snapshot.Services)+len(s.Snapshot.Nodes))
	for i := range s.Snapshot.Services {
		fresh[s.Snapshot.Services[i].Object()] = !s.Snapshot.Services[i].Stale
	}
	for i := range s.Snapshot.Nodes {
		fresh[schema.Object{Kind: schema.KindNode, Name: s.Snapshot.Nodes[i].ID}] = !s.Snapshot.Nodes[i].Stale
	}
	return fresh
}

// own lists what the conversations about Bellbuoy itself have to be told by a snapshot of this cluster: whether two
// collectors publish it.
func (s *Step) own(known Known) []conversation.Found {
	object := detect.Collector(s.Snapshot.ClusterName)
	found := s.found(object)
	found.Cluster = schema.OwnCluster
	if len(s.result.Own) > 0 {
		found.Conditions = s.result.Own[0].Conditions
		return []conversation.Found{found}
	}
	c, seen := known.Last(schema.ConversationID(schema.OwnCluster, object))
	if !seen || Resting(c) || !s.result.Services.Well && c.StartedAt.Before(s.since) {
		return nil
	}
	return []conversation.Found{found}
}
