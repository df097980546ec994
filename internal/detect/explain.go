package detect

import (
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// ExplainRule tells when one object's failing is put down to another's. A cause began at most Within after what it
// explains. What outlives its cause stays explained for Outlive.
type ExplainRule struct {
	Within  time.Duration
	Outlive Span
	On      bool
}

func (r *Rules) defaultExplain() {
	r.Storm = StormRule{New: 10, Within: time.Minute, Rest: 3, On: true}
	r.Explain = ExplainRule{Within: 5 * time.Minute, Outlive: intervals(8), On: true}
}

func (l *ExplainRule) fields() []field {
	return []field{
		set(Explain, SettingEnabled, UnitSwitch, &l.On),
		set(Explain, "within", UnitTime, &l.Within).within(0, time.Hour),
		set(Explain, "outlive", UnitSpan, &l.Outlive).within(0, time.Hour),
	}
}

// How one object explains another.
const (
	byPlacement = "placement"  // the node that it ran on is down
	byNeed      = "depends_on" // a service that it needs fails
	byRollout   = "rollout"    // another service failed first after the same image was deployed
)

// explained is what a firing object is put down to.
type explained struct {
	By       schema.Object `json:"by"` // the top-most cause
	How      string        `json:"how"`
	Severity string        `json:"severity"`       // of By, when it last explained this
	Ended    time.Time     `json:"ended,omitzero"` // By no longer does since then
	Over     time.Duration `json:"over,omitempty"` // for how long
}

// failing is one firing object while its cause is looked for. Indexes are of explaining.all, -1 for none.
type failing struct {
	rec      *record
	was      *explained             // what it was put down to until now
	e        *explained             // what it is put down to; nil: it stands for itself
	svc      *schema.ServiceSummary // nil: no service, or absent from the snapshot
	severity int                    // the worst of all its conditions
	since    time.Time              // of the first of them
	worth    int                    // how severe it is as a cause; 0: it is none
	holding  int                    // how severe that is of it which can have led to what it explained before
	began    time.Time              // when it became one
	cause    int32                  // what explains it directly
	root     int32                  // what explains it in the end
	how      string
	outlives bool // what explained it has ended, and it stays explained for a while
	led      bool // others were put down to it before
	told     bool // it stood for itself before anybody counted who does
}

// explaining is the second look at a snapshot: at all objects that are firing, together. They are sorted by object.
type explaining struct {
	t   *tick
	s   *schema.ClusterContext
	all []failing
	at  map[schema.Object]int32
}

// explain says of the firing records what explains them, and whether there is a storm. Everything in it is linear in
// the firing objects and what they need.
func (t *tick) explain(records []record, before *Memory, s *schema.ClusterContext) ([]explained, *storm) {
	t.rules = t.cluster.rules
	x := explaining{t: t, s: s}
	for i := range records {
		r := &records[i]
		if r.firing() && (t.rules.Explain.On || t.rules.Storm.On) {
			f := t.newFailing(r)
			f.was = before.explained(r)
			f.told = r.Alone == 0 && f.was == nil && before.loud(r.Object)
			x.all = append(x.all, f)
		}
		r.Explained = 0
		if !r.firing() || !t.rules.Storm.On {
			r.Alone = 0
		}
	}
	if len(x.all) == 0 {
		return nil, nil
	}
	x.find()
	if t.rules.Explain.On {
		x.stick()
		x.placed()
		x.needy()
		x.rolledOut()
		x.ease()
		x.resolve()
		x.conclude()
	}
	return x.intern(), x.storm(before.InStorm)
}

// loud tells whether o was alerting already, in a way that people are told.
func (m *Memory) loud(o schema.Object) bool {
	r := m.recall(o)
	return slices.ContainsFunc(r.Conditions, func(c condition) bool {
		return c.Firing && schema.SeverityRank(c.Severity) >= schema.SeverityRank(schema.SeverityWarning)
	})
}

// explained is what the record is put down to; nil: it stands for itself.
func (m *Memory) explained(r *record) *explained {
	if r.Explained < 1 || r.Explained > len(m.Explained) {
		return nil
	}
	return &m.Explained[r.Explained-1]
}

// intern lists what objects are put down to, each once: most of many have the same.
func (x *explaining) intern() []explained {
	var all []explained
	known := map[explained]int{}
	for i := range x.all {
		f := &x.all[i]
		if f.e == nil {
			continue
		}
		at, is := known[*f.e]
		if !is {
			all = append(all, *f.e)
			at = len(all)
			known[*f.e] = at
		}
		f.rec.Explained = at
	}
	return all
}

func (t *tick) newFailing(r *record) failing {
	f := failing{rec: r, cause: -1, root: -1}
	for i := range r.Conditions {
		c := &r.Conditions[i]
		if !c.Firing {
			continue
		}
		severity := schema.SeverityRank(c.Severity)
		f.severity = max(f.severity, severity)
		f.since = earlier(f.since, c.Since)
		if t.past(c) {
			continue
		}
		if leads(r.Object.Kind, c.Name) || explains(byRollout, c.Name) {
			f.holding = max(f.holding, severity)
		}
		if leads(r.Object.Kind, c.Name) {
			f.worth = max(f.worth, severity)
			f.began = earlier(f.began, c.Since)
		}
	}
	if f.worth < schema.SeverityRank(schema.SeverityWarning) { // what nobody is told explains nothing
		f.worth = 0
	}
	return f
}

// past tells whether a condition is only kept open, because it flaps or is long in clearing: what fails meanwhile has
// another cause.
func (t *tick) past(c *condition) bool {
	return !c.Well.IsZero() && t.reached(c.Quiet, leadIntervals*t.interval)
}

// leadIntervals is for how long something that is well still explains others: as long as most conditions take to clear.
const leadIntervals = 4

// earlier is the earlier one of the two, where a is not zero.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// leads tells whether a condition explains those of objects on it, or that need it.
func leads(kind, condition string) bool {
	if kind == schema.KindNode {
		return condition == NodeDown
	}
	return condition == ServiceDown || condition == CrashLoop || condition == Unhealthy
}

// explains tells whether a condition can be put down to a cause of that sort.
func explains(how, condition string) bool {
	switch condition {
	case ServiceDown, ServiceDegraded, Unhealthy:
		return true
	case CrashLoop, ErrorBurst:
		return how != byPlacement
	case OOMKilled:
		return how == byRollout
	}
	return false
}

// explainable tells whether all that is true of the object can be.
func (f *failing) explainable(how string) bool {
	return !slices.ContainsFunc(f.rec.Conditions, func(c condition) bool { return c.Firing && !explains(how, c.Name) })
}

func (f *failing) stale() bool { return f.svc != nil && f.svc.Stale }

// seeks tells whether a cause of that sort may be looked for. What is stale stands still.
func (f *failing) seeks(how string) bool {
	return f.cause < 0 && f.rec.Object.Kind == schema.KindService && !f.stale() && f.explainable(how)
}

// recovering tells whether nothing of it is true any more since its cause ended so long ago, so that only its clear
// holds are to pass. A burst is true for as long as its lines are counted.
func (x *explaining) recovering(f *failing, ago time.Duration) bool {
	return !slices.ContainsFunc(f.rec.Conditions, func(c condition) bool {
		counted := c.Name == ErrorBurst && !x.t.reached(ago, x.t.rules.ErrorBurst.Within)
		return c.Firing && c.Well.IsZero() && !counted
	})
}

// find looks the firing objects up in the snapshot.
func (x *explaining) find() {
	x.at = make(map[schema.Object]int32, len(x.all))
	for i := range x.all {
		x.at[x.all[i].rec.Object] = int32(i)
	}
	for i := range x.s.Services {
		if at, firing := x.at[x.s.Services[i].Object()]; firing {
			x.all[at].svc = &x.s.Services[i]
		}
	}
}

// inTime tells whether a cause that began at began can have led to f.
func (x *explaining) inTime(f *failing, began time.Time) bool {
	return !began.After(f.since.Add(x.t.rules.Explain.Within))
}

// precedes orders causes: the one that began first, then by object.
func (x *explaining) precedes(a, b int32) bool {
	if at, bt := x.all[a].began, x.all[b].began; !at.Equal(bt) {
		return at.Before(bt)
	}
	return a < b
}

// link puts f down to another one.
func (x *explaining) link(f *failing, cause int32, how string) {
	f.cause, f.how, f.outlives = cause, how, false
}

// stick keeps each object with what explained it before, while that fails in a way that explains. One that is more severe than its cause, or
// of which something else is true, looks for another. Where the cause has ended or eased it may, and stays explained for
// a while if it finds none.
func (x *explaining) stick() {
	for i := range x.all {
		f := &x.all[i]
		e := f.was
		if e == nil || !f.explainable(e.How) {
			continue
		}
		at, firing := x.at[e.By]
		if firing && x.all[at].holding >= max(f.severity, schema.SeverityRank(schema.SeverityWarning)) {
			x.link(f, at, e.How)
			x.all[at].led = true
			continue
		}
		ago := x.over(f, *e).Over
		f.outlives = f.severity <= schema.SeverityRank(e.Severity) &&
			(f.stale() || x.recovering(f, ago) || !x.t.reached(ago, x.t.rules.Explain.Outlive.Of(x.t.interval)))
	}
}

// over is e once its cause has ended for another step.
func (x *explaining) over(f *failing, e explained) explained {
	switch {
	case e.Ended.IsZero():
		e.Ended = x.t.now
	case !f.stale():
		e.Over += x.t.step
	}
	return e
}

// ease links those whose cause has only become milder than they are, and that found no other.
func (x *explaining) ease() {
	for i := range x.all {
		f := &x.all[i]
		if !f.outlives {
			continue
		}
		if at, firing := x.at[f.was.By]; firing {
			f.cause, f.how = at, f.was.How
		}
	}
}

// resolve follows every chain of causes to its end, and opens the circles.
func (x *explaining) resolve() {
	const onPath, done = 1, 2
	state := make([]uint8, len(x.all))
	var path []int32
	for i := range x.all {
		at := int32(i)
		for path = path[:0]; state[at] == 0; at = x.all[at].cause {
			state[at] = onPath
			path = append(path, at)
			if x.all[at].cause < 0 {
				break
			}
		}
		end := at
		switch {
		case state[at] == done && x.all[at].root >= 0:
			end = x.all[at].root
		case state[at] == onPath && x.all[at].cause >= 0:
			end = x.open(path[slices.Index(path, at):])
		}
		for _, p := range path {
			state[p] = done
			if p != end {
				x.all[p].root = end
			}
		}
	}
}

// open makes one of a circle stand for itself: one that has led before, else the one that began first.
func (x *explaining) open(circle []int32) int32 {
	head := circle[0]
	for _, c := range circle[1:] {
		if led := x.all[c].led; led != x.all[head].led && led || led == x.all[head].led && x.precedes(c, head) {
			head = c
		}
	}
	x.all[head].cause, x.all[head].outlives = -1, false
	return head
}

// conclude says what explains each object. What led to one that outlives its cause is that cause still.
func (x *explaining) conclude() {
	for i := range x.all {
		if f := &x.all[i]; f.cause < 0 && f.outlives {
			f.e = new(x.over(f, *f.was))
		}
	}
	for i := range x.all {
		f := &x.all[i]
		if f.cause < 0 {
			continue
		}
		end := &x.all[f.root]
		e := explained{By: end.rec.Object, How: f.how, Severity: severityName(end.severity)}
		if f.outlives {
			e = x.over(f, *f.was)
			e.By = end.rec.Object
		}
		if end.outlives {
			e = *end.e
			e.How = f.how
		}
		f.e = &e
	}
}

func severityName(rank int) string {
	return []string{"", schema.SeverityInfo, schema.SeverityWarning, schema.SeverityCritical}[rank]
}
