package detect

import (
	"cmp"
	"slices"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// cause is what explains a record, as it is remembered: the storm where what explains it is a member of that. Nil: it
// stands for itself.
func (m *Memory) cause(r *record, cluster string) *schema.Object {
	e := m.explained(r)
	switch {
	case e == nil && r.Alone.in(stormy):
		return new(Cluster(cluster))
	case e == nil:
		return nil
	}
	if by := m.recall(e.By); by.Alone.in(stormy) {
		return new(Cluster(cluster))
	}
	return new(e.By)
}

// causes are those of many records, most of which have the same.
type causes struct {
	m       *Memory
	cluster string
	known   []*schema.Object // by what records are put down to; 0 is the storm
}

func (m *Memory) causes(cluster string) causes {
	return causes{m, cluster, make([]*schema.Object, 1+len(m.Explained))}
}

func (c *causes) of(r *record) *schema.Object {
	if at := r.Explained; at < len(c.known) && (at > 0 || r.Alone.in(stormy)) {
		if c.known[at] == nil {
			c.known[at] = c.m.cause(r, c.cluster)
		}
		return c.known[at]
	}
	return nil
}

// stormed is what is found of the cluster because many objects began to fail at once.
func (m *Memory) stormed(cluster string, l *StormRule) []Finding {
	if m.InStorm == nil || !l.On {
		return nil
	}
	f := Finding{Object: Cluster(cluster), Conditions: []schema.Condition{m.InStorm.condition()}}
	if by := m.InStorm.Cause; by != nil {
		f.Cause = new(*by)
	}
	return []Finding{f}
}

// gather gives every finding its victims.
func gather(findings []Finding) {
	place := map[schema.Object]int{}
	for i := range findings {
		if f := &findings[i]; f.Cause != nil {
			place[*f.Cause] = -1
		}
	}
	if len(place) == 0 {
		return
	}
	for i := range findings {
		if _, leads := place[findings[i].Object]; leads {
			place[findings[i].Object] = i
		}
	}
	for i := range findings {
		f := &findings[i]
		if f.Cause == nil || place[*f.Cause] < 0 {
			continue
		}
		by, worst := &findings[place[*f.Cause]], &f.Conditions[0]
		by.Victims = append(by.Victims, Victim{f.Object, worst.Name, worst.Severity, worst.Since})
	}
	for _, i := range place {
		if i >= 0 {
			slices.SortFunc(findings[i].Victims, func(a, b Victim) int {
				return cmp.Or(schema.SeverityRank(b.Severity)-schema.SeverityRank(a.Severity), a.Since.Compare(b.Since), compareObjects(a.Object, b.Object))
			})
		}
	}
}
