package analyzer_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Between the write of what explains and the write of what is explained a person asks the latter something, and takes it.
// Both go on in the former, whether the analyzer dies there or loses its write to those of the reply.
func TestWhatIsSaidBetweenTheTwoWritesOfAFoldGoesOn(t *testing.T) {
	const third = 3 // writes of that snapshot: the memory, the database, the caller
	for _, dies := range []bool{false, true} {
		t.Run(map[bool]string{false: "raced", true: "died"}[dies], func(t *testing.T) {
			s := bustest.Server(t)
			a := e2e.NewAnalyzer(t, s, llm.Config{})
			var armed atomic.Bool
			var writes atomic.Int32
			reached, goOn := make(chan struct{}), make(chan struct{})
			a.Killed(func() (before, after bool) {
				if !armed.Load() || writes.Add(1) != third {
					return false, false
				}
				close(reached)
				<-goOn
				return dies, false
			}, errKilled)
			e2e.Start(t, a.Part())
			b, w := s.Connect(t), town{"prod", 1}
			for n, running := range [][2]int{{1, 1}, {1, 0}, {1, 0}, {0, 0}} {
				e2e.Publish(t, b, w.at(n, running[0], running[1]))
				bustest.Settled(t, b, "notify-webhook")
			}
			bustest.Pause(t, b, bus.StreamAlerts, "answer")
			armed.Store(true)
			e2e.Publish(t, b, w.at(4, 0, 0))
			<-reached
			if db := w.head(t, b, w.id("db")); db.State != schema.StateInvestigating || e2e.Count(db, "opened") != 1 {
				t.Fatalf("the database is %s before its caller folds", db.State)
			}
			sayAs(t, b, w.caller(0), "anna", "why?")
			sayAs(t, b, w.caller(0), "anna", "ack")
			e2e.Await(t, b, w.name, w.caller(0), "the reply", func(c schema.Conversation) bool { return c.Owner == "anna" })
			close(goOn)
			bustest.Settled(t, b, "notify-webhook", "answer")
			bustest.Resume(t, b, bus.StreamAlerts, "answer")
			bustest.Settled(t, b, "notify-webhook")
			db, c := w.head(t, b, w.id("db")), w.head(t, b, w.caller(0))
			if db.Owner != "anna" || e2e.Count(db, "acknowledged") != 1 || e2e.Count(db, "opened") != 1 || e2e.Count(c, "folded") != 1 {
				t.Errorf("the database is %q's: %v; the caller: %v", db.Owner, e2e.Kinds(db), e2e.Kinds(c))
			}
			if e2e.Count(c, "answered") != 0 || e2e.Count(db, "asked") != 1 || e2e.Count(db, "answered") != 1 {
				t.Errorf("the question is not the database's: %v and %v", e2e.Kinds(c), e2e.Kinds(db))
			}
		})
	}
}

// A storm stands still while its cluster is silent, and does not end with the first snapshot that comes again.
func TestAStormOutlivesTheSilenceOfItsCluster(t *testing.T) {
	s := bustest.Server(t)
	a := listener(t, s)
	b, w := s.Connect(t), town{"prod", 20}
	publish := func(n, running int) {
		snapshot := w.at(n, 1, running)
		for i := range snapshot.Services {
			snapshot.Services[i].DependsOn = nil
		}
		e2e.Publish(t, b, snapshot)
		settled(t, b)
	}
	still := func() (names []string) {
		for _, x := range head(t, b, "prod", silenceID("prod")).Conditions {
			if x.Until.IsZero() {
				names = append(names, x.Name)
			}
		}
		slices.Sort(names)
		return names
	}
	for n, running := range []int{1, 1, 0, 0, 0} {
		publish(n, running)
	}
	if got := still(); !slices.Equal(got, []string{detect.Storm}) {
		t.Fatalf("before the silence: %q", got)
	}
	listenFrom(t, a, time.Now(), 0, 5*time.Minute)
	if got := still(); !slices.Equal(got, []string{detect.ClusterSilent, detect.Storm}) {
		t.Errorf("while it is silent: %q", got)
	}
	publish(5, 0)
	publish(6, 0)
	if got := still(); !slices.Equal(got, []string{detect.Storm}) {
		t.Errorf("after two snapshots: %q", got)
	}
	if c := head(t, b, "prod", silenceID("prod")); e2e.Count(c, schema.EventOpened) != 1 || e2e.Count(c, schema.EventEased) != 1 {
		t.Errorf("events: %v", e2e.Kinds(c))
	}
}
