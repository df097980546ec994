package detect_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

var bursts = []string{"shop/web error_burst warning"}

// lines feeds a service that logs so many errors with every interval, for so long, and gives what the last found.
func (c *cluster) lines(total *int64, each int64, d time.Duration) []string {
	c.t.Helper()
	var got []string
	for range int(d / i) {
		*total += each
		got = firing(c.see(snapshot(after(time.Duration(c.seq)*i), logging("web", *total), up("db"))))
	}
	return got
}

func TestErrorBurst(t *testing.T) {
	type stretch struct {
		each int64 // lines with every interval
		d    time.Duration
	}
	quiet := stretch{0, time.Hour}
	tests := []struct {
		name  string
		first int64 // total of the first snapshot
		seen  []stretch
		burst bool // at the end
	}{
		{"thirty-lines-after-a-quiet-hour", 0, []stretch{quiet, {30, i}, {0, i}}, true},
		{"not-yet-held", 0, []stretch{quiet, {30, i}}, false},
		{"twenty-nine-lines", 0, []stretch{quiet, {29, i}, {0, i}}, false},
		{"not-within-five-minutes", 0, []stretch{quiet, {1, 20 * i}, {0, time.Minute}, {1, 15 * i}}, false},
		{"quiet-at-a-total", 5000, []stretch{quiet, {30, i}, {0, i}}, true},
		{"first-snapshot-is-no-news", 5000, []stretch{{0, 10 * time.Minute}}, false},
		{"watched-for-less-than-half-an-hour", 0, []stretch{{0, 29 * time.Minute}, {30, i}, {0, i}}, false},
		{"watched-for-half-an-hour", 0, []stretch{{0, 30 * time.Minute}, {30, i}, {0, i}}, true},
		{"four-times-as-many", 0, []stretch{{2, time.Hour}, {8, 5 * time.Minute}}, false},
		{"six-times-as-many", 0, []stretch{{2, time.Hour}, {12, 5 * time.Minute}}, true},
		{"always-the-same", 0, []stretch{{100, 3 * time.Hour}}, false},
		{"always-the-same-from-a-total", 9999, []stretch{{100, 3 * time.Hour}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, total := watchLong(t), tt.first
			c.lines(&total, 0, i)
			var got []string
			for _, s := range tt.seen {
				got = c.lines(&total, s.each, s.d)
			}
			want(t, len(got) > 0, tt.burst)
		})
	}
}

func TestSteadyErrorsAreNeverABurst(t *testing.T) {
	c, total := watchLong(t), int64(0)
	for n := range 5760 { // a day, at 12 to 28 lines a minute
		if got := c.lines(&total, int64(3+n%5), i); len(got) > 0 {
			t.Fatalf("found %v after %v", got, time.Duration(n)*i)
		}
	}
}

func TestErrorBurstEasesBelowTwiceTheMean(t *testing.T) {
	c, total := watchLong(t), int64(0)
	c.lines(&total, 1, 2*time.Hour)
	want(t, c.lines(&total, 20, 5*time.Minute), bursts)
	want(t, c.lines(&total, 10, 15*time.Minute), bursts) // at half of that, though the mean has risen to about 80
	want(t, c.lines(&total, 1, 10*time.Minute), bursts)
	want(t, c.lines(&total, 1, 5*time.Minute), []string(nil))
}

func TestErrorBurstSaysHowManyAndHowManyUsually(t *testing.T) {
	c, total := watchLong(t), int64(0)
	c.lines(&total, 1, 2*time.Hour)
	c.lines(&total, 20, 4*time.Minute)
	s := snapshot(after(time.Duration(c.seq)*i), logging("web", total+20), up("db"))
	r := c.see(s)
	want(t, r.Findings[0].Conditions[0].Title, "web logs 343 errors in 5 min")
	want(t, r.Findings[0].Conditions[0].Facts, []string{"343 errors in 5 min", "usually 20 in 5 min"})
}

func TestErrorsDuringALongGapAreNoBurst(t *testing.T) {
	c, total := watchLong(t), int64(0)
	c.lines(&total, 1, time.Hour)
	for n := range 10 {
		r := c.see(snapshot(after(3*time.Hour+time.Duration(n)*i), logging("web", total+5000), up("db")))
		want(t, firing(r), []string(nil))
	}
}

func TestServiceThatBeginsToBeReadIsNoBurst(t *testing.T) {
	c, total := watchLong(t), int64(0)
	old := up("web")
	old.Instances = []schema.Instance{{State: "running", StartedAt: start.Add(-time.Hour)}}
	for range 240 { // an hour in which nobody counts errors
		c.see(snapshot(after(time.Duration(c.seq)*i), old))
	}
	for range 120 {
		s := old
		total += 20
		s.ErrorsTotal = new(total)
		want(t, firing(c.see(snapshot(after(time.Duration(c.seq)*i), s))), []string(nil))
	}
}

