package detect

import (
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Storm is the condition of a whole cluster in which many objects began to fail at once.
const Storm = "storm"

// StormRule raises when New objects began to stand for themselves Within. It is over when at most Rest of those, and
// of the ones that came to them since, still do. It is as severe as the worst of them.
type StormRule struct {
	New    int
	Within time.Duration
	Rest   int
	On     bool
}

func (l *StormRule) fields() []field {
	fresh, rest := set(Storm, "new", UnitCount, &l.New).upTo(100000), set(Storm, "rest", UnitCount, &l.Rest).upTo(100000)
	fresh.Least, rest.Least = 2, 0
	return []field{
		set(Storm, SettingEnabled, UnitSwitch, &l.On), fresh,
		set(Storm, "within", UnitTime, &l.Within).within(0, time.Hour), rest,
	}
}

// rest is less than what raises, whatever the rules say, or a storm would be over at once.
func (l *StormRule) rest() int { return min(l.Rest, l.New-1) }

// declared is the condition; how severe it is when it is raised, its members say.
func (l *StormRule) declared() Declared {
	d := Declared{Name: Storm, Kind: schema.KindCluster}
	if l.On {
		d.Severity = schema.SeverityCritical
	}
	return d
}

const (
	foldFor     = 8  // snapshots for which a storm that is over is still found, with what it turned out to be
	maxTurnedTo = 64 // causes that members went over to are counted of so many

	// joinFor is how long after the last one that came to a storm another one still belongs to it. Of a storm that is
	// never quite over, what fails the day after would be told to nobody.
	joinFor = 10 * time.Minute
)

// storm is one that is on, or that is over and turned out to have one cause.
type storm struct {
	Since    time.Time      `json:"since"`
	Members  int            `json:"members"`          // all that ever were
	Failing  int            `json:"failing"`          // those that fire, with what is put down to them
	Turned   []turned       `json:"turned,omitempty"` // what members were put down to since
	Severity string         `json:"severity"`
	Title    string         `json:"title"`
	Facts    []string       `json:"facts,omitempty"`
	Cause    *schema.Object `json:"cause,omitempty"` // it is over; this was it
	Left     int            `json:"left,omitempty"`  // for how many snapshots that is still said
	Lull     time.Duration  `json:"lull,omitempty"`  // how long nothing has come to it
}

// turned is a cause for which members left the storm.
type turned struct {
	To schema.Object `json:"to"`
	N  int           `json:"n"`
}

// alone is how an object stands for itself, to real causes at least: marks, and above them for how many milliseconds, in
// steps, it has, as long as that is new. 0: it does not, or nobody is told of it.
type alone int64

const (
	standing alone = 1 << iota
	stormy         // it is a member of the storm that is on
	quiet          // it was one of a storm that is over
	old            // it has for longer than a storm asks
	marks    = iota
)

func (a alone) in(mark alone) bool { return a&mark != 0 }

func (a alone) lasts() time.Duration { return time.Duration(a>>marks) * time.Millisecond }

// pass lets a step pass.
func (a alone) pass(t *tick) alone {
	if a.in(old) {
		return a
	}
	a += alone(t.step.Milliseconds()) << marks
	if !t.lately(a) {
		return a&(1<<marks-1) | old
	}
	return a
}

func (s *storm) on() bool { return s != nil && s.Cause == nil }

// takes tells whether what begins to fail now is one of it.
func (s *storm) takes() bool { return s.on() && s.Lull <= joinFor }

// loud tells whether f stands for itself, to real causes, in a way that people are told.
func (f *failing) loud() bool {
	return f.e == nil && f.severity >= schema.SeverityRank(schema.SeverityWarning)
}

// storm says of the objects that stand for themselves which of them are one storm.
func (x *explaining) storm(was *storm) *storm {
	l := &x.t.rules.Storm
	if !l.On {
		return nil
	}
	now := x.next(was)
	fresh := x.stand(now)
	if fresh >= l.New {
		now = x.raise(now)
	}
	if !now.on() {
		return now
	}
	members := x.members()
	if len(members) > l.rest() {
		x.tell(now)
		return now
	}
	for _, i := range members {
		a := &x.all[i].rec.Alone
		*a = *a&^stormy | quiet
	}
	return x.turnedOut(now)
}

// next is what the storm is before it is looked at: a copy of one that is on; of one that is over, one snapshot less.
func (x *explaining) next(was *storm) *storm {
	if was == nil {
		return nil
	}
	now := *was
	if was.on() {
		now.Turned = slices.Clone(was.Turned)
		now.Lull += x.t.step
		return &now
	}
	at, firing := x.at[*was.Cause]
	if now.Left--; now.Left == 0 || !firing {
		return nil
	}
	now.Cause = new(x.top(at))
	return &now
}

// top is the object that the one at at is put down to in the end, or itself.
func (x *explaining) top(at int32) schema.Object {
	if e := x.all[at].e; e != nil {
		return e.By
	}
	return x.all[at].rec.Object
}

// stand brings up to date who stands for itself, and tells how many that are no members of a storm have begun to lately.
// While a storm takes them, who begins to is a member of it, and who no longer does has left it.
func (x *explaining) stand(now *storm) (fresh int) {
	for i := range x.all {
		f := &x.all[i]
		a := &f.rec.Alone
		switch {
		case !f.loud():
			if now.on() && a.in(stormy) && f.e != nil {
				now.turn(f.e.By)
			}
			*a = 0
		case *a != 0:
			*a = a.pass(x.t)
		case f.told: // when nobody counted yet
			*a = standing | old
		case now.takes():
			*a = standing | stormy
			now.Members, now.Lull = now.Members+1, 0
		default:
			*a = standing
		}
		if *a != 0 && !a.in(stormy) && x.t.lately(*a) {
			fresh++
		}
	}
	return fresh
}

// lately tells whether what stands for itself does so only since a short time.
func (t *tick) lately(a alone) bool {
	return !a.in(old) && a.lasts() <= t.rules.Storm.Within+t.interval/slackDivisor
}

func (s *storm) turn(to schema.Object) {
	at := slices.IndexFunc(s.Turned, func(t turned) bool { return t.To == to })
	if at < 0 && len(s.Turned) < maxTurnedTo {
		s.Turned = append(s.Turned, turned{To: to})
		at = len(s.Turned) - 1
	}
	if at >= 0 {
		s.Turned[at].N++
	}
}

// raise makes one storm of all that have begun to stand for themselves lately, or takes them into the one that is on.
func (x *explaining) raise(on *storm) *storm {
	s := on
	if !on.on() {
		s = &storm{}
	}
	s.Lull = 0
	for i := range x.all {
		f := &x.all[i]
		if f.rec.Alone == 0 || f.rec.Alone.in(stormy) || !x.t.lately(f.rec.Alone) {
			continue
		}
		f.rec.Alone = f.rec.Alone&^quiet | stormy
		s.Members++
		s.Since = earlier(s.Since, f.since)
	}
	return s
}

func (x *explaining) members() []int32 {
	var all []int32
	for i := range x.all {
		if x.all[i].rec.Alone.in(stormy) {
			all = append(all, int32(i))
		}
	}
	return all
}

// turnedOut is what remains of a storm that is over: nothing, unless more than half of it had one cause that still
// is there.
func (x *explaining) turnedOut(s *storm) *storm {
	count := map[schema.Object]int{}
	for _, t := range s.Turned {
		at, firing := x.at[t.To]
		if !firing {
			continue
		}
		top := x.top(at)
		if count[top] += t.N; 2*count[top] > s.Members {
			over := *s
			over.Cause, over.Left, over.Turned = &top, foldFor, nil
			return &over
		}
	}
	return nil
}

// Storm is the condition of the cluster if there is a storm there, for whoever finds something else about the cluster.
func (m *Memory) Storm(cluster string, r Rules) []schema.Condition {
	r = r.in(cluster)
	if !r.Storm.On || !m.InStorm.on() {
		return nil
	}
	return []schema.Condition{m.InStorm.condition()}
}

func (s *storm) condition() schema.Condition {
	return schema.Condition{Name: Storm, Severity: s.Severity, Since: s.Since, Title: s.Title, Facts: slices.Clone(s.Facts)}
}
