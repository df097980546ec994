package eval

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/replay"
)

// Scenario is a recording with its truth.
type Scenario struct {
	Name      string
	Recording string // its path
	Truth     Truth
	Size      int64 // of the file, in bytes
}

// Scenarios reads those of a directory, sorted by name. Its error is about all of them: the first truth that is missing,
// or wrong.
func Scenarios(dir string) ([]Scenario, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.jsonl*"))
	if err != nil {
		return nil, err
	}
	var all []Scenario
	for _, path := range paths {
		name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), ".gz"), ".jsonl")
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		text, err := os.ReadFile(filepath.Join(dir, name+".truth"))
		if err != nil {
			return nil, fmt.Errorf("read what is true of %s: %w: write it by hand", name, err)
		}
		first, err := firstTaken(path)
		if err != nil {
			return nil, err
		}
		truth, err := ParseTruth(name+".truth", string(text), first)
		if err != nil {
			return nil, err
		}
		all = append(all, Scenario{name, path, truth, info.Size()})
	}
	slices.SortFunc(all, func(a, b Scenario) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// start is when a recording begins whose lines do not say when they were taken.
func start() time.Time { return time.Unix(0, 0).UTC() }

// firstTaken is when the first snapshot of a recording was taken.
func firstTaken(path string) (time.Time, error) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var at time.Time
	dry := replay.Dry{Recording: replay.Recording{Path: path, Start: start()}, Look: func(s replay.Standing) {
		at = s.At
		stop()
	}}
	if _, err := dry.Run(ctx, func(replay.Entry) {}); err != nil && ctx.Err() == nil {
		return at, err
	}
	return at, nil
}

// Course is what came of a scenario.
type Course struct {
	Entries  []replay.Entry
	Summary  replay.Summary
	standing []replay.Standing // at each of the moments that the truth marks
}

// Played is the scenario's recording as it is played.
func (s *Scenario) Played() replay.Recording {
	return replay.Recording{Path: s.Recording, Start: start()}
}

// Play plays the scenario's recording, or another one in its place, by rules.
func (s *Scenario) Play(ctx context.Context, recording string, rules detect.Rules) (Course, error) {
	c := Course{standing: make([]replay.Standing, len(s.Truth.Asked))}
	dry := replay.Dry{Recording: replay.Recording{Path: recording, Start: start()}, Rules: &rules, Look: func(x replay.Standing) {
		for i, ask := range s.Truth.Asked {
			if ask.of(x.Cluster) && !x.At.After(ask.At) {
				c.standing[i] = x
			}
		}
	}}
	var err error
	c.Summary, err = dry.Run(ctx, func(e replay.Entry) { c.Entries = append(c.Entries, e) })
	return c, err
}

// of tells whether a cluster's snapshots answer it.
func (a Ask) of(cluster string) bool {
	own, name, _ := strings.Cut(a.Object, "/")
	return own == cluster || own == "bellbuoy" && name == cluster
}

// Why is the text of NAME.why.txt: each marked moment with what `why` says then.
func (s *Scenario) Why(c *Course) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# What why says at the moments that %s.truth marks.\n", s.Name)
	for i, ask := range s.Truth.Asked {
		_, name, _ := strings.Cut(ask.Object, "/")
		fmt.Fprintf(&b, "\n%s %s\n", ask.At.Format(time.DateTime), ask.Object)
		for _, r := range c.standing[i].Why(name, ask.At) {
			fmt.Fprintf(&b, "    %-11s %s\n", r.Verdict, r.Text)
		}
	}
	return b.String()
}
