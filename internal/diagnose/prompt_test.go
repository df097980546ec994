package diagnose_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestVerdictPromptOfAStoppedDependency(t *testing.T) {
	c, s := incident()
	p := diagnose.VerdictPrompt(c, &s)
	golden(t, "verdict.system.txt", p.System)
	golden(t, "verdict.user.txt", p.User)
	golden(t, "verdict.schema.json", string(p.Schema)+"\n")
}

func TestQuestionPromptOfAStoppedDependency(t *testing.T) {
	c, s := incident()
	c.Messages = []schema.Message{
		{ID: "1", Kind: schema.EventOpened, Sender: schema.SenderSystem, Content: "checkout restarts again and again"},
		{ID: "2", Kind: schema.EventAsked, Sender: schema.SenderOperator, Author: &schema.Author{Name: "anna"}, Content: "Was it deployed?"},
		{ID: "3", Kind: schema.EventAnswered, Sender: schema.SenderAssistant, Content: "No."},
		{ID: "4", Kind: schema.EventAsked, Sender: schema.SenderOperator, Author: &schema.Author{Name: "anna"}, Content: "Why is db stopped?"},
	}
	p := diagnose.QuestionPrompt(c, &s, c.Messages[3])
	golden(t, "question.system.txt", p.System)
	golden(t, "question.user.txt", p.User)
	if p.Schema != nil {
		t.Error("a question has a schema")
	}
}

func TestIdenticalInputGivesAnIdenticalPrompt(t *testing.T) {
	c, s := incident()
	first := diagnose.VerdictPrompt(c, &s)
	for range 20 {
		c, s := incident()
		if diff := cmp.Diff(first, diagnose.VerdictPrompt(c, &s)); diff != "" {
			t.Fatalf("prompt differs (-first +again):\n%s", diff)
		}
	}
}

func TestSystemTextIsTheSameForEveryIncident(t *testing.T) {
	c, s := incident()
	other := conversation(snapshot(cache()), schema.Object{Kind: schema.KindService, Namespace: "shop", Name: "cache"}, firing("unhealthy", "warning"))
	a, b := diagnose.VerdictPrompt(c, &s), diagnose.VerdictPrompt(other, nil)
	if a.System != b.System || string(a.Schema) != string(b.Schema) {
		t.Error("system text or schema differs between incidents")
	}
	if firstLine(a.User) == firstLine(b.User) {
		t.Error("two incidents share a nonce")
	}
}

func firstLine(s string) string { head, _, _ := strings.Cut(s, "\n"); return head }

func TestPromptStaysWithinItsBudgetAtEverySize(t *testing.T) {
	for _, services := range []int{10, 1000, 10_000} {
		t.Run(fmt.Sprint(services), func(t *testing.T) {
			s := crowded(services)
			c := conversation(s, checkout(), crashLoop())
			for _, p := range []diagnose.Prompt{
				diagnose.VerdictPrompt(c, &s),
				diagnose.QuestionPrompt(c, &s, schema.Message{Content: strings.Repeat("why? ", 3000)}),
			} {
				if tokens := (len(p.System) + len(p.User)) / 3; tokens > diagnose.MaxPromptTokens {
					t.Errorf("about %d tokens", tokens)
				}
				for _, want := range []string{`"E1"`, "shop/db", "lookup db: no such host"} {
					if !strings.Contains(p.User, want) {
						t.Errorf("%q is missing", want)
					}
				}
			}
		})
	}
}

// crowded is the incident among many services, the first of them as noisy as can be.
func crowded(services int) schema.ClusterContext {
	s := stoppedDB()
	for i := range services {
		x := crashing()
		x.Name = fmt.Sprintf("service-%d", i)
		for j := range schema.MaxLogLines * min(1, max(0, 20-i)) {
			x.RecentLogs = append(x.RecentLogs, fmt.Sprintf("error %c%c %s", 'a'+j%26, 'a'+j/26, strings.Repeat("z", 380)))
		}
		s.Services = append(s.Services, x)
	}
	return s
}

func TestWhatIsLeftOutIsCounted(t *testing.T) {
	c, s := incident()
	for i := range 40 {
		c.Evidence = append(c.Evidence, schema.Evidence{ID: fmt.Sprintf("E%d", 11+i), Kind: diagnose.KindLog, Text: strings.Repeat("x", 400)})
	}
	p := diagnose.VerdictPrompt(c, &s)
	if !strings.Contains(p.User, `{"evidence_left_out":`) || !strings.Contains(p.User, `"E1"`) {
		t.Errorf("nothing says how much was left out:\n%s", p.User)
	}
}

func TestRepairPromptKeepsWhatWasAskedAndNamesTheMistakes(t *testing.T) {
	c, s := incident()
	p := diagnose.VerdictPrompt(c, &s)
	r := diagnose.RepairPrompt(p, "{\"summary\":\n5}", errors.New("summary: empty\nconfidence: missing"))
	if r.System != p.System || !strings.HasPrefix(r.User, p.User) || string(r.Schema) != string(p.Schema) {
		t.Error("the prefix changed")
	}
	for _, want := range []string{`"summary: empty\nconfidence: missing"`, `"{\"summary\":\n5}"`} {
		if !strings.Contains(r.User, want) {
			t.Errorf("%s is not in %q", want, r.User[len(p.User):])
		}
	}
	fences(t, r)
}

func TestExamplesInTheSystemTextFollowTheSchema(t *testing.T) {
	c, s := incident()
	system := diagnose.VerdictPrompt(c, &s).System
	found := 0
	for text := range strings.SplitSeq(system, "\n") {
		var example map[string]any
		if json.Unmarshal([]byte(text), &example) != nil {
			continue
		}
		found++
		var schema struct{ Required []string }
		if err := json.Unmarshal(diagnose.VerdictSchema(), &schema); err != nil {
			t.Fatal(err)
		}
		for _, name := range schema.Required {
			if _, ok := example[name]; !ok {
				t.Errorf("example %d has no %s", found, name)
			}
		}
		if len(example) != len(schema.Required) {
			t.Errorf("example %d has %d fields, the schema %d", found, len(example), len(schema.Required))
		}
	}
	if found != 2 {
		t.Errorf("%d examples, want 2", found)
	}
}
