package analyzer_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/llm/llmtest"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// alert is what a made-up source of alerts says of prod.
func alert(source, name, condition string, firing bool) schema.Finding {
	return schema.Finding{
		Schema: schema.FindingVersion, Cluster: "prod", Object: schema.Object{Kind: "alert", Name: name}, Condition: condition,
		Severity: schema.SeverityWarning, Title: name + " is burning", Facts: []string{"smoke"}, Firing: firing, Source: source,
	}
}

// say publishes a finding under the token of a cluster.
func say(t *testing.T, b *bus.Bus, token string, f schema.Finding) {
	t.Helper()
	body, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Publish(t.Context(), "bellbuoy.findings."+token, body, ""); err != nil {
		t.Fatal(err)
	}
}

func idOf(f schema.Finding) string { return schema.ConversationID(f.Cluster, f.Object) }

func TestAFindingOpensOneConversationAndItsEndClearsIt(t *testing.T) {
	s := bustest.Server(t)
	listener(t, s)
	listener(t, s)
	hook := e2e.NewReceiver(t)
	e2e.StartNotifier(t, s, hook.URL)
	b := s.Connect(t)
	f := alert("pager", "kitchen", "fire", true)
	for range 3 {
		say(t, b, "prod", f)
		settled(t, b)
	}
	c := head(t, b, "prod", idOf(f))
	if c.Title != "kitchen is burning" || c.Severity != schema.SeverityWarning || c.Condition != "fire" {
		t.Errorf("%s %s %q", c.Condition, c.Severity, c.Title)
	}
	if diff := cmp.Diff([]string{"smoke", "as said by pager"}, c.Conditions[0].Facts); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
	asked := client.New(b)
	why, err := asked.Why(t.Context(), "alert/kitchen")
	if err != nil || len(why.Objects) != 1 || why.Objects[0].Reasons[0].Verdict != detect.VerdictFiring {
		t.Errorf("why: %+v, %v", why, err)
	}
	e2e.Say(t, b, c.ID, "ack")
	e2e.Await(t, b, "prod", c.ID, "the ack", func(c schema.Conversation) bool { return c.State == schema.StateAcknowledged })
	f.Firing = false
	say(t, b, "prod", f)
	settled(t, b)
	c = head(t, b, "prod", idOf(f))
	if diff := cmp.Diff([]string{"opened", "acknowledged", "cleared"}, e2e.Kinds(c)); diff != "" || c.State != schema.StateCleared {
		t.Errorf("%s, events (-want +got):\n%s", c.State, diff)
	}
	hook.Until(t, "the end", func(posts []e2e.Post) bool {
		return len(posts) > 0 && e2e.Has(posts[len(posts)-1], schema.EventCleared)
	})
	why, err = asked.Why(t.Context(), "alert/kitchen")
	if err != nil || why.Objects[0].Reasons[0].Verdict != detect.VerdictWell {
		t.Errorf("why: %+v, %v", why, err)
	}
}

func TestWhatNobodySaysAgainIsRemovedNotRecovered(t *testing.T) {
	s := bustest.Server(t)
	a := listener(t, s)
	b := s.Connect(t)
	f := alert("pager", "kitchen", "fire", true)
	say(t, b, "prod", f)
	settled(t, b)
	now := time.Now()
	listenFrom(t, a, now, 0, 4*time.Minute+50*time.Second)
	if c := head(t, b, "prod", idOf(f)); c.Closed() {
		t.Fatalf("closed as %s before its time", c.ClosedAs)
	}
	listenFrom(t, a, now, 5*time.Minute, 6*time.Minute)
	c := head(t, b, "prod", idOf(f))
	if c.ClosedAs != schema.StateRemoved || !strings.Contains(c.Messages[len(c.Messages)-1].Content, "pager has not said so again") {
		t.Errorf("closed as %q: %q", c.ClosedAs, c.Messages[len(c.Messages)-1].Content)
	}
}

