package diagnose_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
)

// says is a verdict that is right about the stopped db, changed by the pairs of field and value.
func says(t *testing.T, change ...any) string {
	t.Helper()
	v := map[string]any{
		"reasoning": "…", "summary": "db was stopped", "confidence": "high", "confidence_why": "E4 says so",
		"root_cause":     map[string]any{"component": "shop/db", "category": "dependency_down", "statement": "db was stopped by hand."},
		"evidence":       []any{map[string]any{"id": "E1", "why": "fires"}, map[string]any{"id": "E4", "why": "stopped"}},
		"alternatives":   []any{map[string]any{"statement": "a bug", "check": "the code"}},
		"action":         map[string]any{"verb": "start", "target": "shop/db", "reason": "checkout needs it"},
		"self_resolving": false, "insufficient_data": false,
	}
	for i := 0; i+1 < len(change); i += 2 {
		path := strings.Split(change[i].(string), ".")
		at := v
		if len(path) == 2 {
			at = v[path[0]].(map[string]any)
		}
		at[path[len(path)-1]] = change[i+1]
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func cites(ids ...string) []any {
	var out []any
	for _, id := range ids {
		out = append(out, map[string]any{"id": id, "why": "x"})
	}
	return out
}

func TestAGoodVerdictBecomesADiagnosis(t *testing.T) {
	c, s := incident()
	d, err := diagnose.CheckVerdict(says(t), "test-model", c, &s)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "verdict.json", pretty(t, d))
}

func TestVerdictsAreFoundInWhateverSurroundsThem(t *testing.T) {
	c, s := incident()
	for name, text := range map[string]string{
		"fenced":               "Sure:\n```json\n" + says(t) + "\n```\nDone.",
		"fence-without-tag":    "```\n" + says(t) + "\n```",
		"talk":                 "I think {so}. " + says(t) + " Hope it helps {",
		"thinking":             "<think>{\"summary\":\"no\"}</think>" + says(t),
		"thinking-without-tag": "hm {\"a\":1} </think>\n" + says(t),
		"two-thoughts":         "<think>a</think> <think>b</think> " + says(t),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := diagnose.CheckVerdict(text, "m", c, &s); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCheckVerdictNamesEveryMistake(t *testing.T) {
	c, s := incident()
	tests := []struct {
		name, text string
		want       []string
	}{
		{"empty", "", []string{"empty"}},
		{"only-thoughts", "<think>" + says(t), []string{"empty"}},
		{"no-object", "I cannot say.", []string{"no JSON object"}},
		{"broken-object", `{"summary": "x`, []string{"does not parse"}},
		{"other-shape", `{"summary": 5}`, []string{"not the shape"}},
		{"too-long", strings.Repeat("x", 70<<10), []string{"more than"}},
		{"empty-object", "{}", []string{"summary: empty", "root_cause.statement: empty", "root_cause.category", "confidence", "action.verb", "root_cause.component", "action.target", "evidence: empty"}},
		{"unknown-component", says(t, "root_cause.component", "shop/payments"), []string{`"shop/payments" is not in the snapshot; use one of ["shop/checkout","shop/db","shop/cache"]`}},
		{"unknown-target", says(t, "action.target", "/etc"), []string{"action.target"}},
		{"unknown-evidence", says(t, "evidence", cites("E1", "E99")), []string{`there is no "E99"`}},
		{"no-evidence", says(t, "evidence", []any{}), []string{"evidence: empty"}},
		{"unknown-verb", says(t, "action.verb", "delete"), []string{`"delete" is not one of none, logs, inspect, start, restart`}},
		{"unknown-confidence", says(t, "confidence", "certain"), []string{"low, medium, high"}},
		{"unknown-category", says(t, "root_cause.category", "gremlins"), []string{"dependency_down"}},
		{"summary-of-nothing-visible", says(t, "summary", "\u200b\u202e \n"), []string{"summary: empty"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := diagnose.CheckVerdict(tt.text, "m", c, &s)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, w := range tt.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q does not say %q", err, w)
				}
			}
		})
	}
}

func TestAVerdictDaresOnlyWhatItsEvidenceSupports(t *testing.T) {
	tests := []struct {
		name       string
		change     []any
		confidence string
		command    string
	}{
		{"well-supported-change", nil, "high", "docker start shop-db-1"},
		{"low-confidence-is-a-look", []any{"confidence", "low"}, "low", "docker logs --tail 50 shop-db-1"},
		{"only-a-log-line-speaks-for-it", []any{"evidence", cites("E8")}, "low", "docker logs --tail 50 shop-db-1"},
		{"evidence-about-another-object-does-not-count", []any{"root_cause.component", "shop/cache", "action.target", "shop/cache", "action.verb", "restart", "evidence", cites("E1", "E4")}, "low", "docker logs --tail 50 shop-cache-1"},
		{"supported-restart-of-what-runs", []any{"root_cause.component", "shop/cache", "action.target", "shop/cache", "action.verb", "restart", "evidence", cites("E5")}, "high", "docker restart shop-cache-1"},
		{"start-of-what-runs-is-a-look", []any{"root_cause.component", "shop/cache", "action.target", "shop/cache", "evidence", cites("E5")}, "high", "docker logs --tail 50 shop-cache-1"},
		{"a-victim-gets-its-causes-command", []any{"action.target", "shop/checkout", "action.verb", "restart"}, "high", "docker start shop-db-1"},
		{"a-crash-loop-is-not-restarted", []any{"root_cause.component", "shop/checkout", "action.target", "shop/checkout", "action.verb", "restart"}, "high", "docker logs --tail 50 shop-checkout-1"},
		{"none", []any{"action.verb", "none", "action.target", ""}, "high", ""},
		{"not-enough-data", []any{"insufficient_data", true, "root_cause.component", "", "evidence", []any{}, "action.target", "shop/checkout", "action.verb", "inspect"}, "low", "docker inspect shop-checkout-1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, s := incident()
			d, err := diagnose.CheckVerdict(says(t, tt.change...), "m", c, &s)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{tt.confidence, tt.command}, []string{d.Confidence, d.Command}); diff != "" {
				t.Errorf("confidence, command (-want +got):\n%s", diff)
			}
			if want, _ := diagnose.Command(&s, s.Source, d.Action); want != d.Command {
				t.Errorf("command %q is not that of the action shown, %q", d.Command, want)
			}
		})
	}
}

