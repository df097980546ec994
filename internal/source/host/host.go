package host

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
	"github.com/bellbuoy/bellbuoy/internal/source"
	"github.com/bellbuoy/bellbuoy/internal/source/procfs"
)

// Config says where the machine is to be read. Its zero value reads the one this process runs on.
type Config struct {
	Procfs   string        // where the machine's proc file system is; empty: HOST_PROC, else /proc
	Rootfs   string        // where the machine's root is mounted, for a collector in a container; empty: HOST_ROOT, else /
	Run      string        // where systemd says that it runs the machine; empty: /run
	Own      string        // root of the file system that this process sees, where a container leaves its marks; empty: /
	Unasked  bool          // nobody named this source: it is absent in a container that does not know the machine's root
	Path     string        // directories to find commands in; empty: PATH
	Interval time.Duration // between readings: commands are run once in it; 0: 15 s
	Log      *slog.Logger  // may be nil

	// Statfs asks a file system how full it is; nil: the kernel is asked. It is for a machine whose file systems are
	// known from elsewhere than its kernel, such as a recording.
	Statfs func(path string) (Space, error)
}

// Source reads one machine. It is a source.Source.
type Source struct {
	log     *slog.Logger
	every   time.Duration // commands are not run more often
	step    time.Duration // between readings
	node    string
	address string
	proc    *procfs.Reader
	disks   *disks // nil: noDisks says why not
	noDisks string
	gpus    gpus
	manager manager
	journal journal
	memory  *memory

	patience time.Duration // of a whole reading; 0: readPatience

	life context.Context // of the commands that are run
	stop context.CancelFunc

	services []schema.ServiceSummary // as they were last read
	read     time.Time               // when that was
}

var _ source.Source = (*Source)(nil)

// Open makes a Source, which goes on from where state left off. State is what an earlier Source gave with a reading,
// or empty; one that is not readable is as good as none. It fails only where the machine has no name,
// or where it cannot be told from a container; that is source.ErrAbsent.
func Open(_ context.Context, c Config, state json.RawMessage) (*Source, error) {
	root := strings.TrimSuffix(cmp.Or(c.Rootfs, os.Getenv("HOST_ROOT")), "/")
	if mark := contained(cmp.Or(c.Own, "/")); c.Unasked && root == "" && mark != "" {
		return nil, unnamed(mark)
	}
	node, err := hostname(root)
	if err != nil {
		return nil, err
	}
	s := &Source{log: c.Log, node: node, step: cmp.Or(c.Interval, schema.DefaultInterval), proc: procfs.New(c.Procfs)}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if root == "" {
		s.address = address() // in a container it would be the container's
	}
	s.every = s.step * 9 / 10
	s.disks, s.noDisks = newDisks(cmp.Or(c.Procfs, os.Getenv("HOST_PROC")), root)
	if s.disks != nil && c.Statfs != nil {
		s.disks.ask = c.Statfs
	}
	t := tools{c.Path}
	s.gpus, s.manager, s.journal = gpus{tools: t}, manager{tools: t, booted: booted(c.Run)}, journal{tools: t}
	if s.memory, err = recall(state, node); err != nil {
		s.log.Warn("host: what was remembered is not readable, beginning anew", "error", err)
	}
	s.life, s.stop = context.WithCancel(context.Background())
	return s, nil
}

// newDisks says where the list of mounts is. With a proc file system of the machine's own it is that of its first
// process, whose mount points mean something to us only where the machine's root is mounted.
func newDisks(proc, root string) (*disks, string) {
	d := &disks{table: "/proc/self/mountinfo", root: root, slots: map[string]*slot[asked]{}, ask: statfs}
	switch {
	case proc == "" && root == "":
		return d, ""
	case root == "":
		return nil, "HOST_PROC is set, and HOST_ROOT does not say where the root of that machine is mounted"
	}
	d.table = filepath.Join(cmp.Or(proc, "/proc"), "1", "mountinfo")
	return d, ""
}

// Close ends the commands that still run. What hangs in the kernel is left behind.
func (s *Source) Close() error {
	s.stop()
	return nil
}

// readPatience is how long a reading waits for all that it asks together.
const readPatience = 4 * time.Second

