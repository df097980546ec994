package diagnose_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// talk is a thread of n messages: chatter, and in between what of others gives.
func talk(n int, of map[int]schema.Message) []schema.Message {
	var all []schema.Message
	for i := range n {
		m, given := of[i]
		if !given {
			m = schema.Message{Kind: []string{schema.EventAsked, schema.EventAnswered}[i%2], Sender: schema.SenderOperator, Content: fmt.Sprintf("chatter %d %s", i, strings.Repeat("la ", 200))}
		}
		m.ID, m.At = fmt.Sprint(i), at("08:00:00").Add(time.Duration(i)*time.Second)
		all = append(all, m)
	}
	return all
}

func by(kind, name, content string) schema.Message {
	return schema.Message{Kind: kind, Sender: schema.SenderOperator, Author: &schema.Author{Name: name}, Content: content}
}

func advised(command string) schema.Message {
	return schema.Message{Kind: schema.EventDiagnosed, Sender: schema.SenderAssistant, Content: "start it", SuggestedCommand: command}
}

func TestLongThreadLosesNoEvidenceDecisionOrCommand(t *testing.T) {
	c, s := incident()
	question := schema.Message{ID: "q", Content: "why?"}
	bare := diagnose.QuestionPrompt(c, &s, question)
	c.Messages = talk(200, map[int]schema.Message{
		0: by(schema.EventOpened, "", "checkout restarts"), 3: by(schema.EventAcknowledged, "anna", "anna has it. “looking at db”"),
		10: advised("docker start shop-db-1"), 20: by(schema.EventSilenced, "ben", "Silenced until 09:00 UTC."), 30: advised("docker logs --tail 50 shop-checkout-1"),
		31: advised("docker start shop-db-1"), 50: by(schema.EventJudged, "anna", "anna says that the diagnosis is wrong. “it was the proxy”"),
		60: by(schema.EventAcknowledged, "anna", "anna has it."), 199: by(schema.EventAsked, "ben", "was it deployed?"),
	})
	p := diagnose.QuestionPrompt(c, &s, question)
	if tokens := (len(p.System) + len(p.User)) / 3; tokens > diagnose.MaxPromptTokens {
		t.Errorf("about %d tokens", tokens)
	}
	end := strings.LastIndex(strings.Split(bare.User, "\nEND ")[0], "\n")
	if !strings.HasPrefix(p.User, bare.User[:end]) || !strings.Contains(p.User, `"id":"E10"`) || strings.Contains(p.User, "evidence_left_out") {
		t.Errorf("the evidence is another:\n%s", p.User)
	}
	for _, want := range []string{
		"looking at db", "Silenced until 09:00 UTC.", "it was the proxy", `"command":"docker logs --tail 50 shop-checkout-1"`,
		`"command":"docker start shop-db-1"`, `{"thread_left_out":{"answered":`, "was it deployed?", "chatter 198",
	} {
		if !strings.Contains(p.User, want) {
			t.Errorf("%s is not in:\n%s", want, p.User)
		}
	}
	if strings.Contains(p.User, "chatter 100") {
		t.Error("old chatter is still there")
	}
}

func TestThreadOfDecisionsAloneStaysWithinItsBound(t *testing.T) {
	c, s := incident()
	of := map[int]schema.Message{}
	kinds := []string{schema.EventAcknowledged, schema.EventUnacknowledged, schema.EventSilenced, schema.EventUnsilenced, schema.EventResolved, schema.EventReopened, schema.EventDismissed, schema.EventJudged}
	for i := range 200 {
		of[i] = by(kinds[i%len(kinds)], fmt.Sprintf("person %d %s", i, strings.Repeat("n", 80)), strings.Repeat("because ", 100))
		if i%20 == 0 {
			of[i] = advised(fmt.Sprintf("docker restart shop-web-%d %s", i, strings.Repeat("shop-", 20)))
		}
	}
	c.Messages = talk(200, of)
	p := diagnose.QuestionPrompt(c, &s, schema.Message{ID: "q", Content: "why?"})
	if p.Estimate > diagnose.MaxPromptTokens {
		t.Errorf("about %d tokens", p.Estimate)
	}
	for _, kind := range kinds {
		if !strings.Contains(p.User, `{"earlier":"`+kind+`"`) {
			t.Errorf("no %s in:\n%s", kind, p.User)
		}
	}
	if !strings.Contains(p.User, "docker restart shop-web-180") || !strings.Contains(p.User, "docker restart shop-web-0 ") || !strings.Contains(p.User, `"id":"E10"`) {
		t.Errorf("commands or evidence are missing:\n%s", p.User)
	}
}
