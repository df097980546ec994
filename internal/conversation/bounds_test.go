package conversation_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// crowd lets n people say something, each a minute after the other.
func crowd(c schema.Conversation, n int, what func(i int) string) schema.Conversation {
	for i := range n {
		c, _ = conversation.Next(c, saying(at(i+1), c.HeardSeq+1, fmt.Sprintf("p%d", i), what(i)))
	}
	return c
}

func TestAThousandRepliesLeaveTheOpeningAndTheDecisions(t *testing.T) {
	c := after(finding(noon, 1, false, "service_down", "critical"))
	c, _ = conversation.Next(c, verdict(at(0), c, "the disk is full"))
	c = crowd(c, 1, func(int) string { return "silence 30d" })
	c = crowd(c, 1000, func(int) string { return "help" })
	checkBounds(t, c)
	if len(c.Messages) != schema.MaxMessages || c.Revision != 1003 {
		t.Errorf("%d messages, revision %d", len(c.Messages), c.Revision)
	}
	for i, kind := range []string{schema.EventOpened, schema.EventDiagnosed, schema.EventSilenced, schema.EventAnswered} {
		if got := c.Messages[i].Kind; got != kind {
			t.Errorf("message %d is %s, want %s", i, got, kind)
		}
	}
	if c.State != schema.StateSilenced || len(conversation.Owed(c)) != 0 {
		t.Errorf("state %s, owed %v", c.State, conversation.Owed(c))
	}
}

func TestHundredsOfLongDecisionsStillFit(t *testing.T) {
	c := after(finding(noon, 1, false, "service_down", "critical"))
	c = crowd(c, 300, func(int) string { return "ack because " + strings.Repeat("“reason” ", 600) })
	checkBounds(t, c)
	if c.State != schema.StateAcknowledged || c.Owner != "p299" || c.Messages[0].Kind != schema.EventOpened {
		t.Errorf("state %s, owner %s, first message %s", c.State, c.Owner, c.Messages[0].Kind)
	}
	want := []conversation.Task{{Kind: conversation.TaskDiagnose, Message: c.ID + "-1"}}
	if got := conversation.Owed(c); !slices.Equal(got, want) {
		t.Errorf("owed %v, want %v", got, want)
	}
}

func TestLongTextGivesWayFromTheOldest(t *testing.T) {
	c := after(finding(noon, 1, false, "service_down", "critical"))
	for i := range 80 {
		long := fmt.Sprintf("question %d\n%s", i, strings.Repeat("<script> ", 1500))
		at := at(73 * i) // so that no day has more than it may
		c, _ = conversation.Next(c, saying(at, c.HeardSeq+1, "anna", long))
		c, _ = conversation.Next(c, conversation.Settled{
			At:   at,
			Task: conversation.Task{Kind: conversation.TaskAnswer, Message: c.Messages[len(c.Messages)-1].ID}, Answer: "so it is",
		})
	}
	checkBounds(t, c)
	first, last := c.Messages[3], c.Messages[len(c.Messages)-2]
	if strings.Contains(first.Content, "\n") || len(first.Content) > 300 {
		t.Errorf("an old question still has %d bytes", len(first.Content))
	}
	if len(last.Content) < 5000 {
		t.Errorf("the newest question was cut to %d bytes", len(last.Content))
	}
}

func TestTooManyOpenQuestionsAreRefused(t *testing.T) {
	c := after(finding(noon, 1, false, "service_down", "critical"))
	c = crowd(c, 30, func(i int) string { return fmt.Sprintf("what about %d?", i) })
	if got := c.Messages[len(c.Messages)-1].Kind; got != schema.EventRefused {
		t.Errorf("the thirtieth open question is %s, want refused", got)
	}
	if got := len(conversation.Owed(c)); got != 21 {
		t.Errorf("%d tasks owed, want the diagnosis and 20 answers", got)
	}
}