// Read reads the machine once. It does not fail: what cannot be read is unknown, and Reads says why.
func (s *Source) Read(ctx context.Context) (source.Reading, error) {
	ctx, stop := context.WithTimeout(ctx, cmp.Or(s.patience, readPatience))
	defer stop()
	now := time.Now().UTC()
	s.gpus.start(s.life, now, s.every)
	restless := s.memory.restless(now)
	s.manager.start(s.life, now, s.every, func(id string) bool { return restless[id] })

	r := source.Reading{Reads: map[string]string{}, Snapshot: schema.ClusterContext{
		Schema: schema.ContextVersion, TakenAt: now, IntervalSeconds: s.step.Seconds(), Source: "host",
		Services: []schema.ServiceSummary{}, RecentEvents: []schema.ClusterEvent{}, ActiveAlerts: []schema.AlertSummary{},
	}}
	node := schema.NodeSummary{ID: s.node, Address: s.address, Status: schema.NodeHealthy, LastSeen: now}
	s.readMachine(&node, &r)
	s.readDisks(ctx, &node, &r)
	s.readUnits(ctx, now, &r)
	s.readGPUs(ctx, now, &node, &r)
	r.Snapshot.Nodes = []schema.NodeSummary{node}
	state, err := json.Marshal(s.memory)
	if err != nil {
		return source.Reading{}, fmt.Errorf("write what the host source remembers: %w", err)
	}
	r.State = state
	return r, nil
}

// why makes a reason for people of an error.
func why(err error) string { return scrub.Line(err.Error(), 2*maxProblem) }

func (s *Source) readMachine(node *schema.NodeSummary, r *source.Reading) {
	machine, err := s.proc.Read()
	node.CPUPercent, node.MemoryPercent, node.BootAt = tenth(machine.CPUPercent), tenth(machine.MemoryPercent), machine.BootAt
	r.Reads[schema.PartMachine] = ""
	r.Reads[schema.PartNodes] = "a machine cannot report its own end"
	if err != nil && node.MemoryPercent == nil && node.BootAt.IsZero() {
		r.Reads[schema.PartMachine] = why(err)
	}
}

func (s *Source) readDisks(ctx context.Context, node *schema.NodeSummary, r *source.Reading) {
	r.Reads[schema.PartDisks] = s.noDisks
	if s.disks == nil {
		return
	}
	list, more, err := s.disks.read(ctx)
	if err != nil {
		r.Reads[schema.PartDisks] = why(err)
		return
	}
	node.Disks = list
	if more > 0 {
		r.Snapshot.Omitted = map[string]int{"disks": more}
	}
}

// readGPUs describes the graphics processors. Of those that were there and cannot be read nothing is known, which is not
// the same as that nothing reads them: what is true of them has to stand still, not to be dropped.
func (s *Source) readGPUs(ctx context.Context, now time.Time, node *schema.NodeSummary, r *source.Reading) {
	got := s.gpus.wait(ctx, now)
	r.Happened = append(r.Happened, s.memory.gpus(got, s.node, now)...)
	r.Reads[schema.PartGPUs], r.Reads[schema.PartGPUErrors] = "", ""
	if errors.Is(got.err, errNoGPU) {
		node.GPUs = []schema.GPUSummary{}
	}
	switch {
	case got.err == nil:
		node.GPUs = slices.Clone(got.list)
	case errors.Is(got.err, errNoGPU), len(s.memory.Cards) == 0:
		r.Reads[schema.PartGPUs], r.Reads[schema.PartGPUErrors] = why(got.err), why(got.err)
		return
	default:
		node.GPUs = s.memory.unknown()
	}
	if !s.memory.counts() {
		r.Reads[schema.PartGPUErrors] = "the graphics processors here count no errors"
	}
}

// readUnits describes the units. While systemd does not answer, those of the reading before stand, marked stale. After
// a restart there is no reading before; then the units that are remembered are missing from the snapshot, which says so
// by its stale part, so that nobody takes them for removed.
func (s *Source) readUnits(ctx context.Context, now time.Time, r *source.Reading) {
	units, err := s.manager.wait(ctx, now)
	reason := ""
	switch {
	case err == nil:
		s.describe(ctx, units, now, r)
	case s.read.IsZero() && len(s.memory.Units) == 0, errors.Is(err, errNoSystemd):
		reason = why(err)
	default:
		for _, service := range s.services {
			service.Stale = true
			r.Snapshot.Services = append(r.Snapshot.Services, service)
		}
		r.Snapshot.Stale = []schema.StalePart{{
			Source: "host", Parts: []string{schema.PartServices, schema.PartJobs}, Since: s.read, Error: why(err),
		}}
	}
	r.Reads[schema.PartServices], r.Reads[schema.PartJobs] = reason, reason
}

func (s *Source) describe(ctx context.Context, units []unit, now time.Time, r *source.Reading) {
	shown, happened := s.memory.compare(units, now)
	services := make([]schema.ServiceSummary, 0, len(shown))
	for _, u := range shown {
		sum, v := summarize(&u, s.memory.Units[u.ID], s.node, now)
		services = append(services, sum)
		if v.Baseline {
			r.Snapshot.Baseline++
		}
	}
	s.journal.add(ctx, s.life, services, shown, s.memory, now)
	s.services, s.read = services, now
	r.Snapshot.Services = slices.Clone(services)
	r.Happened = append(r.Happened, happened...)
}