func TestInstanceThatRunsForLongIsAsGoodAsHavingBeenWatched(t *testing.T) {
	for started, burst := range map[time.Duration]bool{0: true, 59 * time.Minute: false} {
		c := watchLong(t)
		web := logging("web", 0)
		web.Instances = []schema.Instance{{State: "running", StartedAt: after(started)}}
		for range 240 { // an hour in which other services come and go
			c.see(snapshot(after(time.Duration(c.seq)*i), web, logging(fmt.Sprint("job", c.seq), 0)))
		}
		c.see(snapshot(after(time.Duration(c.seq)*i), web, up("db")))
		web.ErrorsTotal = new(int64(50))
		c.see(snapshot(after(time.Duration(c.seq)*i), web, up("db")))
		want(t, len(firing(c.see(snapshot(after(time.Duration(c.seq)*i), web, up("db"))))) > 0, burst)
	}
}

func TestErrorsWithoutTotalsNeedToRiseAboveAHundredAnHour(t *testing.T) {
	see := func(c *cluster, sums ...int64) (got []string) {
		for _, n := range sums {
			web, db := up("web"), up("db")
			web.ErrorCount1h, db.ErrorCount1h = new(n), new(int64(0))
			got = firing(c.see(snapshot(after(time.Duration(c.seq)*i), web, db)))
		}
		return got
	}
	want(t, see(watch(t), 100, 101), []string(nil))
	want(t, see(watch(t), 100, 101, 101), bursts)
	want(t, see(watch(t), 0, 100, 100, 100), []string(nil))
	want(t, see(watch(t), 250, 260, 270, 280), []string(nil)) // as many as ever
	c := watch(t)
	want(t, see(c, 250, 90, 120, 130), bursts)
	for range 40 {
		want(t, see(c, 99), bursts)
	}
	want(t, see(c, 99), []string(nil))
}

func TestErrorHistoryStaysSmall(t *testing.T) {
	c := watchLong(t)
	services := make([]svc, 10000)
	for n := range services {
		services[n] = logging(fmt.Sprintf("service-%05d", n), 0)
	}
	for minute := range 75 {
		for n := range 100 {
			*services[n].ErrorsTotal += 28
		}
		s := snapshot(after(time.Duration(minute)*time.Minute), services...)
		s.IntervalSeconds = 60
		c.see(s)
	}
	if size := len(encode(t, c.memory)); size > 35000 {
		t.Errorf("the errors of 100 of 10,000 services make %d bytes", size)
	}
}

func TestErrorHistoriesAreBoundedWhereEverythingLogsErrors(t *testing.T) {
	c := watchLong(t)
	services := large(20000, 20000)
	for n := range 20 { // a minute apart
		for k := range services {
			*services[k].ErrorsTotal += 100
		}
		s := snapshot(after(time.Duration(n)*time.Minute), services...)
		s.IntervalSeconds = 60
		if n == 19 {
			for k := range services { // and is deployed
				services[k].LastDeployAt = s.TakenAt
			}
		}
		c.see(s)
	}
	if size := len(encode(t, c.memory)); size > 7<<20 {
		t.Errorf("%d bytes are more than a record can have", size)
	}
}

func TestDegradedServiceIsNotCalledWellInBetween(t *testing.T) {
	c := watch(t)
	see := func(running int) []string {
		return firing(c.see(snapshot(after(time.Duration(c.seq)*i), some("web", new(running), 3))))
	}
	see(0)
	see(0)
	for n := range 20 { // back in part
		got := see(1)
		switch {
		case n < 3:
			want(t, got, []string{"shop/web service_down critical"})
		case n < 4:
			want(t, got, []string{"shop/web service_down critical", "shop/web service_degraded warning"})
		default:
			want(t, got, []string{"shop/web service_degraded warning"})
		}
	}
	r := c.see(snapshot(after(time.Duration(c.seq)*i), some("web", new(2), 3)))
	want(t, r.Findings[0].Conditions[0].Title, "web: 2 of 3 running")
	for n := range 5 {
		want(t, len(see(3)) > 0, n < 4)
	}
}

func TestDegradedNeedsAWantedNumber(t *testing.T) {
	unwanted := some("web", new(1), 3)
	unwanted.NotWanted = "stopped by hand"
	open := some("web", new(1), 3)
	open.ReplicasDesired, open.Status = nil, "degraded"
	for name, s := range map[string]svc{"not-wanted": unwanted, "wanted-number-unknown": open, "none": some("web", new(0), 0)} {
		t.Run(name, func(t *testing.T) {
			want(t, firing(found(t, snapshot(start, s), 20*i)), []string(nil))
		})
	}
}
