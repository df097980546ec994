package people_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/people"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func roster() people.Roster {
	return people.Roster{People: []people.Person{
		{Name: "Anna", Role: people.Responder, IDs: map[string][]string{people.Slack: {"U1", "U9"}, people.NATS: {"anna"}}},
		{Name: "Vera", Role: people.Viewer, IDs: map[string][]string{people.Slack: {"U2"}, people.Webhook: {"vera"}}},
	}}
}

func TestWhoSomebodyIs(t *testing.T) {
	open := roster()
	open.Others = people.Responder
	tests := []struct {
		name            string
		roster          people.Roster
		kind, id, shown string
		want            schema.Author
		role            people.Role
	}{
		{"listed", roster(), "slack", "U1", "whatever", schema.Author{Name: "Anna", Channel: "slack", Verified: true}, people.Responder},
		{"listed-under-a-second-id", roster(), "slack", "U9", "", schema.Author{Name: "Anna", Channel: "slack", Verified: true}, people.Responder},
		{"listed-viewer", roster(), "webhook", "vera", "", schema.Author{Name: "Vera", Channel: "webhook", Verified: true}, people.Viewer},
		{"id-of-another-kind", roster(), "webhook", "U1", "", schema.Author{Name: "U1", Channel: "webhook", Verified: true}, people.Viewer},
		{"not-listed", roster(), "slack", "U3", "Ben", schema.Author{Name: "Ben", Channel: "slack", Verified: true}, people.Viewer},
		{"not-listed-without-a-name", roster(), "slack", "U3", " ", schema.Author{Name: "U3", Channel: "slack", Verified: true}, people.Viewer},
		{"not-listed-under-a-listed-name", roster(), "slack", "U3", " aNNa", schema.Author{Name: "aNNa (slack U3)", Channel: "slack", Verified: true}, people.Viewer},
		{"others-are-responders", open, "slack", "U3", "Ben", schema.Author{Name: "Ben", Channel: "slack", Verified: true}, people.Responder},
		{"a-claim", roster(), "nats", "", "Anna", schema.Author{Name: "Anna", Channel: "nats"}, people.Viewer},
		{"nobody-is-listed", people.Roster{}, "slack", "U3", "Ben", schema.Author{Name: "Ben", Channel: "slack", Verified: true}, people.Responder},
		{"a-claim-where-nobody-is-listed", people.Roster{}, "nats", "", "ben", schema.Author{Name: "ben", Channel: "nats"}, people.Responder},
		{"viewers-only", people.Roster{Others: people.Viewer}, "slack", "U3", "Ben", schema.Author{Name: "Ben", Channel: "slack", Verified: true}, people.Viewer},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, role := tt.roster.Who(tt.kind, tt.id, tt.shown)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("author (-want +got):\n%s", diff)
			}
			if role != tt.role {
				t.Errorf("role %q, want %q", role, tt.role)
			}
			if again := tt.roster.RoleOf(got); again != tt.role {
				t.Errorf("of the author that was given the role is %q, want %q", again, tt.role)
			}
		})
	}
}

func TestAVerifiedNameThatIsAlmostAListedOneIsNotThatPerson(t *testing.T) {
	for _, name := range []string{"anna", "Anna ", "An na", ""} {
		if got := roster().RoleOf(schema.Author{Name: name, Channel: "slack", Verified: true}); got != people.Viewer {
			t.Errorf("%q is a %s", name, got)
		}
	}
}

func TestWhatARoleMaySay(t *testing.T) {
	asking := []string{"", conversation.VerbHelp}
	changing := []string{
		conversation.VerbAck, conversation.VerbUnack, conversation.VerbSilence, conversation.VerbUnsilence, conversation.VerbResolve,
		conversation.VerbDismiss, conversation.VerbReopen, conversation.VerbRight, conversation.VerbWrong, conversation.VerbApprove,
		"forget", "something new",
	}
	r := roster()
	for _, verb := range asking {
		for _, role := range append(people.Roles(), "", "admin") {
			if !r.May(role, verb) {
				t.Errorf("a %q may not say %q", role, verb)
			}
		}
	}
	for _, verb := range changing {
		if !r.May(people.Responder, verb) {
			t.Errorf("a responder may not say %q", verb)
		}
		for _, role := range []people.Role{people.Viewer, "", "admin"} {
			if r.May(role, verb) {
				t.Errorf("a %q may say %q", role, verb)
			}
		}
	}
}

func TestARefusalSaysWhoMay(t *testing.T) {
	of := func(names ...string) people.Roster {
		var r people.Roster
		for _, name := range names {
			r.People = append(r.People, people.Person{Name: name, Role: people.Responder})
		}
		r.People = append(r.People, people.Person{Name: "Vera", Role: people.Viewer})
		return r
	}
	open := of("Anna")
	open.Others = people.Responder
	tests := []struct {
		name   string
		roster people.Roster
		author string
		verb   string
		want   string
	}{
		{"one", of("Anna"), "Vera", "silence", "Sorry, Vera may ask here but not silence: Anna may."},
		{"two", of("Anna", "Ben"), "Vera", "ack", "Sorry, Vera may ask here but not ack: Anna and Ben may."},
		{"many", of("A", "B", "C", "D", "E", "F", "G"), "Vera", "ack", "Sorry, Vera may ask here but not ack: A, B, C, D, E and 2 more may."},
		{"nobody", of(), "Vera", "ack", "Sorry, Vera may ask here but not ack: nobody is listed as a responder."},
		{"everybody-else", open, "Vera", "ack", "Sorry, Vera may ask here but not ack: whoever is not listed as a viewer may."},
		{"no-name-no-verb", of("Anna"), " ", "", "Sorry, whoever wrote this may ask here but not change anything: Anna may."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.roster.Refusal(tt.author, tt.verb)
			if got != tt.want || strings.Contains(got, "\n") {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
