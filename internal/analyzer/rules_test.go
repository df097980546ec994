package analyzer_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellbuoy/bellbuoy/internal/analyzer"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/rules"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// ruled runs an analyzer with a file of rules; none where the text is empty.
func ruled(t *testing.T, s *bustest.NATS, text string) (stop func()) {
	t.Helper()
	cfg := analyzer.Config{Calls: analyzer.Calls{Concurrency: 4}}
	if text != "" {
		cfg.Rules = rules.File{Path: filepath.Join(t.TempDir(), "rules.yml")}
		if err := os.WriteFile(cfg.Rules.Path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a, err := analyzer.New(cfg, s.Connect(t), e2e.Quiet(), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return e2e.Start(t, a.Part())
}

// labelled is a snapshot in which checkout, which is down, bears a label.
func labelled(n int) schema.ClusterContext {
	s := e2e.Snapshot("prod", n, 0)
	s.Services[0].Labels = map[string]string{"tier": "dev"}
	return s
}

func TestConditionSwitchedOffWhileItAlertsIsNoLongerJudged(t *testing.T) {
	for _, tt := range []struct{ name, rules, line string }{
		{"for-all", "rules:\n  service_down: off\n", "RULES_FILE line 2"},
		{"for-some", "overrides:\n- match: {label: {tier: dev}}\n  rules:\n    service_down: off\n", "RULES_FILE line 4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := bustest.Server(t)
			b := s.Connect(t)
			stop := ruled(t, s, "")
			for n := range 3 {
				e2e.Publish(t, b, labelled(n))
				settled(t, b)
			}
			e2e.Await(t, b, "prod", e2e.CheckoutID("prod"), "the opening", func(schema.Conversation) bool { return true })
			stop()
			ruled(t, s, tt.rules)
			for n := range 12 { // as long as a snapshot takes to prove something
				e2e.Publish(t, b, labelled(3+n))
				settled(t, b)
			}
			c := e2e.Await(t, b, "prod", e2e.CheckoutID("prod"), "the end", func(c schema.Conversation) bool { return c.Closed() })
			last := c.Messages[len(c.Messages)-1].Content
			if c.ClosedAs != schema.StateRemoved || !strings.Contains(last, "No longer judged: switched off by "+tt.line) {
				t.Errorf("closed as %s: %s", c.ClosedAs, last)
			}
			why, err := client.New(b).Why(t.Context(), "shop/checkout")
			if err != nil || len(why.Objects) != 1 {
				t.Fatalf("why: %+v, %v", why, err)
			}
			r := why.Objects[0].Reasons[0]
			if diff := cmp.Diff(client.Reason{Condition: "service_down", Verdict: detect.VerdictOff, Text: "service_down: switched off by " + tt.line}, r); diff != "" {
				t.Errorf("reason (-want +got):\n%s", diff)
			}
			quietly(t, client.New(b), tt.line)
		})
	}
}

// quietly holds that the overview tells what is off, for all of the cluster or for the objects.
func quietly(t *testing.T, asked *client.Client, line string) {
	t.Helper()
	why, err := asked.Why(t.Context(), "")
	if err != nil || len(why.Clusters) != 1 {
		t.Fatalf("why: %+v, %v", why, err)
	}
	var said []string
	for _, x := range why.Clusters[0].Off {
		said = append(said, x.Condition+" "+x.Reason)
	}
	for _, g := range why.Clusters[0].Groups {
		if g.Verdict == detect.VerdictOff {
			said = append(said, g.Condition+" "+g.Objects[0].Text)
		}
	}
	if diff := cmp.Diff([]string{"service_down switched off by " + line}, said); diff != "" {
		t.Errorf("off (-want +got):\n%s", diff)
	}
}

func TestTwoCollectorsSwitchedOffIsNoLongerJudged(t *testing.T) {
	s := bustest.Server(t)
	b := s.Connect(t)
	stop := ruled(t, s, "")
	for n := range 4 {
		for _, id := range []string{"a", "b"} {
			e2e.Publish(t, b, by(id, n, false))
			settled(t, b)
		}
	}
	id := schema.ConversationID(schema.OwnCluster, detect.Collector("prod"))
	e2e.Await(t, b, schema.OwnCluster, id, "the opening", func(schema.Conversation) bool { return true })
	stop()
	ruled(t, s, "overrides: [{match: {cluster: prod}, rules: {two_collectors: off}}]")
	for n := range 10 {
		e2e.Publish(t, b, by("a", 4+n, false))
		settled(t, b)
	}
	c := e2e.Await(t, b, schema.OwnCluster, id, "the end", func(c schema.Conversation) bool { return c.Closed() })
	if last := c.Messages[len(c.Messages)-1].Content; c.ClosedAs != schema.StateRemoved || !strings.Contains(last, "RULES_FILE line 1") {
		t.Errorf("closed as %s: %s", c.ClosedAs, last)
	}
}

func TestAnalyzerDoesNotStartWithAFileThatIsWrong(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rules.yml")
	cfg := analyzer.Config{Calls: analyzer.Calls{Concurrency: 4}, Rules: rules.File{Path: path}}
	_, err := analyzer.New(cfg, bustest.Server(t).Connect(t), e2e.Quiet(), prometheus.NewRegistry())
	if err == nil || !strings.Contains(err.Error(), "RULES_FILE") || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("error %v", err)
	}
}
