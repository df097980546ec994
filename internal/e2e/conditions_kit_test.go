package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	flags "flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/collector"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// feed is every snapshot of a cluster, in order. Several tests may read one.
type feed struct {
	mu   sync.Mutex
	all  []schema.ClusterContext
	news chan struct{} // closed and replaced with every snapshot
}

// reader goes through a feed, each snapshot once.
type reader struct {
	*feed
	at int
}

// collect runs a real collector and gives what it publishes.
func collect(t *testing.T, server *bustest.NATS, cfg collector.Config) *reader {
	t.Helper()
	cfg.Interval = tick
	b := server.ConnectWith(t, bus.Options{Log: e2e.Quiet()})
	f := &feed{news: make(chan struct{})}
	sub, err := b.Conn().SubscribeSync(b.Subjects().Context(cfg.Cluster))
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
			s, err := schema.DecodeContext(m.Data)
			if err != nil {
				return fmt.Errorf("snapshot: %w", err)
			}
			f.take(s)
		}
	})
	c, err := collector.New(cfg, b, e2e.Quiet(), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	e2e.Start(t, c.Part())
	return &reader{feed: f}
}

func (f *feed) take(s schema.ClusterContext) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, s)
	close(f.news)
	f.news = make(chan struct{})
}

func (f *feed) get(i int) (s schema.ClusterContext, there bool, news <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i < len(f.all) {
		return f.all[i], true, nil
	}
	return s, false, f.news
}

// until gives the next snapshot that pleases. Those before it are passed over, as any snapshot may be superseded unseen.
func (r *reader) until(t *testing.T, what string, pleases func(schema.ClusterContext) bool) schema.ClusterContext {
	t.Helper()
	late := time.NewTimer(time.Minute)
	defer late.Stop()
	var last schema.ClusterContext
	for {
		s, there, news := r.get(r.at)
		if there {
			r.at++
			if last = s; pleases(s) {
				return s
			}
			continue
		}
		select {
		case <-news:
		case <-late.C:
			t.Fatalf("waited in vain for a snapshot with %s; of %d the last is %s", what, r.at, printed(last))
		}
	}
}

func printed(s schema.ClusterContext) string {
	b, err := json.Marshal(s)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// judge hears snapshots, one after another.
type judge struct {
	t      *testing.T
	memory detect.Memory
	seq    uint64
}

// hear gives what fires now, in words.
func (j *judge) hear(s schema.ClusterContext) []string {
	j.t.Helper()
	j.seq++
	var r detect.Result
	j.memory, r = detect.Detect(j.memory, s, detect.Position{Seq: j.seq, At: s.TakenAt}, detect.Default())
	if r.Dropped != "" {
		j.t.Fatalf("the snapshot of %v was dropped: %s", s.TakenAt, r.Dropped)
	}
	var found []string
	for _, f := range slices.Concat(r.Findings, r.Own) {
		for _, c := range f.Conditions {
			found = append(found, f.Object.String()+" "+c.Name+" "+c.Severity)
		}
	}
	return found
}

// again is the same reading, taken later. A node that is up has then just been seen.
func again(s schema.ClusterContext, by time.Duration) schema.ClusterContext {
	s.TakenAt = s.TakenAt.Add(by)
	s.Nodes = slices.Clone(s.Nodes)
	for i := range s.Nodes {
		if n := &s.Nodes[i]; n.Status != schema.NodeDown && !n.LastSeen.IsZero() {
			n.LastSeen = n.LastSeen.Add(by)
		}
	}
	return s
}

// later moves all that a snapshot says to have been after a moment, so that what came before it lasts longer.
func later(t *testing.T, s schema.ClusterContext, after time.Time, by time.Duration) schema.ClusterContext {
	t.Helper()
	body, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&tree); err != nil {
		t.Fatal(err)
	}
	if body, err = json.Marshal(moved(tree, after, by)); err != nil {
		t.Fatal(err)
	}
	if s, err = schema.DecodeContext(body); err != nil {
		t.Fatal(err)
	}
	return s
}

func moved(v any, after time.Time, by time.Duration) any {
	switch v := v.(type) {
	case map[string]any:
		for name := range v {
			v[name] = moved(v[name], after, by)
		}
	case []any:
		for i := range v {
			v[i] = moved(v[i], after, by)
		}
	case string:
		if at, err := time.Parse(time.RFC3339Nano, v); err == nil && at.After(after) {
			return at.Add(by).Format(time.RFC3339Nano)
		}
	}
	return v
}

// update records the files that the file source's rows play.
var update = flags.Bool("update", false, "record the readings in testdata/conditions anew")

func recording(condition string) string {
	return filepath.Join("testdata", "conditions", condition+".jsonl")
}

// record writes the two readings down as lines for the file source, without the names of this machine: those of
// services as the engine was read, those of nodes as the host was.
func record(t *testing.T, source string, p proof, well, bad schema.ClusterContext) {
	t.Helper()
	of := map[string]string{schema.KindService: "docker", schema.KindNode: "host"}
	if !*update || of[p.object.Kind] != source {
		return
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	for _, s := range []schema.ClusterContext{well, bad} {
		names := []string{s.ClusterName, "shop", host, "n1"}
		if p.object.Namespace != "" {
			names = append(names, p.object.Namespace, "shop")
		}
		for _, v := range s.Services {
			if v.Image != "" {
				names = append(names, v.Image, "steady:1")
			}
		}
		s.Host, s.Collector, s.RecentEvents = "", "", nil
		if p.object.Kind == schema.KindNode {
			s.Services, s.Baseline = nil, 0
		}
		lines.WriteString(strings.NewReplacer(names...).Replace(printed(s)) + "\n")
	}
	if err := os.WriteFile(recording(p.condition), []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// fileProofs play what was recorded of the other sources. That of node_down is made up: neither of them can see it.
func fileProofs(t *testing.T, server *bustest.NATS) (schema.ClusterContext, []proof) {
	t.Helper()
	var seen schema.ClusterContext
	var proofs []proof
	files, err := filepath.Glob(recording("*"))
	if err != nil {
		t.Fatal(err)
	}
	for i, file := range files {
		condition := strings.TrimSuffix(filepath.Base(file), ".jsonl")
		c := collect(t, server, collector.Config{Cluster: "file-" + condition, Source: []string{"file:" + file}})
		well := c.until(t, "the first line", func(s schema.ClusterContext) bool { return s.Stale == nil })
		if i == 0 || len(well.Unread) < len(seen.Unread) { // a file reads what its lines do not say to be unread
			seen = well
		}
		proofs = append(proofs, proof{
			condition, about(well), func(*testing.T) schema.ClusterContext { return well }, func(*testing.T) {},
			func(t *testing.T) schema.ClusterContext {
				return c.until(t, "the second line", func(s schema.ClusterContext) bool { return s.TakenAt.After(well.TakenAt) })
			},
		})
	}
	return seen, proofs
}

// about is the object that a recording is about: its one service, or else its one node.
func about(s schema.ClusterContext) schema.Object {
	if len(s.Services) == 1 {
		return s.Services[0].Object()
	}
	return schema.Object{Kind: schema.KindNode}
}
