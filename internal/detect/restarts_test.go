package detect_test

import (
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

var loops = []string{"shop/web crash_loop warning"}

// run feeds one total per interval, from next on, and gives what the last snapshot found.
func (c *cluster) run(totals ...int64) []string {
	c.t.Helper()
	var got []string
	for _, n := range totals {
		got = firing(c.see(snapshot(after(time.Duration(c.seq)*i), looping("web", n))))
	}
	return got
}

func TestCrashLoopCountsGrowthOfTotals(t *testing.T) {
	tests := []struct {
		name   string
		totals []int64 // one interval apart
		loops  bool    // at the last of them
	}{
		{"three-restarts-held", []int64{0, 3, 3, 3, 3, 3}, true},
		{"three-restarts-not-yet-held", []int64{0, 3, 3, 3, 3}, false},
		{"two-restarts", []int64{0, 2, 2, 2, 2, 2, 2}, false},
		{"before-the-first-snapshot", []int64{3, 3, 3, 3, 3, 3, 3}, false},
		{"growth-after-the-first-snapshot", []int64{40, 41, 42, 43, 43, 43, 43, 43}, true},
		{"lower-value-starts-anew", []int64{0, 2, 1, 2, 2, 2, 2, 2, 2}, false},
		{"lower-value-is-no-burst", []int64{90, 30, 30, 30, 30, 30, 30}, false},
		{"growth-after-a-lower-value", []int64{9, 1, 4, 4, 4, 4, 4}, true},
		{"eleven-in-a-day-at-once", []int64{0, 11}, true},
		{"ten-in-a-day", []int64{0, 10}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want(t, len(watch(t).run(tt.totals...)) > 0, tt.loops)
		})
	}
}

func TestCrashLoopNeedsShortRuns(t *testing.T) {
	short := looping("web", 4)
	long := looping("web", 4)
	long.LastFailure.RanFor = new(60.0)
	unknown := looping("web", 4)
	unknown.LastFailure = nil
	settled := looping("web", 4)
	settled.Instances = []schema.Instance{{State: "running", StartedAt: start}}
	backoff := looping("web", 4)
	backoff.Instances = []schema.Instance{{State: "restarting", StartedAt: start}}
	for name, tt := range map[string]struct {
		svc   svc
		loops bool
	}{
		"short": {short, true}, "long": {long, false}, "unknown": {unknown, false},
		"running-well-by-now": {settled, false}, "waiting-to-be-restarted": {backoff, true},
	} {
		t.Run(name, func(t *testing.T) {
			c := watch(t)
			c.see(snapshot(start, up("web")))
			for n := range 20 {
				got := c.see(snapshot(after(time.Duration(n+1)*i), tt.svc))
				want(t, len(got.Findings) > 0, tt.loops && n >= 4)
			}
		})
	}
}

func TestElevenRestartsInADayAreALoopWhateverTheyRan(t *testing.T) {
	c := watchLong(t)
	for n := range 5700 {
		s := looping("web", int64(n/480)) // one every two hours
		s.LastFailure.RanFor = new(7000.0)
		r := c.see(snapshot(after(time.Duration(n)*i), s))
		want(t, len(r.Findings) > 0, n/480 >= 11)
		if n/480 == 11 {
			want(t, r.Findings[0].Conditions[0].Title, "web crash-loops: 11 restarts in 24 h")
		}
	}
}

func TestOneRestartEveryThreeHoursIsNoLoop(t *testing.T) {
	c := watchLong(t)
	for n := range 6 * 5760 {
		if r := c.see(snapshot(after(time.Duration(n)*i), looping("web", int64(n/720)))); len(r.Findings) > 0 {
			t.Fatalf("found %v after %v", firing(r), time.Duration(n)*i)
		}
	}
}

