package e2e_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/collector"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/llm/llmtest"
	"github.com/bellbuoy/bellbuoy/internal/need/engine"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// tick is the interval between snapshots here, the shortest there is, so that a hold of four intervals takes seconds.
const tick = time.Second

// ship is everything but the collector, watching the real engine. Others use the engine at the same time: only what
// is about its own project counts, which is the cluster's name too.
type ship struct {
	*engine.Engine
	server    *bustest.NATS
	bus       *bus.Bus
	hook      *e2e.Receiver
	model     *llmtest.Server
	snapshots *snapshots
}

func launch(t *testing.T, answer func(llmtest.Request) string) *ship {
	t.Helper()
	s := &ship{Engine: engine.New(t)}
	s.server, s.hook, s.model = bustest.Server(t), e2e.NewReceiver(t), llmtest.New(t, llmtest.Options{Answer: answer})
	s.bus = s.server.ConnectWith(t, bus.Options{Log: e2e.Quiet()})
	s.snapshots = tap(t, s.bus, s.Project)
	// Everything breaks at once here, and each failure is looked at by itself.
	e2e.StartAnalyzerBy(t, s.server, llm.Config{BaseURL: s.model.URL(), Model: "test"}, "rules: {storm: off, explain: off}\n")
	e2e.StartNotifier(t, s.server, s.hook.URL)
	return s
}

// collect starts a collector in this process.
func (s *ship) collect(t *testing.T) {
	t.Helper()
	cfg := collector.Config{Cluster: s.Project, Source: []string{"docker"}, Interval: tick}
	b := s.server.ConnectWith(t, bus.Options{Log: e2e.Quiet()})
	c, err := collector.New(cfg, b, e2e.Quiet(), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	e2e.Start(t, c.Part())
}

func (s *ship) object(service string) schema.Object {
	return schema.Object{Kind: schema.KindService, Namespace: s.Project, Name: service}
}

func (s *ship) container(service string) string { return s.Project + "-" + service + "-1" }

// posts are those about a service, of what came.
func (s *ship) posts(service string, all []e2e.Post) []e2e.Post {
	return slices.DeleteFunc(slices.Clone(all), func(p e2e.Post) bool { return p.Conversation.Object != s.object(service) })
}

// await waits for the first post about a service that pleases.
func (s *ship) await(t *testing.T, service, what string, pleases func(schema.Conversation) bool) e2e.Post {
	t.Helper()
	var found e2e.Post
	what = service + ": " + what
	s.hook.Until(t, what, func(all []e2e.Post) bool {
		for _, p := range s.posts(service, all) {
			if pleases(p.Conversation) {
				found = p
				return true
			}
		}
		return false
	})
	return found
}

// conversations is the newest state of each of the project's conversations, by the service's name.
func (s *ship) conversations(t *testing.T) map[string]schema.Conversation {
	t.Helper()
	bustest.Settled(t, s.bus)
	all := map[string]schema.Conversation{}
	for _, c := range bustest.Conversations(t, s.bus) {
		if c.Object.Namespace == s.Project {
			all[c.Object.Name] = c
		}
	}
	return all
}

// asked counts how often the model was asked about a service.
func (s *ship) asked(service string) int {
	n := 0
	for _, r := range s.model.Requests() {
		if about := llmtest.Components(r); len(about) > 0 && about[0] == s.object(service).String() {
			n++
		}
	}
	return n
}

// onceOnly checks that a service has one conversation with one card, one diagnosis and one call to the model.
func (s *ship) onceOnly(t *testing.T, service string) {
	t.Helper()
	opened, told := 0, s.posts(service, s.hook.All())
	ids := map[string]int{}
	for _, p := range told {
		ids[p.ID]++
		if p.Type == "conversation.opened" || p.Type == "conversation.reopened" {
			opened++
		}
	}
	diagnosed := slices.DeleteFunc(e2e.ToldKinds(told), func(k string) bool { return k != schema.EventDiagnosed })
	if opened != 1 || len(diagnosed) != 1 || s.asked(service) != 1 {
		t.Errorf("%s: %d cards, %d diagnoses, %d model calls; want one of each: %s", service, opened, len(diagnosed), s.asked(service), e2e.Shown(told))
	}
	maps.DeleteFunc(ids, func(_ string, n int) bool { return n == 1 })
	if len(ids) > 0 {
		t.Errorf("%s: posted more than once: %v", service, ids)
	}
}

// firing finds a condition that is true now, with the severity unless that is empty.
func firing(c schema.Conversation, name, severity string) bool {
	return slices.ContainsFunc(c.Conditions, func(x schema.Condition) bool {
		return x.Name == name && x.Until.IsZero() && (severity == "" || x.Severity == severity)
	})
}

// snapshots is a tap on what a collector publishes.
type snapshots struct {
	mu    sync.Mutex
	last  schema.ClusterContext
	count int
	news  chan struct{} // closed and replaced with every snapshot
}

func tap(t testing.TB, b *bus.Bus, cluster string) *snapshots {
	t.Helper()
	s := &snapshots{news: make(chan struct{})}
	sub, err := b.Conn().SubscribeSync(b.Subjects().Context(cluster))
	if err != nil {
		t.Fatal(err)
	}
	bustest.Start(t, func(ctx context.Context) error {
		for {
			m, err := sub.NextMsgWithContext(ctx)
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				return err
			}
			got, err := schema.DecodeContext(m.Data)
			if err != nil {
				return fmt.Errorf("snapshot: %w", err)
			}
			s.take(got)
		}
	})
	return s
}

