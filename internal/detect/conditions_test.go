package detect_test

import (
	"slices"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// course is one condition from well to raised to cleared: which snapshots show it, and what it has to be in between.
type course struct {
	name     string
	object   string
	severity string
	well     func(time.Time) schema.ClusterContext // the snapshot of it well, taken then
	bad      func(time.Time) schema.ClusterContext
	blind    func(time.Time) schema.ClusterContext // what the rule needs is unknown; nil: it cannot be
	hold     time.Duration                         // raised with the first bad snapshot that is so much after the first
	clear    time.Duration                         // cleared with the first well one so much after the first (an event: after the last bad)
	event    bool
	unhold   func(*detect.Rules) // the mutant whose hold is 0
	unclear  func(*detect.Rules) // the mutant whose clear hold is 0
}

func one(s func(time.Time) svc) func(time.Time) schema.ClusterContext {
	return func(at time.Time) schema.ClusterContext { return snapshot(at, s(at)) }
}

func same(s svc) func(time.Time) schema.ClusterContext {
	return func(at time.Time) schema.ClusterContext { return snapshot(at, s) }
}

func n1(n node) func(time.Time) schema.ClusterContext {
	n.ID = "n1"
	return func(at time.Time) schema.ClusterContext { return nodes(at, n) }
}

func courses() []course {
	return []course{
		{
			name: detect.ServiceDown, object: "shop/web", severity: "critical", hold: i, clear: 4 * i,
			well: same(up("web")), bad: same(down("web")),
			blind:   same(func() svc { s := down("web"); s.ReplicasRunning = nil; return s }()),
			unhold:  func(r *detect.Rules) { r.ServiceDown.Hold = detect.Span{} },
			unclear: func(r *detect.Rules) { r.ServiceDown.Clear = detect.Span{} },
		},
		{
			name: detect.CrashLoop, object: "shop/web", severity: "warning", hold: 4 * i, clear: 10 * time.Minute, event: true,
			well: same(looping("web", 1)), bad: same(looping("web", 4)),
			blind:   same(func() svc { s := looping("web", 4); s.RestartsTotal = nil; return s }()),
			unhold:  func(r *detect.Rules) { r.CrashLoop.Hold = detect.Span{} },
			unclear: func(r *detect.Rules) { r.CrashLoop.QuietMin, r.CrashLoop.QuietMax = 0, 0 },
		},
		{
			name: detect.OOMKilled, object: "shop/web", severity: "warning", clear: 30 * time.Minute, event: true,
			well: same(up("web")), bad: one(func(at time.Time) svc { return oomed("web", at) }),
			unclear: func(r *detect.Rules) { r.OOMKilled.Clear = detect.Span{} },
		},
		{
			name: detect.Unhealthy, object: "shop/web", severity: "warning", hold: 4 * i, clear: 4 * i,
			well: same(up("web")), bad: same(sick("web")),
			blind:   same(func() svc { s := up("web"); s.Health = "starting"; return s }()),
			unhold:  func(r *detect.Rules) { r.Unhealthy.Hold = detect.Span{} },
			unclear: func(r *detect.Rules) { r.Unhealthy.Clear = detect.Span{} },
		},
		{
			name: detect.JobFailed, object: "shop/nightly", severity: "warning", clear: 24 * time.Hour, event: true,
			well: same(ended("nightly", 3, start.Add(-time.Hour))), bad: one(func(at time.Time) svc { return ended("nightly", 3, at) }),
			unclear: func(r *detect.Rules) { r.JobFailed.Clear = detect.Span{} },
		},
		{
			name: detect.NodeDown, object: "n1", severity: "critical", hold: i, clear: 4 * i,
			well: n1(node{Status: "healthy"}), bad: n1(node{Status: "down"}), blind: n1(node{}),
			unhold:  func(r *detect.Rules) { r.NodeDown.Hold = detect.Span{} },
			unclear: func(r *detect.Rules) { r.NodeDown.Clear = detect.Span{} },
		},
	}
}

func (c course) title() []string { return []string{c.object + " " + c.name + " " + c.severity} }

// raised watches from well on and tells how long after the first bad snapshot it was raised.
func (c course) raised(t *testing.T, on *cluster) time.Duration {
	t.Helper()
	on.see(c.well(start))
	for at := i; at <= 30*time.Hour; at += i {
		if f := firing(on.see(c.bad(after(at)))); slices.Contains(f, c.title()[0]) {
			return at - i
		}
		if c.event && c.hold == 0 {
			break
		}
	}
	return -1
}

// cleared tells how long it took to clear, from the first well snapshot, or of an event from the last bad.
func (c course) cleared(t *testing.T, on *cluster) time.Duration {
	t.Helper()
	from, quiet := on.memory.TakenAt, c.bad
	if !c.event {
		from, quiet = from.Add(i), c.well
	}
	if c.event && c.hold == 0 { // the same event stays in sight
		last := c.bad(from)
		quiet = func(at time.Time) schema.ClusterContext { last.TakenAt = at; return last }
	}
	for at := on.memory.TakenAt.Add(i); at.Sub(from) <= 48*time.Hour; at = at.Add(i) {
		if len(on.see(quiet(at)).Findings) == 0 {
			return at.Sub(from)
		}
	}
	return -1
}

// quiet is when it is to be cleared. An event happened with the first bad snapshot, a hold before it was raised.
func (c course) quiet() time.Duration {
	if c.event {
		return c.clear - c.hold
	}
	return c.clear
}

func TestConditionIsRaisedAndClearedExactlyAtItsHolds(t *testing.T) {
	for _, c := range courses() {
		t.Run(c.name, func(t *testing.T) {
			on := watchLong(t)
			want(t, c.raised(t, on), c.hold)
			want(t, c.cleared(t, on), c.quiet())
		})
	}
}

func TestConditionDependsOnEachOfItsHolds(t *testing.T) {
	for _, c := range courses() {
		t.Run(c.name, func(t *testing.T) {
			if c.unhold != nil {
				on := watchLong(t)
				c.unhold(&on.rules)
				want(t, c.raised(t, on), time.Duration(0))
			}
			on := watchLong(t)
			c.unclear(&on.rules)
			if got := c.raised(t, on); got >= 0 && c.cleared(t, on) == c.quiet() {
				t.Error("cleared as before with a clear hold of 0")
			}
		})
	}
}

func TestConditionIsOffWithoutSeverity(t *testing.T) {
	for _, c := range courses() {
		t.Run(c.name, func(t *testing.T) {
			on := watch(t)
			on.rules = detect.Rules{}
			on.see(c.well(start))
			for at := i; at < 10*time.Minute; at += i {
				if r := on.see(c.bad(after(at))); len(r.Findings) > 0 {
					t.Fatalf("found %v", firing(r))
				}
			}
		})
	}
}

func TestHoldStartsAnewAfterAWellSnapshot(t *testing.T) {
	for _, c := range courses() {
		if c.hold == 0 || c.event {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			on := watch(t)
			at := start
			for range 20 {
				for range int(c.hold / i) { // one short of the hold
					if r := on.see(c.bad(at)); len(r.Findings) > 0 {
						t.Fatalf("found %v", firing(r))
					}
					at = at.Add(i)
				}
				on.see(c.well(at))
				at = at.Add(i)
			}
		})
	}
}

