package slack_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// at is a time of the night of the story: minutes after three.
func at(minutes int) time.Time { return time.Date(2026, 11, 24, 3, minutes, 0, 0, time.UTC) }

// checkout is a conversation just opened: its database was stopped by hand.
func checkout() schema.Conversation {
	o := schema.Object{Kind: schema.KindService, Namespace: "shop", Name: "checkout"}
	c := schema.Conversation{
		Schema: schema.ConversationVersion, ID: schema.ConversationID("prod", o), Cluster: "prod", Object: o,
		Condition: "service_down", Severity: schema.SeverityCritical, Title: "checkout: 0 of 3 running", State: schema.StateInvestigating,
		Conditions: []schema.Condition{{
			Name: "service_down", Severity: schema.SeverityCritical, Since: at(4), Title: "checkout: 0 of 3 running", Facts: []string{"exit 1 ×42", "it was well for 3 d"},
		}},
		Episode: 1, StartedAt: at(4), Labels: map[string]string{"runbook": "https://wiki.example/runbooks/checkout?a=1&b=2"},
		Evidence: []schema.Evidence{
			{ID: "E1", Kind: "condition", Object: "shop/checkout", At: at(4), Text: "service_down (critical) since 03:04:00 UTC: checkout: 0 of 3 running"},
			{ID: "E2", Kind: "event", Object: "shop/db", At: at(2), Text: "die: stopped by hand (exit 0)"},
			{ID: "E3", Kind: "log", Object: "shop/checkout", Text: "panic: dial tcp db:5432: connection refused", Count: 42},
			{ID: "E4", Kind: "log", Object: "shop/checkout", Text: "retrying in 5 s <@U0000000> *now*", Count: 3},
		},
		Diagnosis: &schema.Diagnosis{
			Summary:    "checkout cannot reach db",
			RootCause:  schema.RootCause{Component: "shop/db", Category: "dependency_down", Statement: "db was stopped by hand at 03:02, and checkout cannot start without it"},
			Confidence: schema.ConfidenceHigh, ConfidenceWhy: "its log names db",
			Action: schema.Action{Verb: "start", Target: "shop-db-1"}, Command: "docker start shop-db-1", Source: schema.SourceRules,
		},
	}
	for i := range 5 {
		c.Affected = append(c.Affected, schema.Affected{
			Object: schema.Object{Kind: schema.KindService, Namespace: "shop", Name: []string{"cart", "payments", "mail", "search", "admin"}[i]}, Condition: "service_down", Since: at(4),
		})
	}
	c.AffectedCount = 5
	return then(c, 4, schema.Message{Kind: schema.EventOpened, Content: "checkout: 0 of 3 running.", SuggestedCommand: "docker start shop-db-1"})
}

// then adds an event, and what it changes.
func then(c schema.Conversation, minute int, m schema.Message, changes ...func(*schema.Conversation)) schema.Conversation {
	c.Revision++
	c.UpdatedAt = at(minute)
	m.ID, m.At = fmt.Sprintf("%s-%d", c.ID, c.Revision), c.UpdatedAt
	if m.Sender == "" {
		m.Sender = schema.SenderSystem
	}
	c.Messages = append(slices.Clone(c.Messages), m)
	for _, change := range changes {
		change(&c)
	}
	return c
}

func said(kind, by, content string) schema.Message {
	return schema.Message{Kind: kind, Sender: schema.SenderOperator, Author: &schema.Author{Name: by, Channel: "cli"}, Content: content}
}

func diagnosed(c schema.Conversation) schema.Conversation {
	return then(c, 5, schema.Message{Kind: schema.EventDiagnosed, Sender: schema.SenderAssistant, Content: "db is stopped; checkout cannot reach it."}, func(c *schema.Conversation) {
		c.State = schema.StateDiagnosed
		c.Diagnosis = &schema.Diagnosis{
			Summary:    "db is stopped; checkout cannot reach it",
			RootCause:  schema.RootCause{Component: "shop/db", Category: "dependency_down", Statement: "checkout cannot reach db, which somebody stopped at 03:02"},
			Confidence: schema.ConfidenceHigh, ConfidenceWhy: "the log names db, and db was stopped two minutes before",
			Evidence:     []schema.Citation{{ID: "E2", Why: "just before it began"}, {ID: "E3", Why: "names db"}},
			Alternatives: []schema.Alternative{{Statement: "The network between checkout and db is cut.", Check: "whether others reach db"}},
			Action:       schema.Action{Verb: "start", Target: "shop-db-1"}, Command: "docker start shop-db-1", Source: "gpt-5",
		}
	})
}