func TestWhoHasNotListenedCallsNothingOver(t *testing.T) {
	s := bustest.Server(t)
	a := listener(t, s)
	b := s.Connect(t)
	f := alert("pager", "kitchen", "fire", true)
	say(t, b, "prod", f)
	settled(t, b)
	now := time.Now()
	listenFrom(t, a, now, time.Hour, time.Hour+4*time.Minute+50*time.Second)
	if c := head(t, b, "prod", idOf(f)); c.Closed() {
		t.Errorf("closed as %s", c.ClosedAs)
	}
	listenFrom(t, a, now, time.Hour+5*time.Minute, time.Hour+6*time.Minute)
	if c := head(t, b, "prod", idOf(f)); !c.Closed() {
		t.Error("open")
	}
}

func TestFindingsThatCannotBeTakenGoToTheDeadLetters(t *testing.T) {
	s := bustest.Server(t)
	listener(t, s)
	b := s.Connect(t)
	of := func(kind string) schema.Finding {
		f := alert("pager", "checkout", "fire", true)
		f.Object.Kind = kind
		return f
	}
	e2e.Publish(t, b, e2e.Snapshot("a.b", 0, 1)) // whose token another cluster shares
	settled(t, b)
	shared := alert("pager", "kitchen", "fire", true)
	shared.Cluster = "a-b"
	for _, tt := range []struct {
		name, token string
		finding     schema.Finding
		reason      string
	}{
		{"under-another-cluster", "staging", alert("pager", "kitchen", "fire", true), `cluster is "prod", but it was published for "staging"`},
		{"of-a-service", "prod", of(schema.KindService), "judged by snapshots alone"},
		{"of-a-node", "prod", of(schema.KindNode), "judged by snapshots alone"},
		{"of-a-cluster", "prod", of(schema.KindCluster), "judged by snapshots alone"},
		{"of-a-source", "prod", of(schema.KindSource), "judged by snapshots alone"},
		{"of-a-collector", "prod", of(schema.KindCollector), "judged by snapshots alone"},
		{"of-a-second-name-for-one-token", "a-b", shared, "two cluster names make the same subject"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			say(t, b, tt.token, tt.finding)
			settled(t, b)
			letter := bustest.Next[bus.DeadLetter](t, b, b.Subjects().Dead("analyzer"))
			if !strings.Contains(letter.Reason, tt.reason) {
				t.Errorf("dead letter says %q", letter.Reason)
			}
			if c := head(t, b, tt.finding.Cluster, idOf(tt.finding)); c.ID != "" {
				t.Error("a conversation was opened")
			}
		})
	}
}

