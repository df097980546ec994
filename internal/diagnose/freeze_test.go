package diagnose_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestFrozenEvidenceOfAStoppedDependency(t *testing.T) {
	c, _ := incident()
	golden(t, "evidence.json", pretty(t, c.Evidence))
}

func TestEvidenceBeginsWithWhatFires(t *testing.T) {
	c, _ := incident()
	first := c.Evidence[0]
	if first.ID != "E1" || first.Kind != diagnose.KindCondition || !strings.Contains(first.Text, "crash_loop (warning) since 08:00:00 UTC") {
		t.Errorf("E1 is %+v", first)
	}
	for _, e := range c.Evidence {
		if strings.Contains(e.Text, "over") || strings.Contains(e.Text, "too old") || strings.Contains(e.Text, "someone else") {
			t.Errorf("%s does not belong here: %s", e.ID, e.Text)
		}
	}
}

func TestEvidenceIsTheSameForTheSameSnapshot(t *testing.T) {
	first, _ := incident()
	for range 20 {
		again, _ := incident()
		if diff := cmp.Diff(first.Evidence, again.Evidence); diff != "" {
			t.Fatalf("evidence differs (-first +again):\n%s", diff)
		}
	}
}

func TestEvidenceStaysWithinItsBound(t *testing.T) {
	s := crashing()
	s.DependsOn = nil
	services := []schema.ServiceSummary{}
	for i := range 200 {
		d := db()
		d.Name = fmt.Sprintf("dependency-%d-%s", i, strings.Repeat("x", 150))
		d.RecentLogs = []string{strings.Repeat("error ü ", 60)}
		s.DependsOn = append(s.DependsOn, d.Name)
		services = append(services, d)
	}
	s.RecentLogs = nil
	for i := range schema.MaxLogLines {
		s.RecentLogs = append(s.RecentLogs, fmt.Sprintf("error %c %s", 'a'+i%26, strings.Repeat("\\\"", 200)))
	}
	snap := snapshot(append(services, s)...)
	for i := range schema.MaxEvents {
		snap.RecentEvents = append(snap.RecentEvents, schema.ClusterEvent{At: at("08:00:00"), Kind: fmt.Sprint("k", i), Object: "shop/checkout", Text: strings.Repeat("y", 2000)})
	}
	ev := diagnose.Freeze(snap, checkout(), firing("crash_loop", "warning"))
	rest := ev[len(ev)-1]
	want := "200 of 201 services in trouble"
	if snap.Services[0].NotWanted != "" {
		want = "1 of 201 services in trouble, 200 stopped on purpose"
	}
	for _, part := range []string{want, "0 of 1 nodes in trouble", "188 more neighbours are not shown", "188 more kinds of event are not shown", "more kinds of log line are not shown", "pieces of evidence had no room"} {
		if rest.Kind != diagnose.KindCluster || !strings.Contains(rest.Text, part) {
			t.Errorf("the last piece of evidence, %+v, does not say %q", rest, part)
		}
	}
	if !slices.ContainsFunc(ev, func(e schema.Evidence) bool { return e.Kind == diagnose.KindLog && e.Object == "shop/checkout" }) {
		t.Error("what it is about has no log line in its evidence")
	}
	b, err := json.Marshal(ev)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) > schema.MaxEvidenceBytes || len(b) < schema.MaxEvidenceBytes/2 {
		t.Errorf("evidence of %d bytes, want at most %d and most of it used", len(b), schema.MaxEvidenceBytes)
	}
}

func TestLogLinesBecomeTemplates(t *testing.T) {
	tests := []struct {
		name  string
		lines []string
		want  []string // text×count, the most telling first
	}{
		{"a-single-line-stays-as-it-is", []string{"exit 3 at 10.0.0.1"}, []string{"exit 3 at 10.0.0.1×0"}},
		{"equal-lines-are-counted", []string{"boom 1", "boom 1", "boom 1"}, []string{"boom 1×3"}},
		{"differences-are-masked", []string{"user 17 gone", "user 4711 gone"}, []string{"user <num> gone×2"}},
		{"addresses-and-ids", []string{
			"10.0.0.1:80 6f1c2b1e-1111-2222-3333-444455556666 deadbeef01 took 1.5s",
			"10.0.0.2:81 7f1c2b1e-1111-2222-3333-444455556666 deadbeef02 took 2.5s",
		}, []string{"<ip> <uuid> <hex> took <num>s×2"}},
		{"worst-first-then-newest", []string{"fine", "warning: slow", "ERROR: no", "panic: now", "also fine"}, []string{
			"panic: now×0", "ERROR: no×0", "warning: slow×0", "also fine×0", "fine×0",
		}},
		{"times-are-taken-off", []string{"2026-11-23T08:00:00Z boom", "2026-11-23T08:00:30.5Z boom"}, []string{"boom (last 08:00:30 UTC)×2"}},
		{"secrets-and-tricks-are-gone", []string{"password=hunter2hunter2 \x1b[31mred\u202e"}, []string{"password=[REDACTED:secret] red×0"}},
		{"empty-lines-are-nothing", []string{"", "  ", "\x00"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := crashing()
			s.RecentLogs = tt.lines
			var got []string
			for _, e := range diagnose.Freeze(snapshot(s), checkout(), crashLoop()) {
				if e.Kind == diagnose.KindLog {
					got = append(got, fmt.Sprintf("%s×%d", e.Text, e.Count))
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("log evidence (-want +got):\n%s", diff)
			}
		})
	}
}

func TestObjectsThatTheSnapshotDoesNotHoldStillHaveTheirConditions(t *testing.T) {
	for _, o := range []schema.Object{
		{Kind: schema.KindService, Name: "gone"}, {Kind: schema.KindNode, Name: "gone"}, {Kind: schema.KindCluster, Name: "prod"},
	} {
		ev := diagnose.Freeze(stoppedDB(), o, crashLoop())
		if len(ev) != 1 || ev[0].Kind != diagnose.KindCondition {
			t.Errorf("%s %s: evidence %+v", o.Kind, o, ev)
		}
	}
}

func TestNodeEvidenceNamesWhatRunsThere(t *testing.T) {
	s := stoppedDB()
	s.Nodes[0].Status = schema.NodeDown
	ev := diagnose.Freeze(s, schema.Object{Kind: schema.KindNode, Name: "n1"}, []schema.Condition{{Name: "node_down", Severity: "critical", Since: at("08:00:00"), Title: "n1 is down"}})
	var all string
	for _, e := range ev {
		all += e.Kind + ": " + e.Text + "\n"
	}
	for _, want := range []string{"node: node n1: down", "neighbour: 2 services on it are in trouble: shop/checkout; shop/db"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not in\n%s", want, all)
		}
	}
}
