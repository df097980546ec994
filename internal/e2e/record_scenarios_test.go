package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/collector"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/need"
	"github.com/bellbuoy/bellbuoy/internal/need/engine"
	"github.com/bellbuoy/bellbuoy/internal/replay"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// recordRun makes the scenarios recorded-* anew: "all", or the names of some stories, comma separated. It takes as long
// as the longest story.
const (
	recordRun   = "BELLBUOY_RECORD"
	recordEvery = 5 * time.Second
)

// TestRecordScenariosFromTheEngine lets all stories happen to one engine, side by side, under one collector, and writes
// what concerns each into testdata/scenarios.
func TestRecordScenariosFromTheEngine(t *testing.T) {
	wanted := os.Getenv(recordRun)
	if wanted == "" {
		return // it checks nothing: it makes what other tests check
	}
	all := slices.DeleteFunc(stories(), func(s story) bool {
		return wanted != "all" && !slices.Contains(strings.Split(wanted, ","), s.name)
	})
	stage := stage{compose: strings.Join(need.Compose(t), " "), dir: t.TempDir(), env: images(t)}
	var rising sync.WaitGroup
	limit := make(chan struct{}, 3)
	for _, s := range all {
		t.Cleanup(func() { stage.run(t, s, "$C down --timeout 1") })
		rising.Go(func() {
			limit <- struct{}{}
			stage.rise(t, s)
			<-limit
		})
	}
	rising.Wait()
	if t.Failed() {
		return
	}
	recording, stop := watchEngine(t, stage.dir)
	var acting sync.WaitGroup
	for _, s := range all {
		acting.Go(func() { stage.act(t, s) })
	}
	began := time.Now()
	acting.Wait()
	stop()
	for _, s := range all {
		cut(t, recording, s, began)
	}
}

// watchEngine records all that a collector sees, until it is stopped.
func watchEngine(t *testing.T, dir string) (path string, stop func()) {
	t.Helper()
	server := bustest.Server(t)
	b := server.ConnectWith(t, bus.Options{Log: e2e.Quiet()})
	cfg := collector.Config{Cluster: "engine", Source: []string{"docker"}, Interval: recordEvery}
	c, err := collector.New(cfg, b, e2e.Quiet(), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, "all.jsonl")
	first := tap(t, b, cfg.Cluster)
	ready := make(chan struct{})
	stop = bustest.Start(t, func(ctx context.Context) error {
		_, err := replay.Record{Path: path}.Run(ctx, b, func() { close(ready) }, func(err error) { t.Error(err) })
		return err
	})
	<-ready
	e2e.Start(t, c.Part())
	first.until(t, "anything", time.Minute, func(schema.ClusterContext) bool { return true })
	return path, stop
}

// images builds the images that stories are told with, one of which is deployed after the other, and gives the variables
// that name them.
func images(t *testing.T) []string {
	t.Helper()
	steady := engine.New(t).Image
	env := []string{"IMAGE=story/web:1.4"}
	for _, x := range [][3]string{
		{"A", "story/web:1.4", `["run"]`},
		{"B", "story/web:1.5", `["run", "1.5"]`},
		{"BAD", "story/web:1.6", `["say", "panic:", "no", "route", "for", "/health", "exit", "3"]`},
	} {
		variable, tag, does := x[0], x[1], x[2]
		build := exec.Command("docker", "build", "--quiet", "--tag", tag, "-")
		build.Stdin = strings.NewReader("FROM " + steady + "\nCMD " + does + "\n")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v: %s", tag, err, out)
		}
		t.Cleanup(func() {
			if _, err := engine.Try("rmi", tag); err != nil {
				t.Error(err)
			}
		})
		env = append(env, variable+"="+tag)
	}
	return env
}

// stage is where stories happen.
type stage struct {
	compose string
	dir     string
	env     []string
}

// project is the Compose project of a story. In the recording it is called shop.
func (s story) project() string { return "bbstory-" + s.name }

