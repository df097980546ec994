package collector_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/collector"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestLogsOnlyOfServicesThatAreNotWell(t *testing.T) {
	logs := []string{"one", "two"}
	tests := []struct {
		name    string
		service schema.ServiceSummary
		want    []string
	}{
		{"healthy", schema.ServiceSummary{Status: schema.ServiceHealthy}, nil},
		{"stopped", schema.ServiceSummary{Status: schema.ServiceStopped}, logs},
		{"degraded", schema.ServiceSummary{Status: schema.ServiceDegraded}, logs},
		{"unknown", schema.ServiceSummary{}, logs},
		{"running-but-unhealthy", schema.ServiceSummary{Status: schema.ServiceHealthy, Health: schema.HealthUnhealthy}, logs},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.service.Name, tt.service.RecentLogs = "web", logs
			got, _, err := collector.Bounded(schema.ClusterContext{ClusterName: "prod", Services: []schema.ServiceSummary{tt.service}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got.Services[0].RecentLogs, cmp.Transformer("none", func(s []string) []string { return slices.Clip(s) })); diff != "" && len(tt.want)+len(got.Services[0].RecentLogs) > 0 {
				t.Errorf("logs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatOthersWroteIsScrubbedAndCut(t *testing.T) {
	key := []string{"-----BEGIN PRIVATE KEY-----", "MIIEowIBAAKCAQEA0Z3VS5JJcds3xfn", "-----END PRIVATE KEY-----"}
	s := schema.ClusterContext{
		ClusterName: "prod",
		Services: []schema.ServiceSummary{{
			Name: "web", NotWanted: "token=abc123", LastFailure: &schema.Failure{Text: "dial redis://:pw@db"},
			Labels:     map[string]string{"team": "\x1b[31mred"},
			RecentLogs: append(slices.Repeat([]string{"line"}, 50), append(key, "", "\x1b[1mpassword=hunter2\x1b[0m", strings.Repeat("x", 500))...),
		}},
		RecentEvents: []schema.ClusterEvent{{Text: "secret=abc " + strings.Repeat("y", 500)}},
		ActiveAlerts: []schema.AlertSummary{{LastMessage: "api_key=abc"}},
	}
	got, _, err := collector.Bounded(s)
	if err != nil {
		t.Fatal(err)
	}
	v := got.Services[0]
	logs := append(slices.Repeat([]string{"line"}, 37), "[REDACTED:private-key]", "password=[REDACTED:secret]", strings.Repeat("x", schema.MaxLogLineBytes))
	if diff := cmp.Diff(logs, v.RecentLogs); diff != "" {
		t.Errorf("logs (-want +got):\n%s", diff)
	}
	texts := []string{v.NotWanted, v.LastFailure.Text, v.Labels["team"], got.RecentEvents[0].Text[:27], got.ActiveAlerts[0].LastMessage}
	want := []string{"token=[REDACTED:secret]", "dial redis://:[REDACTED:url]@db", "red", "secret=[REDACTED:secret] yy", "api_key=[REDACTED:secret]"}
	if diff := cmp.Diff(want, texts); diff != "" {
		t.Errorf("texts (-want +got):\n%s", diff)
	}
	if got.Omitted["recent_logs"] != 13 || s.Services[0].LastFailure.Text != "dial redis://:pw@db" {
		t.Errorf("omitted %v; the source's own part now says %q", got.Omitted, s.Services[0].LastFailure.Text)
	}
}

func TestObjectsThatNobodyCouldNameAreLeftOutAndCounted(t *testing.T) {
	long := strings.Repeat("x", schema.MaxName+1)
	got, _, err := collector.Bounded(schema.ClusterContext{
		ClusterName: "prod",
		Services:    []schema.ServiceSummary{{Name: "web"}, {Name: "web"}, {Name: ""}, {Name: long}, {Name: "\xff"}, {Name: "web", Namespace: "b"}},
		Nodes:       []schema.NodeSummary{{ID: "n"}, {ID: "n"}, {ID: ""}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"services": 4, "nodes": 2}, got.Omitted); diff != "" || len(got.Services) != 2 || len(got.Nodes) != 1 {
		t.Errorf("%d services, %d nodes, omitted (-want +got):\n%s", len(got.Services), len(got.Nodes), diff)
	}
}

// crowd is a snapshot of n services, every tenth of which is stopped and has logs.
func crowd(n int) schema.ClusterContext {
	s := schema.ClusterContext{ClusterName: "prod"}
	for i := range n {
		v := schema.ServiceSummary{Name: fmt.Sprint("service-", i), Namespace: "shop", Image: "registry.test/shop/service:1.4", Status: schema.ServiceHealthy}
		if i%10 == 0 {
			v.Status, v.RecentLogs = schema.ServiceStopped, slices.Repeat([]string{strings.Repeat("log ", 99)}, schema.MaxLogLines)
		}
		s.Services = append(s.Services, v)
	}
	s.RecentEvents = slices.Repeat([]schema.ClusterEvent{{Kind: "die", Text: strings.Repeat("event ", 60)}}, schema.MaxEvents)
	return s
}

func TestTenThousandServicesFitByGivingUpLogsFirst(t *testing.T) {
	got, body, err := collector.Bounded(crowd(10_000))
	if err != nil {
		t.Fatal(err)
	}
	if len(body) > schema.MaxContextBytes || len(got.Services) != 10_000 || len(got.RecentEvents) != schema.MaxEvents {
		t.Errorf("%d bytes, %d services, %d events", len(body), len(got.Services), len(got.RecentEvents))
	}
	if got.Omitted["recent_logs"] < 35_000 || got.Omitted["services"] != 0 {
		t.Errorf("omitted %v", got.Omitted)
	}
	if _, err := schema.DecodeContext(body); err != nil {
		t.Error(err)
	}
}

func TestWhatStillDoesNotFitGivesUpEventsThenServicesThatAreWell(t *testing.T) {
	tests := []struct {
		name              string
		limit             int
		logs, events, all bool // whether all of them are still there
		fails             bool
	}{
		{"all-fits", 1 << 20, true, true, true, false},
		{"logs-go-first", 120 << 10, false, true, true, false},
		{"then-events", 40 << 10, false, false, true, false},
		{"then-services-that-are-well", 16 << 10, false, false, false, false},
		{"never-those-that-fail", 512, false, false, false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, body, err := collector.Fit(crowd(100), tt.limit)
			if tt.fails {
				if err == nil {
					t.Errorf("%d bytes instead of an error", len(body))
				}
				return
			}
			if err != nil || len(body) > tt.limit {
				t.Fatalf("%d bytes, %v", len(body), err)
			}
			if all := got.Omitted["recent_logs"] == 0; all != tt.logs {
				t.Errorf("all logs are there: %v", all)
			}
			if all := got.Omitted["recent_events"] == 0; all != tt.events {
				t.Errorf("all events are there: %v", all)
			}
			if all := len(got.Services) == 100; all != tt.all || got.Omitted["services"] != 100-len(got.Services) {
				t.Errorf("%d services, omitted %v", len(got.Services), got.Omitted)
			}
			for i := range 10 {
				if !slices.ContainsFunc(got.Services, func(v schema.ServiceSummary) bool { return v.Name == fmt.Sprint("service-", i*10) }) {
					t.Errorf("service-%d, which fails, is left out", i*10)
				}
			}
		})
	}
}
