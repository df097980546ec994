package detect_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/detect"
)

func TestThirdTimeInAnHourStaysOpenUntilQuiet(t *testing.T) {
	for _, tt := range []struct {
		name   string
		course string
		want   string
	}{
		{"twice", "a:2 a-:2 a:10 a-:2 a:10", ".3 D5 .7 D5 .6"},
		{"three-times", "a:2 a-:2 a:10 a-:2 a:10 a-:2 a:130", ".3 D5 .7 D5 .7 D121 .10"},
		{"again-before-it-was-quiet", "a:2 a-:2 a:10 a-:2 a:10 a-:2 a:100 a- a:130", ".3 D5 .7 D5 .7 D222 .10"},
		{"other-conditions-of-the-object-count", "a:2 a-:2 a:10 a!:5 a:10 a-:2 a:130", ".3 D5 .10 U5 .7 D121 .10"},
		{"another-condition-while-one-lasts-does-not", "a:2 a-:2 a!:9 a:10 a-:2 a:10", ".3 D5 U9 .7 D5 .6"},
		{"in-more-than-an-hour", "a:2 a-:2 a:118 a-:2 a:118 a-:2 a:10", ".3 D5 .115 D5 .115 D5 .6"},
		{"again-soon-after-it-was-quiet", "a:2 a-:2 a:10 a-:2 a:10 a-:2 a:130 a-:2 a:130", ".3 D5 .7 D5 .7 D121 .11 D121 .10"},
		{"again-long-after", "a:2 a-:2 a:10 a-:2 a:10 a-:2 a:370 a-:2 a:10", ".3 D5 .7 D5 .7 D121 .251 D5 .6"},
		{"killed-three-times", "a:2 a* a:130 a* a:130 a* a:130", ".2 O120 .11 O120 .11 O120 .11"},
		{"job-every-ten-minutes", "ajf ajs:39 ajf ajs:39 ajf ajs:39 ajf ajs:130", ".40 J1 .39 J1 .39 J120 .11"},
		{"gone-meanwhile", "a:2 a-:2 a:10 a-:2 a:10 a-:2 _:12 a:10", ".3 D5 .7 D5 .7 D9 .14"},
		{"does-not-count-what-grace-keeps-back", "a:2 b-:2 b:10 c-:2 c:10 d-:2 d:10 d-:2 d:10", ".39 D5 .6"},
	} {
		t.Run(tt.name, func(t *testing.T) { want(t, watchLong(t).steps(tt.course), tt.want) })
	}
}

const flapped = "a:2 a-:2 a:10 a-:2 a:10 a-:2"

func TestFlappingIsToldAndExplained(t *testing.T) {
	c := watch(t)
	c.steps(flapped)
	want(t, c.facts(), []string{"third time since 08:01:00 UTC: flapping, stays open until quiet for 30 min", "0 of 1 running"})
	want(t, c.why(detect.ServiceDown).Verdict, detect.VerdictFiring)
	c.steps("a:3")
	want(t, c.facts()[0], "third time since 08:01:00 UTC: flapping, stays open until quiet for 30 min")
	want(t, c.why(detect.ServiceDown), detect.Reason{
		Condition: detect.ServiceDown, Verdict: detect.VerdictFlapping, Since: after(29 * i), Until: after(29*i + 30*time.Minute),
		Text: "service_down: alerting, but well for 30 s of 30 min, third time since 08:01:00 UTC: flapping, stays open until quiet for 30 min",
	})
	s := c.snapshot("a!")
	c.see(s)
	for _, r := range detect.Why(c.memory, &s, c.rules, s.Services[0].Object()) {
		if r.Condition == detect.Unhealthy {
			want(t, r.Verdict, detect.VerdictHold) // it is not what is kept open
		}
	}
	c.steps("a:130")
	c.steps("a-:2")
	want(t, c.facts()[0], "fourth time since 08:01:00 UTC: flapping, stays open until quiet for 30 min")
}

func TestFlappingCanBeSwitchedOffAndSet(t *testing.T) {
	c := watch(t)
	c.rules.Flapping.On = false
	want(t, c.steps(flapped+" a:10"), ".3 D5 .7 D5 .7 D5 .6")
	want(t, strings.Contains(encode(t, c.memory), "flaps"), false)

	c = watch(t)
	c.rules = c.rules.With(line(t, 4, detect.Flapping, "times", detect.Value{Number: 2}))
	want(t, c.steps("a:2 a-:2 a:10 a-:2 a:10"), ".3 D5 .7 D11")
	want(t, c.why(detect.ServiceDown).Text,
		"service_down: alerting, but well for 2 min of 30 min, second time since 08:01:00 UTC: flapping, stays open until quiet for 30 min; times 2 by line 4")

	c = watch(t)
	c.steps(flapped)
	c.rules.Flapping.On = false // at a restart
	want(t, c.steps("a:10"), "D4 .6")
}

func TestNodeFlaps(t *testing.T) {
	c := watch(t)
	var got []string
	see := func(n int, status string) {
		for range n {
			c.at += i
			r := c.see(nodes(after(c.at), node{ID: "n1", Status: status}))
			got = append(got, map[int]string{0: ".", 1: "N"}[len(firing(r))])
		}
	}
	for range 3 {
		see(2, "healthy")
		see(2, "down")
		see(8, "healthy")
	}
	see(130, "healthy")
	want(t, runs(got), ".3 N5 .7 N5 .7 N121 .18")
}

func TestFlappingIsForgottenInTime(t *testing.T) {
	for _, after := range []string{"a:400", "a:130 _:300"} {
		c := watchLong(t)
		c.steps(flapped + " " + after)
		if m := encode(t, c.memory); strings.Contains(m, "flaps") {
			t.Error(m)
		}
	}
}

func TestFlappingSurvivesAClockThatIsSetBack(t *testing.T) {
	c := watch(t)
	c.steps("a:2 a-:2 a:10 a-:2 a:10")
	c.at -= 1000 * time.Hour
	want(t, c.steps("a:2 a-:2 a:10"), ".3 D11")
	want(t, strings.HasPrefix(c.facts()[0], "third time since "), true)
	c = watch(t)
	c.steps("a:2 a-:2 a:10 a-:2 a:10")
	c.at -= 1000 * time.Hour
	want(t, c.steps("a:250 a-:2 a:10"), ".251 D5 .6") // an hour later
	c = watch(t)
	c.steps("a:2 a-:2 a:10 a-:2 a:10")
	c.at += 1000 * time.Hour // two times long ago
	want(t, c.steps("a:2 a-:2 a:10"), ".3 D5 .6")
}
