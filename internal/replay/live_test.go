package replay_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/replay"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// system is a bus with an analyzer that answers.
func system(t *testing.T) *bus.Bus {
	t.Helper()
	s := bustest.Server(t)
	e2e.StartAnalyzer(t, s, llm.Config{})
	b := s.Connect(t)
	_, err := client.New(b).List(t.Context(), client.ListRequest{})
	for errors.Is(err, bus.ErrNobody) {
		_, err = client.New(b).List(t.Context(), client.ListRequest{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fast is a replay whose course takes no time to speak of: what is decided of it depends on its own times only.
func fast(path string) replay.Live {
	return replay.Live{Recording: replay.Recording{Path: path}, Speed: 1e9}
}

// run plays it and waits after each snapshot until it is decided, so that none is superseded unseen.
func run(t *testing.T, b *bus.Bus, l replay.Live) []replay.Published {
	t.Helper()
	var all []replay.Published
	err := l.Run(t.Context(), b, func(replay.Plan) {}, func(p replay.Published) {
		bustest.Settled(t, b, bus.Notify("webhook"))
		all = append(all, p)
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func newest(t *testing.T, b *bus.Bus, cluster string) schema.ClusterContext {
	t.Helper()
	m, err := b.LastContext(t.Context(), cluster)
	if err != nil {
		t.Fatal(err)
	}
	s, err := schema.DecodeContext(m.Data)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// stored is what the conversations of a cluster say, as a dry replay would tell it.
func stored(t *testing.T, b *bus.Bus) []string {
	t.Helper()
	var all []string
	response, err := client.New(b).List(t.Context(), client.ListRequest{All: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range response.Conversations {
		c, err := client.New(b).Get(t.Context(), s.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range c.Messages {
			all = append(all, m.Kind+" "+c.Object.String()+": "+m.Content+" "+m.SuggestedCommand)
		}
	}
	slices.Sort(all)
	return all
}

func TestAnAnalyzerDecidesOfAReplayWhatADryOneSays(t *testing.T) {
	for _, name := range []string{"db-down-and-back", "crash-loop-settles", "late-doubled-out-of-order", "missing-for-10-minutes"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(scenarios, name+".jsonl")
			want := []string{}
			_, err := replay.Dry{Recording: replay.Recording{Path: path}}.Run(t.Context(), func(e replay.Entry) {
				if e.Object.Kind == schema.KindCluster { // of what is replayed nobody misses a snapshot
					return
				}
				want = append(want, e.Kind+" "+e.Object.String()+": "+e.Text+" "+e.Command)
			})
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(want)
			b := system(t)
			run(t, b, fast(path))
			if diff := cmp.Diff(want, stored(t, b)); diff != "" {
				t.Errorf("conversations (-dry +live):\n%s", diff)
			}
		})
	}
}

func TestAReplayIsAClusterOfItsOwnInThePastAndSaysGoodbye(t *testing.T) {
	b := system(t)
	path := recording(t, shop(t, "prod", 0, 1), shop(t, "prod", 2, 1), shop(t, "prod", 3, 1))
	all := run(t, b, fast(path))
	var lines []int
	for _, p := range all {
		lines = append(lines, p.Line)
		if p.Cluster != "prod-replay" || p.TakenAt.After(time.Now()) {
			t.Errorf("line %d is of %s, taken at %v", p.Line, p.Cluster, p.TakenAt)
		}
	}
	if diff := cmp.Diff([]int{1, 2, 3, 0}, lines); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if first, second := all[1].TakenAt.Sub(all[0].TakenAt), all[2].TakenAt.Sub(all[1].TakenAt); first != 30*time.Second || second != 15*time.Second {
		t.Errorf("taken %v and %v apart, want 30s and 15s as recorded", first, second)
	}
	if s := newest(t, b, "prod-replay"); !s.Over() || len(s.Services) != 1 {
		t.Errorf("the newest snapshot is no goodbye: %+v", s)
	}
	if _, err := b.LastContext(t.Context(), "prod"); !errors.Is(err, bus.ErrNotFound) {
		t.Errorf("of prod itself: %v, want that there is nothing", err)
	}
}

func TestAReplayThatIsCalledOffSaysGoodbye(t *testing.T) {
	b := system(t)
	ctx, stop := context.WithCancel(t.Context())
	n := 0
	l := replay.Live{Recording: replay.Recording{Path: recording(t, shop(t, "prod", 0, 1), shop(t, "prod", 1_000_000, 1))}}
	err := l.Run(ctx, b, func(replay.Plan) {}, func(replay.Published) { n++; stop() })
	if err != nil || n != 2 {
		t.Errorf("%v after %d published, want the first and a goodbye", err, n)
	}
	if s := newest(t, b, "prod-replay"); !s.Over() {
		t.Errorf("the newest snapshot is no goodbye: %+v", s)
	}
}

func TestAReplayPublishesNothingUnlessAllIsWell(t *testing.T) {
	down := shop(t, "prod", 0, 0)
	for name, c := range map[string]struct {
		lines []string
		as    string
		there string // a snapshot that is stored already
		want  string
	}{
		"bad-line-after-a-good-one":   {lines: []string{down, "{"}, want: ":2: "},
		"empty":                       {lines: []string{""}, want: "no snapshot in it"},
		"another-cluster-of-the-name": {lines: []string{down}, there: `{"cluster_name":"prod-replay"}`, want: "--as"},
		"a-watched-cluster":           {lines: []string{down}, as: "prod", there: shop(t, "prod", 0, 1), want: `there is a cluster "prod"`},
		"an-earlier-one-further-on":   {lines: []string{down}, there: `{"cluster_name":"prod-replay","goodbye":true,"source":"test","taken_at":"2100-01-01T00:00:00Z"}`, want: "went on until"},
		"two-clusters-with-one-name":  {lines: []string{down, shop(t, "b", 0, 1)}, as: "x", want: "several clusters"},
		"two-names-with-one-subject":  {lines: []string{shop(t, "a.b", 0, 1), shop(t, "a-b", 0, 1)}, want: "same subject"},
		"bellbuoy-itself":             {lines: []string{down}, as: schema.OwnCluster, want: "Bellbuoy itself"},
		"too-long-a-name":             {lines: []string{shop(t, strings.Repeat("x", schema.MaxName), 0, 1)}, want: "--as"},
	} {
		t.Run(name, func(t *testing.T) {
			b := system(t)
			before := 0
			if c.there != "" {
				var s schema.ClusterContext
				if err := json.Unmarshal([]byte(c.there), &s); err != nil {
					t.Fatal(err)
				}
				e2e.Publish(t, b, s)
				before = 1
			}
			l := fast(recording(t, c.lines...))
			l.As = c.as
			err := l.Run(t.Context(), b, func(replay.Plan) { t.Error("it was announced") }, func(replay.Published) { t.Error("something was published") })
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q in it", err, c.want)
			}
			if all, err := b.Contexts(t.Context()); err != nil || len(all) != before {
				t.Errorf("%d clusters are there, want %d (%v)", len(all), before, err)
			}
		})
	}
}

func TestAReplayNeedsAnAnalyzer(t *testing.T) {
	b := bustest.New(t)
	err := fast(recording(t, shop(t, "prod", 0, 0))).Run(t.Context(), b, func(replay.Plan) {}, func(replay.Published) { t.Error("something was published") })
	if !errors.Is(err, bus.ErrNobody) {
		t.Errorf("%v, want ErrNobody", err)
	}
}

func TestAReplayCanBeRepeatedOnceItsTimeIsOver(t *testing.T) {
	b := system(t)
	path := recording(t, shop(t, "prod", 0, 0))
	run(t, b, fast(path))
	run(t, b, fast(path))
	if s := newest(t, b, "prod-replay"); !s.Over() {
		t.Errorf("the newest snapshot is no goodbye: %+v", s)
	}
}
