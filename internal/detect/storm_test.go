package detect_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/need"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// failing is a cluster in which n services that nothing explains begin to fail in one snapshot.
func failing(t *testing.T, n int) *town {
	w := build(t, named("web", n, up)...)
	w.quick = n > 100
	w.pass(1)
	w.set(named("web", n, down)...)
	w.pass(2)
	return w
}

func TestManyThatBeginToFailAtOnceAreOneStorm(t *testing.T) {
	for _, tt := range []struct {
		n     int
		heard int
	}{{9, 9}, {10, 1}, {1000, 1}, {10_000, 1}} {
		t.Run(fmt.Sprint(tt.n), func(t *testing.T) {
			w := failing(t, tt.n)
			want(t, len(w.heard()), tt.heard)
			if tt.heard > 1 {
				return
			}
			w.hears(fmt.Sprintf("prod storm with %d", tt.n))
			f := w.result.Findings[0]
			want(t, f.Object, detect.Cluster("prod"))
			want(t, f.Conditions, []schema.Condition{{
				Name: "storm", Severity: "critical", Since: after(2 * i),
				Title: fmt.Sprintf("prod: %d objects failing, %d of them down", tt.n, tt.n),
				Facts: []string{fmt.Sprintf("service_down (%d)", tt.n), fmt.Sprintf("in shop (%d)", tt.n)},
			}})
			want(t, w.memory.Storm("prod", w.rules), f.Conditions)
		})
	}
}

func TestStormOnTheVeryFirstSnapshots(t *testing.T) {
	w := build(t, named("web", 12, down)...)
	w.pass(1)
	w.tells()
	w.pass(1)
	w.hears("prod storm with 12")
}

func TestStormMayComeOverSeveralSnapshots(t *testing.T) {
	for _, tt := range []struct {
		name     string
		each, by int // so many more, every so many snapshots
		want     int // heard after 5 of them
	}{
		{"four-in-each-of-three", 4, 1, 1},
		{"four-every-30-s", 4, 2, 1},
		{"four-every-45-s", 4, 3, 20},
		{"one-in-each", 1, 1, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := build(t)
			for n := range 5 {
				w.set(named("web", (n+1)*tt.each, down)...)
				w.pass(tt.by)
			}
			w.pass(1)
			want(t, len(w.heard()), tt.want)
		})
	}
}

func TestWhatTricklesInIsNoStorm(t *testing.T) {
	w := build(t)
	w.quick = true
	for n := range 240 {
		w.set(named("web", n+1, down)...)
		w.pass(1)
	}
	w.pass(1)
	want(t, len(w.heard()), 240)
	want(t, w.memory.Storm("prod", w.rules), []schema.Condition(nil))
}

func TestPauseBetweenSnapshotsCountsForTwoIntervals(t *testing.T) {
	w := build(t, named("web", 6, down)...)
	w.pass(2)
	w.at = w.at.Add(10 * time.Minute)
	w.set(named("web", 10, down)...)
	w.pass(2)
	w.hears("prod storm with 10")
}

func TestWhatIsExplainedOrToldToNobodyMakesNoStorm(t *testing.T) {
	w := build(t, down("db"))
	for _, s := range named("caller", 50, down) {
		w.set(needing(s, "db"))
	}
	for _, s := range named("dev", 50, down) {
		s.Labels = map[string]string{detect.SeverityLabel: schema.SeverityInfo}
		w.set(s)
	}
	w.set(named("web", 8, down)...)
	w.pass(2)
	want(t, len(w.heard()), 1+50+8)
}

func TestStormTakesInWhatBeginsToFailWhileItIsOn(t *testing.T) {
	w := build(t, down("before"))
	w.pass(20)
	w.set(named("web", 10, down)...)
	w.pass(20)
	w.hears("before service_down", "prod storm with 10")
	w.set(down("later"))
	w.pass(2)
	w.hears("before service_down", "prod storm with 11")
	w.set(named("web", 10, up)...)
	w.pass(4)
	w.hears("before service_down", "prod storm with 11")
	w.pass(1)
	w.tells("before: service_down", "later: service_down (quiet)")
}

