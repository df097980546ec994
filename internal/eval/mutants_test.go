package eval_test

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/eval"
)

// allMutants is the environment variable with which every mutant is tried. Without it those are that no setting is about,
// and some of the others, on small recordings.
const (
	allMutants = "BELLBUOY_MUTANTS"
	sample     = 40
	small      = 64 << 10 // bytes
)

// excepted are mutants that no scenario can notice, and why.
var excepted = map[string]string{}

const byFindings = "parts of Bellbuoy find it and say so; no snapshot shows it"

// unshown are conditions that no recording of snapshots can show, and why.
var unshown = map[string]string{
	detect.ChannelFailing: byFindings, detect.DeadLetters: byFindings, detect.StoreFull: byFindings, detect.ModelUnavailable: byFindings,
	detect.BudgetSpent: byFindings,
}

func exception(m eval.Mutant) string { return cmp.Or(excepted[m.Name], unshown[m.Condition]) }

// known is a scenario with what comes of it by the rules as shipped.
type known struct {
	eval.Scenario
	course eval.Course
}

func TestEveryMutantIsNoticed(t *testing.T) {
	mutants, err := eval.Mutants()
	if err != nil {
		t.Fatal(err)
	}
	most := int64(small)
	if os.Getenv(allMutants) == "1" {
		most = math.MaxInt64
	}
	before := played(t, most)
	noticed, by := make([]string, len(mutants)), make([]string, len(mutants))
	dir := t.TempDir()
	g, ctx := errgroup.WithContext(t.Context())
	g.SetLimit(runtime.GOMAXPROCS(0))
	tried := func(i int) bool {
		return os.Getenv(allMutants) == "1" || mutants[i].Condition == "" || i%sample == 0
	}
	for i, m := range mutants {
		if !tried(i) {
			continue
		}
		g.Go(func() error {
			for _, s := range likely(before, m.Condition) {
				if s.Size > small && exception(m) != "" { // the large ones take long, and show nothing else
					break
				}
				path, err := m.Recording(&s.Scenario, dir)
				if err != nil {
					return err
				}
				if path == "" {
					continue
				}
				after, err := s.Play(ctx, path, m.Rules)
				if err != nil {
					return fmt.Errorf("%s on %s: %w", m.Name, s.Name, err)
				}
				if how := eval.Notice(&s.Scenario, &s.course, &after); how != "" {
					noticed[i], by[i] = how, s.Name
					return nil
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	for i, m := range mutants {
		switch reason := exception(m); {
		case !tried(i):
		case by[i] != "" && reason != "":
			t.Errorf("%s is excepted, because %s; but %s notices it: %s", m.Name, reason, by[i], noticed[i])
		case by[i] != "":
			fmt.Fprintf(t.Output(), "%-44s %s: %s\n", m.Name, by[i], noticed[i])
		case reason != "":
			fmt.Fprintf(t.Output(), "%-44s survives: %s\n", m.Name, reason)
		default:
			t.Errorf("%s survives: no scenario notices it", m.Name)
		}
	}
}

// played plays every scenario of at most so many bytes by the rules as shipped, the small ones first.
func played(t *testing.T, most int64) []known {
	t.Helper()
	var before []known
	for _, s := range all(t) {
		if s.Size > most {
			continue
		}
		course, err := s.Play(t.Context(), s.Recording, detect.Default())
		if err != nil {
			t.Fatal(err)
		}
		if wrong := eval.Judge(&s.Truth, course.Entries).Wrong; len(wrong) > 0 {
			t.Fatalf("%s is wrong before anything is changed: %s", s.Name, wrong[0])
		}
		before = append(before, known{s, course})
	}
	slices.SortStableFunc(before, func(a, b known) int { return cmp.Compare(a.Size, b.Size) })
	return before
}

// likely puts those first that are made for the condition.
func likely(all []known, condition string) []known {
	made := func(s known) int {
		_, about, _ := strings.Cut(s.Name, "-")
		if condition != "" && strings.HasPrefix(about, strings.ReplaceAll(condition, "_", "-")) {
			return 0
		}
		return 1
	}
	return slices.SortedStableFunc(slices.Values(all), func(a, b known) int { return made(a) - made(b) })
}

func TestEveryExceptionIsOfAMutantThereIs(t *testing.T) {
	mutants, err := eval.Mutants()
	if err != nil {
		t.Fatal(err)
	}
	for name := range excepted {
		if !slices.ContainsFunc(mutants, func(m eval.Mutant) bool { return m.Name == name }) {
			t.Errorf("there is no mutant %q", name)
		}
	}
}
