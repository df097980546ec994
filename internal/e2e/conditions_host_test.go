package e2e_test

import (
	"cmp"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/collector"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source/host"
)

// machine is one that is read through recorded output: /proc, mounts, statfs, systemctl, journalctl and nvidia-smi, most
// of which was recorded for the host source's own tests. Its units are those of the recording; the ones that a row needs to have been
// well before are told in the recording's words for units that run.
type machine struct {
	*proc
	units []string          // as the list has them
	show  map[string]string // what is shown of each

	mu   sync.Mutex
	full bool // /home is
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{proc: newProc(t), show: map[string]string{}}
	for block := range strings.SplitSeq(hostText(t, "show-252"), "\n\n") {
		if id := word(block, "Id"); id != "" {
			m.show[id] = strings.TrimSpace(block)
		}
	}
	for line := range strings.Lines(hostText(t, "list-252")) {
		m.units = append(m.units, strings.TrimSpace(line))
	}
	m.write("1/mountinfo", hostText(t, "mounts-rhel-lvm"))
	m.write("slash/etc/hostname", "n1\n")
	m.write("run/systemd/system/here", "")
	m.write("gpus", hostText(t, "nvidia-a100"))
	m.write("journal", hostText(t, "journal"))
	m.command("nvidia-smi", "exec /bin/cat gpus")
	m.command("journalctl", "exec /bin/cat journal")
	m.command("systemctl", `case "$1" in list-units) exec /bin/cat list;; show) exec /bin/cat show;; *) exit 9;; esac`)
	m.set("exit1", running())
	m.set("loop", running(), restarted("223"))
	m.set("oneshotfail", map[string]string{"ActiveState": "activating", "SubState": "start", "ExecMainCode": "0", "Result": "success", "ExecMainExitTimestamp": ""})
	m.print()
	return m
}

func hostText(t *testing.T, name string) string {
	t.Helper()
	return text(t, filepath.Join("..", "..", "source", "host", "testdata"), name+".txt")
}

func (m *machine) command(name, script string) {
	write(m.t, filepath.Join(m.dir, "bin", name), "#!/bin/sh\ncd '"+m.dir+"' && "+script+"\n", 0o700)
}

func (m *machine) config() host.Config {
	in := func(name string) string { return filepath.Join(m.dir, name) }
	return host.Config{Procfs: m.dir, Rootfs: in("slash"), Run: in("run"), Path: in("bin"), Statfs: m.statfs}
}

// statfs answers with what the kernel said of a file system of 20 GB (ext4, on Linux 6.1), new and with 17.6 GB in it.
func (m *machine) statfs(path string) (host.Space, error) {
	const block = 4096
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full && strings.HasSuffix(path, "/slash/home") {
		return host.Space{Total: 5116564 * block, Free: 610957 * block, Available: 344717 * block, Inodes: 1310720, InodesFree: 1310708}, nil
	}
	return host.Space{Total: 5116564 * block, Free: 5116558 * block, Available: 4850318 * block, Inodes: 1310720, InodesFree: 1310709}, nil
}

func (m *machine) fill() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.full = true
}

// running is how systemctl shows a unit that runs.
func running() map[string]string {
	return map[string]string{
		"Result": "success", "ExecMainCode": "0", "ExecMainStatus": "0", "ExecMainExitTimestamp": "", "ExecMainExitTimestampMonotonic": "0",
		"ActiveState": "active", "SubState": "running",
	}
}

// restarted is systemd's count of them.
func restarted(times string) map[string]string { return map[string]string{"NRestarts": times} }

// word gives one property of what is shown of a unit.
func word(block, name string) string {
	for line := range strings.Lines(block) {
		if value, found := strings.CutPrefix(strings.TrimSpace(line), name+"="); found {
			return value
		}
	}
	return ""
}

// set changes properties of a unit, and its line of the list.
func (m *machine) set(name string, changes ...map[string]string) {
	id := name + ".service"
	block := m.show[id]
	for _, change := range changes {
		for property, value := range change {
			block = replaced(m.t, block, `(?m)^`+property+`=.*$`, property+"="+value)
		}
	}
	m.show[id] = block
	i := slices.IndexFunc(m.units, func(line string) bool { return strings.HasPrefix(line, id+" ") })
	m.units[i] = strings.Join([]string{id, word(block, "LoadState"), word(block, "ActiveState"), word(block, "SubState"), id}, " ")
}

// original gives a unit back what the recording shows of it, but for the changes. Of its times the newest is now, which
// systemctl tells in whole seconds: the next one, so that it is after every reading before.
func (m *machine) original(name string, changes ...map[string]string) {
	for block := range strings.SplitSeq(hostText(m.t, "show-252"), "\n\n") {
		if word(block, "Id") == name+".service" {
			m.show[name+".service"] = strings.TrimSpace(block)
		}
	}
	m.set(name, changes...)
	m.show[name+".service"] = restamped(m.show[name+".service"], time.Now().Truncate(time.Second).Add(time.Second))
	m.print()
}

var stamp = regexp.MustCompile(`\w{3} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC`)

// restamped moves all times of a text so that the newest is at.
func restamped(text string, at time.Time) string {
	const layout = "Mon 2006-01-02 15:04:05 MST"
	parse := func(s string) time.Time {
		read, _ := time.Parse(layout, s) // the pattern is that of the layout
		return read
	}
	newest := parse(slices.MaxFunc(stamp.FindAllString(text, -1), func(a, b string) int { return cmp.Compare(parse(a).Unix(), parse(b).Unix()) }))
	return stamp.ReplaceAllStringFunc(text, func(s string) string { return parse(s).Add(at.Sub(newest)).UTC().Format(layout) })
}

