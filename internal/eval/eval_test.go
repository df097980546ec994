package eval_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/eval"
	"github.com/bellbuoy/bellbuoy/internal/need"
)

var update = flag.Bool("update", false, "rewrite what why says at the marked moments, and the scenarios that are made here; read the diff")

const scenarios = "../../testdata/scenarios"

// heard reads the scenarios that are played: all of them in a long run, else those with small recordings, as the race
// detector makes the others dear and has nothing to find in what is pure. None is no success.
func heard(t *testing.T) []eval.Scenario {
	t.Helper()
	if need.Long() {
		return all(t)
	}
	return slices.DeleteFunc(all(t), func(s eval.Scenario) bool { return s.Size > small })
}

// all reads the scenarios. None is no success.
func all(t *testing.T) []eval.Scenario {
	t.Helper()
	all, err := eval.Scenarios(scenarios)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatalf("no scenario in %s", scenarios)
	}
	return all
}

func TestEveryScenarioIsToldAsItIs(t *testing.T) {
	var scores []eval.Scored
	for _, s := range heard(t) {
		course, err := s.Play(t.Context(), s.Recording, detect.Default())
		if err != nil {
			t.Fatalf("%s: %v", s.Name, err)
		}
		scores = append(scores, eval.Scored{Name: s.Name, Score: eval.Judge(&s.Truth, course.Entries)})
		golden(t, filepath.Join(scenarios, s.Name+".why.txt"), s.Why(&course))
	}
	if err := eval.Report(t.Output(), scores); err != nil {
		t.Fatal(err)
	}
	if wrong := eval.Total(scores).Wrong; len(wrong) > 0 {
		t.Errorf("%d mistakes, listed below the table", len(wrong))
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: write it with -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
