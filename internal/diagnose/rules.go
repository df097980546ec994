package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// Categories of root cause.
const (
	CategoryDependency = "dependency_down"
	CategoryRollout    = "rollout"
	CategoryCrash      = "crash"
	CategoryMemory     = "out_of_memory"
	CategoryStart      = "start_error"
	CategoryHealth     = "health_check"
	CategoryConfig     = "configuration"
	CategoryResources  = "resources"
	CategoryNetwork    = "network"
	CategoryNode       = "node"
	CategoryJob        = "job_failed"
	CategoryUnknown    = "unknown"
)

func categories() []string {
	return []string{
		CategoryDependency, CategoryRollout, CategoryCrash, CategoryMemory, CategoryStart, CategoryHealth,
		CategoryConfig, CategoryResources, CategoryNetwork, CategoryNode, CategoryJob, CategoryUnknown,
	}
}

// cause is what the rules make of one object.
type cause struct {
	component  string
	category   string
	summary    string // one clause
	confidence string
	why        string // of the confidence
	verb       string
	target     string // of the verb; empty: the component
	reason     string // of the verb
	other      []schema.Alternative
}

// ByRules is NewView(&s).ByRules of what explains nothing else.
func ByRules(s schema.ClusterContext, o schema.Object, conds []schema.Condition, ev []schema.Evidence) schema.Diagnosis {
	return NewView(&s).ByRules(o, conds, nil, ev)
}

// ByRules says what the rules can without a model: the object to blame, since when, what changed before that, the most
// telling log line, how sure that is and why, and the next step. Its evidence ids are those of ev, which Freeze made
// of the same snapshot, object and victims.
func (v *View) ByRules(o schema.Object, conds []schema.Condition, victims []schema.Affected, ev []schema.Evidence) schema.Diagnosis {
	r := ruler{View: v, object: o, firing: firing(conds), victims: victims, evidence: ev, now: v.snap.TakenAt}
	c := r.cause()
	d := schema.Diagnosis{
		Summary:       scrub.Line(c.summary, maxSummary),
		Confidence:    c.confidence,
		ConfidenceWhy: scrub.Line(c.why, maxWhy),
		Evidence:      r.cite(c),
		Source:        schema.SourceRules,
	}
	d.RootCause = schema.RootCause{Component: c.component, Category: c.category, Statement: scrub.Line(r.statement(c), maxStatement)}
	for _, x := range c.other {
		d.Alternatives = append(d.Alternatives, schema.Alternative{Statement: scrub.Line(x.Statement, maxWhy), Check: scrub.Line(x.Check, maxWhy)})
	}
	d.InsufficientData = c.category == CategoryUnknown
	a := schema.Action{Verb: c.verb, Target: cmp.Or(c.target, c.component), Reason: scrub.Line(c.reason, maxWhy)}
	if c.verb == VerbNone {
		a.Target = ""
	}
	d.Action, d.Command = v.settle(v.snap.Source, a, c.confidence != schema.ConfidenceLow, c.component == o.String() && r.has("crash_loop"))
	return d
}

func firing(conds []schema.Condition) []schema.Condition {
	return slices.DeleteFunc(slices.Clone(conds), func(c schema.Condition) bool { return !c.Until.IsZero() })
}

type ruler struct {
	*View
	object   schema.Object
	firing   []schema.Condition
	victims  []schema.Affected
	evidence []schema.Evidence
	now      time.Time
}

func (r *ruler) has(name string) bool {
	return has(r.firing, name)
}

func has(conds []schema.Condition, name string) bool {
	return slices.ContainsFunc(conds, func(c schema.Condition) bool { return c.Name == name && c.Until.IsZero() })
}

// since is when the first of what fires began.
func (r *ruler) since() time.Time {
	var first time.Time
	for _, c := range r.firing {
		if first.IsZero() || c.Since.Before(first) {
			first = c.Since
		}
	}
	return first
}

func (r *ruler) cause() cause {
	if n := r.node(r.object.Name); r.object.Kind == schema.KindNode && n != nil {
		return r.nodeCause(n)
	}
	switch r.object.Kind {
	case schema.KindCollector:
		return r.collectorCause()
	case schema.KindCluster:
		if r.has("storm") && !r.has("cluster_silent") { // of a silent one nothing is known
			return r.stormCause()
		}
		return r.silenceCause()
	case schema.KindSource:
		return r.sourceCause()
	}
	if r.object.Kind == schema.KindClock || !schema.OfSnapshots(r.object.Kind) {
		return r.saidCause()
	}
	s := r.service(r.object)
	if s == nil {
		return r.unknown("the snapshot says nothing more about it")
	}
	own := r.withVictims(s, r.own(s, r.has))
	if own.category == CategoryStart || own.category == CategoryMemory {
		return own // the engine itself says why
	}
	if c, ok := r.below(s); ok {
		return c
	}
	g := r.blame(s)
	if g == nil {
		own.other = append(own.other, r.outlived(s)...)
		return own
	}
	if own.category != CategoryUnknown && r.longGone(s, g) {
		own.other = append(own.other, schema.Alternative{
			Statement: fmt.Sprintf("%s, which it depends on, is not running: %s", g.Name, g.NotWanted),
			Check:     "whether it needs " + g.Name + " for what it does",
		})
		return own
	}
	return r.dependencyCause(s, g, own)
}

// longGone tells whether nothing but its absence speaks against g: it was stopped on purpose, not lately, and the log
// of s does not name it.
func (r *ruler) longGone(s, g *schema.ServiceSummary) bool {
	return troubleOf(g) == onPurpose && r.stoppedAt(g).IsZero() && !r.named(s, g)
}

