package analyzer_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/llm/llmtest"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// town is a cluster of a database and services that need it. They fail one after the other.
type town struct {
	name    string
	callers int
}

func (w town) object(name string) schema.Object {
	return schema.Object{Kind: schema.KindService, Namespace: "shop", Name: name}
}

func (w town) id(name string) string { return schema.ConversationID(w.name, w.object(name)) }

func (w town) caller(k int) string { return w.id(fmt.Sprintf("caller-%03d", k)) }

// at is the n-th snapshot, with so many running of the database and of each caller.
func (w town) at(n, db, each int) schema.ClusterContext {
	s := e2e.Snapshot(w.name, n, 1)
	s.Services = []schema.ServiceSummary{{Name: "db", Namespace: "shop", ReplicasRunning: new(db), ReplicasDesired: new(1)}}
	for k := range w.callers {
		s.Services = append(s.Services, schema.ServiceSummary{
			Name: fmt.Sprintf("caller-%03d", k), Namespace: "shop", ReplicasRunning: new(each), ReplicasDesired: new(1), DependsOn: []string{"db"},
		})
	}
	return s
}

func (w town) head(t *testing.T, b *bus.Bus, id string) schema.Conversation {
	t.Helper()
	head, err := b.Head(t.Context(), w.name, id)
	if err != nil {
		t.Fatal(err)
	}
	return head.Conversation
}

// sayAs stores a reply of a named person.
func sayAs(t *testing.T, b *bus.Bus, id, name, text string) {
	t.Helper()
	body, err := json.Marshal(schema.Reply{Schema: schema.ReplyVersion, Conversation: id, Text: text, Author: schema.Author{Name: name}})
	if err != nil {
		t.Fatal(err)
	}
	e2e.Say(t, b, id, string(body))
}

// contents lists what a conversation's messages of one kind say.
func contents(c schema.Conversation, kind string) (all []string) {
	for _, m := range c.Messages {
		if m.Kind == kind {
			all = append(all, m.Content)
		}
	}
	return all
}

func times(all []string, text string) (n int) {
	for _, x := range all {
		if x == text {
			n++
		}
	}
	return n
}

// Four analyzers fold at once while a fifth of their writes die, and while people talk to what is folded.
func TestAFleetUnderKillsFoldsOnceAndLosesNothingThatWasSaid(t *testing.T) {
	const callers = 6
	s, hook, model := bustest.Server(t), e2e.NewReceiver(t), llmtest.New(t)
	f := &fate{dice: rand.New(rand.NewPCG(3, 4))}
	for range 4 {
		a := e2e.NewAnalyzer(t, s, llm.Config{BaseURL: model.URL(), Model: "test"})
		a.Killed(f.decide, errKilled)
		e2e.Start(t, a.Part())
	}
	for range 2 {
		e2e.StartNotifier(t, s, hook.URL)
	}
	b := s.Connect(t)
	var towns []town
	for i := range 3 {
		towns = append(towns, town{fmt.Sprintf("c%d", i), callers})
	}
	publish := func(n, db, each int) {
		for _, w := range towns {
			e2e.Publish(t, b, w.at(n, db, each))
		}
	}
	step := func(n, db, each int) {
		publish(n, db, each)
		bustest.Settled(t, b)
	}
	step(0, 1, 1)
	step(1, 1, 0)
	step(2, 1, 0)
	for _, w := range towns {
		sayAs(t, b, w.caller(0), "anna", "ack")
	}
	step(3, 0, 0)
	var talk sync.WaitGroup
	for _, w := range towns {
		talk.Go(func() {
			for k := range callers {
				for n := range 2 {
					e2e.Say(t, b, w.caller(k), fmt.Sprintf("question %d of %d?", n, k))
				}
			}
		})
	}
	publish(4, 0, 0) // while people ask
	talk.Wait()
	bustest.Settled(t, b)
	step(5, 0, 0)
	for _, w := range towns {
		for k := range callers {
			e2e.Say(t, b, w.caller(k), fmt.Sprintf("late question of %d?", k))
		}
		sayAs(t, b, w.caller(1), "ben", "ack")
	}
	bustest.Settled(t, b)
	for _, w := range towns {
		checkFolded(t, b, w)
	}
	for n := range 10 {
		step(6+n, 1, 1)
	}
	for _, w := range towns {
		if db := w.head(t, b, w.id("db")); db.State != schema.StateCleared || e2e.Count(db, "opened") != 1 || e2e.Count(db, "diagnosed") != 1 {
			t.Errorf("%s: the database is %s: %v", w.name, db.State, e2e.Kinds(db))
		}
	}
	if f.kills == 0 {
		t.Fatal("nothing was killed")
	}
	checkTold(t, bustest.Conversations(t, b), hook.All())
	t.Logf("%d writes killed", f.kills)
}

