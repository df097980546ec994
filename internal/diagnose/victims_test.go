package diagnose_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// fleet is n services of shop that are down, on a node each of the four in turn unless on names one.
func fleet(n int, change func(i int, s *schema.ServiceSummary)) (services []schema.ServiceSummary, victims []schema.Affected) {
	for i := range n {
		s := running(fmt.Sprintf("s%03d", i), 0)
		s.Image, s.Nodes = fmt.Sprintf("image%d:1", i), []string{fmt.Sprintf("n%d", i%4)}
		if change != nil {
			change(i, &s)
		}
		services = append(services, s)
		victims = append(victims, schema.Affected{Object: s.Object(), Condition: "service_down", Since: at("03:02:00").Add(time.Duration(n-i) * time.Second)})
	}
	return services, victims
}

// well adds n services that run on the four nodes.
func well(services []schema.ServiceSummary, n int) schema.ClusterContext {
	for i := range n {
		s := running(fmt.Sprintf("w%03d", i), 1)
		s.Image, s.Nodes = fmt.Sprintf("other%d:1", i), []string{fmt.Sprintf("n%d", i%4)}
		services = append(services, s)
	}
	c := schema.ClusterContext{ClusterName: "prod", TakenAt: at("03:05:00"), Source: "docker", Services: services}
	for i := range 4 {
		c.Nodes = append(c.Nodes, schema.NodeSummary{ID: fmt.Sprintf("n%d", i), Status: schema.NodeHealthy})
	}
	return c
}

var prod = schema.Object{Kind: schema.KindCluster, Name: "prod"}

func storming() []schema.Condition {
	return []schema.Condition{{Name: "storm", Severity: schema.SeverityCritical, Since: at("03:04:00"), Title: "prod: 20 objects failing, 20 of them down"}}
}

// told is what a diagnosis comes to.
type told struct{ Component, Category, Summary, Confidence, Action, Command string }

func diagnosed(s schema.ClusterContext, o schema.Object, conds []schema.Condition, victims []schema.Affected) (told, schema.Diagnosis, []schema.Evidence) {
	v := diagnose.NewView(&s)
	ev := v.Freeze(o, conds, victims)
	d := v.ByRules(o, conds, victims, ev)
	return told{d.RootCause.Component, d.RootCause.Category, d.Summary, d.Confidence, strings.TrimSpace(d.Action.Verb + " " + d.Action.Target), d.Command}, d, ev
}

