package decide_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func service(k int) string { return fmt.Sprintf("s-%04d", k) }

func TestANodeDownUnderFiftyServicesIsOneConversation(t *testing.T) {
	w := newWorld(t)
	w.node("n1", "healthy")
	for k := range 50 {
		w.runs(service(k), 1, "n1")
	}
	w.pass(4)
	w.node("n1", "down")
	for k := range 50 {
		w.runs(service(k), 0, "n1")
	}
	w.pass(6)
	w.stands("n1 investigating, 50 affected")
	c := w.about("n1")
	if len(c.Affected) != 50 || c.Affected[0].Condition != "service_down" || c.Affected[0].Since.IsZero() {
		t.Errorf("affected: %v", c.Affected)
	}
	w.node("n1", "healthy")
	for k := range 50 {
		w.runs(service(k), 1, "n1")
	}
	w.pass(12)
	w.stands("n1 cleared, 50 affected")
}

func TestSomethingCriticalThatJoinsWhatIsOwnedForLongIsHeard(t *testing.T) {
	for _, tt := range []struct {
		name   string
		owned  bool
		passes int
		silent bool
	}{
		{"owned-for-long", true, 125, false},
		{"owned-a-moment-ago", true, 10, true},
		{"nobodys", false, 125, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.node("n1", "healthy")
			w.runs(service(1), 1, "n1")
			w.runs(service(2), 1, "n1")
			w.pass(4)
			w.node("n1", "down")
			w.runs(service(1), 0, "n1")
			w.pass(6)
			if tt.owned {
				w.say("n1", "ack")
			}
			w.pass(tt.passes)
			w.runs(service(2), 0, "n1")
			w.pass(6)
			messages := w.about("n1").Messages
			i := slices.IndexFunc(messages, func(m schema.Message) bool { return m.Content == "Also affected: shop/s-0002." })
			if i < 0 || messages[i].Kind != schema.EventGrown || messages[i].Silent != tt.silent {
				t.Errorf("message %d of %+v, want silent %v", i, messages, tt.silent)
			}
		})
	}
}

func TestAStormOfAThousandIsOneConversationAndSplitsSilently(t *testing.T) {
	w := newWorld(t)
	for k := range 1000 {
		w.runs(service(k), 1, "")
	}
	w.pass(4)
	for k := range 1000 {
		w.runs(service(k), 0, "")
	}
	w.pass(4)
	w.stands("prod investigating, 1000 affected")
	if c := w.about("prod"); len(c.Affected) != schema.MaxAffected || len(w.founds) != 1 {
		t.Errorf("%d named, %d founds", len(c.Affected), len(w.founds))
	} else if want := "1000 services fail at once, and nothing that they share was found"; c.Diagnosis.Summary != want {
		t.Errorf("diagnosis %q, want %q: of all members, not of those that are named", c.Diagnosis.Summary, want)
	}
	for k := range 998 {
		w.runs(service(k), 1, "")
	}
	w.pass(10)
	w.stands("prod cleared, 1000 affected", "shop/s-0998 investigating, silently", "shop/s-0999 investigating, silently")
}

func TestVictimsThatOpenedFirstFoldIntoTheCause(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"api", "web"} {
		w.runs(name, 1, "", "db")
	}
	w.runs("db", 1, "")
	w.pass(4)
	w.runs("api", 0, "", "db")
	w.runs("web", 0, "", "db")
	w.pass(2)
	w.say("shop/api", "ack")
	w.say("shop/web", "why?")
	w.stands("shop/api acknowledged", "shop/web investigating")
	w.runs("db", 0, "")
	w.pass(2)
	w.stands("shop/api folded, silently", "shop/db acknowledged, 2 affected", "shop/web folded, silently")
	if want := []string{"shop/db asked", "shop/api folded", "shop/web folded"}; !slices.Equal(w.order, want) {
		t.Errorf("changed: %q, want %q", w.order, want)
	}
	db := w.about("shop/db")
	if got := w.about("shop/web").FoldedInto; got != db.ID || db.Owner != "anna" || len(conversation.Owed(db)) != 2 {
		t.Errorf("folded into %s, owner %s, owes %v", got, db.Owner, conversation.Owed(db))
	}
	// What outlives the database is told by itself again.
	w.runs("db", 1, "")
	w.pass(20)
	w.stands("shop/api investigating", "shop/db cleared, 2 affected", "shop/web investigating")
}

