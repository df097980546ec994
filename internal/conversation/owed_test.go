package conversation_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func at(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }

func TestOwedFollowsFromTheMessages(t *testing.T) {
	degraded := finding(at(0), 1, false, "service_degraded", "warning")
	early := finding(at(4), 2, false, "service_degraded", "warning", "service_down", "critical")
	late := finding(at(5), 3, false, "service_degraded", "warning", "service_down", "critical")
	alike := finding(at(9), 4, false, "service_degraded", "warning", "unhealthy", "warning")
	settled := verdict(at(1), after(degraded), "the disk is full")
	well := finding(at(10), 5, false)
	tests := []struct {
		name  string
		given []conversation.Event
		want  []string // kind and number of the message
	}{
		{"nothing-yet", nil, nil},
		{"opened-owes", []conversation.Event{degraded}, []string{"diagnose 1"}},
		{"info-owes-nothing", []conversation.Event{finding(at(0), 1, false, "cpu", "info")}, nil},
		{"info-that-becomes-warning-owes", []conversation.Event{finding(at(0), 1, false, "cpu", "info"), finding(at(1), 2, false, "cpu", "warning")}, []string{"diagnose 2"}},
		{"settled-owes-nothing", []conversation.Event{degraded, settled}, nil},
		{"worse-within-five-minutes-stays-with-the-first", []conversation.Event{degraded, early}, []string{"diagnose 1"}},
		{"worse-within-five-minutes-after-the-verdict-owes-nothing", []conversation.Event{degraded, settled, early}, nil},
		{"worse-after-five-minutes-takes-over", []conversation.Event{degraded, late}, []string{"diagnose 2"}},
		{"worse-after-five-minutes-owes-again", []conversation.Event{degraded, settled, late}, []string{"diagnose 3"}},
		{"more-but-not-worse-owes-nothing", []conversation.Event{degraded, settled, alike}, nil},
		{"as-bad-as-before-owes-nothing", []conversation.Event{degraded, settled, early, alike, finding(at(20), 6, false, "service_down", "critical")}, nil},
		{"cleared-owes-nothing", []conversation.Event{degraded, well}, nil},
		{"back-soon-without-a-verdict-owes", []conversation.Event{degraded, well, finding(at(20), 6, false, "service_down", "critical")}, []string{"diagnose 3"}},
		{"back-soon-with-a-verdict-owes-nothing", []conversation.Event{degraded, settled, well, finding(at(20), 6, false, "service_degraded", "warning")}, nil},
		{"back-later-owes", []conversation.Event{degraded, settled, well, finding(at(40), 6, false, "service_degraded", "warning")}, []string{"diagnose 4"}},
		{"silenced-owes-nothing", []conversation.Event{degraded, saying(at(1), 1, "anna", "silence 2h")}, nil},
		{"silenced-owes-answers", []conversation.Event{degraded, saying(at(1), 1, "anna", "silence 2h"), saying(at(2), 2, "anna", "why?")}, []string{"answer 3"}},
		{"unsilenced-owes-again", []conversation.Event{degraded, saying(at(1), 1, "anna", "silence 2h"), saying(at(2), 2, "anna", "unsilence")}, []string{"diagnose 1"}},
		{"dismissed-owes-nothing", []conversation.Event{degraded, saying(at(1), 1, "anna", "dismiss")}, nil},
		{"closed-owes-answers", []conversation.Event{degraded, settled, well, saying(at(11), 1, "anna", "why?")}, []string{"answer 4"}},
		{"each-question-owes", []conversation.Event{degraded, settled, saying(at(2), 1, "anna", "why?"), saying(at(3), 2, "ben", "how?")}, []string{"answer 3", "answer 4"}},
		{"help-owes-nothing", []conversation.Event{degraded, settled, saying(at(2), 1, "anna", "help")}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := after(tt.given...)
			var got []string
			for _, task := range conversation.Owed(c) {
				got = append(got, task.Kind+" "+task.Message[len(c.ID)+1:])
				if !conversation.Owes(c, task) {
					t.Errorf("Owed lists %v, which Owes denies", task)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("owed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOwesDeniesWhatWasNeverAsked(t *testing.T) {
	c := after(finding(noon, 1, false, "service_down", "critical"))
	for _, task := range []conversation.Task{
		{},
		{Kind: conversation.TaskDiagnose},
		{Kind: conversation.TaskDiagnose, Message: c.ID + "-2"},
		{Kind: conversation.TaskAnswer, Message: c.ID + "-1"},
	} {
		if conversation.Owes(c, task) {
			t.Errorf("owes %v", task)
		}
	}
}

func TestSettlingTwiceCountsOnce(t *testing.T) {
	c := after(finding(noon, 1, false, "service_down", "critical"))
	first := verdict(at(1), c, "the disk is full")
	first.Usage = schema.Usage{Calls: 1, Tokens: 900, Cost: 0.5}
	c = after(finding(noon, 1, false, "service_down", "critical"), first)
	again, reason := conversation.Next(c, first)
	if again.Revision != c.Revision || reason != "already settled" {
		t.Errorf("revision %d, %q; want %d, already settled", again.Revision, reason, c.Revision)
	}
	if diff := cmp.Diff(first.Usage, again.Usage); diff != "" {
		t.Errorf("usage (-want +got):\n%s", diff)
	}
}

func TestAVerdictThatComesDuringASilenceIsKept(t *testing.T) {
	down := finding(noon, 1, false, "service_down", "critical")
	result := verdict(at(2), after(down), "the disk is full")
	c := after(down, saying(at(1), 1, "anna", "silence 2h"), result, saying(at(3), 2, "anna", "unsilence"))
	if c.State != schema.StateDiagnosed || len(conversation.Owed(c)) != 0 {
		t.Errorf("state %s, owed %v; want diagnosed, nothing", c.State, conversation.Owed(c))
	}
}

func TestNeedsEvidenceSaysWhenItIsTaken(t *testing.T) {
	down := finding(at(0), 1, false, "service_down", "critical")
	worse := finding(at(1), 2, false, "service_down", "critical", "unhealthy", "warning")
	well := finding(at(2), 3, false)
	back := finding(at(3), 4, false, "service_down", "critical")
	tests := []struct {
		name  string
		given []conversation.Event
		found conversation.Found
		want  bool
	}{
		{"opened", nil, down, true},
		{"the-same-again", []conversation.Event{down}, down, false},
		{"a-level-repeated", []conversation.Event{down}, finding(at(1), 2, false, "service_down", "critical"), false},
		{"worsened", []conversation.Event{down}, worse, true},
		{"eased", []conversation.Event{down, worse}, finding(at(2), 3, false, "service_down", "critical"), false},
		{"cleared", []conversation.Event{down}, well, false},
		{"reopened", []conversation.Event{down, well}, back, true},
		{"never-ill", nil, well, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := conversation.NeedsEvidence(after(tt.given...), tt.found); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// A verdict cites evidence by id, and may have been asked for before more of it came.
func TestEvidenceKeepsItsIDsUnlessADiagnosisIsOwedAnew(t *testing.T) {
	first := finding(at(0), 1, false, "oom_killed", "warning")
	second := finding(at(1), 2, false, "crash_loop", "warning", "oom_killed", "warning")
	texts := func(c schema.Conversation) (all []string) {
		for _, e := range c.Evidence {
			all = append(all, e.ID+" "+e.Text)
		}
		return all
	}
	c := after(first, second)
	want := []string{"E1 " + titles["oom_killed"], "E2 " + titles["crash_loop"]}
	if diff := cmp.Diff(want, texts(c)); diff != "" {
		t.Errorf("evidence (-want +got):\n%s", diff)
	}
	if got := c.Diagnosis.Evidence[0].ID; got != "E2" {
		t.Errorf("the rules now cite %s for the crash loop, want E2", got)
	}
	c = after(first, second, finding(at(20), 3, false, "service_down", "critical"))
	if diff := cmp.Diff([]string{"E1 " + titles["service_down"]}, texts(c)); diff != "" {
		t.Errorf("evidence of the new diagnosis (-want +got):\n%s", diff)
	}
	if !slices.ContainsFunc(c.Messages, func(m schema.Message) bool { return m.Settles != "" }) {
		t.Error("nothing says that the new diagnosis takes the first one's place")
	}
}
