package docker

import (
	"fmt"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
)

// The engine's restart policies, and exit codes that are a signal's.
const (
	policyNo            = "no"
	policyAlways        = "always"
	policyUnlessStopped = "unless-stopped"
	policyOnFailure     = "on-failure"

	exitKilled     = 137 // SIGKILL
	exitTerminated = 143 // SIGTERM
)

const (
	handReach = 15 * time.Second // a kill so long before an end has caused it
	stopReach = 2 * time.Second  // a stop so shortly after an end tells of its cause
	oomReach  = 5 * time.Second  // an end and a want of memory so close are one
	loopRun   = 10 * time.Minute // a run that ends with 0 sooner, and is restarted, is a loop
)

// fold takes the events that have come, in order, and says what happened. An event that was folded before changes
// nothing. The policies come from inspections, which are newer than the events.
func (m *memory) fold(events []event) []source.Happening {
	var happened []source.Happening
	for i, e := range events {
		if _, again := m.Keys[e.key()]; again {
			continue
		}
		m.Keys[e.key()] = e.At.UnixNano()
		h, told := m.apply(e, events[i+1:])
		if !told {
			continue
		}
		h.Key, h.At, h.Object, h.Event = e.key(), e.At, e.Object, e.Action
		happened = append(happened, h)
	}
	return happened
}

// apply changes the memory by one event, and says what there is to tell of it, if anything.
func (m *memory) apply(e event, next []event) (source.Happening, bool) {
	c := m.container(e.ID, e.Object, e.Name)
	switch e.Action {
	case actStart:
		return c.start(e)
	case actDie:
		return c.die(e, next, m.service(e.Object))
	case actOOM:
		return c.oom(e, m.service(e.Object))
	case actHealth:
		return c.health(e, m.service(e.Object))
	case actKill, actStop:
		c.HandAt = e.At
		return source.Happening{}, false
	case actDestroy:
		return m.destroy(c, e)
	}
	return noted(words(e))
}

func words(e event) string {
	switch e.Action {
	case actCreate:
		return "created from " + e.Image
	case actRestart:
		return "restarted by hand"
	case actPause:
		return "paused by hand"
	case actUnpause:
		return "unpaused"
	}
	return e.Action
}

func noted(text string) (source.Happening, bool) {
	return source.Happening{Kind: source.Noted, Text: text}, true
}

func failed(f *schema.Failure, text string) (source.Happening, bool) {
	return source.Happening{Kind: source.Failed, Failure: f, Text: text}, true
}

// start is a restart if the engine, or whoever watches over the container, started it again after it had ended by
// itself. Started by hand after it was stopped, and a job that is run again, are none.
func (c *container) start(e event) (source.Happening, bool) {
	again := c.Died != nil && c.Died.At.After(c.StartedAt)
	counted := e.At.Before(c.CountedTo)
	c.StartedAt, c.Health, c.ErrorAt = e.At, "", time.Time{}
	switch {
	case !again:
		return noted("started")
	case c.byHand():
		c.RestartCount = 0
		return noted("started by hand")
	case c.Died.ExitCode == 0 && !c.restartsAlways():
		return noted("run again")
	case counted:
		return noted(fmt.Sprintf("restarted after exit %d", c.Died.ExitCode))
	}
	c.RestartCount++
	return source.Happening{Kind: source.Restarted, Text: fmt.Sprintf("restarted after exit %d", c.Died.ExitCode)}, true
}

// byHand tells whether somebody ended the newest run, or stopped the container after it had ended.
func (c *container) byHand() bool {
	return c.Died != nil && (c.Died.Killed || !c.HandAt.Before(c.Died.At))
}

func (c *container) restartsAlways() bool {
	return c.Policy == policyAlways || c.Policy == policyUnlessStopped
}

