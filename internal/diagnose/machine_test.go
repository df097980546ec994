package diagnose_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestRulesSayWhatANodeSuffersFrom(t *testing.T) {
	hungry, small := cache(), db()
	hungry.MemoryBytes, hungry.CPUPercent = new(int64(3<<30)), new(180.0)
	small.MemoryBytes, small.CPUPercent, small.Nodes = new(int64(64<<20)), new(2.0), []string{"elsewhere"}
	tests := []struct {
		condition string
		title     string
		facts     []string
		category  string
		summary   string
	}{
		{
			"disk", "disk /var is 98 % full",
			[]string{"3.1 GB free"},
			diagnose.CategoryResources,
			"disk /var is 98 % full on n1 (3.1 GB free); what writes there fails once it is full: free space or enlarge it",
		},
		{
			"memory", "97 % of the memory of n1 is used",
			[]string{"2.4 % available"},
			diagnose.CategoryResources,
			"97 % of the memory of n1 is used (2.4 % available); of what is known, shop/cache with 3 GiB uses most",
		},
		{
			"cpu", "the processors of n1 are 99 % busy",
			[]string{"99 % busy"},
			diagnose.CategoryResources,
			"the processors of n1 are 99 % busy; of what is known, shop/cache with 180 % of a processor uses most",
		},
		{
			"gpu_errors", "GPU 0 of n1 has 3 new errors",
			[]string{"GPU 0: 3 new errors, 5 in all"},
			diagnose.CategoryNode,
			"GPU 0 of n1 has 3 new errors (GPU 0: 3 new errors, 5 in all); what it computes may be wrong: take work off it and look at the kernel's log",
		},
		{
			"node_rebooted", "node n1 was rebooted",
			[]string{"booted at 08:00:50 UTC"},
			diagnose.CategoryNode,
			"node n1 was rebooted (booted at 08:00:50 UTC); its own log says why",
		},
	}
	for _, tt := range tests {
		t.Run(tt.condition, func(t *testing.T) {
			n1 := schema.Object{Kind: schema.KindNode, Name: "n1"}
			conds := []schema.Condition{{Name: tt.condition, Severity: "warning", Since: at("08:00:00"), Title: tt.title, Facts: tt.facts}}
			c := conversation(snapshot(hungry, small), n1, conds)
			d := c.Diagnosis
			got := []string{d.RootCause.Component, d.RootCause.Category, d.Summary, d.Action.Verb, d.Command}
			if diff := cmp.Diff([]string{"n1", tt.category, tt.summary, "none", ""}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestEvidenceNamesWhoUsesMostOfWhatIsShort(t *testing.T) {
	hungry, small := cache(), crashing()
	hungry.Nodes = []string{"n1"}
	hungry.MemoryBytes, small.MemoryBytes = new(int64(3<<30)), new(int64(64<<20))
	conds := []schema.Condition{{Name: "memory", Severity: "warning", Title: "97 % of the memory of n1 is used"}}
	for _, e := range diagnose.Freeze(snapshot(small, hungry), schema.Object{Kind: schema.KindNode, Name: "n1"}, conds) {
		if e.Text == "most memory on it is used by shop/cache with 3 GiB; shop/checkout with 64 MiB" {
			return
		}
	}
	t.Error("the evidence does not name them")
}

func TestRulesOnAServiceThatRunsInPartOrLogsManyErrors(t *testing.T) {
	part := cache()
	part.ReplicasRunning, part.ReplicasDesired = new(2), new(3)
	part.Instances = []schema.Instance{{Name: "shop-cache-1", State: "running"}, {Name: "shop-cache-2", State: "exited"}, {Name: "shop-cache-3", State: "running"}}
	part.LastFailure = &schema.Failure{Reason: schema.FailureExit, ExitCode: new(137), At: at("08:00:00")}
	noisy := cache()
	noisy.RecentLogs = []string{"ERROR upstream timed out"}
	quiet := cache() // as a snapshot has it: no lines of a service that is well, and how it failed long ago
	quiet.LastFailure = &schema.Failure{Reason: schema.FailureOOM, OOM: true, ExitCode: new(137), At: at("02:00:00")}
	tests := []struct {
		name    string
		service schema.ServiceSummary
		cond    schema.Condition
		command string
		says    string
	}{
		{"part", part, schema.Condition{Name: "service_degraded"}, "docker logs --tail 50 shop-cache-2", "2 of 3 running; shop-cache-2 exited"},
		{
			"errors", noisy,
			schema.Condition{Name: "error_burst", Facts: []string{"140 errors in 5 min", "usually 3 in 5 min"}},
			"docker logs --tail 50 shop-cache-1", "cache runs, but logs 140 errors in 5 min, usually 3 in 5 min: “ERROR upstream timed out”",
		},
		{
			"errors-of-a-service-that-is-well", quiet,
			schema.Condition{Name: "error_burst", Facts: []string{"140 errors in 5 min", "usually none"}},
			"docker logs --tail 50 shop-cache-1", "cache runs, but logs 140 errors in 5 min, usually none; since 08:00:00",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.cond.Severity, tt.cond.Since, tt.cond.Title = "warning", at("08:00:00"), "cache"
			c := conversation(snapshot(tt.service), tt.service.Object(), []schema.Condition{tt.cond})
			if c.Diagnosis.Command != tt.command || !strings.Contains(c.Diagnosis.RootCause.Statement, tt.says) {
				t.Errorf("%q with %q", c.Diagnosis.RootCause.Statement, c.Diagnosis.Command)
			}
		})
	}
}

func TestRulesSayWhatToDoAboutTwoCollectors(t *testing.T) {
	o := schema.Object{Kind: schema.KindCollector, Name: "prod"}
	conds := []schema.Condition{{
		Name: "two_collectors", Severity: "warning", Since: at("08:00:00"), Title: "two collectors say they are prod",
		Facts: []string{"collector a on host-a is taken", "collector b on host-b is refused"},
	}}
	d := conversation(snapshot(), o, conds).Diagnosis
	want := "collector a on host-a is taken; collector b on host-b is refused; set BELLBUOY_CLUSTER to another name on one of them, or stop it"
	if d.Summary != want || d.RootCause.Category != diagnose.CategoryConfig || d.Confidence != schema.ConfidenceHigh || d.InsufficientData {
		t.Errorf("%+v", d)
	}
}
