package diagnose

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const (
	maxNamed = 10 // dependents that one piece of evidence names
	maxSteps = 8  // of depends_on that a failure is followed up: longer chains are mistakes more often than not
)

// dependent is a service that needs another one, directly or through others.
type dependent struct {
	service *schema.ServiceSummary
	steps   int // of depends_on between the two
}

// Affected lists the services that depend on o by their declared depends_on, directly or through others, and how many
// there are in all; the list is cut at schema.MaxAffected. Those in trouble come first, then the nearest ones. Nobody
// is affected by what still runs: it is empty unless o is a service of which nothing runs.
func (v *View) Affected(o schema.Object) (affected []schema.Affected, count int) {
	s := v.service(o)
	if s == nil || troubleOf(s) != down {
		return nil, 0
	}
	all := v.dependents(s)
	for _, d := range all[:min(len(all), schema.MaxAffected)] {
		affected = append(affected, schema.Affected{Object: d.service.Object(), Condition: shows(d.service)})
	}
	return affected, len(all)
}

// dependents finds who needs s, at most maxSteps away, and ranks them. One that is stopped on purpose needs nothing, and
// nobody suffers from s through it. Cycles end where they began.
func (v *View) dependents(s *schema.ServiceSummary) []dependent {
	seen := map[schema.Object]bool{s.Object(): true}
	var all []dependent
	near := []*schema.ServiceSummary{s}
	for steps := 1; steps <= maxSteps && len(near) > 0; steps++ {
		var far []*schema.ServiceSummary
		for _, x := range near {
			for _, i := range v.needed()[x.Object()] {
				d := &v.snap.Services[i]
				if seen[d.Object()] || troubleOf(d) == onPurpose {
					continue
				}
				seen[d.Object()] = true
				far = append(far, d)
				all = append(all, dependent{d, steps})
			}
		}
		near = far
	}
	slices.SortStableFunc(all, func(a, b dependent) int {
		return cmp.Or(cmp.Compare(b.rank(), a.rank()), cmp.Compare(a.steps, b.steps), cmp.Compare(a.service.Object().String(), b.service.Object().String()))
	})
	return all
}

// whoNeeds maps each service to those that declare that they depend on it. Every service of a storm asks, so a View
// makes it once.
func (v *View) whoNeeds() map[schema.Object][]int {
	needed := map[schema.Object][]int{}
	for i := range v.snap.Services {
		s := &v.snap.Services[i]
		for _, name := range s.DependsOn {
			if d := v.dependency(s, name); d != nil {
				needed[d.Object()] = append(needed[d.Object()], i)
			}
		}
	}
	return needed
}

// rank is higher the more visibly it suffers.
func (d dependent) rank() int {
	switch troubleOf(d.service) {
	case down:
		return 4
	case failing:
		return 3
	case degraded:
		return 2
	case well, onPurpose:
	}
	if d.service.Status == schema.ServiceDegraded {
		return 1
	}
	return 0
}

// shows is what the snapshot says of a dependent, in the words of conditions where there is one.
func shows(s *schema.ServiceSummary) string {
	switch troubleOf(s) {
	case down:
		return "service_down"
	case failing:
		if s.Health == schema.HealthUnhealthy {
			return "unhealthy"
		}
		return "restarting"
	case degraded:
		return "service_degraded"
	case well, onPurpose:
	}
	if s.Status == schema.ServiceDegraded {
		return schema.ServiceDegraded
	}
	return schema.AffectedRunning
}

// callers notes who depends on s, which tells how far its failure reaches.
func (f *freezer) callers(s *schema.ServiceSummary) {
	if troubleOf(s) != down {
		return
	}
	all := f.dependents(s)
	if len(all) == 0 {
		return
	}
	var names []string
	for _, d := range all[:min(len(all), maxNamed)] {
		names = append(names, fmt.Sprintf("%s (%s)", d.service.Object(), shows(d.service)))
	}
	if more := len(all) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	text := fmt.Sprintf("%d services depend on it: %s", len(all), list(names))
	if len(all) == 1 {
		text = "1 service depends on it: " + names[0]
	}
	f.items = append(f.items, f.neighbour(s.Object().String(), text))
}