func (g stage) file(s story) string { return filepath.Join(g.dir, s.name+".yml") }

// rise starts what a story begins with.
func (g stage) rise(t *testing.T, s story) {
	text := "version: '2.4'\nservices:\n"
	for line := range strings.Lines(strings.TrimSpace(s.services) + "\n") {
		text += "  " + line
	}
	if err := os.WriteFile(g.file(s), []byte(text), 0o600); err != nil {
		t.Error(err)
	}
	g.run(t, s, "$C up -d")
}

// act runs the lines of a story, each at its time.
func (g stage) act(t *testing.T, s story) {
	began := time.Now()
	for line := range strings.Lines(s.lines) {
		after, command, _ := strings.Cut(strings.TrimSpace(line), " ")
		seconds, err := strconv.Atoi(after)
		if err != nil {
			t.Errorf("%s: %q does not begin with seconds", s.name, line)
		}
		<-time.NewTimer(time.Until(began.Add(time.Duration(seconds) * time.Second))).C
		t.Logf("%s %s: %s", time.Now().UTC().Format(time.TimeOnly), s.name, command)
		g.run(t, s, command)
	}
	<-time.NewTimer(time.Until(began.Add(s.lasts))).C
}

func (g stage) run(t *testing.T, s story, line string) {
	c := exec.Command("sh", "-c", line)
	c.Env = append(append(os.Environ(), g.env...), "C="+g.compose+" --project-name "+s.project()+" --file "+g.file(s))
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%s: %s: %v: %s", s.name, line, err, out)
	}
}

// cut writes what of the recording is about one story: its snapshots without what else there was on the engine, and of
// those between two intervals only the ones in which something of it was new.
func cut(t *testing.T, recording string, s story, began time.Time) {
	t.Helper()
	text, err := os.ReadFile(recording)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	var last schema.ClusterContext
	for line := range bytes.Lines(text) {
		var c schema.ClusterContext
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		only(&c, s.project())
		between := c.TakenAt.Sub(last.TakenAt) < recordEvery-time.Second && states(t, c) == states(t, last)
		if between || c.TakenAt.After(began.Add(s.lasts)) {
			continue
		}
		last = c
		kept, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(append(bytes.ReplaceAll(kept, []byte(s.project()), []byte("shop")), '\n'))
	}
	path := filepath.Join("../../testdata/scenarios", "recorded-"+s.name+".jsonl")
	_ = os.Remove(path + ".gz") // the form in which longer ones are kept
	if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d snapshots, %d KB", path, bytes.Count(out.Bytes(), []byte("\n")), out.Len()>>10)
}

// only leaves of a snapshot what is about a project, and of the machine no more than that it is one.
func only(c *schema.ClusterContext, project string) {
	c.Services = slices.DeleteFunc(c.Services, func(v schema.ServiceSummary) bool { return v.Namespace != project })
	c.RecentEvents = slices.DeleteFunc(c.RecentEvents, func(e schema.ClusterEvent) bool { return !strings.HasPrefix(e.Object, project+"/") })
	c.Baseline, c.Omitted = 0, nil
	host := c.Host
	c.Collector, c.Host = "vm-4f1c", "vm"
	for i := range c.Nodes {
		c.Nodes[i].ID = strings.ReplaceAll(c.Nodes[i].ID, host, c.Host)
	}
	for i := range c.Services {
		v := &c.Services[i]
		for j := range v.Nodes {
			v.Nodes[j] = strings.ReplaceAll(v.Nodes[j], host, c.Host)
		}
		for j := range v.Instances {
			v.Instances[j].Node = strings.ReplaceAll(v.Instances[j].Node, host, c.Host)
		}
	}
}

// states is what of a snapshot is new only if something happened.
func states(t *testing.T, c schema.ClusterContext) string {
	t.Helper()
	services := slices.Clone(c.Services)
	for i := range services {
		services[i].CPUPercent, services[i].MemoryBytes = nil, nil
	}
	text, err := json.Marshal(services)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