func TestQuestionsOfADayAreCountedWhateverElseIsSaid(t *testing.T) {
	c := after(finding(noon, 1, false, "service_down", "critical"))
	ask := func(minute int) string {
		t.Helper()
		c, _ = conversation.Next(c, saying(at(minute), c.HeardSeq+1, "anna", strings.Repeat("why? ", 1000)))
		asked := c.Messages[len(c.Messages)-1]
		c, _ = conversation.Next(c, conversation.Settled{At: at(minute), Task: conversation.Task{Kind: conversation.TaskAnswer, Message: asked.ID}, Answer: "so it is"})
		return asked.Kind
	}
	for i := range 20 {
		if got := ask(1 + 2*i); got != schema.EventAsked {
			t.Fatalf("question %d is %s", i, got)
		}
	}
	for i := range 600 {
		c, _ = conversation.Next(c, saying(at(50+i), c.HeardSeq+1, "eve", []string{"help", "ack because " + strings.Repeat("“so” ", 1000)}[i%2]))
	}
	checkBounds(t, c)
	if got := ask(700); got != schema.EventRefused {
		t.Errorf("the next question is %s", got)
	}
	if got := ask(24*60 + 2); got != schema.EventAsked {
		t.Errorf("a day after the first one it is %s: %s", got, c.Messages[len(c.Messages)-1].Content)
	}
	if got := ask(24*60 + 2); got != schema.EventRefused {
		t.Errorf("and another one %s", got)
	}
}

func TestHostileFindingsAreHeldToTheBounds(t *testing.T) {
	f := finding(noon, 1, false)
	nasty := strings.Repeat("\u202eevil\x1b[31m\xff<&>\n", 4000) // more than any bound
	for i := range 300 {
		f.Conditions = append(f.Conditions, schema.Condition{
			Name: fmt.Sprintf("c%d", i%200), Severity: "no such", Title: nasty, Facts: slices.Repeat([]string{nasty}, 50),
		})
	}
	f.Evidence = slices.Repeat([]schema.Evidence{{ID: "E1", Text: nasty, Object: nasty, Kind: nasty}}, 60)
	f.Labels = map[string]string{}
	for i := range 500 {
		f.Labels[fmt.Sprint(i)] = nasty
	}
	f.Diagnosis = &schema.Diagnosis{Summary: nasty, Source: nasty, Command: "echo hi\nrm -rf /", Action: schema.Action{Reason: nasty}}
	c := after(f)
	checkBounds(t, c)
	if c.Severity != schema.SeverityWarning {
		t.Errorf("severity %q, want warning for one that nobody knows", c.Severity)
	}
	m := c.Messages[0]
	if strings.ContainsAny(m.Content+c.Title, "\u202e\x1b") || m.SuggestedCommand != "" {
		t.Errorf("shown as it came: %q, command %q", c.Title, m.SuggestedCommand)
	}
}

func TestHostileRepliesAreCleaned(t *testing.T) {
	c := after(finding(noon, 1, false, "service_down", "critical"))
	said := saying(at(1), 1, "an\u202ena\n\x1b[2J", "\x1b[2Jack")
	said.Reply.ID = strings.Repeat("\x00", 300)
	c, _ = conversation.Next(c, said)
	checkBounds(t, c)
	if c.State != schema.StateAcknowledged || strings.ContainsAny(c.Owner, "\u202e\x1b\n") {
		t.Errorf("state %s, owner %q", c.State, c.Owner)
	}
	said.Seq = 2
	if again, _ := conversation.Next(c, said); again.Revision != c.Revision {
		t.Error("the same reply id was heard twice")
	}
	secret := saying(at(2), 3, "anna", "is it password=hunter2hunter2 that is wrong?")
	if c, _ = conversation.Next(c, secret); strings.Contains(c.Messages[2].Content, "hunter2hunter2") {
		t.Errorf("kept %q", c.Messages[2].Content)
	}
}

func BenchmarkNextOnALevelRepeated(b *testing.B) {
	c := after(finding(noon, 1, false, "service_down", "critical", "unhealthy", "warning"))
	f := finding(noon.Add(time.Minute), 2, false, "service_down", "critical", "unhealthy", "warning")
	b.ReportAllocs()
	for b.Loop() {
		conversation.Next(c, f)
	}
}

func BenchmarkNextOpens(b *testing.B) {
	f := finding(noon, 1, false, "service_down", "critical")
	b.ReportAllocs()
	for b.Loop() {
		conversation.Next(schema.Conversation{}, f)
	}
}

func TestALongConversationStillKnowsWhenToEscalate(t *testing.T) {
	c := after(finding(noon, 1, false, "service_down", "critical"))
	c, _ = conversation.Next(c, verdict(at(0), c, "the disk is full"))
	for range 6 {
		c, _ = conversation.Next(c, conversation.Woke{At: c.WakeAt})
		c = crowd(c, 250, func(int) string { return "help" })
		checkBounds(t, c)
	}
	if want := noon.Add(20 * time.Hour); !c.WakeAt.Equal(want) || len(conversation.Owed(c)) != 0 {
		t.Errorf("wakes at %v, want %v; owes %v", c.WakeAt, want, conversation.Owed(c))
	}
}
