package diagnose_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

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
		for _, budget := range []int{diagnose.MaxPromptTokens, diagnose.SmallPromptTokens} {
			t.Run(fmt.Sprintf("%d-services-%d-tokens", services, budget), func(t *testing.T) {
				s := crowded(services)
				c := conversation(s, checkout(), crashLoop())
				c.Messages = longThread(100)
				for _, p := range []diagnose.Prompt{
					diagnose.VerdictPromptWithin(c, &s, budget),
					diagnose.QuestionPromptWithin(c, &s, schema.Message{Content: strings.Repeat("why? ", 3000)}, budget),
				} {
					tokens := diagnose.Tokens(p.System) + diagnose.Tokens(p.User)
					t.Logf("%d tokens", tokens)
					if tokens > budget || p.Estimate != tokens {
						t.Errorf("%d tokens, said to be %d, of a budget of %d", tokens, p.Estimate, budget)
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
}

// longThread is a thread of so many questions, each answered, with one decision and one command in its first quarter.
func longThread(questions int) []schema.Message {
	var all []schema.Message
	add := func(m schema.Message) {
		m.ID = fmt.Sprint(len(all))
		all = append(all, m)
	}
	for i := range questions {
		add(schema.Message{Kind: schema.EventAsked, Sender: schema.SenderOperator, Author: &schema.Author{Name: "anna"}, Content: fmt.Sprintf("question %d %s", i, strings.Repeat("and then? ", 30))})
		add(schema.Message{Kind: schema.EventAnswered, Sender: schema.SenderAssistant, Content: fmt.Sprintf("answer %d %s", i, strings.Repeat("because of db. ", 30))})
		if i == questions/4 {
			add(schema.Message{Kind: schema.EventAcknowledged, Sender: schema.SenderOperator, Author: &schema.Author{Name: "ben"}, Content: "ben has it"})
			add(schema.Message{Kind: schema.EventDiagnosed, Sender: schema.SenderAssistant, Content: "db was stopped", SuggestedCommand: "docker start shop-db-1"})
		}
	}
	return all
}

func TestALongThreadKeepsDecisionsCommandsAndWhatWasSaidLast(t *testing.T) {
	c, s := incident()
	c.Messages = longThread(100)
	question := c.Messages[len(c.Messages)-2]
	for _, budget := range []int{diagnose.MaxPromptTokens, diagnose.SmallPromptTokens} {
		p := diagnose.QuestionPromptWithin(c, &s, question, budget)
		for _, want := range []string{"ben has it", "docker start shop-db-1", "answer 98 ", `{"thread_left_out":{"answered":`, `"E10"`} {
			if !strings.Contains(p.User, want) {
				t.Errorf("%d tokens: %q is missing", budget, want)
			}
		}
		if strings.Contains(p.User, "answer 3 ") {
			t.Errorf("%d tokens: an answer that was long ago is still there", budget)
		}
	}
	short := diagnose.VerdictPrompt(c, &s)
	if !strings.Contains(short.User, "ben has it") || strings.Contains(short.User, `"answered","sender"`) {
		t.Errorf("a verdict is asked for without what people decided, or with what Bellbuoy said: %s", short.User)
	}
}

func TestEarlierEpisodesAreTold(t *testing.T) {
	c, s := incident()
	for i := range 10 {
		c.Episodes = append(c.Episodes, schema.Episode{
			Number: i + 1, StartedAt: at("06:00:00").Add(time.Duration(i) * 10 * time.Minute), ClosedAt: at("06:05:00").Add(time.Duration(i) * 10 * time.Minute), ClosedAs: "cleared",
			Condition: "crash_loop", Severity: "warning", Diagnosis: fmt.Sprintf("diagnosis %d", i), EndedBy: "anna\nsaid \x1b[31mso",
		})
	}
	for _, p := range []diagnose.Prompt{diagnose.VerdictPrompt(c, &s), diagnose.QuestionPrompt(c, &s, schema.Message{Content: "again?"})} {
		if n := strings.Count(p.User, `{"earlier_episode":`); n != 3 {
			t.Errorf("%d earlier episodes, want 3", n)
		}
		want := `{"earlier_episode":{"began":"07:30:00 UTC","lasted":"5 min","condition":"crash_loop","severity":"warning","closed_as":"cleared","ended_by":"anna said so","diagnosis":"diagnosis 9"}}`
		if !strings.Contains(p.User, want) {
			t.Errorf("the last one is not told of as it was:\n%s", p.User)
		}
		fences(t, p)
	}
}

// A prompt that holds little holds what tells most: what fires, how it failed, what may explain it, its first error.
func TestASmallPromptHoldsWhatTellsMost(t *testing.T) {
	s := stoppedDB()
	for i := range 30 {
		s.RecentEvents = append(s.RecentEvents, schema.ClusterEvent{At: at("08:00:50"), Kind: fmt.Sprint("kind-", i), Object: "shop/checkout", Text: strings.Repeat("x ", 150)})
	}
	shop := &s.Services[0]
	shop.RecentLogs = []string{"error: db went away first"}
	for i := range 39 {
		shop.RecentLogs = append(shop.RecentLogs, fmt.Sprintf("panic %c%c %s", 'a'+i%26, 'a'+i/26, strings.Repeat("y ", 150)))
	}
	c := conversation(s, checkout(), crashLoop())
	p := diagnose.VerdictPromptWithin(c, &s, 2600)
	if p.Estimate > 2600 {
		t.Errorf("%d tokens", p.Estimate)
	}
	for _, want := range []string{"crash_loop (warning) since", "exit code 1", "stopped by hand", "db went away first", "services in trouble", `{"evidence_left_out":{"event":`} {
		if !strings.Contains(p.User, want) {
			t.Errorf("%q is missing in\n%s", want, p.User)
		}
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

// Names that are as long as they may be, of many neighbours, do not burst a small prompt: each is said twice more where
// a verdict may blame it.
func TestLongNamesStayWithinTheBudget(t *testing.T) {
	s := crashing()
	services := []schema.ServiceSummary{}
	s.DependsOn = nil
	for i := range 30 {
		d := db()
		d.Name = fmt.Sprintf("x%d-%s", i, strings.Repeat("q7-", 60))
		d.LastFailure = &schema.Failure{Reason: schema.FailureStart, Text: strings.Repeat("k8 ", 150*(i%2)), At: at("08:00:00")}
		s.DependsOn = append(s.DependsOn, d.Name)
		services = append(services, d)
	}
	snap := snapshot(append(services, s)...)
	c := conversation(snap, checkout(), crashLoop())
	for budget := 2250; budget <= 6000; budget += 250 {
		if p := diagnose.VerdictPromptWithin(c, &snap, budget); p.Estimate > budget || !strings.Contains(p.User, "lookup db: no such host") {
			t.Errorf("%d tokens of a budget of %d:\n%s", p.Estimate, budget, p.User)
		}
	}
}