func TestCrashLoopClearsAfterThreeMeanGaps(t *testing.T) {
	tests := []struct {
		name string
		gap  time.Duration // between restarts
		n    int
		want time.Duration
	}{
		{"never-before-ten-minutes", i, 6, 10 * time.Minute},
		{"three-gaps-of-five-minutes", 5 * time.Minute, 12, 15 * time.Minute},
		{"never-after-six-hours", 130 * time.Minute, 11, 6 * time.Hour},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := watchLong(t)
			last := time.Duration(tt.n) * tt.gap
			for at := time.Duration(0); ; at += i {
				n := min(int64(at/tt.gap), int64(tt.n))
				r := c.see(snapshot(after(at), looping("web", n)))
				if at > last+2*time.Minute && len(r.Findings) == 0 {
					want(t, at-last, tt.want)
					return
				}
			}
		})
	}
}

func TestCrashLoopThatClearedNeedsNewRestarts(t *testing.T) {
	c := watch(t)
	c.run(0, 20)
	for range 50 {
		c.run(20)
	}
	want(t, c.run(20), []string(nil))
	want(t, c.run(21), []string(nil))
	want(t, c.run(23, 23, 23, 23, 23), loops)
}

func TestNewCountersStartAnew(t *testing.T) {
	c := watch(t)
	see := func(since time.Time, total int64) []string {
		s := snapshot(after(time.Duration(c.seq)*i), looping("web", total))
		s.CountersSince = since
		return firing(c.see(s))
	}
	see(start, 0)
	see(start, 2)
	want(t, see(after(i), 50), []string(nil))
	for range 5 {
		want(t, see(after(i), 50), []string(nil))
	}
	see(after(i), 53)
	for range 3 {
		see(after(i), 53)
	}
	want(t, see(after(i), 53), loops)
}

func TestServiceSeenForTheFirstTimeIsNoBurst(t *testing.T) {
	c := watch(t)
	c.see(snapshot(start, up("db")))
	for n := range 20 {
		r := c.see(snapshot(after(time.Duration(n+1)*i), up("db"), looping("web", 50)))
		want(t, firing(r), []string(nil))
	}
}

func TestTotalThatBecomesKnownIsNoBurst(t *testing.T) {
	c := watch(t)
	blind := looping("web", 0)
	blind.RestartsTotal = nil
	c.see(snapshot(start, up("db"), blind))
	c.see(snapshot(after(i), up("db"), blind))
	for n := range 20 {
		want(t, firing(c.see(snapshot(after(time.Duration(n+2)*i), up("db"), looping("web", 50)))), []string(nil))
	}
}

func TestRestartsDuringALongGapAreNoBurst(t *testing.T) {
	c := watch(t)
	c.see(snapshot(start, looping("web", 1)))
	for n := range 10 {
		r := c.see(snapshot(after(3*time.Hour+time.Duration(n)*i), looping("web", 6)))
		want(t, firing(r), []string(nil))
	}
}

func TestSourceWithoutTotalsFallsBackToTheRollingSum(t *testing.T) {
	c := watchLong(t)
	see := func(sum int64) []string {
		s := up("web")
		s.RestartsTotal, s.RestartCount24h = nil, new(sum)
		return firing(c.see(snapshot(after(time.Duration(c.seq)*i), s)))
	}
	for _, n := range []int64{25, 25, 24, 24} { // older than the first snapshot
		want(t, see(n), []string(nil))
	}
	want(t, see(25), loops)
	for range 1440 { // 3 × 24 h / 25 = 2 h 53 min
		see(25)
	}
	want(t, see(25), []string(nil))
}

func TestRestartsAllDayKeepTheMemorySmall(t *testing.T) {
	c := watchLong(t)
	for n := range 5760 {
		c.run(int64(n))
	}
	if size := len(encode(t, c.memory)); size > 4000 {
		t.Errorf("%d bytes for one service", size)
	}
}

func TestRestartsOfAClockSetBackAreNotCountedTwice(t *testing.T) {
	c := watch(t)
	c.run(0, 2)
	for n := range 10 {
		r := c.see(snapshot(after(-time.Hour+time.Duration(n)*i), looping("web", int64(min(2+n, 4)))))
		want(t, firing(r), []string(nil))
	}
}