// die is a failure if the container ended by itself and should not have.
func (c *container) die(e event, next []event, s *service) (source.Happening, bool) {
	d := &death{At: e.At, ExitCode: e.Exit}
	d.OOM = e.Exit == exitKilled && c.inThisRun(c.OOMAt) && within(e.At, c.OOMAt, oomReach)
	d.Killed = !d.OOM && (c.inThisRun(c.HandAt) && within(e.At, c.HandAt, handReach) || stopFollows(e, next))
	c.Died = d
	text := fmt.Sprintf("exit %d", e.Exit)
	f := c.failure()
	switch {
	case d.Killed:
		return noted(fmt.Sprintf("stopped by hand (exit %d)", e.Exit))
	case d.OOM: // counted when the kernel told
		s.fail(f)
		return noted("ended for want of memory (" + text + ")")
	case e.Exit != 0, c.restartsAlways() && f.RanFor != nil && *f.RanFor < loopRun.Seconds():
		s.fail(f)
		return failed(f, text)
	}
	return noted(text)
}

// inThisRun tells whether something happened since the container was last started.
func (c *container) inThisRun(at time.Time) bool { return !at.IsZero() && !at.Before(c.StartedAt) }

// failure describes the newest end as a failure.
func (c *container) failure() *schema.Failure {
	f := &schema.Failure{Reason: schema.FailureExit, ExitCode: new(c.Died.ExitCode), OOM: c.Died.OOM, At: c.Died.At}
	if f.OOM {
		f.Reason = schema.FailureOOM
	}
	if ran := f.At.Sub(c.StartedAt); !c.StartedAt.IsZero() && ran >= 0 {
		f.RanFor = new(ran.Seconds())
	}
	return f
}

// within tells whether at is at or up to reach after earlier.
func within(at, earlier time.Time, reach time.Duration) bool {
	return !earlier.IsZero() && !at.Before(earlier) && at.Sub(earlier) <= reach
}

// stopFollows tells whether a stop comes right after an end: a program that took its time to stop ends long after
// the kill, and some engines tell of the stop first.
func stopFollows(e event, next []event) bool {
	for _, n := range next {
		if n.ID == e.ID && n.Action == actStart || n.At.Sub(e.At) > stopReach {
			return false
		}
		if n.ID == e.ID && n.Action == actStop {
			return true
		}
	}
	return false
}

// oom is a failure, unless the end that it caused was counted as one already.
func (c *container) oom(e event, s *service) (source.Happening, bool) {
	again := c.inThisRun(c.OOMAt) && within(e.At, c.OOMAt, oomReach)
	c.OOMAt = e.At
	if c.Died != nil && c.Died.At.After(c.StartedAt) && within(e.At, c.Died.At, oomReach) && !c.Died.Killed {
		c.Died.OOM = true
		s.fail(c.failure())
		return noted("out of memory")
	}
	f := &schema.Failure{Reason: schema.FailureOOM, OOM: true, At: e.At}
	s.fail(f)
	if again {
		return source.Happening{}, false
	}
	return failed(f, "out of memory")
}

// health is a failure when it turns bad.
func (c *container) health(e event, s *service) (source.Happening, bool) {
	before := c.Health
	c.Health = e.Health
	switch {
	case e.Health == schema.HealthUnhealthy && before != schema.HealthUnhealthy:
		f := &schema.Failure{Reason: schema.FailureUnhealthy, At: e.At}
		s.fail(f)
		return failed(f, "health check fails")
	case e.Health == schema.HealthHealthy && before == schema.HealthUnhealthy:
		return noted("health check passes again")
	}
	return source.Happening{}, false
}

// destroy lowers what is expected of the service, unless the container took itself away after it had failed.
func (m *memory) destroy(c *container, e event) (source.Happening, bool) {
	if !c.GoneAt.IsZero() {
		return source.Happening{}, false
	}
	c.GoneAt = e.At
	crashed := c.AutoRemove && c.Serves && c.Died != nil && c.Died.ExitCode != 0 && !c.byHand()
	if crashed {
		return noted("removed itself")
	}
	reason := reasonRemoved
	if c.byHand() && within(e.At, c.HandAt, rebirth) {
		reason = reasonScaled
	}
	m.service(e.Object).remove(e.At, reason)
	return noted("removed")
}

// remove takes one container off what is expected.
func (s *service) remove(at time.Time, reason string) {
	s.Marks = lower(s.Marks)
	s.RemovedAt, s.Reason = at, reason
}
