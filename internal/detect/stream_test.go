package detect_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/need"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestSupersededSnapshotIsDropped(t *testing.T) {
	epoch := start.Add(-time.Hour)
	tests := []struct {
		name  string
		at    detect.Position
		taken time.Time
		why   string
	}{
		{"older-sequence", detect.Position{Seq: 4, Epoch: epoch}, after(i), "superseded: sequence 4 is older than 5"},
		{"older-taken-at", detect.Position{Seq: 6, Epoch: epoch}, after(-i), "superseded: taken 15s before the newest"},
		{"older-taken-at-of-a-new-epoch", detect.Position{Seq: 1, Epoch: start}, after(-i), "superseded: taken 15s before the newest"},
		{"no-taken-at", detect.Position{Seq: 6, Epoch: epoch}, time.Time{}, "no taken_at"},
		{"newer", detect.Position{Seq: 6, Epoch: epoch}, after(i), ""},
		{"same-snapshot-stored-twice", detect.Position{Seq: 6, Epoch: epoch}, start, ""},
		{"new-epoch-counts-as-newer", detect.Position{Seq: 1, Epoch: start}, after(i), ""},
		{"clock-set-back", detect.Position{Seq: 6, Epoch: epoch}, after(-time.Hour), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := watch(t)
			c.seeAt(snapshot(start, down("web")), detect.Position{Seq: 5, Epoch: epoch})
			before := encode(t, c.memory)
			r := c.seeAt(snapshot(tt.taken, down("web")), tt.at)
			want(t, r.Dropped, tt.why)
			want(t, encode(t, c.memory) == before, tt.why != "")
		})
	}
}

func TestSameSequenceGivesTheSameResultAgain(t *testing.T) {
	c := watch(t)
	c.see(snapshot(start, up("web"), up("api"), up("db")))
	c.see(snapshot(after(i), down("web"), oomed("api", after(i)), up("db")))
	s := snapshot(after(2*i), down("web"), oomed("api", after(i)))
	first := c.see(s)
	want(t, firing(first), []string{"shop/web service_down critical", "shop/api oom_killed warning"})
	before := encode(t, c.memory)
	for range 3 {
		want(t, c.seeAt(s, detect.Position{Seq: c.seq}), first)
		want(t, encode(t, c.memory), before)
	}
}

func TestClockThatJumpsRaisesAndClearsNothing(t *testing.T) {
	for _, jump := range []time.Duration{time.Hour, 1000 * time.Hour, -time.Hour, -1000 * time.Hour} {
		t.Run("ahead-and-back-"+jump.String(), func(t *testing.T) {
			for _, c := range courses() {
				on := watch(t)
				on.see(c.well(start))
				if c.hold > i {
					on.see(c.bad(after(i)))
					want(t, firing(on.see(c.bad(after(i+jump)))), []string(nil))
					want(t, firing(on.see(c.bad(after(2*i)))), []string(nil))
				}
				on = watch(t)
				c.raised(t, on)
				at, last := on.memory.TakenAt, c.bad(on.memory.TakenAt)
				still := func(at time.Time) schema.ClusterContext {
					if !c.event {
						return c.well(at)
					}
					s := last
					s.TakenAt = at
					return s
				}
				for _, d := range []time.Duration{i, i + jump, 2 * i} {
					want(t, firing(on.see(still(at.Add(d)))), c.title())
				}
			}
		})
	}
}

func TestNodeIsNotUnseenByAClockThatJumped(t *testing.T) {
	c := watch(t)
	n := node{ID: "n1", Status: "healthy", LastSeen: start}
	c.see(nodes(start, n))
	want(t, firing(c.see(nodes(after(time.Hour), n))), []string(nil))
	want(t, firing(c.see(nodes(after(time.Hour+i), n))), []string{"n1 node_down critical"})
}

func TestClockSetBackIsFollowed(t *testing.T) {
	c := watch(t)
	c.see(snapshot(after(100*time.Hour), up("web"))) // a snapshot from a clock far ahead
	c.see(snapshot(start, up("web")))
	c.see(snapshot(after(i), oomed("web", after(i)), down("api")))
	want(t, firing(c.see(snapshot(after(2*i), oomed("web", after(i)), down("api")))),
		[]string{"shop/api service_down critical", "shop/web oom_killed warning"})
}

func TestHoldsSurviveMissingSnapshots(t *testing.T) {
	c := watch(t)
	c.see(snapshot(start, down("web"), sick("api")))
	r := c.see(snapshot(after(10*time.Minute), down("web"), sick("api")))
	want(t, firing(r), []string{"shop/web service_down critical"}) // one step counts for 2 I: too little for 4
	want(t, r.Findings[0].Conditions[0].Since, start)
	c.see(snapshot(after(20*time.Minute), up("web"), sick("api")))
	r = c.see(snapshot(after(30*time.Minute), up("web"), sick("api")))
	want(t, firing(r), []string{"shop/web service_down critical", "shop/api unhealthy warning"})
	r = c.see(snapshot(after(40*time.Minute), up("web"), sick("api")))
	want(t, firing(r), []string{"shop/api unhealthy warning"})
}