func owned(c schema.Conversation) schema.Conversation {
	return then(c, 6, said(schema.EventAcknowledged, "Anna", "Anna has it."), func(c *schema.Conversation) {
		c.State, c.Owner = schema.StateAcknowledged, "Anna"
	})
}

func asked(c schema.Conversation) schema.Conversation {
	c = then(c, 7, said(schema.EventAsked, "Ben", "who stopped it?"))
	return then(c, 8, schema.Message{
		Kind: schema.EventAnswered, Sender: schema.SenderAssistant, Settles: c.Messages[len(c.Messages)-1].ID,
		Content: "Nothing here says who. The engine reports a stop by hand at 03:02:11, from its command line.\n\nLook at the shell history on node-2.",
	})
}

func worse(c schema.Conversation) schema.Conversation {
	c = then(c, 9, schema.Message{Kind: schema.EventWorsened, Content: "Also critical: checkout: its queue grows. Also affected: shop/admin."}, func(c *schema.Conversation) {
		c.State = schema.StateDiagnosed
		c.Conditions = append(slices.Clone(c.Conditions), schema.Condition{Name: "custom", Severity: schema.SeverityCritical, Since: at(9), Title: "checkout: its queue grows"})
	})
	return then(c, 9, schema.Message{Kind: schema.EventUnacknowledged, Content: "It is critical now, which breaks through Anna's acknowledgement."})
}

func silenced(c schema.Conversation) schema.Conversation {
	return then(c, 10, said(schema.EventSilenced, "Anna", "Silenced by Anna for 2 h."), func(c *schema.Conversation) {
		c.State, c.SilencedUntil = schema.StateSilenced, at(130)
	})
}

func cleared(c schema.Conversation) schema.Conversation {
	return then(c, 16, schema.Message{Kind: schema.EventCleared, Content: "Well again after 12 min."}, func(c *schema.Conversation) {
		c.State, c.ClosedAs, c.ClosedAt, c.SilencedUntil = schema.StateCleared, schema.StateCleared, at(16), time.Time{}
	})
}

func event(minute int, kind, content string, changes ...func(*schema.Conversation)) func(schema.Conversation) schema.Conversation {
	return func(c schema.Conversation) schema.Conversation {
		return then(c, minute, schema.Message{Kind: kind, Content: content, Silent: kind == schema.EventGrown || kind == schema.EventFolded}, changes...)
	}
}

// ownedHere is taken by somebody who said so in Slack.
func ownedHere(c schema.Conversation) schema.Conversation {
	c = owned(c)
	anna := schema.Author{Name: c.Owner, ID: "U0AAAAAAA", Channel: "slack", Verified: true}
	c.Messages[len(c.Messages)-1].Author = &anna
	return then(c, 7, schema.Message{Kind: schema.EventAsked, Sender: schema.SenderOperator, Content: "why?", Author: &anna})
}

func answered(c schema.Conversation) schema.Conversation {
	return then(c, 8, schema.Message{
		Kind: schema.EventAnswered, Sender: schema.SenderAssistant, Settles: c.Messages[len(c.Messages)-1].ID,
		Content: "Because of **db**: see https://evil.example <!channel>.", SuggestedCommand: "docker logs shop-db-1",
	})
}

func folded(c *schema.Conversation) {
	c.State, c.ClosedAs, c.ClosedAt, c.FoldedInto = schema.StateFolded, schema.StateFolded, at(9), "9f2c51d0aaaaaaaa"
}

