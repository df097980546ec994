package conversation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestParseVerbKnowsAVerbWhenItSeesOne(t *testing.T) {
	hour := time.Hour
	tests := []struct {
		text string
		want conversation.Verb
	}{
		{"ack", conversation.Verb{Name: "ack"}},
		{"Ack", conversation.Verb{Name: "ack"}},
		{"ACK!", conversation.Verb{Name: "ack"}},
		{"ack.", conversation.Verb{Name: "ack"}},
		{"  ack  \n", conversation.Verb{Name: "ack"}},
		{"/ack", conversation.Verb{Name: "ack"}},
		{"acknowledge", conversation.Verb{Name: "ack"}},
		{"acknowledged", conversation.Verb{Name: "ack"}},
		{"on it", conversation.Verb{Name: "ack"}},
		{"On  it!", conversation.Verb{Name: "ack"}},
		{"I'm on it", conversation.Verb{Name: "ack"}},
		{"I’m on it.", conversation.Verb{Name: "ack"}},
		{"mine", conversation.Verb{Name: "ack"}},
		{"<@U123ABC> ack", conversation.Verb{Name: "ack"}},
		{"<@U123ABC|bellbuoy>: ack", conversation.Verb{Name: "ack"}},
		{"@bellbuoy ack", conversation.Verb{Name: "ack"}},
		{"@bellbuoy, ack!", conversation.Verb{Name: "ack"}},
		{"@bellbuoy /ack", conversation.Verb{Name: "ack"}},
		{"ack because I deployed it", conversation.Verb{Name: "ack", Note: "I deployed it"}},
		{"ack, because I deployed it", conversation.Verb{Name: "ack", Note: "I deployed it"}},
		{"ack because", conversation.Verb{Name: "ack"}},
		{"ack\nwill restart it now", conversation.Verb{Name: "ack", Note: "will restart it now"}},
		{"Im on it", conversation.Verb{Name: "ack"}},
		{"ack。", conversation.Verb{Name: "ack"}},
		{"ack！", conversation.Verb{Name: "ack"}},
		{"ack BECAUSE it is mine", conversation.Verb{Name: "ack", Note: "it is mine"}},
		{"/ack!", conversation.Verb{Name: "ack"}},
		{"<@U1> fixed.", conversation.Verb{Name: "resolve"}},
		{"unack", conversation.Verb{Name: "unack"}},
		{"unacknowledge.", conversation.Verb{Name: "unack"}},
		{"silence", conversation.Verb{Name: "silence"}},
		{"silence 2h", conversation.Verb{Name: "silence", For: 2 * hour}},
		{"silence 30m", conversation.Verb{Name: "silence", For: hour / 2}},
		{"silence 1d.", conversation.Verb{Name: "silence", For: 24 * hour}},
		{"silence 1w", conversation.Verb{Name: "silence", For: 7 * 24 * hour}},
		{"silence for 2 hours", conversation.Verb{Name: "silence", For: 2 * hour}},
		{"snooze 90 minutes", conversation.Verb{Name: "silence", For: 90 * time.Minute}},
		{"mute 1h30m", conversation.Verb{Name: "silence", For: 90 * time.Minute}},
		{"Mute 4H", conversation.Verb{Name: "silence", For: 4 * hour}},
		{"snooze", conversation.Verb{Name: "silence"}},
		{"silence 2h because of the move", conversation.Verb{Name: "silence", For: 2 * hour, Note: "of the move"}},
		{"silence 9999w", conversation.Verb{Name: "silence", For: 400 * 24 * hour}},
		{"silence 30 min", conversation.Verb{Name: "silence", For: hour / 2}},
		{"silence 2 h", conversation.Verb{Name: "silence", For: 2 * hour}},
		{"Snooze for 2h!", conversation.Verb{Name: "silence", For: 2 * hour}},
		{"silence 2 days.", conversation.Verb{Name: "silence", For: 48 * hour}},
		{"silence until tomorrow", conversation.Verb{Name: "silence", Until: "tomorrow"}},
		{"Mute until Tomorrow.", conversation.Verb{Name: "silence", Until: "tomorrow"}},
		{"<@U1> /silence until tomorrow, because of the move", conversation.Verb{Name: "silence", Until: "tomorrow", Note: "of the move"}},
		{"silence until 18:00", conversation.Verb{Name: "silence", Until: "18:00"}},
		{"silence till 7:30 UTC", conversation.Verb{Name: "silence", Until: "07:30"}},
		{"snooze until tomorrow 9:15", conversation.Verb{Name: "silence", Until: "tomorrow 09:15"}},
		{"unsilence", conversation.Verb{Name: "unsilence"}},
		{"unmute", conversation.Verb{Name: "unsilence"}},
		{"resolve", conversation.Verb{Name: "resolve"}},
		{"resolved!", conversation.Verb{Name: "resolve"}},
		{"fixed", conversation.Verb{Name: "resolve"}},
		{"Done.", conversation.Verb{Name: "resolve"}},
		{"done because rolled back", conversation.Verb{Name: "resolve", Note: "rolled back"}},
		{"dismiss", conversation.Verb{Name: "dismiss"}},
		{"false alarm", conversation.Verb{Name: "dismiss"}},
		{"False alarm!!", conversation.Verb{Name: "dismiss"}},
		{"ignore", conversation.Verb{Name: "dismiss"}},
		{"ignore because it is a test", conversation.Verb{Name: "dismiss", Note: "it is a test"}},
		{"reopen", conversation.Verb{Name: "reopen"}},
		{"right", conversation.Verb{Name: "right"}},
		{"wrong", conversation.Verb{Name: "wrong"}},
		{"wrong it was the Network", conversation.Verb{Name: "wrong", Note: "it was the Network"}},
		{"Wrong: it was the network", conversation.Verb{Name: "wrong", Note: "it was the network"}},
		{"wrong - the network", conversation.Verb{Name: "wrong", Note: "the network"}},
		{"wrong because of DNS", conversation.Verb{Name: "wrong", Note: "of DNS"}},
		{"approve", conversation.Verb{Name: "approve"}},
		{"help", conversation.Verb{Name: "help"}},
		{"/help", conversation.Verb{Name: "help"}},
	}
	for _, tt := range tests {
		got, ok := conversation.ParseVerb(tt.text)
		if diff := cmp.Diff(tt.want, got); diff != "" || !ok {
			t.Errorf("ParseVerb(%q): %v (-want +got):\n%s", tt.text, ok, diff)
		}
	}
}

