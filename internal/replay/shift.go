package replay

import (
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// shifted is s with every time in it moved by d, so that what happened before it did so as long before. Times that are
// written in texts stay.
func shifted(s schema.ClusterContext, d time.Duration) schema.ClusterContext {
	s.StoredAt = time.Time{} // it is stored anew
	move(d, &s.TakenAt, &s.CountersSince)
	s.Stale, s.RecentEvents = slices.Clone(s.Stale), slices.Clone(s.RecentEvents)
	for i := range s.Stale {
		move(d, &s.Stale[i].Since)
	}
	for i := range s.RecentEvents {
		move(d, &s.RecentEvents[i].At)
	}
	s.Nodes, s.Services = slices.Clone(s.Nodes), slices.Clone(s.Services)
	for i := range s.Nodes {
		move(d, &s.Nodes[i].BootAt, &s.Nodes[i].LastSeen)
	}
	for i := range s.Services {
		shiftService(&s.Services[i], d)
	}
	return s
}

func shiftService(s *schema.ServiceSummary, d time.Duration) {
	move(d, &s.LastDeployAt)
	if s.LastFailure != nil {
		s.LastFailure = new(*s.LastFailure)
		move(d, &s.LastFailure.At)
	}
	if s.Job != nil {
		s.Job = new(*s.Job)
		move(d, &s.Job.At)
	}
	s.Instances = slices.Clone(s.Instances)
	for i := range s.Instances {
		move(d, &s.Instances[i].StartedAt)
	}
}

// move moves those of the times that are known.
func move(d time.Duration, times ...*time.Time) {
	for _, t := range times {
		if !t.IsZero() {
			*t = t.Add(d)
		}
	}
}