func TestRulesBlameWhatAStormHasInCommon(t *testing.T) {
	tests := []struct {
		name   string
		change func(i int, s *schema.ServiceSummary)
		more   []schema.ServiceSummary
		nodes  func([]schema.NodeSummary)
		want   told
	}{
		{
			name: "nothing",
			want: told{"prod", "unknown", "20 services fail at once, and nothing that they share was found", "low", "logs shop/s019", ""},
		},
		{
			name: "a-node-that-is-full",
			change: func(i int, s *schema.ServiceSummary) {
				if i > 0 {
					s.Nodes = []string{"n3"}
				}
			},
			nodes: func(n []schema.NodeSummary) { n[3].Disks = []schema.DiskSummary{{Mount: "/", UsedPercent: new(99.2)}} },
			want:  told{"n3", "node", "19 of 20 run on n3, which is in trouble itself (disk / 99 % full)", "high", "inspect n3", ""},
		},
		{
			name:   "a-node-that-looks-well",
			change: func(_ int, s *schema.ServiceSummary) { s.Nodes = []string{"n3"} },
			want:   told{"n3", "node", "all 20 run on n3", "low", "inspect n3", ""},
		},
		{
			name:   "a-dependency-stopped-by-hand",
			change: func(_ int, s *schema.ServiceSummary) { s.DependsOn = []string{"db"} },
			more:   []schema.ServiceSummary{stopped()},
			want: told{
				"shop/db", "dependency_down", "all 20 depend on shop/db, which is not running (stopped by hand 03:02:00 UTC)",
				"high", "start shop/db", "docker start shop-db-1",
			},
		},
		{
			name: "a-dependency-far-below",
			change: func(i int, s *schema.ServiceSummary) {
				s.DependsOn = []string{"s000"}
				if i == 0 {
					s.DependsOn = []string{"db"}
				}
			},
			more: []schema.ServiceSummary{stopped()},
			want: told{
				"shop/db", "dependency_down", "all 20 depend on shop/db, which is not running (stopped by hand 03:02:00 UTC)",
				"high", "start shop/db", "docker start shop-db-1",
			},
		},
		{
			name: "an-image-that-is-new",
			change: func(i int, s *schema.ServiceSummary) {
				if i%10 > 0 {
					s.Image, s.LastDeployAt = "app:1.5", at("03:00:00")
				}
			},
			want: told{"prod", "rollout", "18 of 20 run the image app:1.5, deployed 03:00:00 UTC", "medium", "logs shop/s019", ""},
		},
		{
			name:   "a-namespace-of-their-own",
			change: func(_ int, s *schema.ServiceSummary) { s.Namespace = "billing" },
			want:   told{"prod", "unknown", "all 20 are in the namespace billing", "low", "logs billing/s019", ""},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			services, victims := fleet(20, tt.change)
			s := well(append(services, tt.more...), 20)
			s.RecentEvents = []schema.ClusterEvent{{At: at("03:02:00"), Kind: "die", Object: "shop/db", Text: "stopped by hand (exit 0)"}}
			if tt.nodes != nil {
				tt.nodes(s.Nodes)
			}
			got, _, ev := diagnosed(s, prod, storming(), victims)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("diagnosis (-want +got):\n%s", diff)
			}
			says := tt.want.Summary
			if tt.name == "nothing" {
				says = "nothing that they share was found"
			}
			if all := texts(ev); !strings.Contains(all, says) {
				t.Errorf("the evidence does not say %q:\n%s", says, all)
			}
		})
	}
}

func stopped() schema.ServiceSummary {
	d := db()
	d.Nodes = nil
	return d
}

