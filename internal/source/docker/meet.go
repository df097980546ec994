package docker

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
)

// maxRepaired bounds how many restarts of one container are made up for at once.
const maxRepaired = 100

// listed is one container as the engine shows it now.
type listed struct {
	ID, Name string
	Object   schema.Object
	State    string
	Health   string
	Labels   map[string]string
	Image    string
	ImageID  string
	Created  time.Time
	Detail   *details // nil: the engine would not tell
}

// details are what an inspection adds.
type details struct {
	State        string
	Policy       string
	MaxRetries   int
	RestartCount int
	ExitCode     int
	OOMKilled    bool
	Error        string
	Serves       bool // has a published port or a health check
	AutoRemove   bool
	GPU          bool
	NoLogs       bool   // its log driver keeps nothing
	Image        string // as it was asked for
	Created      time.Time
	StartedAt    time.Time
	FinishedAt   time.Time
}

// learn takes in what events do not tell, before they are folded. It gives the ids that were not known before.
func (m *memory) learn(list []listed) map[string]bool {
	fresh := map[string]bool{}
	for _, l := range list {
		if m.Containers[l.ID] == nil {
			fresh[l.ID] = true
		}
		c := m.container(l.ID, l.Object, l.Name)
		if d := l.Detail; d != nil {
			c.Policy, c.AutoRemove, c.Serves = d.Policy, d.AutoRemove, d.Serves
		}
	}
	return fresh
}

// meet brings the memory in line with what the engine shows, after the events were folded. What it says happened is
// what events did not tell: restarts that were missed, and starts that failed.
func (m *memory) meet(l listed, fresh, gap bool, now time.Time) []source.Happening {
	c, d := m.Containers[l.ID], l.Detail
	if d == nil {
		return nil
	}
	var happened []source.Happening
	switch {
	case fresh && c.StartedAt.IsZero():
		happened = c.past(l, now)
		c.RestartCount, c.StartedAt = d.restarted(), d.StartedAt
		c.await(d, now)
	case gap:
		happened = c.repair(l, m.service(l.Object), now)
	case d.restarted() < c.RestartCount:
		c.RestartCount = d.restarted() // set back by a start by hand
	}
	if h, broke := m.startFailed(c, l, fresh, now); broke {
		happened = append(happened, h)
	}
	return happened
}

// restarted is how often the container has been restarted. While the engine waits to restart one, it has counted that
// restart already; the start that is to come is what we count.
func (d *details) restarted() int {
	if d.State == stateRestarting {
		return max(0, d.RestartCount-1)
	}
	return d.RestartCount
}

// await remembers how the newest run ended of a container that is waiting to be restarted, where no event told, so that
// its start is known for a restart. It tells whether it had to. An end of this very moment is left to its event.
func (c *container) await(d *details, now time.Time) bool {
	told := c.Died != nil && c.Died.At.After(d.StartedAt)
	if d.State != stateRestarting || told || now.Sub(d.FinishedAt) <= overlap {
		return false
	}
	c.Died = &death{At: d.FinishedAt, ExitCode: d.ExitCode, OOM: d.OOMKilled}
	return true
}

// past counts the restarts of a container that was there before it was watched: the engine's own count where the
// container is younger than a day, spread over its life; else one, if the newest was within the day.
func (c *container) past(l listed, now time.Time) []source.Happening {
	d := l.Detail
	n, from := min(d.restarted(), maxRepaired), l.Created
	if now.Sub(l.Created) > markWindow {
		n, from = min(n, 1), d.StartedAt
	}
	if now.Sub(d.StartedAt) > markWindow {
		return nil
	}
	happened := make([]source.Happening, 0, n)
	for i := range n {
		at := from.Add(d.StartedAt.Sub(from) * time.Duration(i+1) / time.Duration(n))
		happened = append(happened, restartOf(l, d.restarted()-n+i+1, at))
	}
	return happened
}

func restartOf(l listed, number int, at time.Time) source.Happening {
	return source.Happening{
		Key: fmt.Sprintf("%s/restart/%d", short(l.ID), number), At: at,
		Kind: source.Restarted, Object: l.Object, Text: "restarted while nobody watched",
	}
}

