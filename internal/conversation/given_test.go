package conversation_test

import (
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// noon is when the stories begin.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

var (
	snapshots = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC) // epoch of their stream
	replies   = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	checkout  = schema.Object{Kind: schema.KindService, Namespace: "shop", Name: "checkout"}
)

// titles of the conditions as the rules would word them.
var titles = map[string]string{
	"service_down":     "checkout: 0 of 3 running",
	"service_degraded": "checkout: 1 of 3 running",
	"crash_loop":       "checkout: restarts again and again",
	"oom_killed":       "checkout: killed for want of memory",
	"unhealthy":        "checkout: health check fails",
	"node_down":        "checkout: not seen since 11:59",
	"storm":            "checkout: 52 objects failing, 51 of them down",
}

// named is a service of the shop, or the node or cluster that the name says.
func named(name string) schema.Object {
	if kind, name, ok := strings.Cut(name, "/"); ok {
		return schema.Object{Kind: kind, Name: name}
	}
	return schema.Object{Kind: schema.KindService, Namespace: "shop", Name: name}
}

// findingOf is finding of another object. The rules make no more of it than that it is so.
func findingOf(o schema.Object, at time.Time, seq uint64, removed bool, conditions ...string) conversation.Found {
	f := finding(at, seq, removed, conditions...)
	if f.Object = o; o == checkout {
		return f
	}
	for i := range f.Conditions {
		x := &f.Conditions[i]
		x.Title, x.Facts = o.Name+": "+strings.TrimPrefix(x.Title, checkout.Name+": "), nil
		f.Evidence[i].Object, f.Evidence[i].Text = o.String(), x.Title
		f.Diagnosis = &schema.Diagnosis{Summary: f.Conditions[0].Title, Source: schema.SourceRules}
	}
	return f
}

// finding is what the rules find in snapshot seq: names and severities by turns.
func finding(at time.Time, seq uint64, removed bool, conditions ...string) conversation.Found {
	f := conversation.Found{
		At: at, Cluster: "prod", Source: "docker", Object: checkout, Seq: seq, Epoch: snapshots,
		Interval: 15 * time.Second, Removed: removed, Labels: map[string]string{"team": "shop"},
	}
	for i := 0; i+1 < len(conditions); i += 2 {
		name := conditions[i]
		f.Conditions = append(f.Conditions, schema.Condition{
			Name: name, Severity: conditions[i+1], Since: at.Add(-time.Minute), Title: titles[name],
			Facts: []string{"the " + strings.ReplaceAll(name, "_", " ") + " rule saw it", "last line: no route to db"},
		})
		f.Evidence = append(f.Evidence, schema.Evidence{
			ID: "E" + string(rune('1'+i/2)), Kind: "condition", Object: checkout.String(), Text: titles[name],
		})
	}
	if len(f.Conditions) > 0 {
		f.Diagnosis = &schema.Diagnosis{
			Summary: "db was stopped by hand at 11:58", Source: schema.SourceRules, Command: "docker start shop-db-1",
			Evidence: []schema.Citation{{ID: "E1", Why: "it says so"}},
		}
	}
	return f
}

func saying(at time.Time, seq uint64, name, text string) conversation.Said {
	return conversation.Said{At: at, Seq: seq, Epoch: replies, Reply: schema.Reply{
		Text: text, Author: schema.Author{Name: name, Channel: "nats"},
	}}
}

// verdict settles what c owes with a model's diagnosis.
func verdict(at time.Time, c schema.Conversation, summary string) conversation.Settled {
	s := conversation.Settled{At: at, Diagnosis: &schema.Diagnosis{
		Summary: summary, Source: "gpt", Command: "docker restart shop-db-1", Evidence: []schema.Citation{{ID: "E1"}},
	}}
	for _, task := range conversation.Owed(c) {
		if task.Kind == conversation.TaskDiagnose {
			s.Task = task
		}
	}
	return s
}

// after is the conversation after all of events.
func after(events ...conversation.Event) schema.Conversation {
	var c schema.Conversation
	for _, e := range events {
		c, _ = conversation.Next(c, e)
	}
	return c
}

// added lists the kinds of the messages that came to before.
func added(before, c schema.Conversation) []string {
	var kinds []string
	for _, m := range c.Messages[len(c.Messages)-(c.Revision-before.Revision):] {
		kinds = append(kinds, m.Kind)
	}
	return kinds
}
