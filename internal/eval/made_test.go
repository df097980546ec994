package eval_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// film is a recording that is made here: for each moment that is so far apart, what a snapshot shows. What it shows is a
// function of the time alone, so that the file is the same whenever it is made.
type film struct {
	name  string
	about []string // conditions and policies
	every time.Duration
	until string                                     // the time of the day of the last snapshot; the first one is taken at 08:00
	shoot func(n now, s *schema.ClusterContext) bool // false: nothing is recorded then
}

// now is the moment of a snapshot.
type now struct{ time.Time }

// clock is a time of the first day, like 08:02 or 08:02:15; hours go on beyond 24.
func clock(text string) time.Time {
	var part [3]int
	for i, word := range strings.Split(text, ":") {
		for _, digit := range word {
			part[i] = 10*part[i] + int(digit-'0')
		}
	}
	return time.Date(2026, 11, 23, part[0], part[1], part[2], 0, time.UTC)
}

// in tells whether from has come, and to has not.
func (n now) in(from, to string) bool { return n.since(from) && n.Before(clock(to)) }

func (n now) since(at string) bool { return !n.Before(clock(at)) }

// count is how many of the times have come.
func (n now) count(times ...string) int64 {
	var count int64
	for _, at := range times {
		if n.since(at) {
			count++
		}
	}
	return count
}

// newest is the one of the times that came last; zero: none has.
func (n now) newest(times ...string) time.Time {
	var last time.Time
	for _, at := range times {
		if n.since(at) {
			last = clock(at)
		}
	}
	return last
}

// step is the value that began last: pairs of a time and what is so from then on, the first one from the beginning on.
func step[T any](n now, first T, then ...change[T]) T {
	for _, c := range then {
		if n.since(c.at) {
			first = c.to
		}
	}
	return first
}

type change[T any] struct {
	at string
	to T
}

// record is the text of the recording.
func (f film) record(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	for at := clock("08:00"); !at.After(clock(f.until)); at = at.Add(f.every) {
		s := schema.ClusterContext{ClusterName: "prod", TakenAt: at, IntervalSeconds: f.every.Seconds()}
		if !f.shoot(now{at}, &s) {
			continue
		}
		body, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var fields any
		if err := json.Unmarshal(body, &fields); err != nil {
			t.Fatal(err)
		}
		if err := json.NewEncoder(&out).Encode(told(fields)); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

// told leaves out what a snapshot does not know.
func told(x any) any {
	switch x := x.(type) {
	case map[string]any:
		for name, value := range x {
			if value == nil {
				delete(x, name)
				continue
			}
			x[name] = told(value)
		}
	case []any:
		for i := range x {
			x[i] = told(x[i])
		}
	}
	return x
}

// films are all recordings that are made here.
func films() []film {
	return slices.Concat(serviceFilms(), troubleFilms(), nodeFilms(), gaugeFilms(), collectionFilms(), policyFilms())
}

// TestScenariosThatAreMadeHereAreCurrent compares them with the files; -update writes the files.
func TestScenariosThatAreMadeHereAreCurrent(t *testing.T) {
	for _, f := range films() {
		t.Run(f.name, func(t *testing.T) {
			path := filepath.Join(scenarios, f.name+".jsonl")
			got := f.record(t)
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatalf("%v: write it with -update", err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", path, diff)
			}
		})
	}
}

// TestEveryConditionHasAScenarioOfItsOwn names those, and the policies, that have none.
func TestEveryConditionHasAScenarioOfItsOwn(t *testing.T) {
	for _, c := range slices.Concat(detect.Conditions(detect.Default()), detect.Policies()) {
		if unshown[c.Name] == "" && !slices.ContainsFunc(films(), func(f film) bool { return slices.Contains(f.about, c.Name) }) {
			t.Errorf("no scenario is about %s alone", c.Name)
		}
	}
}

func service(name string, running, wanted int) schema.ServiceSummary {
	return schema.ServiceSummary{Name: name, Namespace: "shop", ReplicasRunning: new(running), ReplicasDesired: new(wanted)}
}

func exit(at time.Time, code int, ran time.Duration) *schema.Failure {
	if at.IsZero() {
		return nil
	}
	return &schema.Failure{Reason: schema.FailureExit, ExitCode: new(code), At: at, RanFor: new(ran.Seconds())}
}
