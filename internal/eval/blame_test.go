package eval_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/eval"
	"github.com/bellbuoy/bellbuoy/internal/need"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// named is the share of the incidents whose guilty object the rules alone have to name.
const named = 0.95

// scene is a scenario that was played.
type scene struct {
	eval.Blame
	Name string
}

// blamed plays the scenarios, once for all tests: all of them in a long run, else the small ones.
func blamed(t *testing.T) []scene {
	t.Helper()
	all, err := scenes()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var scenes = sync.OnceValues(func() ([]scene, error) {
	all, err := eval.Scenarios(scenarios)
	if err != nil {
		return nil, err
	}
	var blamed []scene
	for _, s := range all {
		if s.Size > small && !need.Long() {
			continue
		}
		b, err := s.Blame(context.Background())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
		blamed = append(blamed, scene{b, s.Name})
	}
	return blamed, nil
})

func TestTheRulesNameWhatIsToBlame(t *testing.T) {
	incidents, right := 0, 0
	for _, s := range blamed(t) {
		for _, told := range s.Told {
			incidents++
			d := told.Conversation.Diagnosis
			if told.Guilty() {
				right++
			} else {
				t.Logf("%s: %s is told with %q to blame: %s", s.Name, told.Incident.Objects[0], d.RootCause.Component, d.Summary)
			}
			useful(t, s.Name, &told)
		}
	}
	if incidents == 0 {
		t.Fatal("no incident is told")
	}
	share := float64(right) / float64(incidents)
	t.Logf("the rules name what is to blame in %d of %d incidents (%.1f %%)", right, incidents, 100*share)
	if share < named {
		t.Errorf("%.1f %% is less than %.0f %%", 100*share, 100*named)
	}
}

// A victim asked by itself blames its cause too, as soon as the snapshot shows it: what is folded into an incident would
// otherwise have been told as a cause of its own.
func TestTheRulesTellAVictimFromItsCause(t *testing.T) {
	victims, right := 0, 0
	for _, s := range blamed(t) {
		for _, v := range s.Victims {
			victims++
			d := diagnose.ByRules(*v.Snapshot, v.Object, v.Conditions, diagnose.Freeze(*v.Snapshot, v.Object, v.Conditions))
			if slices.Contains(v.Causes, d.RootCause.Component) {
				right++
				continue
			}
			t.Logf("%s: %s, a victim of %s, blames %q: %s", s.Name, v.Object, v.Causes, d.RootCause.Component, d.Summary)
		}
	}
	if victims == 0 {
		t.Fatal("no incident has a victim")
	}
	share := float64(right) / float64(victims)
	t.Logf("by themselves, %d of %d victims blame their cause (%.1f %%)", right, victims, 100*share)
	if share < named {
		t.Errorf("%.1f %% is less than %.0f %%", 100*share, 100*named)
	}
}

// useful checks that a diagnosis without a model says since when, and what to do next.
func useful(t *testing.T, name string, told *eval.Told) {
	t.Helper()
	d := told.Conversation.Diagnosis
	if d.Summary == "" || !strings.Contains(d.RootCause.Statement, "; since ") {
		t.Errorf("%s: %s: the diagnosis does not say since when: %q", name, told.Incident.Objects[0], d.RootCause.Statement)
	}
	if d.Command == "" && d.Action.Reason == "" && !strings.Contains(d.Summary, ";") && len(d.Alternatives) == 0 {
		t.Errorf("%s: %s: the diagnosis gives no next step: %+v", name, told.Incident.Objects[0], d)
	}
}

// Every prompt of every scenario fits, and names what is to blame with the first line of its log that tells of an error.
func TestEveryScenariosPromptFitsAndHoldsWhatIsToBlame(t *testing.T) {
	most, lines := map[int]int{}, 0
	for _, s := range blamed(t) {
		for _, told := range s.Told {
			guilty := told.Incident.Objects
			if len(told.Incident.Causes) > 0 {
				guilty = told.Incident.Causes
			}
			for _, budget := range []int{diagnose.MaxPromptTokens, diagnose.SmallPromptTokens} {
				p := diagnose.VerdictPromptWithin(told.Conversation, told.Snapshot, budget)
				tokens := diagnose.Tokens(p.System) + diagnose.Tokens(p.User)
				most[budget] = max(most[budget], tokens)
				if tokens > budget {
					t.Errorf("%s: a prompt of %d tokens, with a budget of %d", s.Name, tokens, budget)
				}
				for _, o := range guilty {
					_, name, _ := strings.Cut(o, "/")
					if (o == guilty[0] && len(guilty) == 1 || o == told.Conversation.Cluster+"/"+told.Conversation.Object.String()) && !strings.Contains(p.User, `"`+name+`"`) {
						t.Errorf("%s: %s is not in the prompt within %d tokens", s.Name, name, budget)
					}
					if line := firstError(told.Snapshot, name); line != "" {
						lines++
						if !strings.Contains(p.User, line) {
							t.Errorf("%s: within %d tokens the first error of %s is missing: %q", s.Name, budget, name, line)
						}
					}
				}
			}
		}
	}
	t.Logf("the longest prompt within %v tokens; %d times with a first error", most, lines)
	if lines == 0 {
		t.Error("no scenario has a log line that tells of an error")
	}
}

// firstError is what the first line of a service's log that tells of an error begins with, up to what may differ from
// line to line; empty: there is none.
func firstError(s *schema.ClusterContext, name string) string {
	i := slices.IndexFunc(s.Services, func(x schema.ServiceSummary) bool { return x.Object().String() == name })
	if i < 0 {
		return ""
	}
	for _, line := range s.Services[i].RecentLogs {
		if at, rest, _ := strings.Cut(line, " "); strings.HasSuffix(at, "Z") {
			line = rest // the time stands beside
		}
		low := strings.ToLower(line)
		if !slices.ContainsFunc([]string{"error", "fatal", "panic", "refused", "cannot", "failed"}, func(w string) bool { return strings.Contains(low, w) }) {
			continue
		}
		if cut := strings.IndexAny(line, "0123456789\"\\"); cut > 0 {
			line = line[:cut]
		}
		return strings.TrimSpace(line)
	}
	return ""
}
