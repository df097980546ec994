package diagnose

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// Kinds of evidence.
const (
	KindCondition = "condition" // what the rules saw, and the state that the object is in
	KindFailure   = "failure"   // how it failed last, in the engine's words
	KindNeighbour = "neighbour" // what it depends on, what depends on it, or whom it affects
	KindChange    = "change"    // a new image, a deploy
	KindNode      = "node"      // the machine below it
	KindEvent     = "event"
	KindLog       = "log"
)

// Bounds of one piece of evidence and of its kinds, chosen so that a usual incident fits with room to spare.
const (
	maxFactText   = 600
	maxEventItems = 12
	maxNearItems  = 12
	recentChange  = 30 * time.Minute // a change this long before the onset is worth suspecting
)

// Freeze is NewView(&s).Freeze of what explains nothing else; use a View to freeze many objects of one snapshot.
func Freeze(s schema.ClusterContext, o schema.Object, conds []schema.Condition) []schema.Evidence {
	return NewView(&s).Freeze(o, conds, nil)
}

// Freeze gathers what the snapshot says about o, most telling first, as E1, E2, …: what fires, how it failed last,
// whom it affects, what it depends on, what changed, its node, recent events, and its log lines as templates with
// counts, and at the end the rest in numbers. E1 is the first firing condition. victims are the objects that o explains, worst first; of a storm they are
// what fails, and the evidence says what they share. The result is at most schema.MaxEvidenceBytes as JSON; what does
// not fit is left out from the end.
func (v *View) Freeze(o schema.Object, conds []schema.Condition, victims []schema.Affected) []schema.Evidence {
	f := freezer{View: v, object: o, now: v.snap.TakenAt, victims: victims}
	f.conditions(conds)
	switch s := v.service(o); {
	case s != nil:
		f.service(s)
	case o.Kind == schema.KindNode:
		f.nodeItself(v.node(o.Name), conds)
	case o.Kind == schema.KindCluster:
		f.storm()
	}
	if schema.OfSnapshots(o.Kind) && o.Kind != schema.KindCollector && o.Kind != schema.KindClock && o.Kind != schema.KindCluster { // which events of this cluster do not name
		f.events(o)
	}
	f.lines()
	if len(f.items) > len(firing(conds)) { // the snapshot knows the object
		items := f.items
		f.items = nil
		f.rest()
		return withRest(items, f.items[0])
	}
	return bounded(f.items, schema.MaxEvidenceBytes)
}

// freezer collects the evidence about one object, in the order in which it is to stand.
type freezer struct {
	*View
	object  schema.Object
	now     time.Time
	victims []schema.Affected
	items   []schema.Evidence
	suspect []*schema.ServiceSummary // neighbours in trouble, whose log lines are wanted too
	left    left
}

func (f *freezer) add(kind, object string, at time.Time, text string) {
	f.items = append(f.items, schema.Evidence{Kind: kind, Object: object, At: at.UTC(), Text: scrub.Line(text, maxFactText)})
}

func (f *freezer) conditions(conds []schema.Condition) {
	for _, c := range conds {
		if !c.Until.IsZero() {
			continue
		}
		text := fmt.Sprintf("%s (%s) since %s", c.Name, c.Severity, clock(c.Since, f.now))
		if c.Title != "" {
			text += ": " + c.Title
		}
		if len(c.Facts) > 0 {
			text += "; " + list(c.Facts)
		}
		f.add(KindCondition, f.object.String(), c.Since, text)
	}
}

func (f *freezer) service(s *schema.ServiceSummary) {
	me := s.Object().String()
	f.add(KindCondition, me, f.now, "now: "+state(s))
	if s.LastFailure != nil {
		f.add(KindFailure, me, s.LastFailure.At, failure(s.LastFailure, s.MemoryLimit, f.now))
	}
	if s.Job != nil && s.Job.LastExitCode != 0 {
		f.add(KindFailure, me, s.Job.At, fmt.Sprintf("its last run ended with exit code %d at %s", s.Job.LastExitCode, clock(s.Job.At, f.now)))
	}
	f.affected()
	f.neighbours(s)
	f.kinship(s)
	f.changes(s)
	for _, n := range f.nodesOf(s) {
		if text := cmp.Or(nodeTrouble(n, f.now), f.rebooted(n)); text != "" {
			f.add(KindNode, n.ID, f.now, text)
		}
	}
}

