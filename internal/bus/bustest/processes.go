package bustest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/bellbuoy/bellbuoy/internal/bus"
)

// serverProgram is what is built and run: the real nats-server, of the version that the module names.
const serverProgram = "github.com/nats-io/nats-server/v2"

// slow is how long a cluster may take to elect its leaders on a busy machine.
const slow = 2 * time.Minute

// asked is how long one question to them may take: nobody answers while there is no leader.
const asked = 5 * time.Second

// Processes are NATS servers as processes of their own, which can be killed: one, or a cluster that keeps every stream on
// all of them. They end with the test.
type Processes struct {
	nodes []*node
}

type node struct {
	name, client, route string
	program, config     string
	process             *exec.Cmd
}

// StartProcesses starts n servers, 1 or 3, and sets them up with the channel "webhook".
func StartProcesses(t testing.TB, n int) *Processes {
	t.Helper()
	return startProcesses(t, n, "always")
}

// StartUnsyncedProcess starts one server that leaves writes to the operating system for as long as NATS does by default.
func StartUnsyncedProcess(t testing.TB) *Processes {
	t.Helper()
	return startProcesses(t, 1, "2m")
}

func startProcesses(t testing.TB, n int, syncInterval string) *Processes {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "nats-server")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, serverProgram).CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v: %s", serverProgram, err, out)
	}
	p := &Processes{}
	addresses := free(t, 2*n)
	for i := range n {
		p.nodes = append(p.nodes, &node{name: fmt.Sprintf("n%d", i+1), client: addresses[2*i], route: addresses[2*i+1], program: program})
	}
	for _, x := range p.nodes {
		p.configure(t, x, dir, syncInterval)
		x.start(t)
	}
	t.Cleanup(p.Stop)
	p.setup(t)
	return p
}

// Stop ends them all, as kill -9 does. It may be called twice.
func (p *Processes) Stop() {
	for _, x := range p.nodes {
		x.kill()
	}
}

// PID is the process of the first one.
func (p *Processes) PID() int { return p.nodes[0].process.Process.Pid }

// free gives addresses on loopback that nobody listens on.
func free(t testing.TB, n int) []string {
	t.Helper()
	var all []string
	for range n {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }() // at the end, so that no two are the same
		all = append(all, l.Addr().String())
	}
	return all
}

func (p *Processes) configure(t testing.TB, x *node, dir, syncInterval string) {
	t.Helper()
	text := fmt.Sprintf("server_name: %s\nlisten: %q\nmax_payload: 8MB\njetstream {\n  store_dir: %q\n  sync_interval: %s\n}\n",
		x.name, x.client, filepath.Join(dir, x.name), syncInterval)
	if len(p.nodes) > 1 {
		var routes []string
		for _, other := range p.nodes {
			routes = append(routes, "nats-route://"+other.route)
		}
		text += fmt.Sprintf("cluster {\n  name: bellbuoy\n  listen: %q\n  routes: [%s]\n}\n", x.route, strings.Join(routes, ", "))
	}
	x.config = filepath.Join(dir, x.name+".conf")
	if err := os.WriteFile(x.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (x *node) start(t testing.TB) {
	t.Helper()
	x.process = exec.CommandContext(context.Background(), x.program, "-c", x.config)
	if err := x.process.Start(); err != nil {
		t.Fatal(err)
	}
}

func (x *node) kill() {
	if x.process == nil {
		return
	}
	_ = x.process.Process.Kill()
	_ = x.process.Wait() // its error is that it was killed
	x.process = nil
}

// setup waits for the servers to agree, which a new cluster takes some seconds for, and creates what Bellbuoy needs.
func (p *Processes) setup(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), slow)
	defer cancel()
	err := retry(ctx, func() error {
		try, cancel := context.WithTimeout(ctx, asked)
		defer cancel()
		b, err := bus.Connect(try, bus.Options{URL: p.URL(), Name: "test"})
		if err != nil {
			return err
		}
		defer b.Close()
		return b.Setup(try, bus.Setup{Channels: []string{"webhook"}, Replicas: len(p.nodes)})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// retry does until there is no error, or gives the last one once ctx is done.
func retry(ctx context.Context, do func() error) error {
	tick := time.NewTicker(50 * pollEvery)
	defer tick.Stop()
	for {
		err := do()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}

// URL is where processes reach them.
func (p *Processes) URL() string {
	var urls []string
	for _, x := range p.nodes {
		urls = append(urls, "nats://"+x.client)
	}
	return strings.Join(urls, ",")
}

// Connect is a new connection to them, closed when the test ends.
func (p *Processes) Connect(t testing.TB) *bus.Bus {
	t.Helper()
	b, err := bus.Connect(t.Context(), bus.Options{URL: p.URL(), Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// KillLeader ends, as kill -9 does, the server that leads the stream; on a single server that one. It gives what starts
// it again, with what it had stored.
func (p *Processes) KillLeader(t testing.TB, b *bus.Bus, stream string) (restart func()) {
	t.Helper()
	x := p.leader(t, b, stream)
	x.kill()
	return func() { x.start(t) }
}

func (p *Processes) leader(t testing.TB, b *bus.Bus, stream string) (leads *node) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), slow)
	defer cancel()
	js, err := jetstream.New(b.Conn())
	if err != nil {
		t.Fatal(err)
	}
	err = retry(ctx, func() error {
		try, cancel := context.WithTimeout(ctx, asked)
		defer cancel()
		s, err := js.Stream(try, stream)
		if err != nil {
			return err
		}
		if len(p.nodes) == 1 {
			leads = p.nodes[0]
			return nil
		}
		for _, x := range p.nodes {
			if c := s.CachedInfo().Cluster; c != nil && c.Leader == x.name {
				leads = x
				return nil
			}
		}
		return fmt.Errorf("stream %s has no leader", stream)
	})
	if err != nil {
		t.Fatal(err)
	}
	return leads
}

// Settled is the barrier of that name, for servers that were killed and readers that were, whose messages come again only
// after their time to acknowledge them.
func (p *Processes) Settled(t testing.TB, b *bus.Bus, unread ...string) {
	t.Helper()
	for _, row := range bus.Streams() {
		p.leader(t, b, row.Name)
	}
	settled(t, b, slow, unread)
}
