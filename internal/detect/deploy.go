package detect

import (
	"slices"
	"time"
	"unicode/utf8"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// deploy is the newest deploy of a service, while its grace lasts, and how much grace the service has had.
type deploy struct {
	At     time.Time     `json:"at,omitzero"`
	Since  time.Time     `json:"since,omitzero"` // an engine's error from then on is one of this deploy
	Before string        `json:"before,omitempty"`
	Image  string        `json:"image,omitempty"` // empty: it did not change
	Left   time.Duration `json:"left,omitempty"`  // of its grace; 0: over
	Spent  []sample      `json:"spent,omitempty"` // stretches of grace: the end of each in Unix milliseconds, and how many they lasted
}

// on tells whether the grace lasts.
func (d *deploy) on() bool { return d != nil && d.Left > 0 }

// words name the deploy, as a fact about what began in its grace.
func (d *deploy) words() string { return fact("right after " + d.change()) }

func (d *deploy) change() string {
	switch {
	case d.Image == "":
		return "it was deployed at " + clock(d.At)
	case d.Before == "":
		return "its image changed to " + brief(d.Image) + " at " + clock(d.At)
	}
	return "its image changed from " + brief(d.Before) + " to " + brief(d.Image) + " at " + clock(d.At)
}

// maxImage is how many characters of an image's name are told: its end, which bears the version.
const maxImage = 60

func brief(image string) string {
	if utf8.RuneCountInString(image) <= maxImage {
		return image
	}
	runes := []rune(image)
	return "…" + string(runes[len(runes)-maxImage+1:])
}

// rollout notices that the service was deployed, and lets the time of its grace pass.
func (v *view) rollout(s *schema.ServiceSummary) {
	t, l := v.t, &v.t.rules.DeployGrace
	if v.ran = 0; !l.On {
		v.rec.Deploy = nil
		return
	}
	v.key = markKey(s.Object())
	was := t.running.of(v.key)
	v.ran = was.next(s)
	d := v.rec.Deploy.pass(t)
	if at, deployed := t.deployed(was, v.ran, s); deployed && (was.well() || d.on()) {
		d = d.anew(t, at)
		if d.Image = ""; v.ran.image() != was.image() {
			d.Image = s.Image
		}
		if d.Before = ""; s.PreviousImage != s.Image {
			d.Before = s.PreviousImage
		}
	}
	v.rec.Deploy = d.rest()
}

// ranOn remembers what runs of the service, once it has been judged.
func (v *view) ranOn(s *schema.ServiceSummary) {
	if v.ran != 0 && len(v.rec.Conditions) == 0 && runsWell(s) {
		v.ran |= ranWell
	}
	v.t.running.note(v.key, v.ran)
}

// runsWell tells whether the service is as it should be: all of it runs, or, of a job, its last run was a success.
func runsWell(s *schema.ServiceSummary) bool {
	switch {
	case s.ReplicasRunning == nil:
		return false
	case *s.ReplicasRunning == 0:
		return s.Job != nil && s.Job.LastExitCode == 0
	}
	return (s.ReplicasDesired == nil || *s.ReplicasRunning >= *s.ReplicasDesired) &&
		(s.Status == "" || s.Status == schema.ServiceHealthy) && (s.Health == "" || s.Health == schema.HealthHealthy)
}

// deployed tells whether the service was deployed since the snapshot before, and when: its image is another one, or the
// time of its deploy is another one and not long past. The first sight of an image is no deploy.
func (t *tick) deployed(was, now ran, s *schema.ServiceSummary) (time.Time, bool) {
	at := s.LastDeployAt.UTC()
	switch {
	case was.image() != 0 && was.image() != now.image():
		if at.Before(t.before) || at.After(t.now) { // or unknown
			at = t.now
		}
		return at, true
	case was.deploy() != now.deploy() && t.now.Sub(at) < t.rules.DeployGrace.For:
		if at.After(t.now) {
			at = t.now
		}
		return at, true
	}
	return time.Time{}, false
}

// pass lets the time since the snapshot before pass. It counts whole, unlike a hold's: a grace that ends while nothing
// comes is over. A clock that was set back takes what is remembered along.
func (d *deploy) pass(t *tick) *deploy {
	if d == nil {
		return nil
	}
	next := *d
	next.Spent = nil
	for _, x := range d.Spent {
		if t.gap < 0 {
			x[0] += t.gap.Milliseconds()
		}
		if overlap(x, t.now.Add(-t.rules.DeployGrace.In)) > 0 {
			next.Spent = append(next.Spent, x)
		}
	}
	took := min(max(t.gap, 0), next.Left)
	if next.Left -= took; took > 0 {
		next.spend(t.before.Add(took).UnixMilli(), took.Milliseconds())
	}
	if t.reached(0, next.Left) {
		next.Left = 0
	}
	return &next
}

// maxSpent bounds how many stretches are remembered; older ones are put together, which only makes them count longer.
const maxSpent = 8

func (d *deploy) spend(end, took int64) {
	last := len(d.Spent) - 1
	if last >= 0 && d.Spent[last][0]+1 >= end-took { // but for what rounding takes
		d.Spent[last] = sample{end, d.Spent[last][1] + took}
		return
	}
	d.Spent = append(d.Spent, sample{end, took})
	if len(d.Spent) > maxSpent {
		d.Spent[1][1] += d.Spent[0][1]
		d.Spent = slices.Delete(d.Spent, 0, 1)
	}
}

// overlap is how much of a stretch lies after from.
func overlap(x sample, from time.Time) time.Duration {
	return time.Duration(max(0, min(x[1], x[0]-from.UnixMilli()))) * time.Millisecond
}

// anew begins the grace of a deploy, or goes on with the one that lasts, as far as the service may still have any.
func (d *deploy) anew(t *tick, at time.Time) *deploy {
	l := &t.rules.DeployGrace
	next := deploy{At: at, Since: at, Left: l.For - t.now.Sub(at)}
	if !t.before.IsZero() && t.before.Before(at) {
		next.Since = t.before
	}
	next.Since = next.Since.Add(-t.interval) // a reading takes its time, and its engine tells some times in whole seconds
	most := l.Most
	if d != nil {
		next.Left, next.Spent = max(next.Left, d.Left), d.Spent
		for _, x := range d.Spent {
			most -= overlap(x, t.now.Add(-l.In))
		}
	}
	next.Left = min(next.Left, most)
	if t.reached(0, next.Left) {
		next.Left = 0
	}
	return &next
}

// rest is what is left to remember.
func (d *deploy) rest() *deploy {
	switch {
	case d == nil, d.Left <= 0 && len(d.Spent) == 0:
		return nil
	case d.Left <= 0:
		return &deploy{Spent: d.Spent}
	}
	return d
}

// fold folds what is seen of the condition into it. What would be raised in the grace after a deploy is kept back until
// its end: the hold goes on, and what happened waits as long as it would have been shown.
func (v *view) fold(seen sight) {
	c, fired := &v.condition, v.condition.Firing
	seen.hidden = !fired && v.keptBack(c)
	if c.Graced && seen.event && seen.truth == no {
		c.phase = c.phase.pend(v.t, seen)
	} else {
		c.phase = c.phase.step(v.t, seen)
	}
	c.Graced = seen.hidden && !c.idle() && v.t.reached(c.Held, seen.hold)
	if !fired && !c.idle() && v.rec.Deploy.on() {
		c.After = v.rec.Deploy.words()
	}
}

// pend is step for something that happened in a grace, and is not to be seen any more.
func (p phase) pend(t *tick, s sight) phase {
	p.Quiet += t.step
	switch {
	case t.reached(p.Quiet, s.clear):
		return phase{}
	case !s.hidden:
		p.Firing, p.Well = true, t.now
	}
	return p
}

// keptBack tells whether the condition, which does not fire, is kept back if it is true.
func (v *view) keptBack(c *condition) bool {
	d := v.rec.Deploy
	switch {
	case v.svc == nil:
		return false
	case !d.on():
		return c.Graced && c.Name == ErrorBurst && !v.loud()
	case c.Name == ServiceDegraded && v.rec.find(ServiceDown).Firing: // or it would be called well in between
		return false
	case c.Name == ServiceDown, c.Name == ServiceDegraded, c.Name == CrashLoop:
		f := v.svc.LastFailure
		return f == nil || f.Reason != schema.FailureStart || f.At.Before(d.Since)
	}
	return true
}

// loud tells whether errors are still being logged: what was logged in the grace counts for the burst longer than the
// grace lasts.
func (v *view) loud() bool {
	e := v.errors()
	if e.Rolling {
		return true
	}
	lines, usual, _ := e.lately(v.t.now, max(time.Minute, 2*v.t.interval))
	return lines > 0 && float64(lines) >= v.t.rules.ErrorBurst.Ease*usual
}

// graceReason says how long the condition is kept back.
func (v *view) graceReason(c *condition) Reason {
	rule := ""
	if changed := v.t.rules.changed(DeployGrace); changed != "" {
		rule = "; " + changed
	}
	d := v.rec.Deploy
	if !d.on() {
		return Reason{Verdict: VerdictGrace, Since: c.Since, Text: "not alerted, it happened " + c.After + ", and is not going on" + rule}
	}
	return Reason{
		Verdict: VerdictGrace, Since: c.Since, Until: v.t.now.Add(d.Left),
		Text: "not alerted yet, in the grace after " + d.change() + ", " + span(d.Left) + " more" + rule,
	}
}
