package detect_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// heard is what becomes of one snapshot of prod: "taken", "refused", "told" (refused, and told in the dead letters) or
// "dropped", and whether two collectors are found.
func (c *cluster) heard(id string, at time.Duration, goodbye bool) (string, bool) {
	c.t.Helper()
	s := snapshot(after(at), up("web"))
	s.Collector, s.Goodbye = id, goodbye
	if id == "s" {
		s.IntervalSeconds = 75
	}
	if id != "" {
		s.Host = "host-" + id
	}
	c.seq++
	r := c.seeAt(s, detect.Position{Seq: c.seq, At: after(at)})
	what := "taken"
	switch {
	case r.Refused != nil && r.Refused.Told:
		what = "told"
	case r.Refused != nil:
		what = "refused"
	case r.Dropped != "":
		what = "dropped"
	}
	return what, len(r.Own) > 0
}

func TestTwoCollectorsOfOneCluster(t *testing.T) {
	tests := []struct {
		name string
		seen string // by turns: seconds, collector (with ! for a goodbye, - for none), what becomes of it (with * if two are found)
	}{
		{"one-alone", "0 a taken 15 a taken 30 a taken"},
		{"another-is-refused-while-the-first-goes-on", "0 a taken 7 b told 15 a taken 22 b refused 30 a taken* 37 b refused 45 a taken*"},
		{"clears-four-intervals-after-the-last-refusal", "0 a taken 7 b told 15 a taken 22 b refused 30 a taken* 45 a taken* 60 a taken* 75 a taken* 90 a taken 105 a taken"},
		{"killed-and-made-again-under-another-name", "0 a taken 15 a taken 20 b told 35 b refused 50 b refused 65 b refused 80 b taken 95 b taken 110 b taken"},
		{"an-overlap-of-one", "0 a taken 10 b told 15 a taken 25 b refused 40 b refused 55 b refused 70 b refused 85 b taken 100 b taken"},
		{"after-a-goodbye-at-once", "0 a taken 15 a! taken 16 b taken 31 b taken 46 a told 61 b taken"},
		{"a-goodbye-of-the-other", "0 a taken 7 b! refused 15 a taken 22 b! refused 30 a taken 45 a taken"},
		{"nobody-s-snapshots-meet-nobody", "0 a taken 5 - taken 10 - taken 15 a taken 20 - taken 30 a taken"},
		{"first-one-without-a-name", "0 - taken 5 a taken 10 - taken 15 a taken"},
		{"told-once-an-hour", "0 a taken 7 b told 15 a taken 22 b refused 30 a taken* 3590 a taken 3600 b refused 3605 a taken 3620 b told 3625 a taken*"},
		{"one-that-is-slower-than-the-first", "0 a taken 15 a taken 20 s told 30 a taken 45 a taken 60 a taken 75 a taken 90 a taken 95 s refused 105 a taken* 150 a taken* 165 a taken* 170 s refused 180 a taken*"},
		{"three", "0 a taken 5 b told 10 c told 15 a taken 20 b refused 25 c refused 30 a taken*"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := watch(t)
			seen := strings.Fields(tt.seen)
			for n := 0; n < len(seen); n += 3 {
				seconds, err := time.ParseDuration(seen[n] + "s")
				if err != nil {
					t.Fatal(err)
				}
				id, goodbye := strings.CutSuffix(seen[n+1], "!")
				got, two := c.heard(strings.Trim(id, "-"), seconds, goodbye)
				if two {
					got += "*"
				}
				if got != seen[n+2] {
					t.Fatalf("%s s: %s's is %s, want %s", seen[n], id, got, seen[n+2])
				}
			}
		})
	}
}

func TestRefusedSnapshotChangesNothingElse(t *testing.T) {
	c := watch(t)
	c.heard("a", 0, false)
	before := c.memory
	before.Collector = nil
	s := snapshot(after(-time.Hour), down("web")) // whatever its clock says
	s.Collector, s.Host = "b", "host-b"
	r := c.seeAt(s, detect.Position{Seq: 2, At: after(5 * time.Second)})
	now := c.memory
	now.Collector = nil
	want(t, encode(t, now), encode(t, before))
	want(t, r.Dropped, `take snapshot: cluster "prod" is published by collector a on host-a, and now by collector b on host-b too; `+
		"both cannot be the same cluster: set BELLBUOY_CLUSTER to another name on one of them, or stop it")
	again := c.seeAt(s, detect.Position{Seq: 2, At: after(5 * time.Second)})
	want(t, again, r) // a redelivery, should the dead letter have been lost
}

func TestTwoCollectorsAreNamed(t *testing.T) {
	c := watch(t)
	var r detect.Result
	for n := range 3 {
		for _, id := range []string{"a", "b", "c"} {
			s := snapshot(after(time.Duration(n)*i), up("web"))
			s.Collector, s.Host = id, "host-"+id
			c.seq++
			r2 := c.seeAt(s, detect.Position{Seq: c.seq, At: s.TakenAt.Add(time.Duration(id[0]) * time.Millisecond)})
			if id == "a" {
				r = r2
			}
		}
	}
	want(t, len(r.Findings), 0)
	want(t, r.Own[0].Object, schema.Object{Kind: "collector", Name: "prod"})
	got := r.Own[0].Conditions[0]
	want(t, got.Name+" "+got.Severity+" "+got.Title, "two_collectors warning 3 collectors say they are prod")
	want(t, got.Facts, []string{"collector a on host-a is taken", "collector b on host-b is refused", "collector c on host-c is refused"})
	want(t, got.Since, after(98*time.Millisecond))

	c.rules.TwoCollectors.Severity = ""
	_, two := c.heard("a", 3*i, false)
	want(t, two, false)
}

func TestManyRivalsAreNotAllRemembered(t *testing.T) {
	c := watch(t)
	c.heard("a", 0, false)
	for n := range 1000 {
		c.heard(fmt.Sprint("b", n), time.Second, false)
	}
	if size := len(encode(t, c.memory)); size > 3000 {
		t.Errorf("%d bytes", size)
	}
}

func TestWhyExplainsTheCollectors(t *testing.T) {
	c := watch(t)
	why := func() string {
		reasons := detect.Why(c.memory, nil, c.rules, detect.Collector("prod"))
		want(t, len(reasons), 1)
		return reasons[0].Verdict + ", " + reasons[0].Text
	}
	want(t, why(), "unknown, two_collectors: not judged, no collector that names itself has published it")
	c.heard("a", 0, false)
	want(t, why(), "well, two_collectors: well, only collector a on host-a publishes it")
	c.heard("b", 5*time.Second, false)
	want(t, why(), "hold, two_collectors: holding, another collector published it too; alerted if both go on")
	c.heard("a", i, false)
	c.heard("b", i+5*time.Second, false)
	c.heard("a", 2*i, false)
	want(t, why(), "firing, two_collectors: alerting since 08:00:05 UTC, two collectors say they are prod")
	c.rules.TwoCollectors.Severity = ""
	want(t, why(), "off, two_collectors: switched off by the rules")
}
