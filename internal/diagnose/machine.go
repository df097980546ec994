package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// lookAtNode is the step for a machine that does not answer. No command line is given for it: how to reach the machine
// is not known.
const lookAtNode = "whether the machine answers, and what its console and its provider say"

// nodeCause says what is wrong with a machine: the worst of what fires, by its own numbers. Of what has no step among
// the verbs the statement says what to look at.
func (r *ruler) nodeCause(n *schema.NodeSummary) cause {
	c := cause{component: n.ID, category: CategoryResources, confidence: schema.ConfidenceHigh, why: "its own numbers say so", verb: VerbNone}
	switch {
	case n.Status == schema.NodeDown || r.has("node_down"):
		c.category, c.why = CategoryNode, "the node itself does not answer"
		c.summary = unseen(n, r.now)
		if len(r.victims) > 0 {
			c.why += fmt.Sprintf(", and what ran there fails: %s", howMany(r.victims))
		}
		c.verb = VerbInspect
	case len(r.firing) > 0:
		c.summary, c.reason = r.fired(), r.advice(n)
		if r.firing[0].Name == "node_rebooted" || r.firing[0].Name == "gpu_errors" {
			c.category = CategoryNode
		}
	default:
		c.summary = nodeTrouble(n, r.now)
	}
	if c.reason != "" {
		c.summary += "; " + c.reason
	}
	if c.verb == VerbInspect {
		c.reason = lookAtNode
	}
	if c.summary == "" {
		c.summary = "node " + n.ID
	}
	return c
}

// fired is the title of the worst condition with what its title does not say.
func (r *ruler) fired() string {
	worst := r.firing[0]
	text := cmp.Or(worst.Title, r.object.String()+": "+worst.Name)
	if !strings.Contains(text, r.object.Name) {
		text += " on " + r.object.Name
	}
	var more []string
	for _, f := range worst.Facts {
		if !strings.Contains(worst.Title, f) {
			more = append(more, f)
		}
	}
	if len(more) > 0 {
		text += " (" + strings.Join(more, ", ") + ")"
	}
	return text
}

// advice is what there is to know beyond the numbers of the worst condition: who uses what is short, or what follows.
func (r *ruler) advice(n *schema.NodeSummary) string {
	switch r.firing[0].Name {
	case "disk":
		return "what writes there fails once it is full: free space or enlarge it"
	case "memory":
		if users := r.users(n.ID, memoryOf); len(users) > 0 {
			return "of what is known, " + users[0] + " uses most"
		}
		return "once it is all used, the kernel kills what uses most"
	case "cpu":
		if users := r.users(n.ID, processorOf); len(users) > 0 {
			return "of what is known, " + users[0] + " uses most"
		}
	case "gpu_hot":
		return "it slows itself down when it is too hot: look at its cooling and its load"
	case "gpu_memory":
		return "what asks for more of it fails"
	case "gpu_errors":
		return "what it computes may be wrong: take work off it and look at the kernel's log"
	case "node_rebooted":
		return "its own log says why"
	}
	return ""
}

// usage is how much a service uses of something, for people; amount orders.
type usage struct {
	amount float64
	text   string
}

func memoryOf(s *schema.ServiceSummary) (usage, bool) {
	if s.MemoryBytes == nil || *s.MemoryBytes <= 0 {
		return usage{}, false
	}
	return usage{float64(*s.MemoryBytes), s.Object().String() + " with " + size(*s.MemoryBytes)}, true
}

func processorOf(s *schema.ServiceSummary) (usage, bool) {
	if s.CPUPercent == nil || *s.CPUPercent <= 0 {
		return usage{}, false
	}
	return usage{*s.CPUPercent, fmt.Sprintf("%s with %.0f %% of a processor", s.Object(), *s.CPUPercent)}, true
}

// users lists the services on a node by what they use, the most first. A snapshot of one node need not say where its
// services run.
func (v *View) users(node string, of func(*schema.ServiceSummary) (usage, bool)) []string {
	var all []usage
	for i := range v.snap.Services {
		s := &v.snap.Services[i]
		here := runsOn(s, node) || len(v.snap.Nodes) == 1 && len(s.Nodes) == 0
		if u, known := of(s); known && here {
			all = append(all, u)
		}
	}
	slices.SortStableFunc(all, func(a, b usage) int { return cmp.Compare(b.amount, a.amount) })
	texts := make([]string, len(all))
	for i, u := range all {
		texts[i] = u.text
	}
	return texts
}

const maxUsers = 5

// usedBy adds who uses most of what is short on a node.
func (f *freezer) usedBy(n *schema.NodeSummary, conds []schema.Condition) {
	for _, c := range conds {
		of, what := memoryOf, "memory"
		switch {
		case !c.Until.IsZero() || c.Name != "memory" && c.Name != "cpu":
			continue
		case c.Name == "cpu":
			of, what = processorOf, "processor time"
		}
		if users := f.users(n.ID, of); len(users) > 0 {
			f.add(KindNeighbour, n.ID, f.now, "most "+what+" on it is used by "+list(users[:min(maxUsers, len(users))]))
		}
	}
}
