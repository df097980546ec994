package channeltest

import (
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// poisoned are conversations that have a secret in one place each.
func poisoned(secret string) map[string]schema.Conversation {
	all := map[string]schema.Conversation{}
	in := func(field string, change func(c *schema.Conversation, m *schema.Message)) {
		c := Add(Opened("checkout"), schema.EventDiagnosed, schema.EventAnswered)
		d := *c.Diagnosis
		c.Diagnosis = &d
		c.Affected = []schema.Affected{{Object: c.Object, Condition: "service_down", Since: At(0)}}
		change(&c, &c.Messages[len(c.Messages)-1])
		all[field] = c
	}
	in("title", func(c *schema.Conversation, _ *schema.Message) { c.Title = secret })
	in("condition", func(c *schema.Conversation, _ *schema.Message) { c.Condition = secret })
	in("facts", func(c *schema.Conversation, _ *schema.Message) { c.Conditions[0].Facts = []string{secret} })
	in("condition-title", func(c *schema.Conversation, _ *schema.Message) { c.Conditions[0].Title = secret })
	in("owner", func(c *schema.Conversation, _ *schema.Message) { c.Owner = secret })
	in("labels", func(c *schema.Conversation, _ *schema.Message) {
		c.Labels = map[string]string{"team": secret, "note": secret}
	})
	in("evidence", func(c *schema.Conversation, _ *schema.Message) {
		c.Evidence = []schema.Evidence{{ID: "E1", Kind: "log", Object: "shop/checkout", Text: secret}}
	})
	in("summary", func(c *schema.Conversation, _ *schema.Message) { c.Diagnosis.Summary = secret })
	in("statement", func(c *schema.Conversation, _ *schema.Message) { c.Diagnosis.RootCause.Statement = secret })
	in("command", func(c *schema.Conversation, _ *schema.Message) { c.Diagnosis.Command = "run --" + secret })
	in("reason", func(c *schema.Conversation, _ *schema.Message) { c.Diagnosis.Action.Reason = secret })
	in("target", func(c *schema.Conversation, _ *schema.Message) { c.Diagnosis.Action.Target = secret })
	in("affected", func(c *schema.Conversation, _ *schema.Message) { c.Affected[0].Condition = secret })
	in("content", func(_ *schema.Conversation, m *schema.Message) { m.Content = secret })
	in("late-content", func(_ *schema.Conversation, m *schema.Message) { m.Content = strings.Repeat("x\n", 8) + secret })
	in("suggested", func(_ *schema.Conversation, m *schema.Message) { m.SuggestedCommand = "run --" + secret })
	in("author", func(_ *schema.Conversation, m *schema.Message) { m.Author = &schema.Author{Name: secret} })
	return all
}

func testPoison(t *testing.T, s Subject) {
	value := "hunter2" + "Zq81xvbT40pw" // in two parts, so that nobody takes it for a real one
	opened, _ := tell(t, s, Opened("checkout"), channel.Told{})
	for field, c := range poisoned("password=" + value) {
		t.Run(field, func(t *testing.T) {
			for _, known := range []channel.Told{{}, opened} {
				_, got, _ := drive(t, s, c, known, channel.Terms{Logs: channel.LogsFull})
				for _, g := range got {
					if holds(g, value) {
						t.Errorf("the secret leaves: %.2000s", g.Body)
					}
				}
			}
		})
	}
}
