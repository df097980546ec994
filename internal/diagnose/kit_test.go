package diagnose_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// at is a moment on the day of the tests.
func at(clock string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05", "2026-11-23 "+clock)
	if err != nil {
		panic(err) // a mistake in the test itself
	}
	return t.UTC()
}

func checkout() schema.Object {
	return schema.Object{Kind: schema.KindService, Namespace: "shop", Name: "checkout"}
}

// crashing is a service of two containers, one of which is restarted again and again.
func crashing() schema.ServiceSummary {
	return schema.ServiceSummary{
		Name: "checkout", Namespace: "shop", Runtime: "container", Image: "checkout:1.4",
		ReplicasRunning: new(0), ReplicasDesired: new(1), Status: schema.ServiceStopped,
		RestartCount24h: new(int64(4)),
		LastFailure:     &schema.Failure{Reason: schema.FailureExit, ExitCode: new(1), At: at("08:00:40"), RanFor: new(0.4)},
		RecentLogs: []string{
			"checkout 1.4 starting",
			"listening on 10.0.0.7:8080",
			"panic: dial tcp: lookup db: no such host",
			"listening on 10.0.0.8:8080",
			"panic: dial tcp: lookup db: no such host",
		},
		Instances: []schema.Instance{{Name: "shop-checkout-1", Node: "n1", State: "restarting"}},
		DependsOn: []string{"db", "cache"},
		Nodes:     []string{"n1"},
	}
}

func db() schema.ServiceSummary {
	return schema.ServiceSummary{
		Name: "db", Namespace: "shop", Image: "postgres:17", ReplicasRunning: new(0), ReplicasDesired: new(0),
		Status: schema.ServiceStopped, NotWanted: "stopped by hand",
		Instances: []schema.Instance{{Name: "shop-db-1", Node: "n1", State: "exited"}},
	}
}

func cache() schema.ServiceSummary {
	return schema.ServiceSummary{
		Name: "cache", Namespace: "shop", Image: "redis:8", ReplicasRunning: new(1), ReplicasDesired: new(1),
		Status: schema.ServiceHealthy, Instances: []schema.Instance{{Name: "shop-cache-1", Node: "n1", State: "running"}},
	}
}

func snapshot(services ...schema.ServiceSummary) schema.ClusterContext {
	return schema.ClusterContext{
		Schema: schema.ContextVersion, ClusterName: "prod", TakenAt: at("08:01:00"), IntervalSeconds: 15, Source: "docker",
		Nodes:    []schema.NodeSummary{{ID: "n1", Address: "10.0.0.1", Status: schema.NodeHealthy, CPUPercent: new(41.5), MemoryPercent: new(63.0)}},
		Services: services,
	}
}

// stoppedDB is the incident that most tests are about: somebody stopped db, and checkout crashes for it.
func stoppedDB() schema.ClusterContext {
	s := snapshot(crashing(), db(), cache())
	s.RecentEvents = []schema.ClusterEvent{
		{At: at("07:58:10"), Kind: "die", Object: "shop/db", Text: "stopped by hand (exit 0)"},
		{At: at("08:00:10"), Kind: "die", Object: "shop/checkout", Text: "exit 1"},
		{At: at("08:00:40"), Kind: "die", Object: "shop/checkout", Text: "exit 1"},
		{At: at("07:30:00"), Kind: "die", Object: "shop/checkout", Text: "too old to matter"},
		{At: at("08:00:00"), Kind: "start", Object: "other/thing", Text: "someone else's"},
	}
	return s
}

func crashLoop() []schema.Condition {
	return []schema.Condition{
		{Name: "crash_loop", Severity: schema.SeverityWarning, Since: at("08:00:00"), Title: "checkout: restarts again and again", Facts: []string{"4 restarts in 10 min", "the last run took 0.4 s"}},
		{Name: "unhealthy", Severity: schema.SeverityWarning, Since: at("07:00:00"), Until: at("07:10:00"), Title: "over"},
	}
}

func firing(name, severity string) []schema.Condition {
	return []schema.Condition{{Name: name, Severity: severity, Since: at("08:00:00"), Title: "checkout: " + name}}
}

// conversation is what the analyzer would have opened on s.
func conversation(s schema.ClusterContext, o schema.Object, conds []schema.Condition) schema.Conversation {
	c := schema.Conversation{
		Schema: schema.ConversationVersion, ID: schema.ConversationID(s.ClusterName, o), Cluster: s.ClusterName, Object: o,
		Conditions: conds, Condition: conds[0].Name, Severity: conds[0].Severity, Title: conds[0].Title,
		StartedAt: at("08:01:00"), UpdatedAt: at("08:01:00"), Source: s.Source,
	}
	c.Evidence = diagnose.Freeze(s, o, conds)
	c.Diagnosis = new(diagnose.ByRules(s, o, conds, c.Evidence))
	return c
}

func incident() (schema.Conversation, schema.ClusterContext) {
	s := stoppedDB()
	return conversation(s, checkout(), crashLoop()), s
}

// golden compares got with a file, or writes the file with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; -update rewrites it):\n%s", path, diff)
	}
}

func pretty(t *testing.T, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b) + "\n"
}
