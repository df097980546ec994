package channeltest

import (
	"fmt"
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// At is when the event of a revision happens.
func At(revision int) time.Time {
	return time.Date(2026, 11, 23, 8, 0, revision, 4e6, time.UTC)
}

// Opened is a critical conversation about a service, just opened.
func Opened(service string) schema.Conversation {
	o := schema.Object{Kind: schema.KindService, Namespace: "shop", Name: service}
	c := schema.Conversation{
		Schema: schema.ConversationVersion, ID: schema.ConversationID("prod", o), Cluster: "prod", Object: o,
		Condition: "service_down", Severity: schema.SeverityCritical, Title: service + ": 0 of 3 running",
		Conditions: []schema.Condition{{
			Name: "service_down", Severity: schema.SeverityCritical, Since: At(0),
			Title: service + ": 0 of 3 running", Facts: []string{"exit 1"},
		}},
		State: schema.StateInvestigating, Episode: 1, StartedAt: At(1), Labels: map[string]string{"runbook": "https://runbooks.example/" + service},
		Evidence: []schema.Evidence{{ID: "E1", Kind: "log", Text: "panic: no route to db"}},
		Diagnosis: &schema.Diagnosis{
			Summary: "db is stopped", RootCause: schema.RootCause{Component: "shop/db", Statement: "db was stopped by hand 07:58"},
			Confidence: schema.ConfidenceMedium, Action: schema.Action{Verb: "start", Target: "shop-db-1"}, Source: schema.SourceRules,
		},
	}
	return Add(c, schema.EventOpened)
}

// Add appends events as package conversation would, so far as a channel can tell.
func Add(c schema.Conversation, kinds ...string) schema.Conversation {
	for _, kind := range kinds {
		c.Revision++
		c.UpdatedAt = At(c.Revision)
		c.Messages = append(slices.Clone(c.Messages), schema.Message{
			ID: fmt.Sprintf("%s-%d", c.ID, c.Revision), At: c.UpdatedAt, Kind: kind, Sender: schema.SenderSystem, Content: "It is " + kind + ".",
		})
		c = after(c, kind)
	}
	return c
}

func after(c schema.Conversation, kind string) schema.Conversation {
	switch kind {
	case schema.EventCleared:
		c.State, c.ClosedAs, c.ClosedAt = schema.StateCleared, schema.StateCleared, c.UpdatedAt
	case schema.EventFolded:
		c.State, c.ClosedAs, c.ClosedAt, c.FoldedInto = schema.StateFolded, schema.StateFolded, c.UpdatedAt, "9f2c51d09f2c51d0"
	case schema.EventDismissed:
		c.State, c.ClosedAs, c.ClosedAt = schema.StateDismissed, schema.StateDismissed, c.UpdatedAt
	case schema.EventReopened:
		c.State, c.ClosedAs, c.ClosedAt, c.FoldedInto = schema.StateInvestigating, "", time.Time{}, ""
	case schema.EventDiagnosed:
		c.State = schema.StateDiagnosed
	case schema.EventAcknowledged:
		c.State, c.Owner = schema.StateAcknowledged, "anna"
	case schema.EventSilenced:
		c.State, c.SilencedUntil = schema.StateSilenced, c.UpdatedAt.Add(time.Hour)
	case schema.EventUnsilenced:
		c.State, c.SilencedUntil = schema.StateInvestigating, time.Time{}
	}
	return c
}

// NewEpisode closes the episode, if it is open, and opens the next one.
func NewEpisode(c schema.Conversation) schema.Conversation {
	if !c.Closed() {
		c = Add(c, schema.EventCleared)
	}
	c.Episodes = append(slices.Clone(c.Episodes), schema.Episode{
		Number: c.Episode, StartedAt: c.StartedAt, ClosedAt: c.ClosedAt, ClosedAs: c.ClosedAs,
		Condition: c.Condition, Severity: c.Severity,
	})
	c.Messages, c.ClosedAs, c.ClosedAt, c.State = nil, "", time.Time{}, schema.StateInvestigating
	c.Episode++
	c.StartedAt = At(c.Revision + 1)
	return Add(c, schema.EventOpened)
}
