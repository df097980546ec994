package replay

import (
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// look is how the conditions of a cluster's objects were judged last: verdicts by object and condition.
type look map[schema.Object]map[string]string

// explain says which verdicts the snapshot changed, and why, of every object that it has. What is well, unknown or off at
// the first look is not worth saying.
func (p *player) explain(here Entry, s *schema.ClusterContext, m detect.Memory) {
	seen := p.looks[s.ClusterName]
	if seen == nil {
		seen = look{}
		p.looks[s.ClusterName] = seen
	}
	for i := range s.Services {
		part := *s // with this one alone, because Why looks through all there are
		part.Services, part.Nodes = s.Services[i:i+1], nil
		p.compare(here, seen, s.Services[i].Object(), detect.Why(m, &part, p.rules, s.Services[i].Object()))
	}
	for i := range s.Nodes {
		part := *s
		part.Services, part.Nodes = nil, s.Nodes[i:i+1]
		node := schema.Object{Kind: schema.KindNode, Name: s.Nodes[i].ID}
		p.compare(here, seen, node, detect.Why(m, &part, p.rules, node))
	}
}

func (p *player) compare(here Entry, seen look, o schema.Object, reasons []detect.Reason) {
	if seen[o] == nil {
		seen[o] = map[string]string{}
	}
	for _, r := range reasons {
		was, now := seen[o][r.Condition], r.Verdict
		if now == detect.VerdictUnknown || now == detect.VerdictOff {
			now = detect.VerdictWell
		}
		seen[o][r.Condition] = now
		if was == now || was == "" && now == detect.VerdictWell {
			continue
		}
		p.say(here.verdict(o, r))
	}
}
