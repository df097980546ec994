package diagnose_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func running(name string, n int, needs ...string) schema.ServiceSummary {
	return schema.ServiceSummary{Name: name, Namespace: "shop", ReplicasRunning: new(n), ReplicasDesired: new(1), DependsOn: needs}
}

// tiers is a shop in which everything needs db in the end: search and cart directly, checkout through cart and so on
// around a circle.
func tiers() schema.ClusterContext {
	degraded := running("search", 1, "db")
	degraded.Status = schema.ServiceDegraded
	byHand := running("admin", 0, "db")
	byHand.NotWanted = "stopped by hand"
	return schema.ClusterContext{ClusterName: "prod", TakenAt: at("08:00:00"), Services: []schema.ServiceSummary{
		running("gateway", 1, "checkout", "gateway"), running("checkout", 0, "cart", "gateway"), running("cart", 1, "db"), degraded, byHand,
		running("reports", 1, "admin"), running("mail", 1), running("db", 0),
	}}
}

func service(name string) schema.Object {
	return schema.Object{Kind: schema.KindService, Namespace: "shop", Name: name}
}

func TestAffectedRanksWhoNeedsWhatIsDown(t *testing.T) {
	s := tiers()
	got, count := diagnose.NewView(&s).Affected(service("db"))
	want := []schema.Affected{
		{Object: service("checkout"), Condition: "service_down"},
		{Object: service("search"), Condition: "degraded"},
		{Object: service("cart"), Condition: schema.AffectedRunning},
		{Object: service("gateway"), Condition: schema.AffectedRunning},
	}
	if diff := cmp.Diff(want, got); diff != "" || count != 4 {
		t.Errorf("%d affected (-want +got):\n%s", count, diff)
	}
}

func TestNobodyIsAffectedByWhatRunsOrIsStoppedOnPurpose(t *testing.T) {
	s := tiers()
	for _, o := range []schema.Object{service("cart"), service("admin"), service("nowhere"), {Kind: schema.KindNode, Name: "n1"}} {
		if got, count := diagnose.NewView(&s).Affected(o); len(got) > 0 || count > 0 {
			t.Errorf("%s: %d affected: %v", o, count, got)
		}
	}
}

func TestAffectedIsBoundedAndCountsAll(t *testing.T) {
	s := schema.ClusterContext{TakenAt: at("08:00:00"), Services: []schema.ServiceSummary{running("db", 0)}}
	for i := range 3 * schema.MaxAffected {
		s.Services = append(s.Services, running(fmt.Sprintf("w%03d", i), 1, "db"))
	}
	v := diagnose.NewView(&s)
	got, count := v.Affected(service("db"))
	if len(got) != schema.MaxAffected || count != 3*schema.MaxAffected || got[0].Object != service("w000") {
		t.Errorf("%d of %d, first %v", len(got), count, got[0])
	}
	evidence := v.Freeze(service("db"), nil, nil)
	if text := evidence[len(evidence)-2].Text; !strings.HasPrefix(text, "600 services depend on it: shop/w000 (running); ") || !strings.HasSuffix(text, "; and 590 more") {
		t.Errorf("the evidence says %q", text)
	}
}