func TestVerdictTextsAreCleanedAndCut(t *testing.T) {
	c, s := incident()
	long := strings.Repeat("ü", 2000)
	d, err := diagnose.CheckVerdict(says(t,
		"summary", "a\u202eb\x1b[31m\nc password=hunter2hunter2", "root_cause.statement", long, "confidence_why", long, "action.reason", long,
		"evidence", cites("E1", "E1", "E2", "E3", "E4", "E5", "E6", "E7", "E8"),
		"alternatives", []any{map[string]any{"statement": long, "check": long}, map[string]any{"statement": " ", "check": ""}},
	), "model\nname", c, &s)
	if err != nil {
		t.Fatal(err)
	}
	if d.Summary != "ab c password=[REDACTED:secret]" || d.Source != "model name" {
		t.Errorf("summary %q, source %q", d.Summary, d.Source)
	}
	if len(d.RootCause.Statement) > 900 || len(d.ConfidenceWhy) > 300 || len(d.Action.Reason) > 300 {
		t.Error("a text was not cut")
	}
	if len(d.Evidence) != 6 || len(d.Alternatives) != 1 {
		t.Errorf("%d citations, %d alternatives", len(d.Evidence), len(d.Alternatives))
	}
}

func TestWithoutASnapshotThereIsAVerdictButNoCommand(t *testing.T) {
	c, _ := incident()
	d, err := diagnose.CheckVerdict(says(t, "root_cause.component", "shop/checkout", "action.target", "shop/checkout", "action.verb", "logs"), "m", c, nil)
	if err != nil || d.Command != "" || d.RootCause.Component != "shop/checkout" {
		t.Errorf("%+v, %v", d, err)
	}
	if _, err := diagnose.CheckVerdict(says(t), "m", c, nil); err == nil {
		t.Error("a component that nothing vouches for was accepted")
	}
}

func TestNotEnoughDataIsAnAnswerAndIsSaid(t *testing.T) {
	for said, want := range map[string]string{
		"worker ends and nothing says why":      "not enough data: worker ends and nothing says why",
		"Not enough data to say why":            "Not enough data to say why",
		strings.Repeat("nothing is known ", 30): "not enough data: nothing is known",
	} {
		c, s := incident()
		d, err := diagnose.CheckVerdict(says(t, "summary", said, "insufficient_data", true, "confidence", "high", "self_resolving", true), "m", c, &s)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(d.Summary, want) || len(d.Summary) > 300 || !d.InsufficientData || d.Confidence != "low" || d.SelfResolving {
			t.Errorf("%q became %+v", said, d)
		}
	}
}