func texts(ev []schema.Evidence) string {
	var b strings.Builder
	for _, e := range ev {
		fmt.Fprintf(&b, "%s %s %s: %s", e.ID, e.Kind, e.Object, e.Text)
		if e.Count > 0 {
			fmt.Fprintf(&b, " ×%d", e.Count)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// All that a cluster of one node runs is on that node, which therefore tells nothing.
func TestWhatEverythingSharesTellsNothing(t *testing.T) {
	services, victims := fleet(20, func(_ int, s *schema.ServiceSummary) { s.Nodes = []string{"n1"} })
	s := well(services, 0)
	s.Nodes = s.Nodes[1:2]
	if got, _, _ := diagnosed(s, prod, storming(), victims); got.Summary != "20 services fail at once, and nothing that they share was found" {
		t.Errorf("blamed: %+v", got)
	}
}

func TestADownNodeSaysWhatRanOnItAndHowItWas(t *testing.T) {
	services, victims := fleet(50, func(_ int, s *schema.ServiceSummary) { s.Nodes = []string{"n3"} })
	victims[49].Condition = "unhealthy"
	s := well(services, 4)
	s.Nodes[3] = schema.NodeSummary{
		ID: "n3", Status: schema.NodeDown, LastSeen: at("03:02:00"), BootAt: at("02:58:00"), MemoryPercent: new(97.4), CPUPercent: new(12.0),
		Disks: []schema.DiskSummary{{Mount: "/"}, {Mount: "/var", UsedPercent: new(71.0)}},
	}
	conds := []schema.Condition{{Name: "node_down", Severity: "critical", Since: at("03:02:00"), Title: "node n3 is down"}}
	got, d, ev := diagnosed(s, schema.Object{Kind: schema.KindNode, Name: "n3"}, conds, victims)
	want := told{"n3", "node", "n3 has not been seen since 03:02:00 UTC; before that memory 97 % used", "high", "inspect n3", ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("diagnosis (-want +got):\n%s", diff)
	}
	if want := "Affected: shop/s000, shop/s001, shop/s002 (+47)"; !strings.HasSuffix(d.RootCause.Statement, want) {
		t.Errorf("statement %q does not end with %q", d.RootCause.Statement, want)
	}
	all := texts(ev)
	for _, want := range []string{
		"node n3: last known of it: memory 97 % used; processors 12 % busy; disk /var 71 % full; booted 02:58:00 UTC",
		"neighbour n3: 49 services affected (service_down): shop/s000, shop/s001, ", "shop/s009 (+39)\n",
		"neighbour n3: 1 service affected (unhealthy): shop/s049\n",
		"neighbour n3: 51 services are on it in the snapshot; 50 services affected",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not in\n%s", want, all)
		}
	}
}

func TestADatabaseSaysWhoCallsItAndWhatTheyLog(t *testing.T) {
	services, victims := fleet(12, func(i int, s *schema.ServiceSummary) {
		s.DependsOn = []string{"db"}
		s.RecentLogs = []string{"starting", fmt.Sprintf("ERROR connect to db:5432 as user%d password=hunter2hunter2: refused", i)}
	})
	down := running("db", 0)
	down.Image, down.LastFailure = "postgres:17", &schema.Failure{Reason: schema.FailureExit, ExitCode: new(1), At: at("03:02:00")}
	conds := []schema.Condition{{Name: "service_down", Severity: "critical", Since: at("03:02:00"), Title: "db: 0 of 1 running"}}
	got, d, ev := diagnosed(well(append(services, down), 4), service("db"), conds, victims)
	if want := (told{"shop/db", "crash", "db ended with exit code 1", "medium", "logs shop/db", ""}); got != want {
		t.Errorf("diagnosis %+v, want %+v", got, want)
	}
	if want := "the log of all 12 affected names it"; !strings.Contains(d.ConfidenceWhy, want) {
		t.Errorf("confidence: %q, which does not say that %s", d.ConfidenceWhy, want)
	}
	all := texts(ev)
	for _, want := range []string{
		"neighbour shop/db: 12 services affected (service_down): shop/s000, ",
		"neighbour shop/db: of those affected, all 12 depend on it\n",
		"log shop/s000: ERROR connect to db:<num> as user<num> password=[REDACTED:secret] refused (and 11 more of those affected log this) ×12\n",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not in\n%s", want, all)
		}
	}
	if strings.Contains(all, "12 services depend on it") {
		t.Errorf("those who depend on it are named twice:\n%s", all)
	}
	if strings.Contains(all, "hunter2") {
		t.Errorf("a secret is in\n%s", all)
	}
}

func TestARolloutIsBorneOutByOthersOfTheSameImage(t *testing.T) {
	services, victims := fleet(3, func(_ int, s *schema.ServiceSummary) { s.Image = "app:1.5" })
	first := running("web", 0)
	first.Image, first.PreviousImage, first.LastDeployAt = "app:1.5", "app:1.4", at("03:01:00")
	conds := []schema.Condition{{Name: "service_down", Severity: "critical", Since: at("03:02:00"), Title: "web: 0 of 1 running"}}
	_, d, ev := diagnosed(well(append(services, first), 4), service("web"), conds, victims)
	if d.RootCause.Category != "rollout" || d.Confidence != "high" || !strings.HasSuffix(d.ConfidenceWhy, ", and 3 services fail with it") {
		t.Errorf("%s, %s: %s", d.RootCause.Category, d.Confidence, d.ConfidenceWhy)
	}
	if all := texts(ev); !strings.Contains(all, "of those affected, all 3 run the same image app:1.5") {
		t.Errorf("the evidence does not say so:\n%s", all)
	}
}

func TestWhatOutlivedItsCauseNamesIt(t *testing.T) {
	back := cache()
	back.LastFailure = &schema.Failure{Reason: schema.FailureExit, ExitCode: new(1), At: at("07:55:00")}
	old := cache()
	old.Name, old.LastFailure = "db", &schema.Failure{Reason: schema.FailureExit, ExitCode: new(1), At: at("05:00:00")}
	s := snapshot(crashing(), old, back)
	s.Nodes[0].BootAt = at("07:50:00")
	_, d, ev := diagnosed(s, checkout(), crashLoop(), nil)
	all := texts(ev)
	for _, want := range []string{
		"neighbour shop/cache: checkout depends on cache: 1 of 1 running; shop-cache-1 running; image redis:8; it failed or was stopped 07:55:00 UTC, and runs again\n",
		"node n1: node n1 booted 07:50:00 UTC, so that all on it had to start anew\n",
	} {
		if !strings.Contains(strings.ReplaceAll(all, "shop-cache-1 running; ", ""), strings.ReplaceAll(want, "shop-cache-1 running; ", "")) {
			t.Errorf("%q is not in\n%s", want, all)
		}
	}
	if strings.Contains(all, "05:00") {
		t.Errorf("what failed hours ago is named:\n%s", all)
	}
	want := []schema.Alternative{
		{Statement: "checkout has not got over the end of cache, which it depends on: it failed or was stopped 07:55:00 UTC, and runs again", Check: "whether it connects again, or has to be restarted"},
		{Statement: "checkout did not come back with its node: node n1 booted 07:50:00 UTC, so that all on it had to start anew", Check: "what it has logged since then"},
	}
	if diff := cmp.Diff(want, d.Alternatives); diff != "" {
		t.Errorf("alternatives (-want +got):\n%s", diff)
	}
}

func TestPromptOfACauseOfManyStaysWithinItsBudgetAtEverySize(t *testing.T) {
	for _, n := range []int{10, 1000, 10_000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			services, victims := fleet(n, func(i int, s *schema.ServiceSummary) {
				s.Name += strings.Repeat("x", 150)
				s.DependsOn, s.Image = []string{"db"}, "app:1.5"
				s.LastDeployAt = at("03:00:00")
				for j := range schema.MaxLogLines * min(1, max(0, 50-i)) {
					s.RecentLogs = append(s.RecentLogs, fmt.Sprintf("error %c no db %c %s", 'a'+i%26, 'a'+j%26, strings.Repeat("z", 360)))
				}
			})
			s := well(append(services, stopped()), 0)
			o, conds := prod, storming()
			v := diagnose.NewView(&s)
			for range 2 {
				c := schema.Conversation{ID: schema.ConversationID("prod", o), Cluster: "prod", Object: o, Conditions: conds, Condition: conds[0].Name, Title: conds[0].Title}
				c.Evidence = v.Freeze(o, conds, victims)
				c.Diagnosis = new(v.ByRules(o, conds, victims, c.Evidence))
				for _, p := range []diagnose.Prompt{diagnose.VerdictPrompt(c, &s), diagnose.QuestionPrompt(c, &s, schema.Message{Content: strings.Repeat("why? ", 3000)})} {
					if tokens := (len(p.System) + len(p.User)) / 3; tokens > diagnose.MaxPromptTokens {
						t.Errorf("%s: about %d tokens", o, tokens)
					}
					if !strings.Contains(p.User, "services affected (service_down)") || !strings.Contains(p.User, "shop/db") {
						t.Errorf("%s: the prompt does not say who is affected:\n%s", o, p.User)
					}
				}
				o, conds = service("db"), []schema.Condition{{Name: "service_down", Severity: "critical", Since: at("03:02:00"), Title: "db: 0 of 1 running"}}
			}
		})
	}
}

func TestTheSameVictimsGiveTheSameBytes(t *testing.T) {
	services, victims := fleet(60, func(i int, s *schema.ServiceSummary) {
		s.DependsOn, s.Namespace, s.Nodes = []string{"db"}, "billing", []string{"n3"}
		s.Image, s.LastDeployAt = "app:1.5", at("03:00:00")
	})
	s := well(append(services, stopped()), 60)
	_, first, evidence := diagnosed(s, prod, storming(), victims)
	for range 20 {
		_, d, ev := diagnosed(s, prod, storming(), victims)
		if diff := cmp.Diff(first, d) + cmp.Diff(evidence, ev); diff != "" {
			t.Fatalf("again it differs (-first +again):\n%s", diff)
		}
	}
}
