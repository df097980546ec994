package diagnose_test

import (
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestRulesSayWhatASilenceMeans(t *testing.T) {
	cond := schema.Condition{Name: "cluster_silent", Severity: "critical", Since: at("07:58:00"), Title: "prod: no snapshot comes any more"}
	tests := []struct {
		name     string
		change   func(*schema.ClusterContext)
		says     string
		category string
		others   int
	}{
		{"by-a-host", func(s *schema.ClusterContext) { s.Host = "host-a" }, "the collector on host-a has ended or hangs, its host is down, or the way from there to NATS is broken", diagnose.CategoryNode, 3},
		{"by-nobody", func(*schema.ClusterContext) {}, "what publishes prod has ended or hangs", diagnose.CategoryNode, 3},
		{"goodbye", func(s *schema.ClusterContext) { s.Host, s.Goodbye = "host-a", true }, "the collector on host-a was stopped, and no other took over", diagnose.CategoryConfig, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := snapshot()
			tt.change(&s)
			d := conversation(s, schema.Object{Kind: schema.KindCluster, Name: "prod"}, []schema.Condition{cond}).Diagnosis
			if !strings.HasPrefix(d.Summary, tt.says) || !strings.Contains(d.RootCause.Statement, "since 07:58:00") {
				t.Errorf("%q, %q", d.Summary, d.RootCause.Statement)
			}
			if d.RootCause.Category != tt.category || len(d.Alternatives) != tt.others || d.Action.Verb != diagnose.VerbNone || d.Command != "" {
				t.Errorf("%+v", d)
			}
			for _, x := range d.Alternatives {
				if s.Host != "" && !strings.Contains(x.Check, s.Host) {
					t.Errorf("%q does not say where", x.Check)
				}
			}
		})
	}
}

func TestRulesSayWhatToDoAboutASourceByItsError(t *testing.T) {
	tests := []struct{ name, err, category, says string }{
		{"not-allowed", "dial unix /var/run/docker.sock: connect: permission denied", diagnose.CategoryConfig, "; let the collector's user read it"},
		{"not-allowed-and-it-says-so", "open docker: permission denied; add this user to the group docker", diagnose.CategoryConfig, "docker: add this user to the group docker"},
		{"hangs", "no answer in time", diagnose.CategoryResources, "; it hangs or is overloaded, so look at it there"},
		{"not-running", "dial tcp 10.0.0.1:2375: connect: connection refused", diagnose.CategoryNode, "; start it, or say where it is"},
		{"not-running-and-it-says-so", "not there; is the engine running? Set DOCKER_HOST if it listens elsewhere", diagnose.CategoryNode, "docker: is the engine running? Set DOCKER_HOST if it listens elsewhere"},
		{"anything-else", "decode the list: unexpected end", diagnose.CategoryUnknown, "; look at it there"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := snapshot()
			s.Host = "host-a"
			s.Stale = []schema.StalePart{{Source: "host", Error: "another"}, {Source: "docker", Since: at("07:50:00"), Error: tt.err}}
			cond := schema.Condition{Name: "source_blind", Severity: "warning", Since: at("07:58:00"), Title: "source docker: cannot be read"}
			d := conversation(s, schema.Object{Kind: schema.KindSource, Name: "docker"}, []schema.Condition{cond}).Diagnosis
			if !strings.HasPrefix(d.Summary, "the collector on host-a cannot read docker: ") || !strings.HasSuffix(d.Summary, tt.says) {
				t.Errorf("%q", d.Summary)
			}
			if d.RootCause.Category != tt.category || d.Action.Verb != diagnose.VerbNone {
				t.Errorf("%+v", d)
			}
		})
	}
}

func TestRulesKnowNothingOfASourceThatTheSnapshotDoesNotName(t *testing.T) {
	cond := schema.Condition{Name: "source_blind", Severity: "warning", Since: at("07:58:00"), Title: "source docker: cannot be read"}
	if d := conversation(snapshot(), schema.Object{Kind: schema.KindSource, Name: "docker"}, []schema.Condition{cond}).Diagnosis; !d.InsufficientData {
		t.Errorf("%+v", d)
	}
}
