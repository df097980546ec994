package detect

import "github.com/bellbuoy/bellbuoy/internal/schema"

// judging is what an object is judged by. It is shared by all objects that the same overrides are for.
type judging struct {
	rules         *Rules
	service, node []rule
	narrower      map[int]*judging // by the override that is added
}

// judging prepares the rules of the cluster.
func (t *tick) judging(r *Rules) *judging {
	return &judging{rules: r, service: t.marked(r.serviceRules()), node: t.marked(r.nodeRules())}
}

// judgedBy tells what holds for o, and makes the tick go by it.
func (t *tick) judgedBy(o schema.Object, labels map[string]string) *judging {
	at := t.cluster
	for i := range at.rules.Overrides {
		if x := &t.cluster.rules.Overrides[i]; x.Match.covers(o, labels) {
			at = t.narrow(at, i, x)
		}
	}
	t.rules = at.rules
	return at
}

func (t *tick) narrow(from *judging, i int, x *Override) *judging {
	if known := from.narrower[i]; known != nil {
		return known
	}
	r := from.rules.With(x.Changes...)
	r.settle()
	if from.narrower == nil {
		from.narrower = map[int]*judging{}
	}
	from.narrower[i] = t.judging(&r)
	return from.narrower[i]
}
