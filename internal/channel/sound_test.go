package channel_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// The table says for each event, in this order, how it sounds in a chat, by mail and on a pager; "-" is quietly.
func TestTheTableOfSounds(t *testing.T) {
	const critical, warning = schema.SeverityCritical, schema.SeverityWarning
	type in struct {
		kind, severity string
		owned          bool
	}
	quiet := "- - -"
	special := map[in]string{}
	row := func(kind, severity, free, owned string) {
		special[in{kind, severity, false}], special[in{kind, severity, true}] = free, owned
	}
	row(schema.EventOpened, critical, "calling loud loud", "loud loud loud")
	row(schema.EventOpened, warning, "loud loud loud", "loud loud loud")
	row(schema.EventDiagnosed, critical, "- loud -", "- loud -")
	for _, severity := range []string{critical, warning} {
		row(schema.EventWorsened, severity, "calling calling calling", "calling calling calling")
		row(schema.EventUnsilenced, severity, "calling calling calling", "calling calling calling")
		row(schema.EventEscalated, severity, "calling calling calling", quiet)
		row(schema.EventStillFiring, severity, "calling calling calling", "calling calling -")
		row(schema.EventGrown, severity, "loud loud loud", "loud loud loud")
		row(schema.EventReopened, severity, "- - loud", "- - loud")
	}
	for _, kind := range kinds() {
		for _, severity := range []string{critical, warning, schema.SeverityInfo} {
			for _, owned := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s-%s-owned-%v", kind, severity, owned), func(t *testing.T) {
					want := special[in{kind, severity, owned}]
					if want == "" {
						want = quiet
					}
					c := failing(severity, owned)
					if got := sounds(c, schema.Message{Kind: kind}); got != want {
						t.Errorf("sounds %q, want %q", got, want)
					}
					if got := sounds(c, schema.Message{Kind: kind, Silent: true}); got != quiet {
						t.Errorf("what is silent sounds %q", got)
					}
				})
			}
		}
	}
}

func TestWhatIsOverCallsNobody(t *testing.T) {
	c := failing(schema.SeverityCritical, false)
	c.State, c.ClosedAs, c.ClosedAt = schema.StateCleared, schema.StateCleared, c.StartedAt.Add(time.Minute)
	want := map[string]string{
		schema.EventOpened:  "loud loud loud", // it is told late, for the first time
		schema.EventCleared: "- loud -", schema.EventResolved: "- loud -", schema.EventDismissed: "- loud -",
	}
	for _, kind := range kinds() {
		t.Run(kind, func(t *testing.T) {
			expected := want[kind]
			if expected == "" {
				expected = "- - -"
			}
			if got := sounds(c, schema.Message{Kind: kind}); got != expected {
				t.Errorf("sounds %q, want %q", got, expected)
			}
		})
	}
}

func TestTheEndOfASilenceIsHeardIfItStillFailsAndNobodySaidSo(t *testing.T) {
	c := failing(schema.SeverityCritical, false)
	byAnna := schema.Message{Kind: schema.EventUnsilenced, Author: &schema.Author{Name: "anna"}}
	if got := sounds(c, byAnna); got != "- - loud" {
		t.Errorf("ended by a person it sounds %q", got)
	}
	c.Conditions[0].Until = c.StartedAt.Add(time.Minute)
	for _, m := range []schema.Message{byAnna, {Kind: schema.EventUnsilenced}} {
		if got := sounds(c, m); got != "- - -" {
			t.Errorf("with nothing failing it sounds %q", got)
		}
	}
}

func TestAPagerCallsOnceForWhatComesBack(t *testing.T) {
	c := failing(schema.SeverityCritical, false)
	for i, kind := range []string{schema.EventOpened, schema.EventReopened, schema.EventReopened} {
		c.Messages = append(c.Messages, schema.Message{ID: fmt.Sprintf("x-%d", i+1), Kind: kind})
	}
	if first, second := sounds(c, c.Messages[1]), sounds(c, c.Messages[2]); first != "- - loud" || second != "- - -" {
		t.Errorf("the first time it sounds %q, the second time %q", first, second)
	}
	c.Messages[1].Silent = true
	if got := sounds(c, c.Messages[2]); got != "- - loud" {
		t.Errorf("the first time that is not silent it sounds %q", got)
	}
}

func TestOnlyTheOwnerHearsThatItStillFails(t *testing.T) {
	for _, kind := range kinds() {
		for _, owned := range []bool{false, true} {
			want := owned && kind == schema.EventStillFiring
			if got := channel.OwnerAlone(failing(schema.SeverityCritical, owned), schema.Message{Kind: kind}); got != want {
				t.Errorf("%s, owned %v: for the owner alone is %v", kind, owned, got)
			}
		}
	}
}

func TestThePostIsAsLoudAsTheLoudestOfItsEvents(t *testing.T) {
	c := failing(schema.SeverityCritical, false)
	events := []schema.Message{{Kind: schema.EventGrown}, {Kind: schema.EventWorsened}, {Kind: schema.EventDiagnosed}}
	if got := channel.Loudest(channel.Chat, c, events); got != channel.Calling {
		t.Errorf("sounds %d", got)
	}
	if got := channel.Loudest(channel.Chat, c, events[2:]); got != channel.Quietly {
		t.Errorf("a diagnosis sounds %d", got)
	}
	if got := channel.Loudest(channel.Chat, c, nil); got != channel.Quietly {
		t.Errorf("nothing sounds %d", got)
	}
}

// kinds are all kinds of event there are.
func kinds() []string {
	return []string{
		schema.EventOpened, schema.EventReopened, schema.EventWorsened, schema.EventEased, schema.EventGrown, schema.EventFolded,
		schema.EventCleared, schema.EventDiagnosed, schema.EventAsked, schema.EventAnswered, schema.EventAcknowledged,
		schema.EventUnacknowledged, schema.EventSilenced, schema.EventUnsilenced, schema.EventResolved, schema.EventDismissed,
		schema.EventEscalated, schema.EventStillFiring, schema.EventJudged, schema.EventRefused,
	}
}

func failing(severity string, owned bool) schema.Conversation {
	start := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	c := schema.Conversation{Severity: severity, State: schema.StateDiagnosed, StartedAt: start}
	c.Conditions = []schema.Condition{{Name: "service_down", Severity: severity, Since: start}}
	if owned {
		c.State, c.Owner = schema.StateAcknowledged, "anna"
	}
	return c
}

func sounds(c schema.Conversation, m schema.Message) string {
	name := map[channel.Sound]string{channel.Quietly: "-", channel.Loud: "loud", channel.Calling: "calling"}
	return name[channel.SoundOf(channel.Chat, c, m)] + " " + name[channel.SoundOf(channel.Mail, c, m)] + " " + name[channel.SoundOf(channel.Pager, c, m)]
}
