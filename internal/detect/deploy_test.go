package detect_test

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/need"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// The interval is 15 s: a grace of 2 min is 8 steps from the first one that shows the deploy.
func TestGraceAfterADeploy(t *testing.T) {
	for _, tt := range []struct {
		name   string
		course string
		want   string
	}{
		{"good-deploy", "a:4 b-:3 b:20", ".27"},
		{"bad-deploy-is-told-at-the-end", "a:4 b-:20", ".12 D12"},
		{"without-a-deploy", "a:4 a-:4", ".5 D3"},
		{"bad-at-first-sight", "b-:4", ".1 D3"},
		{"never-seen-well", "a-:1 b-:4", ".1 D4"},
		{"never-seen-well-though-it-ran-in-part", "a~:3 b-:4", ".4 D3"},
		{"running-while-another-alert-is-open-is-not-well", "a-:3 a:2 b!:8", ".1 D6 .2 U4"},
		{"well-long-ago-counts", "a:2 a-:8 b-:2", ".3 D9"},
		{"fixed-by-a-deploy-is-cleared-in-time", "a:2 a-:4 b:10", ".3 D7 .6"},
		{"what-is-firing-stays-so-through-a-bad-one", "a:2 a-:4 b-:12", ".3 D15"},
		{"down-for-one-step-before-the-deploy", "a:4 a- b-:12", ".13 D4"},
		{"second-deploy-after-60-s", "a:4 b-:4 c-:12", ".16 D4"},
		{"rolled-back", "a:4 b-:5 a:20", ".29"},
		{"rolled-back-in-vain", "a:4 b-:4 a-:12", ".16 D4"},
		{"scaled-to-nothing-and-back", "a:4 a0:9 a:9", ".22"},
		{"scaled-up-to-something-that-fails", "a:4 a0:9 a-:4", ".14 D3"},
		{"absent-between-the-two", "a:4 _:3 b-:12", ".15 D4"},
		{"absent-for-ten-minutes", "a:4 _:40 b-:12", ".52 D4"},
		{"absent-for-more-than-an-hour", "a:4 _:250 b-:12", ".255 D11"},
		{"stale-for-more-than-an-hour", "a:4 a?:250 b-:12", ".262 D4"},
		{"two-images-in-turn-during-a-rollout", "a:4 b~:2 a~ b~:4 b:20", ".31"},
		{"partly-down-for-ever", "a:4 b~:20", ".12 G12"},
		{"none-then-some-of-it", "a:4 b-:4 b~:20", ".16 G12"},
		{"some-of-what-was-down-is-not-called-well", "a:2 a-:4 b~:20", ".3 D6 DG1 G16"},
		{"nothing-comes-over-its-end", "a:4 b-:2 /:40 b-:2", ".6 D2"},
		{"nothing-comes-over-the-deploy", "a:4 /:40 b-:10", ".12 D2"},
		{"engine-could-not-start-it", "a:4 be:4", ".5 D3"},
		{"engine-could-start-it-after-all", "a:4 be b-:4 b:10", ".5 D8 .6"},
		{"error-of-the-deploy-before", "a:4 ae:2 a:8 b-:9", ".5 D5 .12 D1"},
		{"killed-in-grace", "a:4 b* b:130", ".12 O112 .11"},
		{"killed-again-after-the-grace", "a:4 b* b:8 b* b:130", ".12 O121 .11"},
		{"loop-that-settles", "a:4 br:4 b:20", ".28"},
		{"loop-that-does-not", "a:4 br:20", ".12 L12"},
		{"loop-whose-own-hold-ends-later", "a:4 b:5 br:10", ".15 L4"},
		{"job-that-fails", "ajs:4 bjf bj:10", ".12 J3"},
		{"job-that-fails-and-then-works", "ajs:4 bjf bj:3 bjs:10", ".18"},
		{"check-fails", "a:4 b!:16", ".12 U4 C4"},
		{"check-that-failed-before-gets-worse-in-grace", "a:4 a!:9 b!:12", ".8 U8 C9"},
		{"check-that-fails-for-a-while", "a:4 b!:6 b:20", ".30"},
	} {
		t.Run(tt.name, func(t *testing.T) { want(t, watch(t).steps(tt.course), tt.want) })
	}
}

func TestDeployLoopIsToldAtLast(t *testing.T) {
	var course strings.Builder
	course.WriteString("a:4")
	for n := range 60 {
		course.WriteString(" " + string(rune('b'+n%20)) + "-:3 " + string(rune('b'+n%20)))
	}
	// Five minutes of grace are 20 steps. From then on it comes back too seldom to be well.
	want(t, watchLong(t).steps(course.String()), ".25 D219")
}