// A storm of which some never end would hide all that fails after it.
func TestStormTakesInNothingThatBeginsLongAfterIt(t *testing.T) {
	w := failing(t, 12)
	w.set(named("web", 8, up)...)
	w.pass(60)
	w.hears("prod storm with 4")
	w.set(down("db"))
	w.pass(2)
	w.hears("prod storm with 4", "db service_down")
	w.pass(20)
	w.set(named("new", 10, down)...) // as many as make a storm are one
	w.pass(2)
	w.hears("prod storm with 14", "db service_down")
	w.set(down("other"))
	w.pass(2)
	w.hears("prod storm with 15", "db service_down")
}

// The memory of an older version says of nothing that it stood for itself.
func TestWhatWasToldBeforeStormsWereCountedIsNoStorm(t *testing.T) {
	w := failing(t, 9)
	w.set(down("web-00009"))
	w.rules.Storm.On = false
	w.pass(40)
	want(t, strings.Contains(encode(t, w.memory), "alone"), false)
	w.rules.Storm.On = true
	w.pass(5)
	want(t, len(w.heard()), 10)
	w.set(named("new", 10, down)...)
	w.pass(2)
	want(t, len(w.heard()), 11)
}

func TestStormIsOverWhenThreeAreLeft(t *testing.T) {
	w := failing(t, 12)
	w.set(named("web", 8, up)...)
	w.pass(10)
	w.hears("prod storm with 4")
	w.set(named("web", 9, up)...)
	w.pass(4) // clear holds included
	w.hears("prod storm with 4")
	w.pass(1)
	left := []string{"web-00009: service_down (quiet)", "web-00010: service_down (quiet)", "web-00011: service_down (quiet)"}
	w.tells(left...)
	w.pass(100) // for as long as they fail
	w.tells(left...)
	w.set(up("web-00009"))
	w.pass(5)
	w.set(down("web-00009")) // a new failure is one
	w.pass(2)
	w.tells("web-00009: service_down", left[1], left[2])
}

func TestSecondStormIsAnother(t *testing.T) {
	w := failing(t, 12)
	w.set(named("web", 10, up)...)
	w.pass(5)
	w.hears("web-00010 service_down (quiet)", "web-00011 service_down (quiet)")
	w.pass(10)
	w.set(named("web", 10, down)...)
	w.pass(2)
	w.hears("prod storm with 10", "web-00010 service_down (quiet)", "web-00011 service_down (quiet)")
	want(t, w.result.Findings[0].Conditions[0].Since, w.at.Add(-i).UTC())
}

func TestMembersOfAStormGoOverToTheirCauses(t *testing.T) {
	w := build(t)
	w.set(named("web", 12, down)...)
	w.set(named("api", 12, down)...)
	w.pass(2)
	w.hears("prod storm with 24")
	w.set(down("db"))
	for _, s := range named("web", 12, down) {
		w.set(needing(s, "db"))
	}
	w.pass(2)
	w.hears("prod storm with 25") // db is one of them, and what needs it follows
	w.set(named("api", 12, up)...)
	w.pass(5) // of 25 members, 12 went over to db, and db itself is left
	w.hears("db service_down with 12 (quiet)")
}

func TestStormThatMostlyHadOneCauseIsFoldedIntoIt(t *testing.T) {
	w := failing(t, 12)
	w.set(down("db"))
	for _, s := range named("web", 8, down) {
		w.set(needing(s, "db"))
	}
	w.pass(2)
	w.hears("prod storm with 13")
	w.set(up("web-00008"), up("web-00009"), up("web-00010"))
	w.pass(5)
	for range 8 {
		want(t, w.told()[1], "prod: storm <- db")
		w.hears("db service_down with 9 (quiet)", "web-00011 service_down (quiet)")
		want(t, w.memory.Storm("prod", w.rules), []schema.Condition(nil))
		w.pass(1)
	}
	w.hears("db service_down with 8 (quiet)", "web-00011 service_down (quiet)")
}

