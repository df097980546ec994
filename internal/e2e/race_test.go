package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/need"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// race is many analyzers, as processes of their own, deciding the same clusters while they and the servers are killed.
type race struct {
	analyzers, clusters int
	snapshots, downTo   int // of each cluster; its service is down from the second one up to downTo
	servers             int
	pace                time.Duration // between two snapshots of a cluster at least, so that there is something to kill
	killEvery           time.Duration // an analyzer
	leaderEvery         time.Duration // the server that leads the conversations
}

// raceWithin bounds every wait; it decides no test that works.
const raceWithin = 5 * time.Minute

// On one server, and in the long run on three that keep everything three times.
func TestRaceOfProcesses(t *testing.T) {
	r := race{analyzers: 3, clusters: 12, snapshots: 20, downTo: 8, pace: 500 * time.Millisecond, killEvery: time.Second, leaderEvery: 4 * time.Second}
	servers := []int{1}
	if need.Long() {
		r.analyzers, r.clusters, r.pace, r.leaderEvery, servers = 8, 200, time.Second, 8*time.Second, []int{1, 3}
	}
	for _, r.servers = range servers {
		t.Run(fmt.Sprintf("servers=%d", r.servers), r.run)
	}
}

func (r race) run(t *testing.T) {
	if !need.Long() {
		t.Parallel()
	}
	began := time.Now()
	program := buildAnalyzer(t)
	servers := bustest.StartProcesses(t, r.servers)
	b := servers.Connect(t)
	g := &gang{race: r, program: program, servers: servers, dice: rand.New(rand.NewPCG(7, 9))}
	w := watch(t, b)
	for range r.analyzers {
		g.start(t)
	}
	unleash := g.hunt(t, b)
	pace := time.NewTicker(r.pace)
	defer pace.Stop()
	for n := range r.snapshots {
		if n == r.downTo {
			w.until(t, "every conversation to be opened, acknowledged and answered", func(heads map[string]schema.Conversation) bool {
				return all(heads, r.clusters, schema.EventOpened, schema.EventAcknowledged, schema.EventAnswered)
			})
		}
		r.publish(t, b, n)
		w.drained(t, b)
		<-pace.C
	}
	last := r.snapshots
	for !w.holds(func(heads map[string]schema.Conversation) bool { return all(heads, r.clusters, schema.EventCleared) }) {
		if last++; time.Since(began) > raceWithin {
			t.Fatalf("not every conversation was cleared within %s", raceWithin)
		}
		r.publish(t, b, last) // what was superseded unseen did not count towards being well
		w.drained(t, b)
	}
	kills, leaders := unleash()
	servers.Settled(t, b, bus.Notify("webhook"))
	events := r.check(t, b)
	t.Logf("%d analyzers on %d servers, %d clusters, %d snapshots each: %d events of %d conversations, each once and in order; %d analyzers and %d servers killed; %s",
		r.analyzers, r.servers, r.clusters, last, events, r.clusters, kills, leaders, time.Since(began).Round(time.Second))
}

func (r race) cluster(i int) string { return fmt.Sprintf("race-%d", i) }

// publish stores the n-th snapshot of every cluster.
func (r race) publish(t *testing.T, b *bus.Bus, n int) {
	t.Helper()
	running := 1
	if n > 0 && n < r.downTo {
		running = 0
	}
	for i := range r.clusters {
		s := e2e.Snapshot(r.cluster(i), n, running)
		s.Recorded = true // nobody misses the next one
		body, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		persist(t, func() error {
			_, err := b.Publish(t.Context(), b.Subjects().Context(s.ClusterName), body, "")
			return err
		})
	}
}

// persist does until it succeeds: servers are killed meanwhile.
func persist(t *testing.T, do func() error) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(raceWithin)
	defer limit.Stop()
	for {
		err := do()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-limit.C:
			t.Errorf("in vain for %s: %v", raceWithin, err)
			return
		}
	}
}

// all tells whether so many conversations have each of the kinds.
func all(heads map[string]schema.Conversation, clusters int, kinds ...string) bool {
	if len(heads) < clusters {
		return false
	}
	for _, c := range heads {
		for _, kind := range kinds {
			if e2e.Count(c, kind) == 0 {
				return false
			}
		}
	}
	return true
}

// check reads every stored message of every conversation, and gives how many there are.
func (r race) check(t *testing.T, b *bus.Bus) int {
	t.Helper()
	stored := bustest.Conversations(t, b)
	if len(stored) != r.clusters {
		t.Errorf("%d conversations, want %d", len(stored), r.clusters)
	}
	total := 0
	for _, c := range stored {
		want := map[string]int{"opened": 1, "acknowledged": 1, "asked": 1, "answered": 1, "cleared": 1}
		got := map[string]int{}
		for _, kind := range e2e.Kinds(c) {
			got[kind]++
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: events by kind (-want +got):\n%s", c.Cluster, diff)
		}
		var ids []string
		for i, m := range c.Messages {
			if m.ID != fmt.Sprintf("%s-%d", c.ID, i+1) {
				t.Errorf("%s: message %d is %s: events were lost or stored out of order", c.Cluster, i+1, m.ID)
			}
			ids = append(ids, m.ID)
		}
		var events []string
		for _, m := range bustest.Events(t, b, c.ID) {
			events = append(events, m.ID)
		}
		if diff := cmp.Diff(ids, events); diff != "" {
			t.Errorf("%s: messages of the stream (-want +got):\n%s", c.Cluster, diff)
		}
		if kinds := e2e.Kinds(c); kinds[0] != schema.EventOpened || slices.Index(kinds, schema.EventAnswered) < slices.Index(kinds, schema.EventAsked) {
			t.Errorf("%s: out of order: %v", c.Cluster, kinds)
		}
		total += len(events)
	}
	return total
}