func (r *ruler) unknown(why string) cause {
	what := r.object.String()
	if len(r.firing) > 0 {
		what = cut(r.firing[0].Title, maxSummary/2)
		if what == "" {
			what = r.object.String() + ": " + r.firing[0].Name
		}
	}
	return cause{
		component: r.object.String(), category: CategoryUnknown, summary: what + "; " + why,
		confidence: schema.ConfidenceLow, why: why, verb: VerbNone,
	}
}

// below blames the node if every node of s is down, or every node of what does not run of it.
func (r *ruler) below(s *schema.ServiceSummary) (cause, bool) {
	nodes, why := r.nodesOf(s), "everything it runs on is down"
	if lost := r.lostNodes(s); len(lost) > 0 {
		nodes, why = lost, "all of it that does not run was on a node that is down"
	}
	up := func(n *schema.NodeSummary) bool { return n.Status != schema.NodeDown }
	if len(nodes) == 0 || slices.ContainsFunc(nodes, up) {
		return cause{}, false
	}
	return cause{
		component: nodes[0].ID, category: CategoryNode,
		summary:    fmt.Sprintf("%s, and %s runs there", nodeTrouble(nodes[0], r.now), s.Name),
		confidence: schema.ConfidenceHigh, why: why, verb: VerbNone,
	}, true
}

// lostNodes lists the nodes of those instances of s that do not run, each once; none where all of it runs, or where the
// node of one is not known.
func (r *ruler) lostNodes(s *schema.ServiceSummary) []*schema.NodeSummary {
	var lost []*schema.NodeSummary
	for _, in := range s.Instances {
		if in.State == "" || in.State == "running" {
			continue
		}
		n := r.node(in.Node)
		if n == nil {
			return nil
		}
		if !slices.Contains(lost, n) {
			lost = append(lost, n)
		}
	}
	return lost
}

// dependencyCause blames g, which s needs and which is in trouble. What s shows of its own becomes the alternative.
func (r *ruler) dependencyCause(s, g *schema.ServiceSummary, own cause) cause {
	c := r.own(g, func(string) bool { return false })
	c.component, c.category = g.Object().String(), CategoryDependency
	c.confidence = schema.ConfidenceMedium
	c.why = fmt.Sprintf("%s is declared to depend on %s", s.Name, g.Name)
	if !slices.Contains(s.DependsOn, g.Name) && !slices.Contains(s.DependsOn, c.component) {
		c.why = fmt.Sprintf("%s depends on %s through others", s.Name, g.Name)
	}
	if r.named(s, g) {
		c.confidence = schema.ConfidenceHigh
		c.why += ", and its log names it"
	}
	c.other = nil
	if own.category != CategoryUnknown {
		c.other = []schema.Alternative{{Statement: own.summary, Check: "whether it goes on once " + g.Name + " is well"}}
	}
	if troubleOf(g) == onPurpose {
		c.summary = fmt.Sprintf("%s is not running (%s), and %s depends on it", g.Name, r.stopped(g), s.Name)
		c.verb, c.reason = VerbStart, fmt.Sprintf("%s needs it, and nothing else starts it again", s.Name)
		return c
	}
	c.summary = fmt.Sprintf("%s; %s depends on it", c.summary, s.Name)
	return c
}

// named tells whether a log line of s speaks of g.
func (r *ruler) named(s, g *schema.ServiceSummary) bool {
	return slices.ContainsFunc(r.evidence, func(e schema.Evidence) bool {
		return e.Kind == KindLog && e.Object == s.Object().String() && hasWord(e.Text, g.Name)
	})
}

// statement is the whole of it: the cause, since when, what changed before, the most telling log line.
func (r *ruler) statement(c cause) string {
	text := c.summary
	if since := r.since(); !since.IsZero() {
		text += "; since " + clock(since, r.now)
	}
	if e, ok := r.first(KindChange, c.component); ok && c.category != CategoryRollout {
		text += ". Before it: " + e.Text
	}
	if e, ok := r.telling(c.component); ok && !strings.Contains(text, e.Text) {
		text += fmt.Sprintf(". Log of %s: “%s”%s", e.Object, e.Text, times(e.Count))
	}
	if len(r.victims) > 0 && !r.has("storm") {
		text += ". Affected: " + namesOf(r.victims, maxVictimsSaid)
	}
	return text
}

func times(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(" (%d times)", n)
}

// telling is the log line that says most: the cause's own or else the object's.
func (r *ruler) telling(component string) (schema.Evidence, bool) {
	if e, ok := r.first(KindLog, component); ok {
		return e, true
	}
	return r.first(KindLog, r.object.String())
}

func (r *ruler) first(kind, object string) (schema.Evidence, bool) {
	for _, e := range r.evidence {
		if e.Kind == kind && e.Object == object {
			return e, true
		}
	}
	return schema.Evidence{}, false
}

// cite refers to what fires, to the first piece of each kind about the component, and to the log line that is quoted.
func (r *ruler) cite(c cause) []schema.Citation {
	told, _ := r.telling(c.component)
	var cited []schema.Citation
	seen := map[string]bool{}
	for i, e := range r.evidence {
		key := e.Kind + "\x00" + e.Object
		if i > 0 && e.ID != told.ID && (e.Object != c.component || seen[key] || e.Kind == KindEvent) {
			continue
		}
		seen[key] = true
		cited = append(cited, schema.Citation{ID: e.ID, Why: citedFor(e.Kind)})
	}
	return cited[:min(len(cited), maxCitations)]
}

func citedFor(kind string) string {
	switch kind {
	case KindCondition:
		return "what the rules saw"
	case KindFailure:
		return "how it failed last"
	case KindNeighbour:
		return "the services around it"
	case KindChange:
		return "what changed before"
	case KindNode:
		return "the machine below"
	}
	return "what it printed"
}