func TestExtraSnapshotsDoNotHurryAHold(t *testing.T) {
	c := watch(t)
	at := time.Duration(0)
	for ; at < i-i/50; at += 100 * time.Millisecond {
		want(t, firing(c.see(snapshot(after(at), down("web")))), []string(nil))
	}
	want(t, firing(c.see(snapshot(after(i), down("web")))), []string{"shop/web service_down critical"})
}

func TestTicksThatAreAlmostExactCompleteAHold(t *testing.T) {
	c := watch(t)
	c.see(snapshot(start, down("web")))
	want(t, firing(c.see(snapshot(after(i-50*time.Millisecond), down("web")))), []string{"shop/web service_down critical"})
}

func TestHealthyDayFindsNothing(t *testing.T) {
	c := watchLong(t)
	var services []svc
	for n := range 10 {
		services = append(services, up(fmt.Sprint("web", n)))
	}
	services = append(services, looping("settled", 40), oomed("old", start.Add(-time.Hour)), ended("done", 0, start), ended("old-job", 3, start.Add(-time.Hour)))
	for n := range 5760 {
		s := snapshot(after(time.Duration(n)*i), services...)
		s.Nodes = []node{{ID: "n1", Status: "healthy", LastSeen: s.TakenAt}}
		if r := c.see(s); len(r.Findings)+len(r.Gone) > 0 {
			t.Fatalf("found %v at %v", firing(r), s.TakenAt)
		}
	}
}

func TestHealthyServicesAreNotRemembered(t *testing.T) {
	c := watch(t)
	services := make([]svc, 10000)
	for n := range services {
		services[n] = up(fmt.Sprint("web", n))
	}
	for n := range 3 {
		c.see(snapshot(after(time.Duration(n)*i), services...))
	}
	if size := len(encode(t, c.memory)); size > 400 {
		t.Errorf("the memory of 10,000 healthy services has %d bytes: %s", size, encode(t, c.memory))
	}
	for n := range services {
		services[n].Image = "shop/web:1"
	}
	c.see(snapshot(after(3*i), services...))
	if size := len(encode(t, c.memory)); size > 10000*16+400 { // 12 bytes each, in base64
		t.Errorf("the memory of 10,000 healthy services with an image has %d bytes", size)
	}
}

func TestObjectGoneFromCompleteSnapshots(t *testing.T) {
	web := schema.Object{Kind: "service", Namespace: "shop", Name: "web"}
	raised := func(t *testing.T) *cluster {
		c := watch(t)
		c.see(snapshot(start, down("web"), up("api")))
		c.see(snapshot(after(i), down("web"), up("api")))
		return c
	}
	t.Run("gone-after-eight-intervals", func(t *testing.T) {
		c := raised(t)
		for n := range 8 {
			r := c.see(snapshot(after(time.Duration(n+2)*i), up("api")))
			want(t, firing(r), []string{"shop/web service_down critical"})
			want(t, r.Gone, []schema.Object(nil))
		}
		for n := range 10 {
			r := c.see(snapshot(after(time.Duration(n+10)*i), up("api")))
			want(t, firing(r), []string(nil))
			want(t, r.Gone, []schema.Object{web})
		}
	})
	t.Run("forgotten-in-time", func(t *testing.T) {
		c := raised(t)
		var r detect.Result
		for n := range 300 {
			r = c.see(snapshot(after(time.Duration(n+2)*i), up("api")))
		}
		want(t, r.Gone, []schema.Object(nil))
	})
	t.Run("back-before-it-is-gone", func(t *testing.T) {
		c := raised(t)
		for n := range 40 {
			s := snapshot(after(time.Duration(n+2)*i), up("api"))
			if n%8 == 7 {
				s = snapshot(s.TakenAt, up("api"), down("web"))
			}
			want(t, firing(c.see(s)), []string{"shop/web service_down critical"})
		}
	})
	t.Run("back-after-it-was-gone", func(t *testing.T) {
		c := raised(t)
		for n := range 10 {
			c.see(snapshot(after(time.Duration(n+2)*i), up("api")))
		}
		r := c.see(snapshot(after(12*i), up("api"), down("web")))
		want(t, r.Gone, []schema.Object(nil))
		want(t, firing(r), []string(nil))
		want(t, firing(c.see(snapshot(after(13*i), up("api"), down("web")))), []string{"shop/web service_down critical"})
	})
	incomplete := map[string]func(*schema.ClusterContext){
		"stale-snapshots-do-not-count":  func(s *schema.ClusterContext) { s.Stale = []schema.StalePart{{Source: "docker"}} },
		"goodbye-does-not-count":        func(s *schema.ClusterContext) { s.Goodbye = true },
		"omitted-services-do-not-count": func(s *schema.ClusterContext) { s.Omitted = map[string]int{"services": 1} },
	}
	for name, spoil := range incomplete {
		t.Run(name, func(t *testing.T) {
			c := raised(t)
			for n := range 50 {
				s := snapshot(after(time.Duration(n+2)*i), up("api"))
				spoil(&s)
				r := c.see(s)
				want(t, firing(r), []string{"shop/web service_down critical"})
				want(t, r.Gone, []schema.Object(nil))
			}
		})
	}
}

