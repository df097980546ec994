package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/llm/llmtest"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// mood is one way in which a model is well or not.
type mood struct {
	name    string
	none    bool
	fault   llmtest.Fault // nil: it answers
	well    bool          // it answers in spite of that
	timeout time.Duration // of a question, retries included
	says    string        // what people are told of its failure; empty: it does not fail
}

func moods() []mood {
	return []mood{
		{name: "none", none: true},
		{name: "answers"},
		{name: "garbage", fault: llmtest.Text(`As an AI language model, I } cannot {"summary": `), says: "verdict does not hold"},
		{name: "500", fault: llmtest.Status(500, "it burns"), timeout: 5 * time.Second, says: "it burns"},
		{name: "429-retry-after", fault: llmtest.Throttled(1), timeout: 4 * time.Second, says: "Rate limit reached"},
		{name: "streams-with-comments", fault: llmtest.Streamed(20), well: true},
		{name: "refuses-schemas", fault: llmtest.NoSchema(), well: true},
		{name: "thinks-aloud", fault: llmtest.Think(), well: true},
		{name: "reads-a-part", fault: llmtest.Reading(300), says: "tokens of a prompt"},
		{name: "breaks-off", fault: llmtest.StreamCut(), timeout: 5 * time.Second, says: "broke off"},
		{name: "hangs", fault: llmtest.Hang(), timeout: 500 * time.Millisecond, says: "no answer within"},
	}
}

// start starts a model of this mood, and gives how to ask it.
func (m mood) start(t testing.TB) llm.Config {
	t.Helper()
	if m.none {
		return llm.Config{}
	}
	s := llmtest.New(t)
	s.Always(m.fault)
	return llm.Config{BaseURL: s.URL(), Model: "test", Timeout: m.timeout}
}

// clusters names n clusters.
func clusters(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("c%d", i)
	}
	return all
}

// takeDown makes the one service of every cluster fail until its hold is over.
func takeDown(t testing.TB, b *bus.Bus, all []string) {
	t.Helper()
	for n := range 2 {
		for _, c := range all {
			e2e.Publish(t, b, e2e.Snapshot(c, n, 0))
		}
		if n == 0 {
			bustest.Settled(t, b)
		}
	}
}

// opened counts the conversations whose opening the receiver has.
func opened(posts []e2e.Post) int {
	n := 0
	for _, p := range posts {
		if p.Type == "conversation.opened" {
			n++
		}
	}
	return n
}

func TestEveryAlertHasADiagnosisWhateverBecomesOfTheModel(t *testing.T) {
	for _, m := range moods() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			all, s, hook := clusters(20), bustest.Server(t), e2e.NewReceiver(t)
			e2e.StartAnalyzer(t, s, m.start(t))
			e2e.StartNotifier(t, s, hook.URL)
			b := s.Connect(t)
			takeDown(t, b, all)
			bustest.Settled(t, b)
			if n := opened(hook.All()); n != len(all) {
				t.Errorf("%d openings were told, want %d", n, len(all))
			}
			for _, cluster := range all {
				head, err := b.Head(t.Context(), cluster, e2e.CheckoutID(cluster))
				if err != nil {
					t.Fatal(err)
				}
				m.check(t, head.Conversation)
			}
			for _, p := range hook.All() {
				if p.Conversation.Diagnosis == nil {
					t.Errorf("post %s has no diagnosis", p.ID)
				}
			}
		})
	}
}

// check holds a conversation against what a model in this mood makes of it.
func (m mood) check(t *testing.T, c schema.Conversation) {
	t.Helper()
	if c.Diagnosis == nil || c.Diagnosis.Summary == "" || c.Diagnosis.RootCause.Statement == "" {
		t.Fatalf("%s: diagnosis is %+v", c.Cluster, c.Diagnosis)
	}
	wantSource, wantKinds := schema.SourceRules, []string{"opened", "diagnosed"}
	switch {
	case m.none:
		wantKinds = wantKinds[:1]
	case m.fault == nil || m.well:
		wantSource = "test"
	}
	if got := e2e.Kinds(c); fmt.Sprint(got) != fmt.Sprint(wantKinds) {
		t.Errorf("%s: story is %v, want %v", c.Cluster, got, wantKinds)
	}
	if c.Diagnosis.Source != wantSource {
		t.Errorf("%s: diagnosis by %q, want %q", c.Cluster, c.Diagnosis.Source, wantSource)
	}
	if m.says == "" {
		return
	}
	last := c.Messages[len(c.Messages)-1]
	if !strings.Contains(last.Content, m.says) || !strings.Contains(last.Content, "What the rules say stands") || last.Sender != schema.SenderSystem {
		t.Errorf("%s: %s says of the failure: %q, want %q and that the rules' diagnosis stands", c.Cluster, last.Sender, last.Content, m.says)
	}
}

// The model is held until every opening has arrived, so an opening that waited for it would never come.
func TestAnOpeningIsToldWhileTheModelIsStillThinking(t *testing.T) {
	all, s, hook, model := clusters(20), bustest.Server(t), e2e.NewReceiver(t), llmtest.New(t)
	release := make(chan struct{})
	model.Always(llmtest.Until(release))
	e2e.StartAnalyzer(t, s, llm.Config{BaseURL: model.URL(), Model: "test"})
	e2e.StartNotifier(t, s, hook.URL)
	b := s.Connect(t)
	takeDown(t, b, all)
	posts := hook.Until(t, "all openings", func(p []e2e.Post) bool { return opened(p) == len(all) })
	asked, cancel := context.WithTimeout(t.Context(), bustest.Within)
	defer cancel()
	if err := model.Await(asked, 4); err != nil {
		t.Error(err)
	}
	for _, p := range posts {
		if p.Conversation.Diagnosis == nil || p.Conversation.Diagnosis.Source != schema.SourceRules || e2e.Has(p, schema.EventDiagnosed) {
			t.Errorf("post %s does not bring the rules' diagnosis alone", p.ID)
		}
	}
	if n := len(model.Requests()); n > 4 {
		t.Errorf("%d questions at once, want at most 4", n)
	}
	close(release)
	bustest.Settled(t, b)
	for _, cluster := range all {
		c := e2e.Await(t, b, cluster, e2e.CheckoutID(cluster), "the model's diagnosis", func(c schema.Conversation) bool {
			return e2e.Count(c, schema.EventDiagnosed) == 1
		})
		if c.Diagnosis.Source != "test" {
			t.Errorf("%s: diagnosis by %q", cluster, c.Diagnosis.Source)
		}
	}
	if n := len(model.Requests()); n != len(all) {
		t.Errorf("%d model calls for %d alerts", n, len(all))
	}
}
