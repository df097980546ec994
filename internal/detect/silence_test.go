package detect_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// spoken is a snapshot of prod by collector a on host-a.
func spoken(change func(*schema.ClusterContext)) schema.ClusterContext {
	s := snapshot(start, up("web"))
	s.Collector, s.Host = "a", "host-a"
	if change != nil {
		change(&s)
	}
	return s
}

// speak folds in a snapshot that is stored at the given time after the start.
func (c *cluster) speak(s schema.ClusterContext, at time.Duration) detect.Result {
	c.t.Helper()
	s.TakenAt = after(at)
	c.seq++
	return c.seeAt(s, detect.Position{Seq: c.seq, At: after(at)})
}

func TestSilence(t *testing.T) {
	goodbye := func(s *schema.ClusterContext) { s.Goodbye = true }
	every := func(seconds float64) func(*schema.ClusterContext) {
		return func(s *schema.ClusterContext) { s.IntervalSeconds = seconds }
	}
	nobody := func(s *schema.ClusterContext) { s.Collector, s.Host, s.IntervalSeconds = "", "", 0 }
	tests := []struct {
		name  string
		spoke func(*schema.ClusterContext)
		times int // snapshots, an interval apart
		after time.Duration
		want  string // severity; empty: not silent
	}{
		{"not-yet", nil, 1, 2*time.Minute - time.Second, ""},
		{"eight-intervals", nil, 1, 2 * time.Minute, "critical"},
		{"at-least-two-minutes", every(1), 1, time.Minute, ""},
		{"at-least-two-minutes-and-then", every(1), 1, 2 * time.Minute, "critical"},
		{"long-interval-not-yet", every(60), 1, 8*time.Minute - time.Second, ""},
		{"long-interval", every(60), 1, 8 * time.Minute, "critical"},
		{"for-ever", nil, 1, 1000 * time.Hour, "critical"},
		{"a-clock-that-ran-back", nil, 1, -time.Hour, ""},
		{"goodbye-not-yet", goodbye, 1, 2*time.Minute - time.Second, ""},
		{"goodbye", goodbye, 1, 2 * time.Minute, "info"},
		{"goodbye-long-ago", goodbye, 1, 15 * time.Minute, "critical"},
		{"without-a-collector-s-id", func(s *schema.ClusterContext) { s.Collector, s.Host = "", "" }, 1, 2 * time.Minute, "critical"},
		{"one-that-promises-nothing", nobody, 1, 24 * time.Hour, ""},
		{"two-that-promise-nothing", nobody, 2, 2 * time.Minute, "critical"},
		{"bellbuoy-test", func(s *schema.ClusterContext) { s.Source = schema.SourceTest }, 2, 24 * time.Hour, ""},
		{"bellbuoy-test-that-is-over", func(s *schema.ClusterContext) { s.Source, s.Goodbye = schema.SourceTest, true }, 2, 24 * time.Hour, ""},
		{"recording", func(s *schema.ClusterContext) { s.Recorded = true }, 2, 24 * time.Hour, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := watch(t)
			last := start
			for n := range tt.times {
				last = after(time.Duration(n) * i)
				c.speak(spoken(tt.spoke), last.Sub(start))
			}
			got := ""
			for _, x := range detect.Silent("prod", c.memory, last, last.Add(tt.after), c.rules).Conditions {
				want(t, x.Name, detect.ClusterSilent)
				want(t, x.Since, last)
				got += x.Severity
			}
			want(t, got, tt.want)
		})
	}
}

func TestSilenceOfAClusterThatWasNeverHeard(t *testing.T) {
	s := detect.Silent("prod", detect.Memory{}, start, after(time.Hour), detect.Default())
	want(t, s.Known, false)
	want(t, len(s.Conditions), 0)
}

// A snapshot that was refused or dropped is one all the same: somebody is there.
func TestSilenceCountsFromWhatIsStored(t *testing.T) {
	c := watch(t)
	c.speak(spoken(func(s *schema.ClusterContext) { s.Goodbye = true }), 0)
	stored := after(time.Hour)
	want(t, len(detect.Silent("prod", c.memory, stored, stored.Add(time.Minute), c.rules).Conditions), 0)
	want(t, detect.Silent("prod", c.memory, stored, stored.Add(2*time.Minute), c.rules).Conditions[0].Severity, "critical")
}

func TestSilenceIsTold(t *testing.T) {
	c := watch(t)
	told := func(stored time.Duration) string {
		x := detect.Silent("prod", c.memory, after(stored), after(stored+2*time.Minute), c.rules).Conditions[0]
		return x.Title + ": " + strings.Join(x.Facts, "; ")
	}
	c.speak(spoken(nil), 0)
	want(t, told(0), "prod: no snapshot comes any more: last heard 08:00:00 UTC, due every 15 s; collector a on host-a")
	c.speak(spoken(func(s *schema.ClusterContext) { s.Goodbye = true }), i)
	want(t, told(i), "prod: not watched since its collector was stopped: it said goodbye at 08:00:15 UTC; collector a on host-a")
}

func TestSilentClusterIsBackWithTheSecondSnapshot(t *testing.T) {
	goodbye := func(s *schema.ClusterContext) { s.Goodbye = true }
	tests := []struct {
		name  string
		spoke []func(*schema.ClusterContext)
		at    []time.Duration
		back  []bool
	}{
		{"from-the-first", []func(*schema.ClusterContext){nil, nil}, []time.Duration{0, i}, []bool{false, true}},
		{"after-a-silence", []func(*schema.ClusterContext){nil, nil, nil, nil}, []time.Duration{0, i, 10 * time.Minute, 10*time.Minute + i}, []bool{false, true, false, true}},
		{"a-single-one-each-time", []func(*schema.ClusterContext){nil, nil, nil}, []time.Duration{0, 5 * time.Minute, 10 * time.Minute}, []bool{false, false, false}},
		{"a-goodbye-does-not-count", []func(*schema.ClusterContext){nil, goodbye, nil, nil}, []time.Duration{0, i, 2 * i, 3 * i}, []bool{false, false, false, true}},
		{"just-late", []func(*schema.ClusterContext){nil, nil}, []time.Duration{0, 2*time.Minute - time.Second}, []bool{false, true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := watch(t)
			var got []bool
			for n, at := range tt.at {
				got = append(got, c.speak(spoken(tt.spoke[n]), at).Back)
			}
			want(t, got, tt.back)
		})
	}
}

func TestWhyExplainsASilence(t *testing.T) {
	c := watch(t)
	why := func(after time.Duration) string {
		r := detect.WhySilent("prod", c.memory, start, start.Add(after), c.rules)
		return r.Verdict + ", " + r.Text
	}
	want(t, why(0), "unknown, cluster_silent: not judged, nothing says that another snapshot is to come")
	c.speak(spoken(nil), 0)
	want(t, why(4*time.Second), "well, cluster_silent: well, heard 4 s ago; told after 2 min without a snapshot")
	want(t, why(time.Hour), "firing, cluster_silent: nothing since 08:00:00 UTC, prod: no snapshot comes any more")
	c.rules.ClusterSilent.Severity = ""
	want(t, why(time.Hour), "off, cluster_silent: switched off by the rules")
	c.rules = detect.Default()
	c.speak(spoken(func(s *schema.ClusterContext) { s.Recorded = true }), i)
	want(t, why(time.Hour), "not_wanted, cluster_silent: not alerted, it is made up or a recording, which nobody misses")
}
