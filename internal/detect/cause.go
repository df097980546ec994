package detect

import (
	"cmp"
	"slices"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// cause is what explains a record, as it is remembered: the storm where what explains it is a member of that. Nil: it
// stands for itself.
func (m *Memory) cause(r *record, cluster string) *schema.Object {
	switch {
	case r.Explained == nil && r.stormy():
		return new(Cluster(cluster))
	case r.Explained == nil:
		return nil
	}
	if by := m.recall(r.Explained.By); m.InStorm.on() && by.firing() && by.stormy() {
		return new(Cluster(cluster))
	}
	return new(r.Explained.By)
}

func (r *record) quiet() bool { return r.Alone != nil && r.Alone.Quiet }

// stormed is what is found of the cluster because many objects began to fail at once.
func (m *Memory) stormed(cluster string, l *StormRule) []Finding {
	if m.InStorm == nil || !l.On {
		return nil
	}
	return []Finding{{Object: Cluster(cluster), Conditions: []schema.Condition{m.InStorm.condition()}, Cause: m.InStorm.Cause}}
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
