package detect_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const i = 15 * time.Second

var start = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

func after(d time.Duration) time.Time { return start.Add(d) }

type (
	svc  = schema.ServiceSummary
	node = schema.NodeSummary
	gpu  = schema.GPUSummary
	disk = schema.DiskSummary
)

// cluster is a cluster being watched: it feeds snapshots to Detect, and puts the memory through JSON between any two.
type cluster struct {
	t      *testing.T
	memory detect.Memory
	rules  detect.Rules
	seq    uint64
	quick  bool   // for long courses: leaves the JSON out
	kept   string // the memory in JSON, as it came out of the last snapshot

	at       time.Duration // of the newest of steps, after start
	failure  *schema.Failure
	job      *schema.JobRun
	restarts int64
	deployed time.Time
}

func watchLong(t *testing.T) *cluster { return &cluster{t: t, rules: detect.Default(), quick: true} }

func watch(t *testing.T) *cluster { return &cluster{t: t, rules: detect.Default()} }

func snapshot(at time.Time, services ...svc) schema.ClusterContext {
	return schema.ClusterContext{ClusterName: "prod", TakenAt: at, IntervalSeconds: i.Seconds(), Services: services}
}

func nodes(at time.Time, nodes ...node) schema.ClusterContext {
	s := snapshot(at)
	s.Nodes = nodes
	return s
}

// see folds in the next snapshot of the stream.
func (c *cluster) see(s schema.ClusterContext) detect.Result {
	c.t.Helper()
	c.seq++
	return c.seeAt(s, detect.Position{Seq: c.seq})
}

func (c *cluster) seeAt(s schema.ClusterContext, at detect.Position) detect.Result {
	c.t.Helper()
	if c.quick {
		var result detect.Result
		c.memory, result = detect.Detect(c.memory, s, at, c.rules)
		return result
	}
	if c.kept == "" {
		c.kept = encode(c.t, c.memory)
	}
	m, result := detect.Detect(c.memory, s, at, c.rules)
	if now := encode(c.t, c.memory); now != c.kept {
		c.t.Fatalf("the memory passed in was changed, or JSON has changed it (-before +after):\n%s", cmp.Diff(c.kept, now))
	}
	c.kept = encode(c.t, m)
	c.memory = decode(c.t, c.kept)
	return result
}

func encode(t testing.TB, m detect.Memory) string {
	t.Helper()
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func decode(t testing.TB, b string) detect.Memory {
	t.Helper()
	var m detect.Memory
	if err := json.Unmarshal([]byte(b), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// firing is what a result finds of services and nodes, as "object condition severity", in order.
func firing(r detect.Result) []string { return findings(r, false) }

// blind is what a result finds of sources.
func blind(r detect.Result) []string { return findings(r, true) }

func findings(r detect.Result, sources bool) []string {
	var all []string
	for _, f := range r.Findings {
		if sources != (f.Object.Kind == schema.KindSource) {
			continue
		}
		for _, c := range f.Conditions {
			all = append(all, f.Object.String()+" "+c.Name+" "+c.Severity)
		}
	}
	return all
}

func want(t *testing.T, got any, want any) {
	t.Helper()
	if reflect.DeepEqual(want, got) { // which is far cheaper
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func up(name string) svc {
	return svc{Name: name, Namespace: "shop", ReplicasRunning: new(1), ReplicasDesired: new(1), Status: "healthy", RestartsTotal: new(int64(0))}
}

func down(name string) svc {
	s := up(name)
	s.ReplicasRunning, s.Status = new(0), "stopped"
	return s
}

func sick(name string) svc {
	s := up(name)
	s.Health = "unhealthy"
	return s
}

// looping is a service that has restarted total times and never ran longer than a second.
func looping(name string, total int64) svc {
	s := up(name)
	s.RestartsTotal = new(total)
	s.LastFailure = &schema.Failure{Reason: "exit", ExitCode: new(1), RanFor: new(1.0), At: start}
	return s
}

func oomed(name string, at time.Time) svc {
	s := up(name)
	s.LastFailure = &schema.Failure{Reason: "oom", OOM: true, ExitCode: new(137), At: at}
	return s
}

func ended(name string, exit int, at time.Time) svc {
	s := svc{Name: name, Namespace: "shop", ReplicasRunning: new(0), ReplicasDesired: new(0), Status: "stopped"}
	s.Job = &schema.JobRun{LastExitCode: exit, At: at}
	return s
}

// some is a service of which running of wanted run.
func some(name string, running *int, wanted int) svc {
	s := up(name)
	s.ReplicasRunning, s.ReplicasDesired = running, new(wanted)
	return s
}

// disks is a node with one file system, so many percent of whose space and inodes are used.
func disks(used, inodes *float64) node {
	return node{Disks: []disk{{Mount: "/var", UsedPercent: used, InodesPercent: inodes}}}
}

func gpus(all ...gpu) node { return node{GPUs: all} }

// vram is a GPU that uses so many percent of its memory.
func vram(percent float64) gpu {
	return gpu{VRAMUsedMB: new(percent * 240), VRAMTotalMB: new(24000.0)}
}

// logging is a service that has logged so many errors in all.
func logging(name string, total int64) svc {
	s := up(name)
	s.ErrorsTotal = new(total)
	return s
}