func TestGraceCanBeSwitchedOffAndSet(t *testing.T) {
	c := watch(t)
	c.rules.DeployGrace.On = false
	want(t, c.steps("a:4 b-:4"), ".5 D3")
	want(t, strings.Contains(encode(t, c.memory), `"ran"`), false)
	c = watch(t)
	c.steps("a:4 b-:3")
	c.rules.DeployGrace.On = false // at a restart
	want(t, c.steps("b-:2"), "D2")
	c = watch(t)
	c.rules.DeployGrace.For = time.Minute
	want(t, c.steps("a:4 b-:6"), ".8 D2")
	c = watch(t)
	c.rules.Overrides = []detect.Override{{
		Match:   detect.Match{Service: "web"},
		Changes: []detect.Change{line(t, 7, detect.DeployGrace, "for", detect.Value{Span: detect.Span{Time: 30 * time.Second}})},
	}}
	want(t, c.steps("a:4 b-"), ".5")
	want(t, c.why(detect.ServiceDown).Text, "service_down: not alerted yet, in the grace after its image changed to shop/web:b at 08:01:15 UTC, 30 s more; for 30s by line 7")
	want(t, c.steps("b-:3"), ".1 D2")
}

// why is why the condition of shop/web alerts or does not, by the newest of steps.
func (c *cluster) why(condition string) detect.Reason {
	c.t.Helper()
	s := snapshot(c.memory.TakenAt, c.service(c.memory.TakenAt, ""))
	for _, r := range detect.Why(c.memory, &s, c.rules, s.Services[0].Object()) {
		if r.Condition == condition {
			return r
		}
	}
	c.t.Fatalf("%s has no reason", condition)
	return detect.Reason{}
}

func TestDeployWithoutAnotherImage(t *testing.T) {
	deploy := func(c *cluster, at time.Time) { c.deployed = at }
	c := watch(t)
	want(t, c.steps("a:4"), ".4")
	deploy(c, after(4*i+time.Second)) // the first one that is known of
	want(t, c.steps("a-:3 a:4"), ".7")
	want(t, c.steps("a:40 a- a:4"), ".45") // it was deployed long ago
	deploy(c, after(c.at+time.Second))
	want(t, c.steps("a-:12"), ".8 D4")
	want(t, c.facts()[0], "right after it was deployed at 08:14:01 UTC")

	c = watch(t)
	want(t, c.steps("a:4"), ".4")
	deploy(c, after(-time.Hour)) // a collector that now tells it
	want(t, c.steps("a-:4"), ".1 D3")

	c = watch(t)
	deploy(c, after(-time.Hour))
	want(t, c.steps("a:4"), ".4")
	deploy(c, time.Time{}) // one that no longer does
	want(t, c.steps("a-:4"), ".1 D3")

	c = watch(t)
	want(t, c.steps("a:4 /:40"), ".4")
	deploy(c, after(c.at-30*time.Second)) // while nothing came: the grace is of the deploy, not of its being noticed
	want(t, c.steps("a-:12"), ".5 D7")
}

// A deploy that is noticed late does not shorten the grace that lasts, and one long past is not the one that is named.
func TestDeploysThatAreNoticedLateInGrace(t *testing.T) {
	for _, late := range []time.Duration{100 * time.Second, time.Hour} {
		c := watch(t)
		c.steps("a:4 b-:2")
		c.deployed = after(c.at + i - late)
		want(t, c.steps("b-:8"), ".6 D2")
		if late == time.Hour {
			want(t, c.facts()[0], "right after its image changed to shop/web:b at 08:01:15 UTC")
		}
	}
}

func TestWhatGraceKeptBackNamesTheDeploy(t *testing.T) {
	c := watch(t)
	c.steps("a:4 b-:12")
	want(t, c.facts(), []string{"right after its image changed to shop/web:b at 08:01:15 UTC", "0 of 1 running"})
	c.steps("b:10")
	want(t, c.steps("b-:2"), ".1 D1")
	want(t, c.facts(), []string{"0 of 1 running"})

	c = watch(t)
	c.steps("a:4 be:4") // not kept back
	want(t, c.facts()[:2], []string{"right after its image changed to shop/web:b at 08:01:15 UTC", "port is already allocated"})

	from, to := strings.Repeat("a", 70)+":1", strings.Repeat("b", 70)+":2"
	c = watch(t)
	for n := range 14 {
		s := up("web")
		if s.Image = from; n > 2 {
			s = down("web")
			s.Image, s.PreviousImage, s.LastDeployAt = to, from, after(2*i+5*time.Second)
		}
		c.see(snapshot(after(time.Duration(n)*i), s))
	}
	want(t, c.facts()[0], "right after its image changed from …"+from[13:]+" to …"+to[13:]+" at 08:00:35 UTC")
}

