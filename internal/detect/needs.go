package detect

import "github.com/bellbuoy/bellbuoy/internal/schema"

const maxSteps = 8 // of depends_on that a cause is looked for: longer chains are mistakes more often than not

// needs is who needs whom by depends_on, as far as that leads from objects that look for a cause. Indexes are of the
// snapshot's services, and behind them of firing services that it lacks.
type needs struct {
	x       *explaining
	count   int
	missing []schema.Object // the firing services that the snapshot lacks
	byName  map[schema.Object]int32
	only    map[string]int32 // the one of that name in any namespace; -1: there are several
	known   []bool           // its list in on is made
	on      [][]int32        // what each needs
	reached []int32          // those known
}

// nearest are the two best causes that are so many steps away, of all and of the critical ones. Two, because one of
// them may be whoever looks.
type nearest struct{ any, critical [2]int32 }

// needy puts services down to the nearest one that they need and that fails; among those as near, to the one that
// began first.
func (x *explaining) needy() {
	var seekers []int32
	led := false
	for i := range x.all {
		f := &x.all[i]
		led = led || f.rec.Object.Kind == schema.KindService && f.worth > 0
		if f.seeks(byNeed) && f.svc != nil && len(f.svc.DependsOn) > 0 {
			seekers = append(seekers, int32(i))
		}
	}
	if !led || len(seekers) == 0 {
		return
	}
	n := x.needs()
	from := make([]int32, len(seekers))
	for i, f := range seekers {
		from[i] = n.byName[x.all[f].rec.Object]
	}
	n.follow(from)
	n.search(seekers, from)
}

func (x *explaining) needs() *needs {
	services := x.s.Services
	n := &needs{x: x, byName: make(map[schema.Object]int32, len(services)), only: make(map[string]int32, len(services))}
	name := func(o schema.Object) {
		if _, twice := n.byName[o]; twice {
			return
		}
		n.byName[o] = int32(n.count)
		if _, twice := n.only[o.Name]; twice {
			n.only[o.Name] = -1
		} else {
			n.only[o.Name] = int32(n.count)
		}
	}
	for i := range services {
		name(services[i].Object())
		n.count++
	}
	for i := range x.all {
		if f := &x.all[i]; f.rec.Object.Kind == schema.KindService && f.svc == nil {
			n.missing = append(n.missing, f.rec.Object)
			name(f.rec.Object)
			n.count++
		}
	}
	n.known, n.on = make([]bool, n.count), make([][]int32, n.count)
	return n
}

func (n *needs) service(i int32) *schema.ServiceSummary {
	if int(i) >= len(n.x.s.Services) {
		return nil
	}
	return &n.x.s.Services[i]
}

// cause is the failing object that i is, where it can explain another; -1: it cannot.
func (n *needs) cause(i int32) int32 {
	var o schema.Object
	if s := n.service(i); s != nil {
		o = s.Object()
	} else {
		o = n.missing[int(i)-len(n.x.s.Services)]
	}
	at, firing := n.x.at[o]
	if !firing || n.x.all[at].worth == 0 {
		return -1
	}
	return at
}

// find resolves a name as people mean it: a service beside s in its namespace, or else the only one of that name.
func (n *needs) find(s *schema.ServiceSummary, name string) int32 {
	if i, beside := n.byName[schema.Object{Kind: schema.KindService, Namespace: s.Namespace, Name: name}]; beside {
		return i
	}
	if i, only := n.only[name]; only {
		return i
	}
	return -1
}

// follow finds out who needs whom, from those on, as many steps away as count.
func (n *needs) follow(from []int32) {
	near := from
	for range maxSteps {
		var far []int32
		for _, i := range near {
			s := n.service(i)
			if n.known[i] {
				continue
			}
			n.known[i] = true
			n.reached = append(n.reached, i)
			if s == nil {
				continue
			}
			for _, name := range s.DependsOn {
				if on := n.find(s, name); on >= 0 && on != i {
					n.on[i] = append(n.on[i], on)
					far = append(far, on)
				}
			}
		}
		near = far
	}
}

// search goes away from all who seek at once, step by step: what is so many steps from a service is what is one less
// from those that it needs.
func (n *needs) search(seekers, from []int32) {
	before, now := make([]nearest, n.count), make([]nearest, n.count)
	causes, through := make([]int32, n.count), make([]bool, n.count)
	for i := range int32(n.count) {
		before[i], now[i], causes[i] = none(), none(), n.cause(i)
		s := n.service(i)
		through[i] = s != nil && !onPurpose(s)
	}
	for step := 1; step <= maxSteps && len(seekers) > 0; step++ {
		for _, i := range n.reached {
			now[i] = none()
			for _, on := range n.on[i] {
				switch {
				case step == 1 && causes[on] >= 0:
					n.x.consider(&now[i], causes[on])
				case step > 1 && through[on]:
					n.x.merge(&now[i], &before[on])
				}
			}
		}
		left := 0
		for k, seeker := range seekers {
			if f := &n.x.all[seeker]; !n.x.take(f, seeker, &now[from[k]]) {
				seekers[left], from[left] = seeker, from[k]
				left++
			}
		}
		seekers = seekers[:left]
		before, now = now, before
	}
}

// onPurpose tells whether a service was stopped on purpose, so that it needs nothing.
func onPurpose(s *schema.ServiceSummary) bool {
	return s.NotWanted != "" && (s.ReplicasRunning == nil || *s.ReplicasRunning == 0)
}

// take puts f down to the best of those so many steps away, if that can have led to it.
func (x *explaining) take(f *failing, self int32, at *nearest) bool {
	best := at.any
	if f.severity == schema.SeverityRank(schema.SeverityCritical) {
		best = at.critical
	}
	for _, c := range best {
		if c >= 0 && c != self {
			if !x.inTime(f, x.all[c].began) {
				return false
			}
			x.link(f, c, byNeed)
			return true
		}
	}
	return false
}

func none() nearest { return nearest{[2]int32{-1, -1}, [2]int32{-1, -1}} }

func (x *explaining) consider(n *nearest, c int32) {
	x.better(&n.any, c)
	if x.all[c].worth == schema.SeverityRank(schema.SeverityCritical) {
		x.better(&n.critical, c)
	}
}

func (x *explaining) merge(n, others *nearest) {
	for k := range others.any {
		x.better(&n.any, others.any[k])
		x.better(&n.critical, others.critical[k])
	}
}

// better takes c among the best two, in their order.
func (x *explaining) better(best *[2]int32, c int32) {
	switch {
	case c < 0 || c == best[0] || c == best[1]:
	case best[0] < 0 || x.precedes(c, best[0]):
		best[0], best[1] = c, best[0]
	case best[1] < 0 || x.precedes(c, best[1]):
		best[1] = c
	}
}
