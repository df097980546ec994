package console_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/console"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// nodeDown is a node with fifty services on it, and what was said of it.
func nodeDown() schema.Conversation {
	c := schema.Conversation{
		ID: "77aa000000000000", Cluster: "box7", Object: schema.Object{Kind: schema.KindNode, Name: "n7"}, Condition: "node_down",
		Severity: schema.SeverityCritical, Title: "node n7 is down", State: schema.StateInvestigating, Episode: 1, StartedAt: at, UpdatedAt: at,
		Conditions: []schema.Condition{{Name: "node_down", Severity: schema.SeverityCritical, Since: at.Add(-15 * time.Second), Facts: []string{"reported down", "last seen at 03:02:11 UTC"}}},
		Diagnosis: &schema.Diagnosis{
			Summary: "n7 has not been seen since 03:02:11 UTC; before that memory 97 % used", Source: schema.SourceRules, Confidence: schema.ConfidenceHigh,
			ConfidenceWhy: "the node itself does not answer, and what ran there fails: 50 services",
		},
	}
	c.Affected, c.AffectedCount = suffering(50), 50
	return add(c, 0, schema.Message{Kind: schema.EventOpened, Sender: schema.SenderSystem, Content: "node n7 is down; reported down; last seen at 03:02:11 UTC. Also failing because of it: shop/web, shop/api, shop/cart (+47)."})
}

func suffering(n int) []schema.Affected {
	names := []string{"web", "api", "cart", "checkout", "mail", "search", "gateway", "reports"}
	var all []schema.Affected
	for i := range min(n, schema.MaxAffected) {
		name := names[i%len(names)]
		if i >= len(names) {
			name = fmt.Sprintf("%s-%d", name, i/len(names))
		}
		all = append(all, schema.Affected{Object: service("shop", name), Condition: "service_down", Since: at})
	}
	return all
}

// database is one whose callers fail, and that others depend on which still run.
func database() schema.Conversation {
	c := checkout()
	c.ID, c.Object, c.Title = "db00000000000000", service("shop", "db"), "db: 0 of 1 running"
	c.Conditions[0].Facts = []string{"exit 1", "0 of 1 running"}
	c.Diagnosis = &schema.Diagnosis{Summary: "db ended with exit code 1: “no space left on device”", Source: schema.SourceRules, Confidence: schema.ConfidenceMedium, Command: "docker logs --tail 50 shop-db-1"}
	c.Affected = append(suffering(2), schema.Affected{Object: service("shop", "mail"), Condition: schema.AffectedRunning}, schema.Affected{Object: service("shop", "search"), Condition: schema.AffectedRunning})
	c.AffectedCount = 14
	return add(c, 0, schema.Message{Kind: schema.EventOpened, Sender: schema.SenderSystem, Content: "db: 0 of 1 running; exit 1."})
}

func storm() schema.Conversation {
	c := schema.Conversation{
		ID: "5707000000000000", Cluster: "box7", Object: schema.Object{Kind: schema.KindCluster, Name: "box7"}, Condition: "storm",
		Severity: schema.SeverityCritical, Title: "box7: 998 objects failing, 996 of them down", State: schema.StateInvestigating, Episode: 1, StartedAt: at, UpdatedAt: at,
		Conditions: []schema.Condition{{Name: "storm", Severity: schema.SeverityCritical, Since: at, Facts: []string{"996 of 998 on n7"}}},
		Diagnosis: &schema.Diagnosis{
			Summary: "all 998 depend on shop/db, which is not running (stopped by hand 03:02:11 UTC)", Source: schema.SourceRules, Confidence: schema.ConfidenceHigh,
			ConfidenceWhy: "nearly all of them share it, and it is in trouble itself", Command: "docker start shop-db-1",
		},
	}
	c.Affected, c.AffectedCount = suffering(998), 998
	return add(c, 0, schema.Message{Kind: schema.EventOpened, Sender: schema.SenderSystem, Content: "box7: 998 objects failing, 996 of them down. Among them: shop/web, shop/api, shop/cart (+995).", SuggestedCommand: "docker start shop-db-1"})
}

// folded is checkout, opened and then explained by what has the id, about cause.
func folded(id, cause string) schema.Conversation {
	c := add(checkout(), 0, schema.Message{Kind: schema.EventOpened, Sender: schema.SenderSystem, Content: "checkout: 0 of 3 running; exit 1."})
	c.State, c.ClosedAs, c.ClosedAt, c.FoldedInto = schema.StateFolded, schema.StateFolded, at.Add(30*time.Second), id
	return add(c, 30*time.Second, schema.Message{Kind: schema.EventFolded, Sender: schema.SenderSystem, Silent: true, Content: "Explained by " + cause + " (" + id[:8] + "): goes on there."})
}

