package analyzer_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/analyzer"
	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// listener is an analyzer that looks for silence only when the test says so.
func listener(t *testing.T, s *bustest.NATS) *analyzer.Analyzer {
	t.Helper()
	a := e2e.NewAnalyzer(t, s, llm.Config{})
	a.Deaf()
	e2e.Start(t, a.Part())
	return a
}

// listenFrom lets a listen from one moment to another, both after the given time, without a break.
func listenFrom(t *testing.T, a *analyzer.Analyzer, now time.Time, from, to time.Duration) {
	t.Helper()
	for at := from; at <= to; at += 10 * time.Second {
		a.Listen(t.Context(), now.Add(at))
	}
}

func silenceID(cluster string) string {
	return schema.ConversationID(cluster, detect.Cluster(cluster))
}

func head(t *testing.T, b *bus.Bus, cluster, id string) schema.Conversation {
	t.Helper()
	h, err := b.Head(t.Context(), cluster, id)
	if err != nil {
		t.Fatal(err)
	}
	return h.Conversation
}

func TestSilentClusterIsOneConversationHoweverManyListen(t *testing.T) {
	s := bustest.Server(t)
	all := []*analyzer.Analyzer{listener(t, s), listener(t, s), listener(t, s)}
	b := s.Connect(t)
	for n := range 2 { // and a service is down meanwhile
		x := by("a", n, false)
		x.Services = e2e.Snapshot("prod", n, 0).Services
		e2e.Publish(t, b, x)
		settled(t, b)
	}
	now := time.Now()
	var listening sync.WaitGroup
	for _, a := range all {
		listening.Go(func() { listenFrom(t, a, now, 0, 5*time.Minute) })
	}
	listening.Wait()

	c := head(t, b, "prod", silenceID("prod"))
	if diff := cmp.Diff([]string{schema.EventOpened}, e2e.Kinds(c)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if n := len(bustest.Events(t, b, silenceID("prod"))); n != 1 {
		t.Errorf("%d events are stored", n)
	}
	if c.Severity != schema.SeverityCritical || c.Title != "prod: no snapshot comes any more" || c.Source != "docker" {
		t.Errorf("%s %q of %s", c.Severity, c.Title, c.Source)
	}
	if !strings.Contains(c.Diagnosis.Summary, "the collector on host-a has ended or hangs") || c.Diagnosis.Command != "" {
		t.Errorf("diagnosis %+v", c.Diagnosis)
	}
	if down := head(t, b, "prod", e2e.CheckoutID("prod")); e2e.Count(down, schema.EventOpened) != 1 || down.Closed() {
		t.Errorf("the service is %s: %v", down.State, e2e.Kinds(down))
	}
	for after, firing := range map[time.Duration]int{time.Minute: 1, 5 * time.Minute: 2} { // the service, and the cluster
		o, err := all[0].OverviewsAt(t.Context(), now.Add(after))
		if err != nil || len(o.Clusters) != 1 || o.Clusters[0].Firing != firing {
			t.Errorf("after %v: %+v, %v", after, o, err)
		}
	}
	asked := client.New(b)
	why, err := asked.Why(t.Context(), "prod")
	if err != nil || len(why.Objects) != 1 || why.Objects[0].Conversation != c.ID || why.Objects[0].Reasons[0].Condition != detect.ClusterSilent {
		t.Errorf("why: %+v, %v", why, err)
	}

	e2e.Publish(t, b, by("a", 2, false))
	settled(t, b)
	e2e.Publish(t, b, by("a", 3, false))
	c = e2e.Await(t, b, "prod", c.ID, "the end", func(c schema.Conversation) bool { return c.Closed() })
	if c.ClosedAs != schema.StateCleared {
		t.Errorf("closed as %s", c.ClosedAs)
	}
	settled(t, b)
	listenFrom(t, all[0], time.Now(), 6*time.Minute, 12*time.Minute) // nothing has come since: a second silence
	if c = head(t, b, "prod", c.ID); c.Closed() || c.Episode != 2 {  // its own time is long past
		t.Errorf("it is %s: %v", c.State, e2e.Kinds(c))
	}
}

func TestSilenceAfterAGoodbyeIsInfoFirst(t *testing.T) {
	s := bustest.Server(t)
	a := listener(t, s)
	b := s.Connect(t)
	e2e.Publish(t, b, by("a", 0, true))
	settled(t, b)
	now := time.Now()
	listenFrom(t, a, now, 0, 14*time.Minute)
	c := head(t, b, "prod", silenceID("prod"))
	if c.Severity != schema.SeverityInfo || !strings.Contains(c.Diagnosis.Summary, "the collector on host-a was stopped") {
		t.Errorf("%s, %+v", c.Severity, c.Diagnosis)
	}
	listenFrom(t, a, now, 14*time.Minute+10*time.Second, 16*time.Minute)
	c = head(t, b, "prod", silenceID("prod"))
	if diff := cmp.Diff([]string{schema.EventOpened, schema.EventWorsened}, e2e.Kinds(c)); diff != "" || c.Severity != schema.SeverityCritical {
		t.Errorf("%s, events (-want +got):\n%s", c.Severity, diff)
	}
}

func TestSilenceIsNotForWhoeverHasNotListened(t *testing.T) {
	s := bustest.Server(t)
	a := listener(t, s)
	b := s.Connect(t)
	e2e.Publish(t, b, by("a", 0, false))
	settled(t, b)
	now := time.Now()
	raised := func() bool { return head(t, b, "prod", silenceID("prod")).ID != "" }
	a.Listen(t.Context(), now)
	listenFrom(t, a, now, 8*time.Hour, 8*time.Hour+40*time.Second) // the machine slept
	if raised() {
		t.Error("raised before it had listened for three intervals")
	}
	listenFrom(t, a, now, 8*time.Hour+50*time.Second, 8*time.Hour+50*time.Second)
	if !raised() {
		t.Error("not raised after three intervals")
	}
}

func TestLostConnectionBeginsTheListeningAnew(t *testing.T) {
	s := bustest.Server(t)
	a := listener(t, s)
	b := s.Connect(t)
	for n := range 2 {
		e2e.Publish(t, b, e2e.Snapshot("prod", n, 0))
		settled(t, b)
	}
	now := time.Now()
	listenFrom(t, a, now, 0, 110*time.Second)
	s.Restart(t)
	b = s.Connect(t)
	e2e.Say(t, b, e2e.CheckoutID("prod"), "ack") // once that is heard, the analyzer is connected again
	e2e.Await(t, b, "prod", e2e.CheckoutID("prod"), "the ack", func(c schema.Conversation) bool { return c.State == schema.StateAcknowledged })
	listenFrom(t, a, now, 2*time.Minute, 160*time.Second)
	if c := head(t, b, "prod", silenceID("prod")); c.ID != "" {
		t.Error("raised before it had listened for three intervals")
	}
	listenFrom(t, a, now, 170*time.Second, 170*time.Second)
	if c := head(t, b, "prod", silenceID("prod")); c.ID == "" {
		t.Error("not raised after three intervals")
	}
}

func TestTwoCollectorsOfAClusterThatIsGoneAreForgotten(t *testing.T) {
	s := bustest.Server(t)
	a := listener(t, s)
	b := s.Connect(t)
	for n := range 4 {
		for _, id := range []string{"a", "b"} {
			e2e.Publish(t, b, by(id, n, false))
			settled(t, b)
		}
	}
	bustest.Purge(t, b, bus.StreamContext, b.Subjects().Context("prod"))
	listenFrom(t, a, time.Now(), 0, 4*time.Minute)
	c := head(t, b, schema.OwnCluster, schema.ConversationID(schema.OwnCluster, detect.Collector("prod")))
	if c.State != schema.StateRemoved {
		t.Errorf("it is %q", c.State)
	}
}

func TestNobodyMissesARecordingOrATest(t *testing.T) {
	s := bustest.Server(t)
	a := listener(t, s)
	b := s.Connect(t)
	for n := range 2 {
		for cluster, change := range map[string]func(*schema.ClusterContext){
			"recording": func(s *schema.ClusterContext) { s.Recorded = true },
			"test":      func(s *schema.ClusterContext) { s.Source = schema.SourceTest },
			"test-over": func(s *schema.ClusterContext) { s.Source, s.Goodbye = schema.SourceTest, true },
		} {
			x := e2e.Snapshot(cluster, n, 1)
			x.Collector = "a"
			change(&x)
			e2e.Publish(t, b, x)
		}
		settled(t, b)
	}
	listenFrom(t, a, time.Now(), 0, 30*time.Minute)
	if all := bustest.Conversations(t, b); len(all) > 0 {
		t.Errorf("%s is missed: %s", all[0].Cluster, all[0].Title)
	}
}

func TestClusterWhoseSnapshotIsPurgedIsForgotten(t *testing.T) {
	s := bustest.Server(t)
	a := listener(t, s)
	b := s.Connect(t)
	for n := range 2 {
		e2e.Publish(t, b, e2e.Snapshot("prod", n, 0))
		e2e.Publish(t, b, e2e.Snapshot("shop", n, 0))
		settled(t, b)
	}
	now := time.Now()
	listenFrom(t, a, now, 0, 3*time.Minute)
	bustest.Purge(t, b, bus.StreamContext, b.Subjects().Context("prod"))
	listenFrom(t, a, now, 3*time.Minute, 5*time.Minute)
	var got []string
	for _, c := range bustest.Conversations(t, b) {
		last := c.Messages[len(c.Messages)-1].Content
		got = append(got, c.Cluster+" "+c.Object.Kind+" "+c.State)
		if c.Closed() && !strings.HasPrefix(last, "No longer judged: no snapshot of prod is kept any more, the last one came ") {
			t.Errorf("%s", last)
		}
	}
	want := []string{"prod cluster removed", "prod service removed", "shop cluster investigating", "shop service investigating"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("conversations (-want +got):\n%s", diff)
	}
	why, err := client.New(b).Why(t.Context(), "cluster/prod")
	if err != nil || len(why.Objects) != 1 || why.Objects[0].Reasons[0].Verdict != detect.VerdictUnknown {
		t.Errorf("why: %+v, %v", why, err)
	}
}

func TestPurgedSnapshotOfAClusterThatGoesOnForgetsNothing(t *testing.T) {
	s := bustest.Server(t)
	a := listener(t, s)
	b := s.Connect(t)
	for n := range 2 {
		e2e.Publish(t, b, e2e.Snapshot("prod", n, 0))
		settled(t, b)
	}
	bustest.Purge(t, b, bus.StreamContext, b.Subjects().Context("prod"))
	listenFrom(t, a, time.Now(), 0, 90*time.Second)
	if c := head(t, b, "prod", e2e.CheckoutID("prod")); c.Closed() {
		t.Errorf("it is %s", c.State)
	}
}

func TestAttentionBeginsAnewAfterABreak(t *testing.T) {
	tests := []struct {
		name       string
		steps      []int // seconds
		reconnects []uint64
		want       time.Duration
	}{
		{"first", []int{100}, []uint64{0}, 0},
		{"step-by-step", []int{100, 105, 110}, []uint64{0, 0, 0}, 10 * time.Second},
		{"slept", []int{100, 105, 200, 205}, []uint64{0, 0, 0, 0}, 5 * time.Second},
		{"the-clock-ran-back", []int{100, 105, 50, 55}, []uint64{0, 0, 0, 0}, 5 * time.Second},
		{"connection-lost-meanwhile", []int{100, 105, 110, 115}, []uint64{0, 0, 1, 1}, 5 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var steps []time.Time
			for _, at := range tt.steps {
				steps = append(steps, time.Unix(int64(at), 0))
			}
			if got := analyzer.Attention(steps, tt.reconnects); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

func TestSourceThatCannotBeReadIsAConversationUntilItCan(t *testing.T) {
	s := bustest.Server(t)
	listener(t, s)
	b := s.Connect(t)
	n := 0
	see := func(times int, stale ...schema.StalePart) {
		t.Helper()
		for range times {
			x := by("a", n, false)
			x.Source, x.Stale = "docker,host", stale
			e2e.Publish(t, b, x)
			settled(t, b)
			n++
		}
	}
	see(2)
	see(12, schema.StalePart{Source: "docker", Since: time.Now(), Error: "dial unix /var/run/docker.sock: connect: permission denied"})
	id := schema.ConversationID("prod", detect.Source("docker"))
	c := e2e.Await(t, b, "prod", id, "the opening", func(schema.Conversation) bool { return true })
	if c.Severity != schema.SeverityWarning || c.Title != "docker: cannot be read" {
		t.Errorf("%s %q", c.Severity, c.Title)
	}
	for _, says := range []string{"the collector on host-a cannot read docker", "permission denied", "let the collector's user read it"} {
		if !strings.Contains(c.Diagnosis.Summary, says) {
			t.Errorf("diagnosis %q does not say %q", c.Diagnosis.Summary, says)
		}
	}
	why, err := client.New(b).Why(t.Context(), "source/docker")
	if err != nil || len(why.Objects) != 1 || why.Objects[0].Reasons[0].Verdict != detect.VerdictFiring {
		t.Errorf("why: %+v, %v", why, err)
	}
	all, err := client.New(b).Why(t.Context(), "")
	if err != nil || len(all.Clusters) != 1 || all.Clusters[0].Firing != 1 {
		t.Errorf("overview: %+v, %v", all, err)
	}
	see(4)
	c = e2e.Await(t, b, "prod", id, "the end", func(c schema.Conversation) bool { return c.Closed() })
	if c.ClosedAs != schema.StateCleared || !slices.Equal(e2e.Kinds(c), []string{schema.EventOpened, schema.EventCleared}) {
		t.Errorf("closed as %s: %v", c.ClosedAs, e2e.Kinds(c))
	}
}

func TestSilentClusterThatIsSilencedIsToldToNobody(t *testing.T) {
	s := bustest.Server(t)
	a := listener(t, s)
	b := s.Connect(t)
	e2e.Publish(t, b, by("a", 0, false))
	e2e.Publish(t, b, by("a", 1, false))
	settled(t, b)
	if _, err := client.New(b).Silence(t.Context(), client.SilenceRequest{Ref: "cluster/prod", For: "2h", Reason: "moving house", Author: "ada"}); err != nil {
		t.Fatal(err)
	}
	listenFrom(t, a, time.Now(), 0, 4*time.Minute)
	listenFrom(t, a, time.Now(), 5*time.Minute, 6*time.Minute)
	c := head(t, b, "prod", silenceID("prod"))
	if c.State != schema.StateSilenced || e2e.Count(c, schema.EventUnsilenced) > 0 {
		t.Errorf("it is %s: %v", c.State, e2e.Kinds(c))
	}
}