func TestStormThatIsOverIsForgottenWithItsCause(t *testing.T) {
	w := failing(t, 12)
	w.set(down("db"))
	for _, s := range named("web", 12, down) {
		w.set(needing(s, "db"))
	}
	w.pass(2)
	want(t, w.told()[1], "prod: storm <- db")
	w.set(up("db"))
	w.set(named("web", 12, up)...)
	w.pass(5)
	w.tells()
}

func TestStormIsAsSevereAsItsWorst(t *testing.T) {
	w := build(t, named("web", 12, sick)...)
	w.pass(5)
	want(t, w.result.Findings[0].Conditions[0].Severity, "warning")
	w.set(down("web-00003"))
	w.pass(2)
	want(t, w.result.Findings[0].Conditions[0].Severity, "critical")
	want(t, w.result.Findings[0].Conditions[0].Title, "prod: 12 objects failing, 1 of them down")
}

func TestStormSaysWhatItsMembersHaveInCommon(t *testing.T) {
	w := build(t)
	for n, s := range named("web", 12, down) {
		s.Namespace = []string{"a", "b", "c", "d"}[n%4]
		w.set(shipped(on(s, "!n"+fmt.Sprint(n%5)), fmt.Sprintf("app:%d", n/7), time.Time{}))
	}
	w.pass(2)
	want(t, w.result.Findings[0].Conditions[0].Facts, []string{
		"service_down (12)", "on n0 (3), n1 (3), n2 (2) and 2 more", "in a (3), b (3), c (3) and 1 more", "of app:0 (7), app:1 (5)",
	})
}

func TestStormIsSwitchedOffByRules(t *testing.T) {
	w := failing(t, 12)
	w.hears("prod storm with 12")
	w.rules.Storm.On = false
	w.pass(1)
	want(t, len(w.heard()), 12)
	want(t, strings.Contains(encode(t, w.memory), "storm"), false)
	w.rules.Storm = detect.StormRule{On: true, New: 5, Within: time.Minute, Rest: 9} // rest gives way
	w.set(named("web", 12, up)...)
	w.pass(10)
	w.set(named("web", 6, down)...)
	w.pass(2)
	w.hears("prod storm with 6")
	w.set(up("web-00000"), up("web-00001"))
	w.pass(5)
	want(t, len(w.heard()), 4)
}

func TestOutlivingVictimsThatStandForThemselvesAreOneStorm(t *testing.T) {
	w := build(t, crew(12, "n1")...)
	w.machine("n1", "healthy")
	w.pass(1)
	w.set(crew(12, "!n1")...)
	w.machine("n1", "down")
	w.pass(2)
	w.hears("n1 node_down with 12")
	w.machine("n1", "healthy")
	w.pass(12)
	want(t, w.heard(), []string(nil))
	w.pass(1)
	w.hears("prod storm with 12")
}

func TestStaleMembersStandStill(t *testing.T) {
	w := failing(t, 12)
	for _, s := range named("web", 12, up) {
		s.Stale = true
		w.set(s)
	}
	w.pass(20)
	w.hears("prod storm with 12")
}

// However long a storm lasts and whatever comes of it, the memory grows by no more than a little for each that fails.
func TestMemoryOfAStormIsBounded(t *testing.T) {
	w := failing(t, 1000)
	var sizes []int
	for n := range need.Seeds(200) {
		for k, s := range named("web", 1000, down) {
			if (n+k)%7 == 0 { // causes come and go
				s.DependsOn = []string{fmt.Sprintf("web-%05d", (k+n)%1000)}
			}
			w.set(s)
		}
		w.pass(1)
		sizes = append(sizes, len(encode(t, w.memory)))
	}
	if most := slices.Max(sizes); most > 1000*450 {
		t.Errorf("%d bytes for each of 1000", most/1000)
	}
}