func TestWhyInGrace(t *testing.T) {
	c := watch(t)
	c.steps("a:4 b-:3")
	s := c.snapshot("b-")
	reason := func(condition string) detect.Reason {
		for _, r := range detect.Why(c.memory, &s, c.rules, s.Services[0].Object()) {
			if r.Condition == condition {
				return r
			}
		}
		t.Fatal(condition)
		return detect.Reason{}
	}
	want(t, reason(detect.ServiceDown), detect.Reason{
		Condition: detect.ServiceDown, Verdict: detect.VerdictGrace, Since: after(5 * i), Until: after(13 * i),
		Text: "service_down: not alerted yet, in the grace after its image changed to shop/web:b at 08:01:15 UTC, 90 s more",
	})
	want(t, reason(detect.Unhealthy).Verdict, detect.VerdictWell)
	c.steps("b-:10")
	want(t, reason(detect.ServiceDown).Verdict, detect.VerdictFiring)
}

func TestGraceSurvivesAClockThatIsSetBack(t *testing.T) {
	for _, back := range []time.Duration{time.Hour, 1000 * time.Hour} {
		c := watch(t)
		want(t, c.steps("a:4 b-:4"), ".8")
		c.at -= back
		want(t, c.steps("b-:12"), ".5 D7") // the snapshot after the jump takes nothing off the grace

		c = watch(t)
		c.steps("a:4 b:6 c:6 d:9 e:4") // 5 min of it
		c.at -= back
		want(t, c.steps("f-:4 f:100 g-:10"), ".1 D7 .104 D2") // none is left, and half an hour later there is again
	}
}

func TestGraceIsForSoManyServicesAtOnce(t *testing.T) {
	c := watchLong(t)
	c.rules.Storm.On = false // which would be one more finding
	n := 0
	see := func(s func(string) svc, image string) int {
		services := make([]svc, 5000)
		for k := range services {
			services[k] = s("web" + strconv.Itoa(k))
			services[k].Image = image
		}
		n++
		return len(c.see(snapshot(after(time.Duration(n)*i), services...)).Findings)
	}
	for _, step := range []struct {
		how   func(string) svc
		image string
		want  int
	}{{up, "a", 0}, {up, "a", 0}, {down, "b", 0}, {down, "b", 3000}, {down, "b", 3000}} {
		want(t, see(step.how, step.image), step.want)
	}
	for range 6 {
		see(down, "b")
	}
	want(t, see(down, "b"), 5000)
	want(t, strings.Count(encode(t, c.memory), `"flaps"`), 4000)
}

// The errors that a deploy itself logs are no burst; those that go on are.
func TestErrorsInGrace(t *testing.T) {
	for name, tt := range map[string]struct {
		each []int64 // errors logged in each step from the deploy on; the last goes on
		want string
	}{
		"at-the-deploy-only": {[]int64{20, 20, 20, 0}, ".40"},
		"one-now-and-then":   {[]int64{20, 20, 20, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0}, ".40"},
		"going-on":           {[]int64{20, 20, 20, 20}, ".8 E32"},
		"beginning-later":    {[]int64{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 40}, ".11 E29"},
	} {
		t.Run(name, func(t *testing.T) {
			c := watch(t)
			total := int64(0)
			see := func(n int, image string) string {
				s := logging("web", total)
				s.Image = image
				return letters(c.see(snapshot(after(time.Duration(n)*i), s)))
			}
			for n := range 160 {
				see(n, "web:1")
			}
			got := []string{}
			for n := range 40 {
				total += tt.each[min(n, len(tt.each)-1)]
				got = append(got, see(160+n, "web:2"))
			}
			want(t, runs(got), tt.want)
		})
	}
}