func TestNotFoundMeansWellOnceTheMemoryIsOldEnough(t *testing.T) {
	tests := map[string]struct {
		spoil           func(*schema.ClusterContext)
		services, nodes detect.Proof // once the memory is old enough
	}{
		"whole": {func(*schema.ClusterContext) {}, detect.Proof{Well: true, Gone: true}, detect.Proof{Well: true, Gone: true}},
		"part-stale-and-nothing-marked": {
			func(s *schema.ClusterContext) { s.Stale = []schema.StalePart{{Source: "docker"}} },
			detect.Proof{Well: true},
			detect.Proof{Well: true},
		},
		"services-stale": {
			func(s *schema.ClusterContext) {
				s.Stale = []schema.StalePart{{Source: "docker"}}
				s.Services[0].Stale = true
			},
			detect.Proof{},
			detect.Proof{Well: true},
		},
		"services-omitted": {
			func(s *schema.ClusterContext) { s.Omitted = map[string]int{"services": 1} },
			detect.Proof{Well: true},
			detect.Proof{Well: true, Gone: true},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := watch(t)
			for n := range 12 {
				s := snapshot(after(time.Duration(n)*i), up("web"))
				s.Nodes = []node{{ID: "n1"}}
				tt.spoil(&s)
				r := c.see(s)
				if n < 8 {
					tt.services, tt.nodes = detect.Proof{}, detect.Proof{}
				}
				if n == 8 {
					tt = tests[name]
				}
				want(t, r.Proof(schema.KindService), tt.services)
				want(t, r.Proof(schema.KindNode), tt.nodes)
			}
		})
	}
}

func TestFindingsAreInAFixedOrder(t *testing.T) {
	both := func() svc { s := down("mid"); s.Health = "unhealthy"; return s }()
	services := []svc{sick("a"), sick("z"), down("z2"), down("a2"), both}
	expected := []string{
		"shop/a2 service_down critical",
		"shop/mid service_down critical", "shop/mid unhealthy warning",
		"shop/z2 service_down critical",
		"shop/a unhealthy warning", "shop/z unhealthy warning",
	}
	order := rand.New(rand.NewPCG(1, 2))
	c := watch(t)
	for n := range 10 {
		order.Shuffle(len(services), func(a, b int) { services[a], services[b] = services[b], services[a] })
		s := snapshot(after(time.Duration(n)*i), services...)
		s.Nodes = []node{{ID: "n9", Status: "down"}}
		if r := c.see(s); n >= 4 {
			want(t, firing(r), append([]string{"n9 node_down critical"}, expected...))
		}
	}
}

// random is a snapshot of a few services and nodes, in any state.
func random(r *rand.Rand, at time.Time) schema.ClusterContext {
	s := snapshot(at)
	for n := range 6 {
		name := string(rune('a' + n))
		kinds := []func() svc{
			func() svc { return up(name) },
			func() svc { return up(name) },
			func() svc { return down(name) },
			func() svc { return sick(name) },
			func() svc { return looping(name, r.Int64N(40)) },
			func() svc { return oomed(name, at.Add(-time.Duration(r.IntN(4000))*time.Second)) },
			func() svc { return ended(name, r.IntN(2), at.Add(-time.Duration(r.IntN(90000))*time.Second)) },
			func() svc { return svc{Name: name, Namespace: "shop"} },
			func() svc { s := down(name); s.NotWanted = "stopped by hand"; return s },
			func() svc { s := up(name); s.RestartsTotal, s.RestartCount24h = nil, new(r.Int64N(20)); return s },
			func() svc { return some(name, new(r.IntN(4)), 3) },
			func() svc { return logging(name, r.Int64N(2000)) },
			func() svc { s := up(name); s.ErrorCount1h = new(r.Int64N(200)); return s },
			func() svc { s := down(name); s.Stale = true; return s },
		}
		if k := r.IntN(len(kinds) + 1); k < len(kinds) {
			s.Services = append(s.Services, deployed(r, kinds[k](), at))
		}
	}
	for n := range 2 {
		status := []string{"", "healthy", "draining", "down"}[r.IntN(4)]
		s.Nodes = append(s.Nodes, machine(r, fmt.Sprint("n", n), status, at))
	}
	switch r.IntN(20) {
	case 0:
		s.Stale = []schema.StalePart{{Source: "docker"}}
	case 1:
		s.Omitted = map[string]int{"services": 2}
	case 2:
		s.CountersSince = at
	case 3:
		s.Unread = []schema.UnreadPart{{Part: schema.Parts()[r.IntN(9)], Reason: "not here"}}
	case 4, 5, 6:
		s.Collector, s.Host = string(rune('A'+r.IntN(3))), "host"
	}
	return s
}