// print writes what systemctl is to print.
func (m *machine) print() {
	var blocks []string
	for _, block := range m.show {
		blocks = append(blocks, block)
	}
	m.write("show", strings.Join(blocks, "\n\n")+"\n")
	m.write("list", strings.Join(m.units, "\n")+"\n")
}

// ofHost is one condition that the host source shows otherwise than by /proc: steps, each with how a snapshot shows it.
// The last step is the reading that counts.
type ofHost struct {
	condition string
	object    schema.Object
	steps     []step
}

type step struct {
	act   func(m *machine)
	shows func(s schema.ClusterContext) bool
}

func onHost() []ofHost {
	unit := func(name string) schema.Object {
		return schema.Object{Kind: schema.KindService, Namespace: host.Namespace, Name: name}
	}
	node := schema.Object{Kind: schema.KindNode}
	gpu := func(condition, pattern, by string, shows func(g schema.GPUSummary) bool) ofHost {
		return ofHost{condition, node, []step{{
			func(m *machine) { m.write("gpus", replaced(m.t, hostText(m.t, "nvidia-a100"), pattern, by)) },
			func(s schema.ClusterContext) bool { return len(s.Nodes[0].GPUs) > 0 && shows(s.Nodes[0].GPUs[0]) },
		}}}
	}
	// A unit that failed waits to be restarted for a moment, and then runs again. No recording has one that ran out of
	// memory: its words are those of systemd's manual.
	oom := map[string]string{"Result": "oom-kill", "ExecMainCode": "2", "ExecMainStatus": "9", "NRestarts": "223"}
	return []ofHost{
		{detect.ServiceDown, unit("exit1"), []step{{func(m *machine) { m.original("exit1") }, stands("exit1", 0)}}},
		{detect.CrashLoop, unit("loop"), []step{
			{func(m *machine) { m.original("loop") }, stands("loop", 0)},
			{func(m *machine) { m.original("loop", running(), restarted("227")) }, stands("loop", 1)},
		}},
		{detect.OOMKilled, unit("loop"), []step{
			{func(m *machine) { m.original("loop", oom) }, stands("loop", 0)},
			{func(m *machine) { m.original("loop", running(), restarted("224")) }, stands("loop", 1)},
		}},
		{detect.JobFailed, unit("oneshotfail"), []step{{func(m *machine) { m.original("oneshotfail") }, stands("oneshotfail", 0)}}},
		{detect.Disk, node, []step{{(*machine).fill, func(s schema.ClusterContext) bool {
			return slices.ContainsFunc(s.Nodes[0].Disks, func(d schema.DiskSummary) bool { return *d.UsedPercent > 50 })
		}}}},
		gpu(detect.GPUHot, `, 64, 0`, ", 93, 0", func(g schema.GPUSummary) bool { return *g.Temperature == 93 }),
		gpu(detect.GPUMemory, `70123`, "81301", func(g schema.GPUSummary) bool { return *g.VRAMUsedMB == 81301 }),
		gpu(detect.GPUErrors, `, 64, 0`, ", 64, 3", func(g schema.GPUSummary) bool { return *g.ErrorsTotal == 3 }),
	}
}

// stands tells whether a unit is shown, with so much of it running.
func stands(name string, n int) func(schema.ClusterContext) bool {
	return func(c schema.ClusterContext) bool {
		return slices.ContainsFunc(c.Services, func(s schema.ServiceSummary) bool { return s.Name == name && runs(n)(s) })
	}
}

// equipped tells whether all there is of the machine was read, however long its commands took.
func equipped(s schema.ClusterContext) bool {
	n := s.Nodes[0]
	unknown := func(d schema.DiskSummary) bool { return d.UsedPercent == nil }
	return len(n.GPUs) == 2 && len(n.Disks) > 0 && !slices.ContainsFunc(n.Disks, unknown) && stands("loop", 1)(s)
}

func (r ofHost) proof(m *machine, c *reader) proof {
	return proof{
		r.condition, r.object,
		func(t *testing.T) schema.ClusterContext { return loaded(t, c) },
		func(*testing.T) { r.steps[0].act(m) },
		func(t *testing.T) schema.ClusterContext {
			bad := c.until(t, r.condition, r.steps[0].shows)
			for _, s := range r.steps[1:] {
				s.act(m)
				bad = c.until(t, r.condition, s.shows)
			}
			return bad
		},
	}
}

// hostProofs have a machine each.
func hostProofs(t *testing.T, server *bustest.NATS) (seen schema.ClusterContext, proofs []proof) {
	t.Helper()
	var machines []*machine
	var readers []*reader
	start := func(condition string) (*machine, *reader) {
		m := newMachine(t)
		c := collect(t, server, collector.Config{Cluster: "host-" + condition, Source: []string{"host"}, Host: m.config()})
		machines, readers = append(machines, m), append(readers, c)
		return m, c
	}
	for _, r := range onHost() {
		proofs = append(proofs, r.proof(start(r.condition)))
	}
	for _, r := range onProc() {
		m, c := start(r.condition)
		proofs = append(proofs, r.proof(m.proc, c, func(s schema.ClusterContext) schema.ClusterContext { return s }))
	}
	for i, c := range readers {
		seen = c.until(t, "the whole machine", func(s schema.ClusterContext) bool { return len(s.Nodes) == 1 && equipped(s) })
		machines[i].goOn()
	}
	return seen, proofs
}
