package replay_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/replay"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/silence"
)

// recording is a file of the given lines.
func recording(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "recording.jsonl")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// shop is a line of a cluster in which so many of db run, n intervals from the beginning.
func shop(t *testing.T, cluster string, n, running int) string {
	t.Helper()
	body, err := json.Marshal(schema.ClusterContext{
		ClusterName: cluster, TakenAt: at.Add(time.Duration(n) * 15 * time.Second), IntervalSeconds: 15,
		Services: []schema.ServiceSummary{{Name: "db", Namespace: "shop", ReplicasRunning: new(running), ReplicasDesired: new(1)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// dry is the timeline of lines: kinds and objects.
func dry(t *testing.T, r replay.Recording) ([]string, replay.Summary, error) {
	t.Helper()
	var got []string
	sum, err := replay.Dry{Recording: r}.Run(t.Context(), func(e replay.Entry) {
		got = append(got, fmt.Sprintf("%d %s %s/%s", e.Line, e.Kind, e.Cluster, e.Object))
	})
	return got, sum, err
}

func TestABadLineEndsADryReplayUnlessItIsSkipped(t *testing.T) {
	path := recording(t, shop(t, "prod", 0, 0), "{}", shop(t, "prod", 1, 0), `{"cluster_name":"bellbuoy"}`)
	got, sum, err := dry(t, replay.Recording{Path: path})
	if err == nil || !strings.Contains(err.Error(), path+":2: ") || !strings.Contains(err.Error(), "--skip-bad") || len(got) > 0 || sum.Snapshots != 1 {
		t.Errorf("%v after %v of %d snapshots, want line 2 named", err, got, sum.Snapshots)
	}
	var bad []string
	got, sum, err = dry(t, replay.Recording{Path: path, SkipBad: func(err error) { bad = append(bad, err.Error()) }})
	if err != nil || len(bad) != 2 || !strings.Contains(bad[0], ":2: ") || !strings.Contains(bad[1], ":4: ") || sum.Snapshots != 2 {
		t.Errorf("%v; left out %q of %d snapshots", err, bad, sum.Snapshots)
	}
	if diff := cmp.Diff([]string{"3 opened prod/shop/db"}, got); diff != "" {
		t.Errorf("timeline (-want +got):\n%s", diff)
	}
}

// The windows of silence hold by the times of the recording, in whatever zone.
func TestWindowsHoldByTheTimesOfTheRecording(t *testing.T) {
	w := silence.Weekly{
		Name: "nights", Matcher: silence.Cluster("prod"), Zone: time.UTC, Reason: "backups",
		From: (at.UTC().Hour()*60 + at.UTC().Minute()) % (24 * 60), To: (at.UTC().Hour()*60 + at.UTC().Minute() + 1) % (24 * 60),
	}
	w.Days[at.UTC().Weekday()] = true
	var lines []string
	for n := range 6 { // the last ones are after the minute
		lines = append(lines, shop(t, "prod", n, 0), shop(t, "test", n, 0))
	}
	var got []string
	sum, err := replay.Dry{Recording: replay.Recording{Path: recording(t, lines...)}, Windows: silence.Windows{w}}.Run(t.Context(), func(e replay.Entry) {
		got = append(got, fmt.Sprintf("%s %s %v", e.Cluster, e.Kind, e.Posted))
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"prod opened false", "prod silenced false", "test opened true", "prod unsilenced true"}
	if diff := cmp.Diff(want, got); diff != "" || sum.Posts != 2 {
		t.Errorf("%d posts (-want +got):\n%s", sum.Posts, diff)
	}
}

func TestClustersOfOneRecordingDoNotMeet(t *testing.T) {
	path := recording(t, shop(t, "a", 0, 0), shop(t, "b", 0, 1), shop(t, "a", 1, 0), shop(t, "b", 1, 0), shop(t, "b", 2, 0))
	got, sum, err := dry(t, replay.Recording{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"3 opened a/shop/db", "5 opened b/shop/db"}, got); diff != "" {
		t.Errorf("timeline (-want +got):\n%s", diff)
	}
	want := replay.Summary{Snapshots: 5, Clusters: 2, Course: 30 * time.Second, Seconds: 30, Conversations: 2, Events: 2, Posts: 2, Sounds: 2, Open: 2}
	if diff := cmp.Diff(want, sum); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
}

func TestLinesWithoutATimeAreAnIntervalApart(t *testing.T) {
	line := `{"cluster_name":"prod","interval_seconds":15,"services":[{"name":"db","replicas_running":0,"replicas_desired":1}]}`
	var times []string
	d := replay.Dry{Recording: replay.Recording{Path: recording(t, line, line, line), Start: at}}
	sum, err := d.Run(t.Context(), func(e replay.Entry) { times = append(times, e.At.Format(time.TimeOnly)) })
	if err != nil || sum.Course != 30*time.Second {
		t.Errorf("%v after %v", err, sum.Course)
	}
	if diff := cmp.Diff([]string{"08:00:15"}, times); diff != "" {
		t.Errorf("opened (-want +got):\n%s", diff)
	}
}

func TestADryReplayIsCalledOff(t *testing.T) {
	ctx, stop := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	stop(why)
	sum, err := replay.Dry{Recording: replay.Recording{Path: recording(t, shop(t, "prod", 0, 0), shop(t, "prod", 1, 0))}}.Run(ctx, func(replay.Entry) {})
	if !errors.Is(err, why) || sum.Snapshots != 1 {
		t.Errorf("%v after %d snapshots", err, sum.Snapshots)
	}
}

func TestWhatAClusterSaysCannotSteerTheTerminal(t *testing.T) {
	e := replay.Entry{Kind: "opened", Cluster: "pr\x1b[31mod\n", Object: &schema.Object{Name: "d\rb"}, Text: "a\x1b]0;x\x07\nb", Command: "docker\x1b[0m ps"}
	if got := e.String(); strings.ContainsAny(got, "\x1b\x07\r") {
		t.Errorf("%q", got)
	}
}

// The largest snapshot there may be is one line; nothing here may cost the square of it.
func TestLinesOfAMegabyteAndTenThousandServicesArePlayed(t *testing.T) {
	var lines []string
	for n := range 4 {
		s := schema.ClusterContext{ClusterName: "big", TakenAt: at.Add(time.Duration(n) * 15 * time.Second), IntervalSeconds: 15}
		for i := range 10_000 {
			s.Services = append(s.Services, schema.ServiceSummary{Name: fmt.Sprintf("service-%05d", i), Namespace: "shop", ReplicasRunning: new(min(i%100, 1)), ReplicasDesired: new(1)})
		}
		body, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if len(body) < 1<<20 {
			t.Fatalf("a line of %d bytes is none of a megabyte", len(body))
		}
		lines = append(lines, string(body))
	}
	opened := 0
	rules := detect.Default()
	rules.Storm.On = false // or else they were one
	d := replay.Dry{Recording: replay.Recording{Path: recording(t, lines...)}, Rules: &rules, All: true}
	sum, err := d.Run(t.Context(), func(e replay.Entry) {
		if e.Kind == schema.EventOpened {
			opened++
		}
	})
	if err != nil || opened != 100 || sum.Open != 100 || sum.Snapshots != 4 {
		t.Errorf("%v; %d opened of which 100 are down; %+v", err, opened, sum)
	}
}

// shopNeedingDB is a line of a shop whose api needs its db, n intervals from the beginning.
func shopNeedingDB(t *testing.T, n, db, api int) string {
	t.Helper()
	body, err := json.Marshal(schema.ClusterContext{
		ClusterName: "prod", TakenAt: at.Add(time.Duration(n) * 15 * time.Second), IntervalSeconds: 15,
		Services: []schema.ServiceSummary{
			{Name: "api", Namespace: "shop", ReplicasRunning: new(api), ReplicasDesired: new(1), DependsOn: []string{"db"}},
			{Name: "db", Namespace: "shop", ReplicasRunning: new(db), ReplicasDesired: new(1)},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestADryReplayFoldsAsTheAnalyzerDoes(t *testing.T) {
	lines := []string{shopNeedingDB(t, 0, 1, 1)}
	for n := range 2 {
		lines = append(lines, shopNeedingDB(t, 1+n, 1, 0))
	}
	for n := range 2 {
		lines = append(lines, shopNeedingDB(t, 3+n, 0, 0))
	}
	for n := range 8 {
		lines = append(lines, shopNeedingDB(t, 5+n, 1, 1))
	}
	var got []string
	d := replay.Dry{Recording: replay.Recording{Path: recording(t, lines...)}}
	sum, err := d.Run(t.Context(), func(e replay.Entry) {
		got = append(got, fmt.Sprintf("%d %s %s, posted %v, sound %v", e.Line, e.Kind, e.Object, e.Posted, e.Sound))
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"3 opened shop/api, posted true, sound true",
		"5 opened shop/db, posted true, sound true",
		"5 folded shop/api, posted true, sound false",
		"10 cleared shop/db, posted true, sound false",
	}
	if diff := cmp.Diff(want, got); diff != "" || sum.Sounds != 2 {
		t.Errorf("timeline (-want +got), %d sounds:\n%s", sum.Sounds, diff)
	}
}

// What is left of a storm goes on by itself, and nobody is woken for it again.
func TestWhatOpensSilentlyIsNoSound(t *testing.T) {
	var lines []string
	for n, running := range []int{12, 12, 0, 0, 10, 10, 10, 10, 10, 10, 10} {
		s := schema.ClusterContext{ClusterName: "prod", TakenAt: at.Add(time.Duration(n) * 15 * time.Second), IntervalSeconds: 15}
		for k := range 12 {
			up := 0
			if k < running {
				up = 1
			}
			s.Services = append(s.Services, schema.ServiceSummary{Name: fmt.Sprintf("s-%02d", k), ReplicasRunning: new(up), ReplicasDesired: new(1)})
		}
		body, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(body))
	}
	var got []string
	d := replay.Dry{Recording: replay.Recording{Path: recording(t, lines...)}}
	if _, err := d.Run(t.Context(), func(e replay.Entry) {
		got = append(got, fmt.Sprintf("%d %s %s, posted %v, sound %v", e.Line, e.Kind, e.Object, e.Posted, e.Sound))
	}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"4 opened prod, posted true, sound true",
		"9 opened s-10, posted true, sound false",
		"9 opened s-11, posted true, sound false",
		"9 cleared prod, posted true, sound false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("timeline (-want +got):\n%s", diff)
	}
}