func TestClearHoldStartsAnewAfterABadSnapshot(t *testing.T) {
	for _, c := range courses() {
		if c.event {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			on := watch(t)
			c.raised(t, on)
			since := on.see(c.bad(on.memory.TakenAt)).Findings[0].Conditions[0].Since
			for range 10 {
				for range int(c.clear / i) {
					want(t, firing(on.see(c.well(on.memory.TakenAt.Add(i)))), c.title())
				}
				r := on.see(c.bad(on.memory.TakenAt.Add(i)))
				want(t, r.Findings[0].Conditions[0].Since, since)
			}
		})
	}
}

func TestUnknownNumbersAdvanceNoHold(t *testing.T) {
	for _, c := range courses() {
		if c.blind == nil {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			on := watch(t)
			on.see(c.well(start))
			blink := func() detect.Result {
				var r detect.Result
				for range 20 {
					r = on.see(c.blind(on.memory.TakenAt.Add(i)))
				}
				return r
			}
			want(t, firing(blink()), []string(nil))
			on.see(c.bad(on.memory.TakenAt.Add(i)))
			want(t, firing(blink()), []string(nil))
			for range 10 {
				on.see(c.bad(on.memory.TakenAt.Add(i)))
			}
			want(t, firing(blink()), c.title())
			if !c.event {
				on.see(c.well(on.memory.TakenAt.Add(i)))
			}
			want(t, firing(blink()), c.title())
		})
	}
}

func TestStaleSnapshotNeitherRaisesNorClears(t *testing.T) {
	for _, c := range courses() {
		t.Run(c.name, func(t *testing.T) {
			on := watch(t)
			stale := func(s schema.ClusterContext) detect.Result {
				s.Stale = []schema.StalePart{{Source: "docker", Since: start, Error: "timeout"}}
				return on.see(s)
			}
			on.see(c.well(start))
			for range 20 {
				r := stale(c.bad(on.memory.TakenAt.Add(i)))
				want(t, firing(r), []string(nil))
				want(t, r.MayClear, false)
			}
			for range 10 {
				on.see(c.bad(on.memory.TakenAt.Add(i)))
			}
			for range 20 {
				want(t, firing(stale(c.well(on.memory.TakenAt.Add(i)))), c.title())
			}
		})
	}
}