func TestParseVerbLeavesQuestionsAlone(t *testing.T) {
	for _, text := range []string{
		"", " ", "why", "why?", "ack?", "resolve how?", "resolved?", "done?", "is it fixed?", "help?",
		"ignore the first error, what about the second?", "ignore the first error", "ignore it",
		"ack that, and tell me more", "ack please", "acks", "not ack", "don't ack", "please ack",
		"silence until", "silence until then", "silence until 25:00", "silence until 18:00 checkout", "silence until tomorrow morning", "silence tomorrow",
		"silence until 6", "silence until tomorrow?", "until tomorrow", "ack until tomorrow", "silence until UTC", "silence 2", "silence -1h", "silence 1.5h", "silence h", "silence 2h checkout",
		"silence 99999h", "silence is golden", "mute the other one", "right, so what now", "right now it is down",
		"fixed it how", "done with the first part", "mine is down too", "on it since when",
		"dismiss\nor should we wait?", "ack because why?", "ack because why？", "false", "alarm", "false alarms",
		"what does dismiss do", "@bellbuoy", "@bellbuoy what is this", "/", "//ack", "ack ack", "ack resolve",
		"ack؟", "ack⁇", "¿ack", "¿por qué ha caído?", "por qué ha caído", "warum ist das so", "Warum?", "was ist los", "quittieren", "erledigt", "ignorieren",
		"pourquoi", "c'est réparé", "почему упало", "готово", "なぜ落ちたの", "直りました", "为什么", "解决了", "çözüldü mü", "لماذا", "onaylandı",
		"reopen 2h", "approve E1", "wrongly configured", "because", "because ack",
	} {
		if v, ok := conversation.ParseVerb(text); ok {
			t.Errorf("ParseVerb(%q) = %+v, want a question", text, v)
		}
	}
}