// gang are the analyzers, and who kills them.
type gang struct {
	race
	program string
	servers *bustest.Processes
	dice    *rand.Rand
	alive   []*exec.Cmd
}

func (g *gang) start(t *testing.T) {
	t.Helper()
	p := exec.CommandContext(context.Background(), g.program)
	p.Env = append(os.Environ(), "BELLBUOY_NATS_URL="+g.servers.URL(), "BELLBUOY_HTTP_ADDR=127.0.0.1:0", "BELLBUOY_LOG_LEVEL=error")
	if err := p.Start(); err != nil {
		t.Error(err)
		return
	}
	g.alive = append(g.alive, p)
}

// kill ends one analyzer, as kill -9 does.
func (g *gang) kill(i int) {
	p := g.alive[i]
	g.alive = slices.Delete(g.alive, i, i+1)
	_ = p.Process.Kill()
	_ = p.Wait() // its error is that it was killed
}

// hunt kills analyzers and servers, and starts them again, until it is stopped; then the analyzers that are left go on until the test
// ends.
func (g *gang) hunt(t *testing.T, b *bus.Bus) (stop func() (kills, leaders int)) {
	ctx, cancel := context.WithCancel(t.Context())
	kills, leaders := 0, 0
	var hunting sync.WaitGroup
	hunting.Go(func() {
		prey, leader := time.NewTicker(g.killEvery), time.NewTicker(g.leaderEvery)
		defer prey.Stop()
		defer leader.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-prey.C:
				g.kill(g.dice.IntN(len(g.alive)))
				g.start(t)
				kills++
			case <-leader.C:
				g.servers.KillLeader(t, b, bus.StreamAlerts)()
				leaders++
			}
		}
	})
	t.Cleanup(func() {
		cancel()
		hunting.Wait()
		for len(g.alive) > 0 {
			g.kill(0)
		}
	})
	return func() (int, int) {
		cancel()
		hunting.Wait()
		return kills, leaders
	}
}

// watcher follows the conversations, and talks to each once it is opened.
type watcher struct {
	mu    sync.Mutex
	heads map[string]schema.Conversation // by id
	news  chan struct{}
}

func watch(t *testing.T, b *bus.Bus) *watcher {
	w := &watcher{heads: map[string]schema.Conversation{}, news: make(chan struct{}, 1)}
	talked := map[string]bool{}
	bustest.Start(t, func(ctx context.Context) error {
		return b.Follow(ctx, b.Subjects().Alerts(), func() {}, func(h bus.Head) error {
			if !talked[h.Conversation.ID] {
				talked[h.Conversation.ID] = true
				talk(ctx, t, b, h.Conversation.ID)
			}
			w.mu.Lock()
			w.heads[h.Conversation.ID] = h.Conversation
			w.mu.Unlock()
			select {
			case w.news <- struct{}{}:
			default:
			}
			return nil
		})
	})
	return w
}

// talk asks, and acknowledges. Both are said again until they are stored, under ids that drop what was stored already.
func talk(ctx context.Context, t *testing.T, b *bus.Bus, id string) {
	for _, text := range []string{"why?", "ack"} {
		body, err := json.Marshal(schema.Reply{Schema: schema.ReplyVersion, Text: text, ID: id + "/" + text, Author: schema.Author{Name: "anna"}})
		if err != nil {
			t.Error(err)
		}
		persist(t, func() error {
			_, err := b.Publish(ctx, b.Subjects().Replies(id), body, id+"/"+text)
			return err
		})
	}
}

func (w *watcher) holds(done func(map[string]schema.Conversation) bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return done(w.heads)
}

func (w *watcher) until(t *testing.T, what string, done func(map[string]schema.Conversation) bool) {
	t.Helper()
	limit := time.NewTimer(raceWithin)
	defer limit.Stop()
	for !w.holds(done) {
		select {
		case <-w.news:
		case <-limit.C:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// drained waits until every snapshot that was stored has been delivered to an analyzer, or has been superseded. What a
// killed one had in hand comes again later, on top of newer ones.
func (w *watcher) drained(t *testing.T, b *bus.Bus) {
	t.Helper()
	persist(t, func() error {
		n, err := bustest.Pending(t.Context(), b, bus.Watch)
		if err == nil && n > 0 {
			return fmt.Errorf("%d snapshots are still to be delivered", n)
		}
		return err
	})
}