func TestAtMostFiveMinutesOfGraceInAnyThirty(t *testing.T) {
	for seed := range uint64(need.Seeds(30)) {
		r := rand.New(rand.NewPCG(seed, 3))
		c := watchLong(t)
		type stretch struct{ from, to time.Duration }
		var had []stretch
		for range 1500 {
			step := "a"
			if r.IntN(6) == 0 {
				c.deployed = after(c.at + i - time.Duration(r.IntN(15))*time.Second)
			}
			if r.IntN(30) == 0 {
				c.at += time.Duration(r.IntN(20)) * i
			}
			c.steps(step)
			if left := c.graceLeft(); left > 0 {
				had = append(had, stretch{c.at, c.at + min(left, i)})
			}
		}
		if len(had) < 50 {
			t.Fatalf("seed %d: %d stretches of grace show nothing", seed, len(had))
		}
		for n := range had {
			total := time.Duration(0)
			for _, s := range had[n:] {
				total += max(0, min(s.to, had[n].from+30*time.Minute)-s.from)
			}
			if total > 5*time.Minute+time.Second {
				t.Fatalf("seed %d: %v of grace in the 30 min from %v on", seed, total, had[n].from)
			}
		}
	}
}

func (c *cluster) graceLeft() time.Duration {
	c.t.Helper()
	var m struct {
		Objects []struct {
			Deploy struct{ Left time.Duration }
		}
	}
	if err := json.Unmarshal([]byte(encode(c.t, c.memory)), &m); err != nil {
		c.t.Fatal(err)
	}
	if len(m.Objects) == 0 {
		return 0
	}
	return m.Objects[0].Deploy.Left
}

func TestNothingOfADeployIsRememberedForLong(t *testing.T) {
	c := watch(t)
	c.steps("a:4 b:200")
	if m := encode(t, c.memory); strings.Contains(m, "objects") {
		t.Error(m)
	}
	c.steps("_:260")
	if m := encode(t, c.memory); strings.Contains(m, "ran") {
		t.Error(m)
	}
}

// Services that come and go for ever do not make the memory large.
func TestServicesThatLeftAreBounded(t *testing.T) {
	c := watchLong(t)
	for n := range 40 {
		services := make([]svc, 1000)
		for k := range services {
			services[k] = up("job" + string(rune('a'+n)) + time.Duration(k).String())
			services[k].Image = "job"
		}
		c.see(snapshot(after(time.Duration(n)*i), services...))
	}
	var left int
	for _, b := range [][]byte{c.memory.Ran, c.memory.RanBefore} {
		left += len(b)
	}
	want(t, left, 1000*12+8192*16)
	c.see(snapshot(after(time.Hour + 60*i)))
	c.see(snapshot(after(2*time.Hour + 60*i)))
	want(t, len(c.memory.Ran)+len(c.memory.RanBefore), 0)
}

// With grace, flapping and explanation off, images and deploys are nothing that detection looks at.
func TestWithoutGraceADeployChangesNothing(t *testing.T) {
	for seed := range uint64(need.Seeds(20)) {
		r := rand.New(rand.NewPCG(seed, 5))
		with, without := watchLong(t), watchLong(t)
		with.rules.DeployGrace.On, without.rules.DeployGrace.On = false, false
		with.rules.Flapping.On, without.rules.Flapping.On = false, false
		with.rules.Explain.On, without.rules.Explain.On = false, false
		at := start
		for range 150 {
			at = at.Add([]time.Duration{i, i, i, 10 * time.Minute, -time.Hour}[r.IntN(5)])
			s := random(r, at)
			plain := s
			plain.Services = append([]svc{}, s.Services...)
			for n := range plain.Services {
				plain.Services[n].Image, plain.Services[n].LastDeployAt = "", time.Time{}
			}
			want(t, with.see(s), without.see(plain))
		}
		want(t, encode(t, with.memory), encode(t, without.memory))
	}
}

// The snapshot before was taken while the engine was at it already, and the engine tells the time of the deploy in seconds.
func TestWhatTheEngineCannotStartIsToldAtOnceHoweverItsTimesAreRead(t *testing.T) {
	c := watch(t)
	runs := func(image string) svc {
		s := up("web")
		s.Image = image
		return s
	}
	for n := range 12 {
		c.see(snapshot(after(time.Duration(n)*i), runs("web:1")))
	}
	broken := down("web")
	broken.Image, broken.LastDeployAt = "web:2", after(11*i).Add(-800*time.Millisecond)
	broken.LastFailure = &schema.Failure{Reason: schema.FailureStart, At: after(11 * i).Add(-300 * time.Millisecond), Text: "no such file"}
	c.see(snapshot(after(12*i), broken))
	want(t, firing(c.see(snapshot(after(13*i), broken))), []string{"shop/web service_down critical"})
}