func checkFolded(t *testing.T, b *bus.Bus, w town) {
	t.Helper()
	db := w.head(t, b, w.id("db"))
	asked := contents(db, schema.EventAsked)
	if db.Owner != "ben" || e2e.Count(db, "acknowledged") != 2 || db.AffectedCount != w.callers || e2e.Count(db, "opened") != 1 {
		t.Errorf("%s: the database has the owner %q and %d affected: %v", w.name, db.Owner, db.AffectedCount, e2e.Kinds(db))
	}
	if want := []string{"anna has it, having taken shop/caller-000, which this explains.", "ben takes it over from anna."}; !slices.Equal(contents(db, schema.EventAcknowledged), want) {
		t.Errorf("%s: acknowledged: %q", w.name, contents(db, schema.EventAcknowledged))
	}
	answered := map[string]int{}
	for _, m := range db.Messages {
		answered[m.Settles]++
	}
	for _, m := range db.Messages {
		if m.Kind == schema.EventAsked && answered[m.ID] != 1 {
			t.Errorf("%s: %q was answered %d times", w.name, m.Content, answered[m.ID])
		}
	}
	for k := range w.callers {
		c := w.head(t, b, w.caller(k))
		if c.State != schema.StateFolded || c.FoldedInto != db.ID || e2e.Count(c, "opened") != 1 || e2e.Count(c, "folded") != 1 {
			t.Errorf("%s: caller %d is %s into %q: %v", w.name, k, c.State, c.FoldedInto, e2e.Kinds(c))
		}
		own, passed := contents(c, schema.EventAsked), 0
		for _, q := range []string{fmt.Sprintf("question 0 of %d?", k), fmt.Sprintf("question 1 of %d?", k), fmt.Sprintf("late question of %d?", k)} {
			here, there := times(own, q), times(asked, q)
			switch {
			case here == 1 && there == 1, here == 1 && there == 0 && settledHere(c, q):
			case here == 0 && there == 1:
				passed++
			default:
				t.Errorf("%s: %q was asked %d times of caller %d and %d times of the database", w.name, q, here, k, there)
			}
		}
		if k == 1 {
			passed++ // ben's
		}
		wentOn := slices.DeleteFunc(contents(c, schema.EventAnswered), func(text string) bool { return !strings.HasPrefix(text, "That went on to shop/db (") })
		if len(wentOn) != passed || passed == 0 {
			t.Errorf("%s: caller %d says %d times that something went on, and %d things did", w.name, k, len(wentOn), passed)
		}
	}
}

// settledHere tells whether a question was answered where it was asked.
func settledHere(c schema.Conversation, question string) bool {
	for _, q := range c.Messages {
		if q.Kind == schema.EventAsked && q.Content == question {
			return slices.ContainsFunc(c.Messages, func(m schema.Message) bool { return m.Settles == q.ID })
		}
	}
	return false
}

// What is folded before a model is asked costs no call, neither its diagnosis nor its question; what explains it costs one
// for each.
func TestNoModelIsAskedForWhatWasFoldedMeanwhile(t *testing.T) {
	s, model := bustest.Server(t), llmtest.New(t)
	e2e.StartAnalyzer(t, s, llm.Config{BaseURL: model.URL(), Model: "test"})
	b, w := s.Connect(t), town{"prod", 7}
	bustest.Pause(t, b, bus.StreamAlerts, "diagnose")
	bustest.Pause(t, b, bus.StreamAlerts, "answer")
	for n, running := range [][2]int{{1, 1}, {1, 0}, {1, 0}} {
		e2e.Publish(t, b, w.at(n, running[0], running[1]))
		bustest.Settled(t, b, "diagnose", "answer", "notify-webhook")
	}
	e2e.Say(t, b, w.caller(3), "why?")
	for n := 3; n < 6; n++ {
		e2e.Publish(t, b, w.at(n, 0, 0))
		bustest.Settled(t, b, "diagnose", "answer", "notify-webhook")
	}
	if c := w.head(t, b, w.caller(3)); c.State != schema.StateFolded {
		t.Fatalf("the caller is %s: %v", c.State, e2e.Kinds(c))
	}
	bustest.Resume(t, b, bus.StreamAlerts, "diagnose")
	bustest.Resume(t, b, bus.StreamAlerts, "answer")
	bustest.Settled(t, b, "notify-webhook")
	db := w.head(t, b, w.id("db"))
	if e2e.Count(db, "diagnosed") != 1 || e2e.Count(db, "asked") != 1 || e2e.Count(db, "answered") != 1 || db.Usage.Calls != 2 {
		t.Errorf("the database: %v, %d calls", e2e.Kinds(db), db.Usage.Calls)
	}
	if got := len(model.Requests()); got != 2 {
		t.Errorf("the model was asked %d times, want once for the diagnosis and once for the answer", got)
	}
	for k := range w.callers {
		if c := w.head(t, b, w.caller(k)); c.Usage.Calls != 0 || e2e.Count(c, "diagnosed")+e2e.Count(c, "answered") != 0 {
			t.Errorf("caller %d: %v, %d calls", k, e2e.Kinds(c), c.Usage.Calls)
		}
	}
}