func (s *snapshots) take(got schema.ClusterContext) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last, s.count = got, s.count+1
	close(s.news)
	s.news = make(chan struct{})
}

func (s *snapshots) newest() (schema.ClusterContext, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last, s.count
}

// until waits for a snapshot that pleases, the newest one included.
func (s *snapshots) until(t testing.TB, what string, limit time.Duration, pleases func(schema.ClusterContext) bool) schema.ClusterContext {
	t.Helper()
	late := time.NewTimer(limit)
	defer late.Stop()
	for {
		s.mu.Lock()
		last, count, news := s.last, s.count, s.news
		s.mu.Unlock()
		if count > 0 && pleases(last) {
			return last
		}
		select {
		case <-news:
		case <-late.C:
			t.Fatalf("waited in vain for a snapshot with %s; of %d the last has %s", what, count, shown(last))
		}
	}
}

func shown(s schema.ClusterContext) string {
	var all []string
	for _, v := range s.Services {
		all = append(all, fmt.Sprintf("%s %s %s", v.Object(), v.Status, v.NotWanted))
	}
	return strings.Join(all, "; ")
}

// service finds one in a snapshot.
func (s *ship) service(c schema.ClusterContext, name string) (schema.ServiceSummary, bool) {
	for _, v := range c.Services {
		if v.Object() == s.object(name) {
			return v, true
		}
	}
	return schema.ServiceSummary{}, false
}

// inspected waits until the engine shows of a container what is wanted, in the words of a docker format.
func (s *ship) inspected(t *testing.T, name, format string, is func(string) bool) {
	t.Helper()
	late, again := time.NewTimer(time.Minute), time.NewTicker(100*time.Millisecond)
	defer late.Stop()
	defer again.Stop()
	for {
		got := s.Docker(t, "inspect", "--format", format, name)
		if is(got) {
			return
		}
		select {
		case <-again.C:
		case <-late.C:
			t.Fatalf("%s: %s is still %q", name, format, got)
		}
	}
}

// flag sets or clears the flag of a container. One that ends when it sees the flag may take the command that set it
// along, which is no failure; if it is one, what is waited for does not come.
func (s *ship) flag(t *testing.T, name, how string) {
	t.Helper()
	if _, err := engine.Try("exec", name, "/steady", "flag", how); err != nil {
		t.Log(err)
	}
}

// refuse starts a container that the engine cannot start.
func (s *ship) refuse(t *testing.T, name string) {
	t.Helper()
	if _, err := engine.Try("start", name); err == nil {
		t.Fatalf("the engine started %s", name)
	}
}
