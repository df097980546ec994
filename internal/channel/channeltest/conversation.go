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
			ID: fmt.Sprintf("%s-%d", c.ID, c.Revision), At: c.UpdatedAt, Kind: kind, Sender: schema.SenderSystem, Content: content(kind),
			Silent: kind == schema.EventFolded || kind == schema.EventGrown,
		})
		c = after(c, kind)
	}
	return c
}

func content(kind string) string {
	switch kind {
	case schema.EventFolded:
		return "Explained by shop/db (" + Opened("db").ID[:8] + "): goes on there."
	case schema.EventGrown:
		return "Also affected: shop/mail, shop/search (+3)."
	}
	return "It is " + kind + "."
}

// NodeDown is a conversation about a node that is down, just opened, and that explains n services.
func NodeDown(n int) schema.Conversation {
	c := about(schema.Object{Kind: schema.KindNode, Name: "n7"}, "node_down", "node n7 is down", "reported down", "last seen at 03:02:00 UTC")
	c.Diagnosis = nil
	return Add(affecting(c, n), schema.EventOpened)
}

// Storm is a conversation about n services of a cluster that fail at once, just opened.
func Storm(n int) schema.Conversation {
	c := about(schema.Object{Kind: schema.KindCluster, Name: "prod"}, "storm", fmt.Sprintf("prod: %d objects failing, all of them down", n))
	c.Diagnosis = &schema.Diagnosis{Summary: fmt.Sprintf("all %d depend on shop/db, which is not running (stopped by hand 03:02:00 UTC)", n), Source: schema.SourceRules}
	return Add(affecting(c, n), schema.EventOpened)
}

// about is a critical conversation before its first event.
func about(o schema.Object, condition, title string, facts ...string) schema.Conversation {
	c := Opened("checkout")
	c.ID, c.Object, c.Condition, c.Title = schema.ConversationID("prod", o), o, condition, title
	c.Conditions = []schema.Condition{{Name: condition, Severity: schema.SeverityCritical, Since: At(0), Title: title, Facts: facts}}
	c.Revision, c.Messages, c.Labels, c.Evidence = 0, nil, nil, nil
	return c
}

// affecting adds n services that c explains, as many as a conversation names.
func affecting(c schema.Conversation, n int) schema.Conversation {
	for i := range min(n, schema.MaxAffected) {
		name := []string{"web", "api", "db"}[i%3]
		if i > 2 {
			name = fmt.Sprintf("%s-%d", name, i)
		}
		c.Affected = append(c.Affected, schema.Affected{
			Object: schema.Object{Kind: schema.KindService, Namespace: "shop", Name: name}, Condition: "service_down", Since: At(0),
		})
	}
	c.AffectedCount = n
	return c
}

func after(c schema.Conversation, kind string) schema.Conversation {
	switch kind {
	case schema.EventCleared:
		c.State, c.ClosedAs, c.ClosedAt = schema.StateCleared, schema.StateCleared, c.UpdatedAt
	case schema.EventFolded:
		c.State, c.ClosedAs, c.ClosedAt, c.FoldedInto = schema.StateFolded, schema.StateFolded, c.UpdatedAt, Opened("db").ID
	case schema.EventDismissed:
		c.State, c.ClosedAs, c.ClosedAt = schema.StateDismissed, schema.StateDismissed, c.UpdatedAt
	case schema.EventReopened:
		c.State, c.ClosedAs, c.ClosedAt, c.FoldedInto = schema.StateInvestigating, "", time.Time{}, ""
	case schema.EventDiagnosed:
		c.State = schema.StateDiagnosed
	case schema.EventAcknowledged:
		c.State, c.Owner = schema.StateAcknowledged, "anna"
	case schema.EventUnacknowledged:
		c.State, c.Owner = schema.StateInvestigating, ""
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