// However many fail at once, what is stored is one event.
func TestAStormOfAThousandIsOneWrite(t *testing.T) {
	s := bustest.Server(t)
	e2e.StartAnalyzer(t, s, llm.Config{})
	b, w := s.Connect(t), town{"prod", 1000}
	for n, running := range []int{1, 1, 0, 0, 0, 0} {
		snapshot := w.at(n, 1, running)
		for i := range snapshot.Services {
			snapshot.Services[i].DependsOn = nil
		}
		e2e.Publish(t, b, snapshot)
		bustest.Settled(t, b, "notify-webhook")
	}
	all := bustest.Conversations(t, b)
	if len(all) != 1 || all[0].Object.Kind != schema.KindCluster || all[0].Revision != 1 || all[0].AffectedCount != 1000 {
		t.Fatalf("%d conversations, the first about %s at revision %d", len(all), all[0].Object, all[0].Revision)
	}
}

// Replies follow what is folded to what explains it, through what that is folded into itself. Once that is closed the
// folded one hears for itself.
func TestAReplyFollowsToWhatIsStillOpen(t *testing.T) {
	s := bustest.Server(t)
	e2e.StartAnalyzer(t, s, llm.Config{})
	b := s.Connect(t)
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	chain := make([]schema.Conversation, 4) // each but the last one is folded into the next
	for i := range chain {
		o := schema.Object{Kind: schema.KindService, Name: fmt.Sprint("s", i)}
		chain[i] = schema.Conversation{
			Schema: schema.ConversationVersion, ID: schema.ConversationID("prod", o), Cluster: "prod", Object: o, Severity: schema.SeverityCritical,
			Condition: "service_down", Episode: 1, StartedAt: at, UpdatedAt: at, Revision: 1, State: schema.StateInvestigating,
			Conditions: []schema.Condition{{Name: "service_down", Severity: schema.SeverityCritical, Since: at}},
		}
		chain[i].Messages = []schema.Message{{ID: chain[i].ID + "-1", At: at, Kind: schema.EventOpened, Sender: schema.SenderSystem}}
	}
	for i := range chain[:3] {
		c := &chain[i]
		c.ClosedAs, c.ClosedAt, c.State, c.FoldedInto = schema.StateFolded, at, schema.StateFolded, chain[i+1].ID
		c.Conditions[0].Until = at
	}
	for _, c := range chain {
		if _, err := b.Append(t.Context(), bus.Write{Conversation: c, Event: c.Messages[0]}); err != nil {
			t.Fatal(err)
		}
	}
	say := func(text string) {
		sayAs(t, b, chain[0].ID, "anna", text)
		bustest.Settled(t, b, "notify-webhook")
	}
	head := func(i int) schema.Conversation {
		h, err := b.Head(t.Context(), "prod", chain[i].ID)
		if err != nil {
			t.Fatal(err)
		}
		return h.Conversation
	}
	say("ack")
	if first, last := head(0), head(3); last.Owner != "anna" || !slices.Equal(e2e.Kinds(first), []string{"opened", "answered"}) {
		t.Errorf("the last one is %q's: %v; the first: %v", last.Owner, e2e.Kinds(last), e2e.Kinds(first))
	}
	say("dismiss")
	say("why?")
	if first, last := head(0), head(3); last.State != schema.StateDismissed || !slices.Equal(e2e.Kinds(first), []string{"opened", "answered", "answered", "asked", "answered"}) {
		t.Errorf("the last one is %s: %v; the first: %v", last.State, e2e.Kinds(last), e2e.Kinds(first))
	}
	for _, i := range []int{1, 2} {
		if c := head(i); c.Revision != 1 {
			t.Errorf("what lies between heard something: %v", e2e.Kinds(c))
		}
	}
}
