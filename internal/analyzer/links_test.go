package analyzer_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestLinksOfTheRulesFileAndTheRunbookGoWithAConversation(t *testing.T) {
	s := bustest.Server(t)
	b := s.Connect(t)
	ruled(t, s, `
links:
  - {title: Logs, url: "https://logs.example/?q={name}&team={team}&node={node}", match: {kind: service}}
  - {title: Nodes, url: "https://x/", match: {kind: node}}
  - {title: Team, url: "https://x/{team}", match: {label: {team: shop}}}
`)
	for n := range 3 {
		snapshot := labelled(n)
		snapshot.Services[0].Labels = map[string]string{"bellbuoy.team": "shop", "team": "shop", "runbook": "https://runbooks.example/checkout"}
		snapshot.Services[0].Nodes = []string{"n1"}
		e2e.Publish(t, b, snapshot)
		settled(t, b)
	}
	c := e2e.Await(t, b, "prod", e2e.CheckoutID("prod"), "the opening", func(schema.Conversation) bool { return true })
	want := []schema.Link{
		{Title: "Runbook", URL: "https://runbooks.example/checkout"},
		{Title: "Logs", URL: "https://logs.example/?q=checkout&team=shop&node=n1"},
		{Title: "Team", URL: "https://x/shop"},
	}
	if diff := cmp.Diff(want, c.Links); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
	list, err := client.New(b).List(t.Context(), client.ListRequest{})
	if err != nil || len(list.Conversations) != 1 {
		t.Fatalf("list: %v, %v", list, err)
	}
	if diff := cmp.Diff(want, list.Conversations[0].Links); diff != "" {
		t.Errorf("links of the list (-want +got):\n%s", diff)
	}
	if c.Labels["team"] != "shop" {
		t.Errorf("labels: %v", c.Labels)
	}
}