func TestCausesOfManySayWhomTheyAffect(t *testing.T) {
	everyLook(t, "many", func(p *console.Printer) {
		node := nodeDown()
		for _, c := range []schema.Conversation{node, database(), storm(), folded(node.ID, "n7")} {
			p.Event(c, last(c))
		}
		grown := add(node, time.Minute, schema.Message{Kind: schema.EventGrown, Sender: schema.SenderSystem, Silent: true, Content: "Also affected: shop/ledger, shop/billing (+3)."})
		p.Event(grown, last(grown))
		p.Event(folded(node.ID, "n7"), schema.Message{
			At: at.Add(time.Minute), Kind: schema.EventAnswered, Sender: schema.SenderSystem, Author: ada(false),
			Content: "That went on to n7 (77aa0000), which explains this.",
		})
		back := add(folded(node.ID, "n7"), 10*time.Minute, schema.Message{Kind: schema.EventReopened, Sender: schema.SenderSystem, Silent: true, Content: "On its own again, no longer explained by n7 (77aa0000): checkout: 0 of 3 running; exit 1."})
		back.State, back.ClosedAs, back.FoldedInto = schema.StateInvestigating, "", ""
		p.Event(back, last(back))
		p.Standing(storm())
		p.Notice("shop/checkout is part of n7 (77aa): said there")
	})
}

func TestShowTellsWhatIsPartOfWhat(t *testing.T) {
	now := at.Add(12 * time.Minute)
	unsaid := folded("77aa000000000000", "n7")
	unsaid.Messages = unsaid.Messages[:1]
	everyLook(t, "show-many", func(p *console.Printer) {
		for _, c := range []schema.Conversation{nodeDown(), database(), storm(), folded("77aa000000000000", "n7"), folded("5707000000000000", "box7"), unsaid} {
			p.Show(c, now)
			p.Notice("")
		}
	})
}

func TestListCountsWhoIsAffected(t *testing.T) {
	n7, cluster := nodeDown().Object, storm().Object
	closed := at.Add(time.Minute)
	list := []client.Summary{
		{ID: "5707000000000000", Short: "5707", Cluster: "box7", Object: cluster, Condition: "storm", Severity: schema.SeverityCritical, Title: "box7: 998 objects failing, 996 of them down", State: schema.StateInvestigating, StartedAt: at, AffectedCount: 998},
		{ID: "77aa000000000000", Short: "77aa", Cluster: "box7", Object: n7, Condition: "node_down", Severity: schema.SeverityCritical, Title: "node n7 is down", State: schema.StateDiagnosed, StartedAt: at, AffectedCount: 49},
		{ID: "1c00000000000000", Short: "1c00", Cluster: "box7", Object: service("shop", "cart"), Condition: "unhealthy", Severity: schema.SeverityWarning, Title: "cart fails its health check", State: schema.StateInvestigating, StartedAt: at},
		{ID: "9f2c51d07be34a68", Short: "9f2c", Cluster: "box7", Object: service("shop", "checkout"), Condition: "service_down", Severity: schema.SeverityCritical, Title: "checkout: 0 of 3 running", State: schema.StateFolded, StartedAt: at, ClosedAt: closed, FoldedInto: "77aa000000000000", Cause: &n7},
		{ID: "0b1e000000000000", Short: "0b1e", Cluster: "box7", Object: service("shop", "api"), Condition: "service_down", Severity: schema.SeverityCritical, Title: "api: 0 of 3 running", State: schema.StateFolded, StartedAt: at, ClosedAt: closed, FoldedInto: "5707000000000000", Cause: &cluster},
		{ID: "2222000000000000", Short: "2222", Cluster: "box7", Object: service("shop", "mail"), Condition: "service_down", Severity: schema.SeverityCritical, Title: "mail: 0 of 3 running", State: schema.StateFolded, StartedAt: at, ClosedAt: closed, FoldedInto: "8888000000000000"},
	}
	everyLook(t, "list-many", func(p *console.Printer) { p.List(list, 3, at.Add(12*time.Minute)) })
}

func TestWhyTellsWhatIsToldElsewhere(t *testing.T) {
	reason := func(verdict, text string) client.Reason {
		return client.Reason{Condition: "service_down", Verdict: verdict, Text: "service_down: " + text}
	}
	one := func(verdict, name, text string) client.Group {
		return client.Group{
			Verdict: verdict, Count: 1, Instances: map[string]int{"container": 1},
			Objects: []client.Quiet{{Object: service("shop", name), Text: text}},
		}
	}
	everyLook(t, "why-many", func(p *console.Printer) {
		p.Why(client.WhyResponse{Objects: []client.Explained{{
			Cluster: "box7", Object: service("shop", "checkout"), Conversation: "9f2c51d07be34a68", State: schema.StateFolded,
			Reasons: []client.Reason{
				reason("explained", "explained by shop/db, which is down since 03:02:11 UTC; told there"),
				reason("storm", "part of the storm of 998 objects since 03:04:31 UTC; told there"),
				reason("grace", "not alerted, in the grace after its image changed to web:2 at 03:04:01 UTC, 90 s more"),
				reason("flapping", "alerting, but well for 2 min of 30 min; third time since 03:02: flapping"),
			},
		}}}, at)
		all := overview()
		all.Groups = []client.Group{
			one("explained", "checkout", "explained by shop/db, which is down since 03:02:11 UTC; told there"),
			one("storm", "web", "part of the storm of 998 objects since 03:04:31 UTC; told there"),
		}
		p.Quiet([]client.Overview{*all}, at)
	})
}