func TestSnapshotsLeaveAloneWhatOthersSayOfTheirCluster(t *testing.T) {
	s := bustest.Server(t)
	listener(t, s)
	b := s.Connect(t)
	for n := range 10 {
		e2e.Publish(t, b, e2e.Snapshot("prod", n, 1))
		settled(t, b)
	}
	f := alert("pager", "kitchen", "fire", true)
	say(t, b, "prod", f)
	settled(t, b)
	for n := range 20 {
		e2e.Publish(t, b, e2e.Snapshot("prod", 10+n, 1))
		settled(t, b)
	}
	if diff := cmp.Diff([]string{"opened"}, e2e.Kinds(head(t, b, "prod", idOf(f)))); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestTheRulesFileRulesWhatPartsSayOfBellbuoy(t *testing.T) {
	channel := schema.Finding{
		Schema: schema.FindingVersion, Cluster: schema.OwnCluster, Object: schema.Object{Kind: schema.KindChannel, Name: "webhook"},
		Condition: schema.ChannelFailing, Severity: schema.SeverityCritical, Title: "channel webhook: posts do not go through", Firing: true, Source: "n",
	}
	s := bustest.Server(t)
	b := s.Connect(t)
	stop := ruled(t, s, "rules:\n  channel_failing: {severity: info, worse_severity: warning}\n")
	say(t, b, schema.OwnCluster, channel)
	settled(t, b)
	if c := head(t, b, schema.OwnCluster, idOf(channel)); c.Severity != schema.SeverityWarning {
		t.Errorf("severity %q", c.Severity)
	}
	why, err := client.New(b).Why(t.Context(), "channel/webhook")
	if err != nil || len(why.Objects) != 1 || !strings.Contains(why.Objects[0].Reasons[0].Text, "worse_severity warning by RULES_FILE line 2") {
		t.Errorf("why: %+v, %v", why, err)
	}
	stop()
	ruled(t, s, "rules:\n  channel_failing: off\n")
	say(t, b, schema.OwnCluster, channel)
	settled(t, b)
	c := head(t, b, schema.OwnCluster, idOf(channel))
	if c.ClosedAs != schema.StateRemoved || !strings.Contains(c.Messages[len(c.Messages)-1].Content, "switched off by RULES_FILE line 2") {
		t.Errorf("closed as %q: %q", c.ClosedAs, c.Messages[len(c.Messages)-1].Content)
	}
}

func TestASilenceCoversWhatOthersSay(t *testing.T) {
	q := newQuietStack(t)
	if _, err := q.Silence(t.Context(), client.SilenceRequest{Ref: "cluster=prod condition=fire", For: "1h", Reason: "drill", Author: "anna"}); err != nil {
		t.Fatal(err)
	}
	f := alert("pager", "kitchen", "fire", true)
	say(t, q.bus, "prod", f)
	bustest.Settled(t, q.bus)
	if c := head(t, q.bus, "prod", idOf(f)); c.State != schema.StateSilenced || len(q.hook.All()) > 0 {
		t.Errorf("%s, posts: %s", c.State, e2e.Shown(q.hook.All()))
	}
}

// Four analyzers fold what two sources say of five objects while a fifth of their writes die.
func TestFindingsUnderKillsComeToWhatWasSaidLast(t *testing.T) {
	const objects, rounds = 5, 12
	s := bustest.Server(t)
	f := &fate{dice: rand.New(rand.NewPCG(3, 4))}
	for range 4 {
		a := e2e.NewAnalyzer(t, s, llm.Config{})
		a.Deaf()
		a.Killed(f.decide, errKilled)
		a.KilledSaying(f.decide, errKilled)
		e2e.Start(t, a.Part())
	}
	b := s.Connect(t)
	last := map[string]map[string]bool{}
	dice := rand.New(rand.NewPCG(5, 6))
	for range rounds {
		for o := range objects {
			source, firing := []string{"a", "b"}[dice.IntN(2)], dice.IntN(2) == 0
			x := alert(source, fmt.Sprintf("o%d", o), "fire", firing)
			say(t, b, "prod", x)
			if last[idOf(x)] == nil {
				last[idOf(x)] = map[string]bool{}
			}
			last[idOf(x)][source] = firing
		}
	}
	settled(t, b)
	for o := range objects {
		x := alert("a", fmt.Sprintf("o%d", o), "fire", true)
		c, want := head(t, b, "prod", idOf(x)), last[idOf(x)]["a"] || last[idOf(x)]["b"]
		if open := c.ID != "" && !c.Closed(); open != want {
			t.Errorf("%s is open: %v, but a and b said last %v; events %v", x.Object, open, last[idOf(x)], e2e.Kinds(c))
		}
		seen := map[string]bool{}
		for _, e := range bustest.Events(t, b, idOf(x)) {
			if seen[e.ID] {
				t.Errorf("event %s is stored twice", e.ID)
			}
			seen[e.ID] = true
		}
	}
	if f.kills == 0 {
		t.Error("nothing was killed")
	}
}

// noticer is an analyzer that notices only when the test says so.
func noticer(t *testing.T, s *bustest.NATS, model llm.Config) (notice func(after time.Duration)) {
	t.Helper()
	a := e2e.NewAnalyzer(t, s, model)
	a.Deaf()
	a.Unnoticing()
	e2e.Start(t, a.Part())
	b := s.Connect(t)
	return func(after time.Duration) {
		t.Helper()
		a.Notice(t.Context(), time.Now().Add(after))
		settled(t, b)
	}
}

func own(kind, name string) string {
	return schema.ConversationID(schema.OwnCluster, schema.Object{Kind: kind, Name: name})
}

func TestDeadLettersAreToldUntilAnHourAfterTheLast(t *testing.T) {
	s := bustest.Server(t)
	notice, b := noticer(t, s, llm.Config{}), s.Connect(t)
	notice(0)
	if c := head(t, b, schema.OwnCluster, own(schema.KindDead, "analyzer")); c.ID != "" {
		t.Errorf("opened: %s", c.Title)
	}
	if _, err := b.Publish(t.Context(), b.Subjects().Context("prod"), []byte("no snapshot"), ""); err != nil {
		t.Fatal(err)
	}
	settled(t, b)
	notice(time.Second)
	notice(30 * time.Minute)
	c := head(t, b, schema.OwnCluster, own(schema.KindDead, "analyzer"))
	if c.Condition != detect.DeadLetters || c.Severity != schema.SeverityWarning || c.Closed() || !strings.Contains(c.Conditions[0].Facts[1], "decode snapshot") {
		t.Errorf("%s %s %v %v", c.Condition, c.Severity, c.Closed(), c.Conditions)
	}
	notice(61 * time.Minute)
	if diff := cmp.Diff([]string{"opened", "cleared"}, e2e.Kinds(head(t, b, schema.OwnCluster, own(schema.KindDead, "analyzer")))); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestAStreamThatFillsUpIsTold(t *testing.T) {
	s := bustest.Server(t)
	notice, b := noticer(t, s, llm.Config{}), s.Connect(t)
	notice(0)
	fill := func(limit int64) schema.Conversation {
		t.Helper()
		bustest.Shrink(t, b, bus.StreamDead, limit)
		notice(time.Minute)
		return head(t, b, schema.OwnCluster, own(schema.KindStream, bus.StreamDead))
	}
	if err := b.Dead(t.Context(), "flood", bus.DeadLetter{Reason: "x", Body: make([]byte, 50_000)}); err != nil {
		t.Fatal(err)
	}
	fills, err := b.Fills(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	held := fills[len(fills)-1].Bytes
	if c := fill(held * 100 / 85); c.Condition != detect.StoreFull || c.Severity != schema.SeverityWarning || c.Title != "stream DEAD is 85% full" {
		t.Errorf("%s %s %q", c.Condition, c.Severity, c.Title)
	}
	if c := fill(held * 100 / 97); c.Severity != schema.SeverityCritical {
		t.Errorf("severity %s", c.Severity)
	}
	if c := fill(held * 2); c.State != schema.StateCleared {
		t.Errorf("state %s", c.State)
	}
}

func TestAModelThatDoesNotAnswerIsToldUntilItDoes(t *testing.T) {
	s, model := bustest.Server(t), llmtest.New(t)
	model.Always(llmtest.Status(400, "it burns"))
	notice, b := noticer(t, s, llm.Config{BaseURL: model.URL(), Model: "test"}), s.Connect(t)
	down := func(clusters ...string) {
		t.Helper()
		for n := range 3 {
			for _, c := range clusters {
				e2e.Publish(t, b, e2e.Snapshot(c, n, 0))
			}
			settled(t, b)
		}
	}
	down("a", "b", "c")
	notice(14 * time.Minute)
	if c := head(t, b, schema.OwnCluster, own(schema.KindModel, "test")); c.ID != "" {
		t.Errorf("opened before its time: %v", c.Conditions)
	}
	notice(16 * time.Minute)
	c := head(t, b, schema.OwnCluster, own(schema.KindModel, "test"))
	if c.Condition != detect.ModelUnavailable || c.Severity != schema.SeverityWarning || !strings.Contains(c.Conditions[0].Facts[1], "it burns") {
		t.Errorf("%s %s %v", c.Condition, c.Severity, c.Conditions)
	}
	asked := len(model.Requests())
	model.Always(nil)
	down("d")
	notice(17 * time.Minute)
	if diff := cmp.Diff([]string{"opened", "cleared"}, e2e.Kinds(head(t, b, schema.OwnCluster, c.ID))); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	for _, r := range model.Requests()[asked:] {
		if strings.Contains(fmt.Sprint(r), "model_unavailable") {
			t.Error("a model was asked about itself")
		}
	}
}
