package e2e_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// proc is a /proc with recorded files in it: two readings of an idle machine with two processors, and one after both
// were kept busy.
type proc struct {
	t   *testing.T
	dir string
}

func newProc(t *testing.T) *proc {
	t.Helper()
	p := &proc{t, t.TempDir()}
	p.write("stat", text(t, "proc", "stat-idle-1.txt"))
	p.write("meminfo", text(t, "proc", "meminfo.txt"))
	return p
}

// goOn lets time pass, without which there is no load.
func (p *proc) goOn() { p.write("stat", text(p.t, "proc", "stat-idle-2.txt")) }

func (p *proc) write(name, text string) { write(p.t, filepath.Join(p.dir, name), text, 0o600) }

// write replaces a file at once, so that nobody reads a half of it.
func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = os.WriteFile(path+".new", []byte(text), mode)
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func text(t *testing.T, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// ofProc is one condition of a machine that its /proc shows.
type ofProc struct {
	condition string
	act       func(p *proc)
	shows     func(n, before schema.NodeSummary) bool
}

// onProc lists them. The memory is the recording's with less of it available, and the time of boot another: neither can
// be had on a machine on which others work.
func onProc() []ofProc {
	return []ofProc{
		{detect.LowMemory, func(p *proc) {
			p.write("meminfo", replaced(p.t, text(p.t, "proc", "meminfo.txt"), `(?m)^MemAvailable: .*$`, "MemAvailable:     811204 kB"))
		}, func(n, _ schema.NodeSummary) bool { return *n.MemoryPercent > 90 }},
		{detect.CPU, func(p *proc) { p.write("stat", text(p.t, "proc", "stat-busy.txt")) }, func(n, _ schema.NodeSummary) bool {
			return n.CPUPercent != nil && *n.CPUPercent > 90
		}},
		{detect.NodeRebooted, func(p *proc) {
			booted := time.Now().Add(-20 * time.Second).Unix()
			p.write("stat", replaced(p.t, text(p.t, "proc", "stat-idle-2.txt"), `(?m)^btime .*$`, "btime "+strconv.FormatInt(booted, 10)))
		}, func(n, before schema.NodeSummary) bool { return n.BootAt.After(before.BootAt) }},
	}
}

// proof makes the row one of the machine that the collector reads; of its snapshots counts what only leaves of them.
func (r ofProc) proof(p *proc, c *reader, only func(schema.ClusterContext) schema.ClusterContext) proof {
	var before schema.NodeSummary
	return proof{
		r.condition,
		schema.Object{Kind: schema.KindNode},
		func(t *testing.T) schema.ClusterContext {
			well := loaded(t, c)
			before = well.Nodes[0]
			return only(well)
		},
		func(*testing.T) { r.act(p) },
		func(t *testing.T) schema.ClusterContext {
			return only(c.until(t, r.condition, func(s schema.ClusterContext) bool { return r.shows(s.Nodes[0], before) }))
		},
	}
}

// loaded gives the first reading that knows the load, which takes two.
func loaded(t *testing.T, c *reader) schema.ClusterContext {
	t.Helper()
	return c.until(t, "the machine's load", func(s schema.ClusterContext) bool { return s.Nodes[0].CPUPercent != nil })
}

func replaced(t *testing.T, text, pattern, by string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	if !re.MatchString(text) {
		t.Fatalf("%s is not in the recording", pattern)
	}
	return re.ReplaceAllLiteralString(text, by)
}
