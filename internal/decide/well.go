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
	seen map[schema.Object]seen // the objects of the snapshot
	off  []detect.OffCondition  // in all of the cluster
}

// seen is what the snapshot shows of an object, as far as it matters here.
type seen struct {
	fresh  bool
	labels map[string]string
}

// judge gives what c has to be told: that its object is gone, well, or no longer judged. It gives false where the
// snapshot proves nothing.
func (w *wellness) judge(c schema.Conversation) (conversation.Found, bool) {
	found := w.step.found(c.Object)
	if c.Object.Kind == schema.KindCluster {
		return w.cluster(c)
	}
	if slices.Contains(w.step.result.Gone, c.Object) {
		found.Removed = true
		return found, true
	}
	proof := w.step.result.Proof(c.Object.Kind)
	shown, present := w.shows(c.Object)
	if !present {
		found.Removed = true
		return found, proof.Gone
	}
	found.Unjudged = w.unjudged(c, shown.labels)
	// Not found means well only to a memory that covers what was found: one that is older than this episode, or old
	// enough to have found it again.
	return found, shown.fresh && (proof.Well || !c.StartedAt.Before(w.step.since))
}

// cluster is judge of the cluster itself.
func (w *wellness) cluster(c schema.Conversation) (conversation.Found, bool) {
	found := w.step.found(c.Object)
	known, over := 0, w.step.result.Services.Well || !c.StartedAt.Before(w.step.since)
	for _, x := range c.Conditions {
		if !x.Until.IsZero() {
			continue
		}
		known++
		if x.Name == detect.ClusterSilent && !w.step.result.Back || x.Name != detect.ClusterSilent && !over {
			found.Conditions = append(found.Conditions, x)
		}
	}
	if len(found.Conditions) == 0 {
		found.Unjudged = w.unjudged(c, nil)
	}
	return found, len(found.Conditions) < known
}

// shows tells whether the snapshot has the object, and what it shows of it.
func (w *wellness) shows(o schema.Object) (shown seen, present bool) {
	if o.Kind != schema.KindSource {
		shown, present = w.seen[o]
		return shown, present
	}
	s := &w.step.Snapshot
	stale := slices.ContainsFunc(s.Stale, func(p schema.StalePart) bool { return p.Source == o.Name })
	return seen{fresh: !stale}, detect.HasSource(s, o.Name)
}

// unjudged is why a condition that is still true of c is no longer judged; empty where all of them are.
func (w *wellness) unjudged(c schema.Conversation, labels map[string]string) string {
	off := w.off
	if len(w.step.rules.Overrides) > 0 {
		off = detect.Off(w.step.Snapshot, w.step.rules.For(c.Cluster, c.Object, labels))
	}
	return unjudged(c, off)
}

func unjudged(c schema.Conversation, off []detect.OffCondition) string {
	for _, x := range c.Conditions {
		i := slices.IndexFunc(off, func(o detect.OffCondition) bool { return o.Condition == x.Name })
		if x.Until.IsZero() && i >= 0 {
			return off[i].Reason
		}
	}
	return ""
}

// objects are those that the snapshot has.
func (s *Step) objects() map[schema.Object]seen {
	all := make(map[schema.Object]seen, len(s.Snapshot.Services)+len(s.Snapshot.Nodes))
	for i := range s.Snapshot.Services {
		x := &s.Snapshot.Services[i]
		all[x.Object()] = seen{!x.Stale, x.Labels}
	}
	for i := range s.Snapshot.Nodes {
		all[schema.Object{Kind: schema.KindNode, Name: s.Snapshot.Nodes[i].ID}] = seen{fresh: !s.Snapshot.Nodes[i].Stale}
	}
	return all
}

// own lists what the conversations about Bellbuoy itself have to be told by a snapshot of this cluster: whether two
// collectors publish it, and whether the clock of its own is right.
func (s *Step) own(known Known) []conversation.Found {
	var founds []conversation.Found
	for _, object := range detect.Watched(s.Snapshot.ClusterName) {
		if found, proven := s.ofItself(object, known); proven {
			founds = append(founds, found)
		}
	}
	return founds
}

func (s *Step) ofItself(object schema.Object, known Known) (conversation.Found, bool) {
	found := s.found(object)
	found.Cluster, found.At = schema.OwnCluster, s.At.At // the collector's clock is what may be wrong
	if i := slices.IndexFunc(s.result.Own, func(f detect.Finding) bool { return f.Object == object }); i >= 0 {
		found.Conditions = s.result.Own[i].Conditions
		return found, true
	}
	c, seen := known.Last(schema.ConversationID(schema.OwnCluster, object))
	found.Unjudged = unjudged(c, detect.Off(s.Snapshot, s.rules))
	switch {
	case !seen || Resting(c):
		return found, false
	case object.Kind == schema.KindClock:
		return found, s.result.Clocked || found.Unjudged != ""
	}
	return found, s.result.Services.Well || !c.StartedAt.Before(s.since)
}