// repair counts restarts whose events are lost, by how far the engine's count has gone on, and the end after which the
// engine is waiting to restart it. A lower count was set back by hand and has gone on from 0.
func (c *container) repair(l listed, s *service, now time.Time) []source.Happening {
	d := l.Detail
	missed := d.restarted() - c.RestartCount
	if missed < 0 {
		missed = d.restarted()
	}
	var happened []source.Happening
	for i := range min(missed, maxRepaired) {
		number := d.restarted() - i
		h := restartOf(l, number, d.StartedAt)
		f := &schema.Failure{Reason: schema.FailureUnknown, At: d.StartedAt}
		s.fail(f)
		happened = append(happened, lostOf(l, number, f), h)
	}
	if c.await(d, now) {
		f := c.failure()
		s.fail(f)
		happened = append(happened, lostOf(l, d.RestartCount, f))
	}
	c.RestartCount = d.restarted()
	if missed > 0 {
		c.CountedTo = d.StartedAt.Add(time.Second)
	}
	if d.StartedAt.After(c.StartedAt.Add(time.Second)) {
		c.StartedAt = d.StartedAt
	}
	return happened
}

// lostOf is the failure before the restart of that number, whose event is lost.
func lostOf(l listed, number int, f *schema.Failure) source.Happening {
	return source.Happening{
		Key: fmt.Sprintf("%s/lost/%d", short(l.ID), number), At: f.At, Kind: source.Failed, Object: l.Object,
		Failure: f, Text: "failed while nobody watched",
	}
}

// startFailed notices once that the engine could not start a container; no event tells of that.
func (m *memory) startFailed(c *container, l listed, fresh bool, now time.Time) (source.Happening, bool) {
	d := l.Detail
	if d.Error == "" || d.State == stateRunning {
		c.ErrorAt = time.Time{}
		return source.Happening{}, false
	}
	if !c.ErrorAt.IsZero() {
		return source.Happening{}, false
	}
	c.ErrorAt = now
	if fresh || now.Sub(l.Created) < rebirth {
		c.ErrorAt = later(l.Created, later(d.Created, d.FinishedAt))
	}
	if c.ErrorAt.Before(m.FirstSeen) {
		return source.Happening{}, false
	}
	f := &schema.Failure{Reason: schema.FailureStart, At: c.ErrorAt, Text: d.Error}
	m.service(l.Object).fail(f)
	h, told := failed(f, d.Error)
	h.Key = short(l.ID) + "/error/" + digest(d.Error+d.FinishedAt.String())
	h.At, h.Object, h.Event = c.ErrorAt, l.Object, "error"
	return h, told
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func digest(s string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s))
	return strconv.FormatUint(h.Sum64(), 36)
}

// see gathers what there is to judge a container by.
func (m *memory) see(l listed) seen {
	c, d := m.Containers[l.ID], l.Detail
	if d == nil {
		return seen{State: l.State}
	}
	s := seen{
		State: l.State, Inspected: true, Policy: d.Policy, MaxRetries: d.MaxRetries, RestartCount: d.RestartCount,
		ExitCode: d.ExitCode, OOMKilled: d.OOMKilled, Error: d.Error, Serves: d.Serves,
		StartedAt: d.StartedAt, EndedAt: later(d.FinishedAt, c.ErrorAt),
	}
	if c.Died != nil && c.Died.At.After(d.StartedAt) {
		s.Died = c.Died
	}
	reach := s.EndedAt.Add(-handReach)
	s.ByHand = c.HandAt.After(d.StartedAt) && !c.HandAt.Before(reach) && (s.Died == nil || !s.Died.OOM)
	if s.Died != nil && !s.Died.Killed {
		s.ByHand = !c.HandAt.Before(s.Died.At)
	}
	return s
}

// vanish notes that a container is no longer there though no event told of its end.
func (m *memory) vanish(before map[string]bool, list []listed, now time.Time) {
	for _, l := range list {
		delete(before, l.ID)
	}
	for id := range before {
		if c := m.Containers[id]; c != nil && c.GoneAt.IsZero() {
			c.GoneAt = now
			m.service(c.Object).remove(now, reasonRemoved)
		}
	}
}