// deployed is s with any image, or none, deployed at any time, or none.
func deployed(r *rand.Rand, s svc, at time.Time) svc {
	s.Image = []string{"", "a", "a", "a", "b", "c"}[r.IntN(6)]
	if r.IntN(3) == 0 {
		s.LastDeployAt = at.Add(-time.Duration(r.IntN(300)-10) * time.Second)
	}
	if s.LastFailure != nil && r.IntN(3) == 0 {
		s.LastFailure.Reason = schema.FailureStart
	}
	return s
}

// machine is a node in any state.
func machine(r *rand.Rand, id, status string, at time.Time) node {
	maybe := func(x float64) *float64 {
		if r.IntN(8) == 0 {
			return nil
		}
		return &x
	}
	high := func() *float64 { return maybe(80 + float64(r.IntN(20))) }
	return node{
		ID: id, Status: status, LastSeen: at.Add(-time.Duration(r.IntN(200)) * time.Second), BootAt: at.Add(-time.Duration(r.IntN(9000)) * time.Second),
		CPUPercent: high(), MemoryPercent: high(), Stale: r.IntN(10) == 0,
		Disks: []disk{{Mount: "/", UsedPercent: high(), InodesPercent: high(), FreeBytes: new(r.Int64N(2e9))}, {Mount: "/var", UsedPercent: high()}},
		GPUs: []gpu{
			{Index: 1, Temperature: high(), ErrorsTotal: new(r.Int64N(3))},
			{Index: 0, VRAMUsedMB: high(), VRAMTotalMB: new(100.0), ErrorsTotal: new(r.Int64N(3))},
		},
	}
}

// TestMemorySurvivesJSON checks over random courses of events that a memory that goes through JSON after every step
// decides as one that does not, that nothing depends on the order of services, and that a repeat changes nothing.
func TestMemorySurvivesJSON(t *testing.T) {
	for seed := range uint64(need.Seeds(40)) {
		r := rand.New(rand.NewPCG(seed, 7))
		kept := watch(t)
		var plain detect.Memory
		at := start
		for seq := uint64(1); seq < 120; seq++ {
			at = at.Add([]time.Duration{i, i, i, time.Second, 0, 10 * time.Minute, -i, -time.Hour}[r.IntN(8)])
			s := random(r, at)
			pos := detect.Position{Seq: seq, At: at}
			next, result := detect.Detect(plain, s, pos, detect.Default())
			shuffled := s
			shuffled.Services = slices.Clone(s.Services)
			slices.Reverse(shuffled.Services)
			if got := kept.seeAt(shuffled, pos); !reflect.DeepEqual(result, got) {
				t.Fatalf("seed %d, step %d (-in memory +through JSON):\n%s", seed, seq, cmp.Diff(result, got))
			}
			plainly, through := encode(t, next), encode(t, kept.memory)
			if plainly != through {
				t.Fatalf("seed %d, step %d: memory (-in memory +through JSON):\n%s", seed, seq, cmp.Diff(plainly, through))
			}
			again, repeated := detect.Detect(next, s, pos, detect.Default())
			if result.Dropped == "" && (!reflect.DeepEqual(result, repeated) || encode(t, again) != plainly) {
				t.Fatalf("seed %d, step %d: a repeat differs", seed, seq)
			}
			sane(t, result)
			plain = next
		}
	}
}

// sane checks what holds of every result.
func sane(t *testing.T, r detect.Result) {
	t.Helper()
	for _, f := range append(slices.Clone(r.Own), r.Findings...) {
		if slices.Contains(r.Gone, f.Object) || len(f.Conditions) == 0 {
			t.Fatalf("%v is both found and gone, or found without a condition", f.Object)
		}
		for _, c := range f.Conditions {
			if c.Since.IsZero() || c.Title == "" || len([]rune(c.Title)) > 60 || len(c.Facts) == 0 || schema.SeverityRank(c.Severity) == 0 || !c.Until.IsZero() {
				t.Fatalf("%v: incomplete condition %+v", f.Object, c)
			}
		}
	}
}