// storm is a conversation about many things that fail at once.
func storm() schema.Conversation {
	c := checkout()
	c.Object, c.Condition, c.Title = schema.Object{Kind: schema.KindCluster, Name: "prod"}, "storm", "prod: 40 objects failing, all of them down"
	c.Conditions = []schema.Condition{{Name: "storm", Severity: schema.SeverityCritical, Since: at(4), Title: c.Title}}
	c.Diagnosis = &schema.Diagnosis{Summary: "all 40 depend on shop/db, which is not running (stopped by hand 03:02:00 UTC)", Source: schema.SourceRules}
	c.AffectedCount = 40
	return c
}

// disk is a warning without a word of its own.
func disk() schema.Conversation {
	o := schema.Object{Kind: schema.KindNode, Name: "node-2"}
	return then(schema.Conversation{
		Schema: schema.ConversationVersion, ID: schema.ConversationID("prod", o), Cluster: "prod", Object: o, Condition: "disk_full",
		Severity: schema.SeverityWarning, Title: "node-2: disk / is 96% full", State: schema.StateInvestigating, Episode: 1, StartedAt: at(4),
		Conditions: []schema.Condition{{Name: "disk_full", Severity: schema.SeverityWarning, Since: at(-20 * 60), Title: "node-2: disk / is 96% full", Facts: []string{"12 GB left"}}},
	}, 4, schema.Message{Kind: schema.EventOpened, Content: "node-2: disk / is 96% full."})
}

// story is what happens to one conversation: its states, one after the other, as a channel sees them.
type story struct {
	name   string
	terms  channel.Terms
	states []schema.Conversation
}

func through(c schema.Conversation, steps ...func(schema.Conversation) schema.Conversation) []schema.Conversation {
	all := []schema.Conversation{c}
	for _, step := range steps {
		c = step(c)
		all = append(all, c)
	}
	return all
}

// onCall is whom the route of the stories calls.
const onCall = "<!subteam^S0123ABCD>"

func stories() []story {
	call := channel.Terms{Mention: onCall}
	return []story{
		{"opened", call, through(checkout())},
		{"diagnosed", call, through(checkout(), diagnosed)},
		{"owned", call, through(checkout(), diagnosed, owned, asked)},
		{"worsened", call, through(checkout(), diagnosed, owned, worse)},
		{"closed", call, through(checkout(), diagnosed, owned, cleared)},
		{"silenced", call, through(checkout(), diagnosed, silenced)},
		{"silenced-and-closed", call, through(checkout(), silenced, cleared)},
		{"over-before-it-was-told", call, []schema.Conversation{cleared(owned(diagnosed(checkout())))}},
		{"backlog-in-one-card", call, []schema.Conversation{worse(owned(diagnosed(checkout())))}},
		{"backlog-in-one-thread-post", call, []schema.Conversation{checkout(), worse(asked(owned(diagnosed(checkout()))))}},
		{"escalated", call, through(checkout(), event(20, schema.EventEscalated, "Critical, and nobody has had it for 15 min: checkout: 0 of 3 running."))},
		{"still-firing-for-its-owner-in-slack", call, through(checkout(), ownedHere, answered, event(500, schema.EventStillFiring, "Anna has it, still failing after 8 h: checkout: 0 of 3 running."))},
		{"folded", call, through(checkout(), event(9, schema.EventFolded, "Explained by shop/db (9f2c51d0): goes on there.", folded))},
		{"grown-eased-judged", call, through(checkout(),
			event(6, schema.EventGrown, "Also affected: shop/mail, shop/search (+3)."), event(7, schema.EventEased, "Over: checkout: health check fails."),
			event(8, schema.EventJudged, "Ben says the diagnosis is wrong: it was the network"))},
		{"storm", call, through(storm())},
		{"disk", call, through(disk())},
		{"without-logs", channel.Terms{Logs: channel.LogsOff}, through(checkout(), diagnosed)},
		{"all-logs-in-place-of-pager", channel.Terms{Logs: channel.LogsFull, StandsInFor: "pager"}, through(checkout())},
	}
}