func TestADismissedCauseExplainsNothing(t *testing.T) {
	w := newWorld(t)
	w.runs("api", 1, "", "db")
	w.runs("db", 1, "")
	w.pass(4)
	w.runs("api", 0, "", "db")
	w.runs("db", 0, "")
	w.pass(3)
	w.stands("shop/db investigating, 1 affected")
	w.say("shop/db", "dismiss")
	w.pass(1)
	w.stands("shop/db dismissed, 1 affected", "shop/api investigating")
	w.pass(4)
	w.stands("shop/db dismissed, 1 affected", "shop/api investigating")
}

// What a storm was made of stands for itself when the storm is dismissed, and what those explain stays with them.
func TestADismissedStormLeavesCausesTheirVictims(t *testing.T) {
	w := newWorld(t)
	var wants []string
	fail := func(n int) {
		w.runs("db", n, "")
		for k := range 20 {
			w.runs(service(k), n, "", "db")
		}
		for k := range 10 {
			w.runs(fmt.Sprintf("x-%d", k), n, "")
		}
	}
	fail(1)
	w.pass(4)
	fail(0)
	w.pass(4)
	w.stands("prod investigating, 31 affected")
	w.say("prod", "dismiss")
	w.pass(2)
	for k := range 10 {
		wants = append(wants, fmt.Sprintf("shop/x-%d investigating", k))
	}
	w.stands(append(wants, "prod dismissed, 31 affected", "shop/db investigating, 20 affected")...)
	if a := w.about("shop/db").Affected; len(a) != 20 || a[0].Condition != "service_down" {
		t.Errorf("affected by the database: %v", a)
	}
}

// A cluster of which nothing came may have a storm at once: each of the two who find something about it leaves what the
// other one found.
func TestASilentClusterKeepsItsStorm(t *testing.T) {
	w := newWorld(t)
	for k := range 20 {
		w.runs(service(k), 1, "")
	}
	w.pass(4)
	for k := range 20 {
		w.runs(service(k), 0, "")
	}
	w.pass(4)
	c := w.about("prod")
	silent := schema.Condition{Name: "cluster_silent", Severity: "critical", Since: w.now.TakenAt}
	c, _ = conversation.Next(c, conversation.Found{
		At: w.now.TakenAt, Cluster: "prod", Object: c.Object, Seq: w.seq, Epoch: epoch, Late: true, Conditions: []schema.Condition{c.Conditions[0], silent},
	})
	w.talks[c.ID] = c
	still := func() (names []string) {
		for _, x := range w.about("prod").Conditions {
			if x.Until.IsZero() {
				names = append(names, x.Name)
			}
		}
		slices.Sort(names)
		return names
	}
	w.memory.Heard.Times = 0 // the next snapshot is the first one after the silence
	w.pass(1)
	if got := still(); !slices.Equal(got, []string{"cluster_silent", "storm"}) {
		t.Errorf("after one snapshot: %q", got)
	}
	w.pass(1)
	if got := still(); !slices.Equal(got, []string{"storm"}) {
		t.Errorf("after two snapshots: %q", got)
	}
	for k := range 20 {
		w.runs(service(k), 1, "")
	}
	w.memory.Heard.Times = 0 // silent for a moment, while the storm ends
	c, _ = conversation.Next(w.about("prod"), conversation.Found{
		At: w.now.TakenAt, Cluster: "prod", Object: c.Object, Seq: w.seq, Epoch: epoch, Late: true, Conditions: []schema.Condition{w.about("prod").Conditions[0], silent},
	})
	w.talks[c.ID] = c
	w.pass(10)
	w.stands("prod cleared, 20 affected")
}

// A node under ten thousand services: what is told is one thing, and the cost is linear in the victims.
func BenchmarkFoundsOfOneCause(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w, step := nodeDown(b, n)
			b.ReportAllocs()
			for b.Loop() {
				if founds := step.Founds(w); len(founds) != 1 || founds[0].VictimCount != n {
					b.Fatalf("%d founds", len(founds))
				}
			}
		})
	}
}

func TestWhatIsFoldedRests(t *testing.T) {
	w := newWorld(t)
	w.runs("api", 1, "", "db")
	w.runs("db", 1, "")
	w.pass(4)
	w.runs("api", 0, "", "db")
	w.pass(2)
	w.runs("db", 0, "")
	w.pass(2)
	w.stands("shop/api folded, silently", "shop/db investigating, 1 affected")
	if live := w.Live("prod"); len(live) != 1 || live[0].Object.Name != "db" {
		t.Errorf("live: %v", live)
	}
	w.pass(1)
	if len(w.founds) != 1 || w.founds[0].Object.Name != "db" {
		t.Errorf("what rests is told something: %+v", w.founds)
	}
}
