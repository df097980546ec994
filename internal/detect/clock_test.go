package detect_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// clockwork sees snapshots that are stored so much later than taken.
type clockwork struct {
	t      *testing.T
	memory detect.Memory
	rules  detect.Rules
	n      uint64
	change func(*schema.ClusterContext)
}

// see gives what is found of the clock, with its worst fact.
func (c *clockwork) see(off time.Duration) string {
	c.t.Helper()
	c.n++
	s := snapshot(start.Add(time.Duration(c.n) * i))
	s.Collector, s.Host = "c", "host-a"
	if c.change != nil {
		c.change(&s)
	}
	at := detect.Position{Seq: c.n, Epoch: start, At: s.TakenAt.Add(off)}
	stored, err := json.Marshal(c.memory) // as it is kept
	if err != nil {
		c.t.Fatal(err)
	}
	var before detect.Memory
	if err := json.Unmarshal(stored, &before); err != nil {
		c.t.Fatal(err)
	}
	next, result := detect.Detect(before, s, at, c.rules)
	if result.Dropped != "" {
		c.t.Fatal(result.Dropped)
	}
	c.memory = next
	for _, f := range result.Own {
		if f.Object == detect.Clock(s.ClusterName) {
			return f.Conditions[0].Severity + " " + f.Conditions[0].Facts[0]
		}
	}
	return ""
}

func TestAClockIsOffOnceThreeSnapshotsInARowAreAndRightAfterThree(t *testing.T) {
	const behind, ahead = "warning its snapshots are dated 31 s before they are stored", "warning its snapshots are dated 40 s after they are stored"
	c := clockwork{t: t, rules: detect.Default()}
	steps := []struct {
		off  time.Duration
		want string
	}{
		{time.Second, ""},
		{31 * time.Second, ""},
		{31 * time.Second, ""},
		{30 * time.Second, ""}, // not in a row
		{31 * time.Second, ""},
		{31 * time.Second, ""},
		{31 * time.Second, behind},
		{-40 * time.Second, ahead},
		{0, "warning its snapshots are dated 0 s before they are stored"},
		{0, "warning its snapshots are dated 0 s before they are stored"},
		{31 * time.Second, behind},
		{0, "warning its snapshots are dated 0 s before they are stored"},
		{0, "warning its snapshots are dated 0 s before they are stored"},
		{0, ""},
		{0, ""},
	}
	for n, step := range steps {
		if got := c.see(step.off); got != step.want {
			t.Errorf("step %d: %q, want %q", n, got, step.want)
		}
	}
}

func TestNobodysClockIsJudgedByARecordingOrWhatIsMadeUp(t *testing.T) {
	for name, change := range map[string]func(*schema.ClusterContext){
		"recording": func(s *schema.ClusterContext) { s.Recorded = true },
		"made-up":   func(s *schema.ClusterContext) { s.Source = schema.SourceTest },
		"nobodys":   func(s *schema.ClusterContext) { s.Collector = "" },
	} {
		t.Run(name, func(t *testing.T) {
			c := clockwork{t: t, rules: detect.Default(), change: change}
			for range 5 {
				if got := c.see(time.Hour); got != "" {
					t.Errorf("found %q", got)
				}
			}
			why := detect.Why(c.memory, nil, c.rules, detect.Clock("prod"))
			if len(why) != 1 || why[0].Verdict != detect.VerdictUnknown {
				t.Errorf("why: %+v", why)
			}
		})
	}
}

func TestWhyTellsHowAClockStands(t *testing.T) {
	c := clockwork{t: t, rules: detect.Default()}
	for _, step := range []struct {
		off           time.Duration
		verdict, text string
	}{
		{time.Second, detect.VerdictWell, "clock_skew: well, its snapshots are dated 1 s before"},
		{time.Minute, detect.VerdictHold, "clock_skew: holding"},
		{time.Minute, detect.VerdictHold, "clock_skew: holding"},
		{time.Minute, detect.VerdictFiring, "clock_skew: alerting since"},
		{0, detect.VerdictClearHold, "but 1 snapshot were right since"},
	} {
		c.see(step.off)
		why := detect.Why(c.memory, nil, c.rules, detect.Clock("prod"))
		if len(why) != 1 || why[0].Verdict != step.verdict || !strings.Contains(why[0].Text, step.text) {
			t.Errorf("after %s: %+v", step.off, why)
		}
	}
	c.rules.ClockSkew.Severity = ""
	if why := detect.Why(c.memory, nil, c.rules, detect.Clock("prod")); why[0].Verdict != detect.VerdictOff {
		t.Errorf("off: %+v", why)
	}
	if got := c.see(time.Minute); got != "" {
		t.Errorf("off, but found %q", got)
	}
}

func TestWhatIsSaidIsGradedByTheRules(t *testing.T) {
	channel := schema.Object{Kind: schema.KindChannel, Name: "webhook"}
	set := func(condition, name, word string) detect.Change {
		for _, s := range detect.Settings() {
			if s.Condition == condition && s.Name == name {
				return detect.Change{Setting: s, Value: detect.Value{Word: word}, By: "a file"}
			}
		}
		t.Fatalf("%s has no %s", condition, name)
		return detect.Change{}
	}
	off := detect.Default().With(set(detect.ChannelFailing, "severity", ""))
	milder := detect.Default().With(set(detect.ChannelFailing, "severity", "info"), set(detect.ChannelFailing, "worse_severity", "warning"))
	here := detect.Default()
	here.Overrides = []detect.Override{{Match: detect.Match{Cluster: schema.OwnCluster}, Changes: off.Changed}}
	tests := []struct {
		name                     string
		rules                    detect.Rules
		cluster, condition, said string
		severity, off, by        string
	}{
		{"as-shipped", detect.Default(), schema.OwnCluster, detect.ChannelFailing, "warning", "warning", "", ""},
		{"worse", detect.Default(), schema.OwnCluster, detect.ChannelFailing, "critical", "critical", "", ""},
		{"never-worse", detect.Default(), schema.OwnCluster, detect.ModelUnavailable, "critical", "warning", "", ""},
		{"milder", milder, schema.OwnCluster, detect.ChannelFailing, "critical", "warning", "", "severity info, worse_severity warning by a file"},
		{"off", off, schema.OwnCluster, detect.ChannelFailing, "critical", "", "switched off by a file", ""},
		{"off-in-that-cluster", here, schema.OwnCluster, detect.ChannelFailing, "critical", "", "switched off by a file", ""},
		{"of-another-cluster", off, "prod", detect.ChannelFailing, "critical", "critical", "", ""},
		{"not-known", off, schema.OwnCluster, "rain", "info", "info", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			severity, why, by := tt.rules.Graded(tt.cluster, channel, tt.condition, tt.said)
			if severity != tt.severity || why != tt.off || by != tt.by {
				t.Errorf("%q, %q, %q; want %q, %q, %q", severity, why, by, tt.severity, tt.off, tt.by)
			}
		})
	}
}