func FuzzParseVerb(f *testing.F) {
	for _, s := range []string{"ack", "<@U1> silence 2h because x", "wrong, it was", "\xff\x00?", "mute 9999w9999w"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, ok := conversation.ParseVerb(text)
		if !ok && v != (conversation.Verb{}) {
			t.Errorf("ParseVerb(%q) = %+v though it is no verb", text, v)
		}
		if v.For < 0 || v.For > 400*24*time.Hour {
			t.Errorf("ParseVerb(%q) is for %v", text, v.For)
		}
	})
}

func TestTomorrowAndTimesOfDayAreInUTC(t *testing.T) {
	at := time.Date(2026, 11, 23, 21, 30, 5, 0, time.UTC)
	tests := []struct {
		text string
		gave time.Time // by the gateway
		want time.Time
	}{
		{"silence until tomorrow", time.Time{}, time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)},
		{"silence until tomorrow 9:15", time.Time{}, time.Date(2026, 11, 24, 9, 15, 0, 0, time.UTC)},
		{"silence until 22:00", time.Time{}, time.Date(2026, 11, 23, 22, 0, 0, 0, time.UTC)},
		{"silence until 21:30", time.Time{}, time.Date(2026, 11, 24, 21, 30, 0, 0, time.UTC)},
		{"silence until 07:00", time.Time{}, time.Date(2026, 11, 24, 7, 0, 0, 0, time.UTC)},
		{"silence until tomorrow", at.Add(11 * time.Hour), at.Add(11 * time.Hour)},
		{"silence", at.Add(3 * time.Hour), at.Add(3 * time.Hour)},
		{"silence 2h", at.Add(3 * time.Hour), at.Add(2 * time.Hour)},
	}
	for _, tt := range tests {
		open := schema.Conversation{ID: "9f2c51d07be34a68", State: schema.StateInvestigating, Episode: 1, Severity: schema.SeverityCritical}
		got, _ := conversation.Next(open, conversation.Said{At: at, Seq: 1, Reply: schema.Reply{Text: tt.text, Until: tt.gave}})
		if !got.SilencedUntil.Equal(tt.want) {
			t.Errorf("%q, with %v: until %v, want %v", tt.text, tt.gave, got.SilencedUntil, tt.want)
		}
	}
}

func TestAVerbOnTheCardOfAnEarlierEpisodeIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name  string
		reply schema.Reply
		want  string
	}{
		{"earlier", schema.Reply{Verb: "ack", Episode: 1}, schema.EventRefused},
		{"same", schema.Reply{Verb: "ack", Episode: 2}, schema.EventAcknowledged},
		{"unknown", schema.Reply{Verb: "ack"}, schema.EventAcknowledged},
		{"a-question", schema.Reply{Text: "why did it fail then?", Episode: 1}, schema.EventAsked},
	} {
		open := schema.Conversation{ID: "9f2c51d07be34a68", State: schema.StateInvestigating, Episode: 2, Severity: schema.SeverityCritical}
		got, _ := conversation.Next(open, conversation.Said{At: at(0), Seq: 1, Reply: tt.reply})
		m := got.Messages[len(got.Messages)-1]
		if m.Kind != tt.want || m.Kind == schema.EventRefused && !strings.Contains(m.Content, "use the newest card") {
			t.Errorf("%s: %s %q, want %s", tt.name, m.Kind, m.Content, tt.want)
		}
	}
}

func TestIntentTellsVerbsQuestionsAndWhatIsNeither(t *testing.T) {
	tests := []struct {
		reply schema.Reply
		want  string
		ok    bool
	}{
		{schema.Reply{Text: "why?"}, "", true},
		{schema.Reply{Text: "snooze 2h"}, "silence", true},
		{schema.Reply{Verb: "snooze", Text: "2h"}, "silence", true},
		{schema.Reply{Verb: "ack", Text: "why?"}, "ack", true},
		{schema.Reply{Verb: "restart"}, "", false},
		{schema.Reply{Verb: "help"}, "help", true},
	}
	for _, tt := range tests {
		if got, ok := conversation.Intent(tt.reply); got != tt.want || ok != tt.ok {
			t.Errorf("intent of %+v: %q %v, want %q %v", tt.reply, got, ok, tt.want, tt.ok)
		}
	}
}
