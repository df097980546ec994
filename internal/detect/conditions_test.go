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
		{
			name: detect.ServiceDegraded, object: "shop/web", severity: "warning", hold: 8 * i, clear: 4 * i,
			well: same(some("web", new(3), 3)), bad: same(some("web", new(2), 3)), blind: same(some("web", nil, 3)),
			unhold:  func(r *detect.Rules) { r.ServiceDegraded.Hold = detect.Span{} },
			unclear: func(r *detect.Rules) { r.ServiceDegraded.Clear = detect.Span{} },
		},
		{
			name: detect.Disk, object: "n1", severity: "warning", hold: 5 * time.Minute, clear: 5 * time.Minute,
			well: n1(disks(new(86.9), nil)), bad: n1(disks(new(90.0), nil)), blind: n1(disks(nil, nil)),
			unhold:  func(r *detect.Rules) { r.Disk.Hold = detect.Span{} },
			unclear: func(r *detect.Rules) { r.Disk.Clear = detect.Span{} },
		},
		{
			name: detect.LowMemory, object: "n1", severity: "warning", hold: 5 * time.Minute, clear: 5 * time.Minute,
			well: n1(node{MemoryPercent: new(91.9)}), bad: n1(node{MemoryPercent: new(95.1)}), blind: n1(node{}),
			unhold:  func(r *detect.Rules) { r.LowMemory.Hold = detect.Span{} },
			unclear: func(r *detect.Rules) { r.LowMemory.Clear = detect.Span{} },
		},
		{
			name: detect.CPU, object: "n1", severity: "info", hold: 30 * time.Minute, clear: 10 * time.Minute,
			well: n1(node{CPUPercent: new(84.9)}), bad: n1(node{CPUPercent: new(95.1)}), blind: n1(node{}),
			unhold:  func(r *detect.Rules) { r.CPU.Hold = detect.Span{} },
			unclear: func(r *detect.Rules) { r.CPU.Clear = detect.Span{} },
		},
		{
			name: detect.GPUHot, object: "n1", severity: "warning", hold: 8 * i, clear: 8 * i,
			well: n1(gpus(gpu{Temperature: new(84.9)})), bad: n1(gpus(gpu{Temperature: new(90.1)})), blind: n1(gpus(gpu{})),
			unhold:  func(r *detect.Rules) { r.GPUHot.Hold = detect.Span{} },
			unclear: func(r *detect.Rules) { r.GPUHot.Clear = detect.Span{} },
		},
		{
			name: detect.GPUMemory, object: "n1", severity: "info", hold: 40 * i, clear: 8 * i,
			well: n1(gpus(vram(94.9))), bad: n1(gpus(vram(98.1))), blind: n1(gpus(gpu{VRAMTotalMB: new(1000.0)})),
			unhold:  func(r *detect.Rules) { r.GPUMemory.Hold = detect.Span{} },
			unclear: func(r *detect.Rules) { r.GPUMemory.Clear = detect.Span{} },
		},
		{
			name: detect.GPUErrors, object: "n1", severity: "critical", clear: time.Hour, event: true,
			well: n1(gpus(gpu{ErrorsTotal: new(int64(7))})),
			bad: func(at time.Time) schema.ClusterContext {
				return n1(gpus(gpu{ErrorsTotal: new(7 + int64(at.Sub(start)/i))}))(at)
			},
			unclear: func(r *detect.Rules) { r.GPUErrors.Clear = detect.Span{} },
		},
		{
			name: detect.NodeRebooted, object: "n1", severity: "info", clear: 30 * time.Minute, event: true,
			well: n1(node{BootAt: start.Add(-time.Hour)}),
			bad: func(at time.Time) schema.ClusterContext { // rebooted with every snapshot, by a clock that is ahead
				return n1(node{BootAt: start.Add(5 * at.Sub(start))})(at)
			},
			unclear: func(r *detect.Rules) { r.NodeRebooted.Clear = detect.Span{} },
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
			for range int(c.hold/i) + 1 {
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

func TestStaleObjectIsNeitherRaisedNorCleared(t *testing.T) {
	for _, c := range courses() {
		t.Run(c.name, func(t *testing.T) {
			on := watch(t)
			stale := func(s schema.ClusterContext) []string {
				s.Stale = []schema.StalePart{{Source: "docker", Since: start, Error: "timeout"}}
				s.Services, s.Nodes = slices.Clone(s.Services), slices.Clone(s.Nodes)
				for n := range s.Services {
					s.Services[n].Stale = true
				}
				for n := range s.Nodes {
					s.Nodes[n].Stale = true
				}
				return firing(on.see(s))
			}
			on.see(c.well(start))
			for range int(c.hold/i) + 20 {
				want(t, stale(c.bad(on.memory.TakenAt.Add(i))), []string(nil))
			}
			for range int(c.hold/i) + 1 {
				on.see(c.bad(on.memory.TakenAt.Add(i)))
			}
			for range int(c.clear/i) + 20 {
				want(t, stale(c.well(on.memory.TakenAt.Add(i))), c.title())
			}
		})
	}
}
