package replay

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/decide"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// listenAgain is the time between two looks at a cluster that is silent.
const listenAgain = 30 * time.Second

// clock is what happens between the lines of a recording: deadlines of conversations pass, and clusters fall silent. What
// comes at the same moment as a line comes after it, or not at all.
type clock struct {
	began time.Time       // when the first line came
	line  int             // the newest one that came
	heads map[string]head // by cluster
}

// head is the newest snapshot of a cluster, whether it was taken or dropped, and when to look for a later one.
type head struct {
	line
	look time.Time // zero: not any more
}

func (c *clock) at(course time.Duration) time.Time { return c.began.Add(course) }

// alarm is the deadline of the conversation of that id, or a look at that cluster.
type alarm struct {
	at          time.Time
	id, cluster string
}

func (a alarm) compare(b alarm) int {
	return cmp.Or(a.at.Compare(b.at), strings.Compare(a.cluster, b.cluster), strings.Compare(a.id, b.id))
}

// pass lets the time go by until l comes.
func (p *player) pass(l *line) {
	c := &p.clock
	if c.heads == nil {
		c.began, c.heads = cmp.Or(l.snapshot.StoredAt, l.snapshot.TakenAt).UTC(), map[string]head{}
	}
	now := c.at(l.at)
	for due := p.due(now); len(due) > 0; {
		a := due[0]
		due = due[1:]
		for _, next := range p.ring(a) {
			if next.at.Before(now) {
				i, _ := slices.BinarySearchFunc(due, next, alarm.compare)
				due = slices.Insert(due, i, next)
			}
		}
	}
	c.line = l.number
	c.heads[l.snapshot.ClusterName] = head{line: *l, look: now}
}

// due lists the alarms before now in their order.
func (p *player) due(now time.Time) []alarm {
	var all []alarm
	for id := range p.talks {
		if at := p.talks[id].WakeAt; !at.IsZero() && at.Before(now) {
			all = append(all, alarm{at: at, id: id})
		}
	}
	for cluster, h := range p.clock.heads {
		if !h.look.IsZero() && h.look.Before(now) {
			all = append(all, alarm{at: h.look, cluster: cluster})
		}
	}
	slices.SortFunc(all, alarm.compare)
	return all
}

// ring does what an alarm is about, and gives those that come of it.
func (p *player) ring(a alarm) []alarm {
	if a.cluster == "" {
		return p.wake(a.id, a.at)
	}
	next := p.listen(a.cluster, a.at)
	h := p.clock.heads[a.cluster]
	h.look = next
	p.clock.heads[a.cluster] = h
	var all []alarm
	if !next.IsZero() {
		all = append(all, alarm{at: next, cluster: a.cluster})
	}
	id := conversationOf(a.cluster)
	if at := p.talks[id].WakeAt; !at.IsZero() {
		all = append(all, alarm{at: at, id: id})
	}
	return all
}

// wake does what is due of a conversation, as the analyzer's wake loop does.
func (p *player) wake(id string, at time.Time) []alarm {
	was := p.talks[id]
	if was.WakeAt.IsZero() || at.Before(was.WakeAt) {
		return nil
	}
	m := p.memories[was.Cluster]
	c, reason := conversation.Next(was.Conversation, conversation.Woke{At: at, Calm: m.Calm(was.Object)})
	p.fold(Entry{Line: p.clock.line, At: at, Cluster: was.Cluster}, was, c, reason)
	next := p.talks[id].WakeAt // somebody may have said something to it
	if !next.After(at) {
		return nil
	}
	return []alarm{{at: next, id: id}}
}

// listen asks whether a cluster is silent, as the analyzer's listen loop does, and gives when to ask again; zero: not
// before another snapshot has come.
func (p *player) listen(cluster string, at time.Time) time.Time {
	h := p.clock.heads[cluster]
	stored := p.clock.at(h.at)
	s := detect.Silent(cluster, p.memories[cluster], stored, at, p.rules)
	switch {
	case !s.Known || !s.Missed:
		return time.Time{}
	case at.Before(s.Due):
		return s.Due
	case len(s.Conditions) == 0:
		return at.Add(listenAgain)
	}
	found := conversation.Found{
		At: at, Cluster: cluster, Source: h.snapshot.Source, Object: detect.Cluster(cluster), Conditions: s.Conditions,
		Seq: position(&h.line), Late: true, Interval: h.snapshot.Interval(), Stored: at,
	}
	was := p.talks[conversationOf(cluster)]
	f := decide.WithEvidence(found, was.Conversation, diagnose.NewView(&h.snapshot), p.dry.Links, func() string { return "" })
	c, reason := conversation.Next(was.Conversation, f)
	p.fold(Entry{Line: p.clock.line, At: at, Cluster: cluster}, was, c, reason)
	return at.Add(listenAgain)
}

// conversationOf is the id of the conversation about a cluster itself.
func conversationOf(cluster string) string {
	return schema.ConversationID(cluster, detect.Cluster(cluster))
}