// neighbours puts dependencies in trouble first, because they explain; the ones that are well rule themselves out.
func (f *freezer) neighbours(s *schema.ServiceSummary) {
	var wrong, fine []schema.Evidence
	for _, name := range s.DependsOn {
		d := f.dependency(s, name)
		if d == nil {
			fine = append(fine, f.neighbour(name, fmt.Sprintf("%s depends on %s, which is not in the snapshot", s.Name, name)))
			continue
		}
		text := fmt.Sprintf("%s depends on %s: %s", s.Name, d.Name, state(d))
		if troubleOf(d) == onPurpose {
			text = fmt.Sprintf("%s depends on %s, which is not running: %s; %s", s.Name, d.Name, f.stopped(d), describe(d, ""))
		}
		if troubleOf(d) == well {
			if again := f.recovered(d); again != "" {
				wrong = append(wrong, f.neighbour(d.Object().String(), text+"; "+again))
				continue
			}
			fine = append(fine, f.neighbour(d.Object().String(), text))
			continue
		}
		if d.LastFailure != nil {
			text += "; " + failure(d.LastFailure, d.MemoryLimit, f.now)
		}
		wrong = append(wrong, f.neighbour(d.Object().String(), text))
		f.suspect = append(f.suspect, d)
	}
	if g := f.blame(s); g != nil && !slices.Contains(f.suspect, g) {
		wrong = append(wrong, f.neighbour(g.Object().String(), fmt.Sprintf("further down the chain of dependencies, %s: %s", g.Name, state(g))))
		f.suspect = append(f.suspect, g)
	}
	all := slices.Concat(wrong, fine)
	f.left.neighbours += max(0, len(all)-maxNearItems)
	f.items = append(f.items, all[:min(len(all), maxNearItems)]...)
}

func (f *freezer) neighbour(object, text string) schema.Evidence {
	return schema.Evidence{Kind: KindNeighbour, Object: object, At: f.now.UTC(), Text: scrub.Line(text, maxFactText)}
}

// changes notes what is new about s and about the neighbours in trouble.
func (f *freezer) changes(s *schema.ServiceSummary) {
	for _, x := range slices.Concat([]*schema.ServiceSummary{s}, f.suspect) {
		if text := change(x, f.now); text != "" {
			f.add(KindChange, x.Object().String(), x.LastDeployAt, text)
		}
	}
}

func (f *freezer) nodeItself(n *schema.NodeSummary, conds []schema.Condition) {
	if n == nil {
		return
	}
	text := nodeTrouble(n, f.now)
	if text == "" {
		text = "node " + n.ID + ": " + n.Status
	}
	f.add(KindNode, n.ID, f.now, text)
	if has(conds, "node_down") {
		f.lastKnown(n)
	}
	f.usedBy(n, conds)
	if len(f.victims) > 0 {
		f.affected()
		f.ranOn(n)
		return
	}
	var hit []string
	for i := range f.snap.Services {
		s := &f.snap.Services[i]
		if troubleOf(s) != well && runsOn(s, n.ID) {
			hit = append(hit, s.Object().String())
		}
	}
	if len(hit) > 0 {
		f.add(KindNeighbour, n.ID, f.now, fmt.Sprintf("%d services on it are in trouble: %s", len(hit), list(hit[:min(10, len(hit))])))
	}
}

func (f *freezer) lines() {
	if s := f.View.service(f.object); s != nil {
		f.linesOf(s, maxTemplates)
		f.linesAbout(s)
	}
	for _, d := range f.suspect {
		f.linesOf(d, maxNearTemplates)
	}
}

func (f *freezer) linesOf(s *schema.ServiceSummary, limit int) {
	groups, all := f.logs().group(s.RecentLogs, limit)
	f.left.templates += all - len(groups)
	for _, t := range groups {
		e := schema.Evidence{Kind: KindLog, Object: s.Object().String(), At: t.first, Text: t.text, Count: t.count}
		if t.count == 1 {
			e.Count = 0
		}
		if t.last.After(t.first) {
			e.Text = fmt.Sprintf("%s (last %s)", e.Text, clock(t.last, f.now))
		}
		f.items = append(f.items, e)
	}
}

// bounded numbers the items and drops those from the end that do not fit.
func bounded(items []schema.Evidence, limit int) []schema.Evidence {
	total := len("[]")
	for i := range items {
		items[i].ID = fmt.Sprintf("E%d", i+1)
		b, err := json.Marshal(items[i])
		if err != nil || total+len(b)+1 > limit {
			return items[:i]
		}
		total += len(b) + 1
	}
	return items
}
