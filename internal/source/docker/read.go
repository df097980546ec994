package docker

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/containerd/errdefs"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
)

const (
	inspectPatience = time.Second      // for one inspection
	inspectAgain    = 30 * time.Second // after one that was not answered
	inspectTogether = 8
	logsPatience    = 3 * time.Second
	logsTogether    = 16
	endSettles      = 250 * time.Millisecond // how long the events of an end may come after it
)

// Read reads the engine once. It fails only where the list of containers cannot be had.
func (s *Source) Read(ctx context.Context) (source.Reading, error) {
	before := s.watch.take()
	s.forget(before.events)
	list, err := s.engine.list(ctx)
	if err != nil {
		s.watch.giveBack(before)
		return source.Reading{}, fmt.Errorf("list containers: %w", err)
	}
	list, ended := s.inspect(ctx, list, before.gap)
	if ended {
		rest(ctx, endSettles)
	}
	after := s.watch.take()
	defer s.forget(after.events) // what was inspected may be older than they are
	gap := before.gap || after.gap
	happened := s.remember(list, append(before.events, after.events...), gap)
	list = s.memory.remaining(list)
	s.memory.Cursor = after.through.UnixNano()
	snapshot := s.snapshot(ctx, list, &happened)
	s.memory.prune(s.now())
	state, err := json.Marshal(s.memory)
	if err != nil {
		return source.Reading{}, fmt.Errorf("write what the Docker source remembers: %w", err)
	}
	return source.Reading{Snapshot: snapshot, Happened: happened, State: state, GapBefore: gap, Reads: s.reads()}, nil
}

// reads says which parts of a snapshot this source reads, and why not others that could be thought to be its own.
func (s *Source) reads() map[string]string {
	machine := ""
	if s.machineError != nil {
		machine = s.machineError.Error()
	}
	return map[string]string{
		schema.PartServices: "", schema.PartHealth: "", schema.PartJobs: "", schema.PartErrors: "", schema.PartMachine: machine,
		schema.PartNodes: "a machine cannot report its own end",
	}
}

// forget drops inspections of containers that have had an event since.
func (s *Source) forget(events []event) {
	for _, e := range events {
		delete(s.details, e.ID)
	}
}

// inspect fills in details of the containers: those kept, and new ones for what is new, changed or had an event. It
// gives the containers that are still there, and tells whether one has ended just now, so that the events of its end
// may be on their way.
func (s *Source) inspect(ctx context.Context, list []listed, all bool) (still []listed, ended bool) {
	ask := s.toInspect(list, all)
	got, gone := s.ask(ctx, ask)
	list = slices.DeleteFunc(list, func(l listed) bool { return gone[l.ID] })
	for i := range list {
		l := &list[i]
		d := got[l.ID]
		if d == nil {
			continue
		}
		l.Detail, l.State = d, cmp.Or(d.State, l.State)
		ended = ended || l.State == stateExited && s.now().Sub(d.FinishedAt) < 8*endSettles
	}
	s.keep(list)
	return list, ended
}

// toInspect fills in the inspections that still hold, and gives the ids of the others. That of a container that was
// never started never holds: a start that fails changes its error alone, and is no event.
func (s *Source) toInspect(list []listed, all bool) []string {
	var ask []string
	for i, l := range list {
		kept, ok := s.details[l.ID]
		switch {
		case ok && !all && kept.state == l.State && l.State != stateCreated:
			list[i].Detail = kept.detail
		case s.now().After(s.hung[l.ID]):
			ask = append(ask, l.ID)
		}
	}
	return ask
}

// ask inspects containers, some at a time. One that does not answer is left alone for a while.
func (s *Source) ask(ctx context.Context, ids []string) (got map[string]*details, gone map[string]bool) {
	var mu sync.Mutex
	got, gone = map[string]*details{}, map[string]bool{}
	each(ctx, ids, inspectTogether, inspectPatience, func(ctx context.Context, id string) {
		d, err := s.engine.inspect(ctx, id)
		mu.Lock()
		defer mu.Unlock()
		delete(s.hung, id)
		switch {
		case errdefs.IsNotFound(err):
			gone[id] = true
		case err != nil:
			s.hung[id] = s.now().Add(inspectAgain)
			s.log.Debug("docker: container not inspected", "container", short(id), "error", err)
		default:
			got[id] = d
		}
	})
	return got, gone
}

// keep remembers the inspections of the containers that there are.
func (s *Source) keep(list []listed) {
	kept := make(map[string]cached, len(list))
	for _, l := range list {
		if l.Detail != nil {
			kept[l.ID] = cached{l.State, l.Detail}
		}
	}
	s.details = kept
}

// remember takes everything in and says what happened.
func (s *Source) remember(list []listed, events []event, gap bool) []source.Happening {
	now := s.now()
	before := make(map[string]bool, len(s.memory.Containers))
	for id := range s.memory.Containers {
		before[id] = true
	}
	fresh := s.memory.learn(list)
	happened := s.memory.fold(events)
	for _, l := range list {
		happened = append(happened, s.memory.meet(l, fresh[l.ID], gap, now)...)
	}
	s.memory.vanish(before, list, now)
	return happened
}

// snapshot describes what there is.
func (s *Source) snapshot(ctx context.Context, list []listed, happened *[]source.Happening) schema.ClusterContext {
	now := s.now()
	c := schema.ClusterContext{
		Schema: schema.ContextVersion, TakenAt: now, IntervalSeconds: s.config.Interval.Seconds(), Source: "docker",
		Nodes: []schema.NodeSummary{s.node(now)}, RecentEvents: []schema.ClusterEvent{}, ActiveAlerts: []schema.AlertSummary{},
		Services: []schema.ServiceSummary{},
	}
	v := view{now: now, node: s.about.Name, labels: s.config.CollectLabels, memory: s.about.Memory}
	*happened = append(*happened, s.logged()...) // what came late
	counting := s.counter.begin(s.life, s.memory.toCount(list, now), now, s.config.Interval)
	v.usages = s.sampler.latest(ctx, s.life, running(list), now, s.config.Interval)
	waitFor(ctx, counting)
	*happened = append(*happened, s.logged()...)
	groups := s.memory.gather(list)
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		kept, members := s.memory.Services[key], groups[key]
		*happened = append(*happened, s.memory.changes(kept, members)...)
		if sum, there := kept.summarize(members, v); there {
			c.Services = append(c.Services, sum)
			c.Baseline += baseline(sum)
		}
	}
	s.addLogs(ctx, c.Services, groups)
	return c
}

func baseline(sum schema.ServiceSummary) int {
	if sum.NotWanted == reasonBaseline {
		return 1
	}
	return 0
}

func running(list []listed) []string {
	var ids []string
	for _, l := range list {
		if l.State == stateRunning {
			ids = append(ids, l.ID)
		}
	}
	return ids
}

// errElsewhere is why the machine of an engine is not read.
var errElsewhere = errors.New("the engine is on another machine, and its API tells nothing of processors and memory; run a collector there")

func (s *Source) node(now time.Time) schema.NodeSummary {
	n := schema.NodeSummary{ID: s.about.Name, Status: schema.NodeHealthy, LastSeen: now, GPUs: []schema.GPUSummary{}}
	if s.proc == nil {
		s.machineError = errElsewhere
		return n
	}
	machine, err := s.proc.Read()
	if s.machineError = err; err != nil {
		s.log.Debug("docker: machine not read", "error", err)
	}
	n.CPUPercent, n.MemoryPercent, n.BootAt = machine.CPUPercent, machine.MemoryPercent, machine.BootAt
	return n
}

// addLogs asks for the newest lines of one container of each service that is not well.
func (s *Source) addLogs(ctx context.Context, services []schema.ServiceSummary, groups map[string][]member) {
	ctx, stop := context.WithTimeout(ctx, logsPatience)
	defer stop()
	var ids []string
	of := map[string]*schema.ServiceSummary{}
	for i := range services {
		if id := telling(&services[i], groups[services[i].Object().String()], s.now()); id != "" {
			ids = append(ids, id)
			of[id] = &services[i]
		}
	}
	each(ctx, ids, logsTogether, logsPatience, func(ctx context.Context, id string) {
		lines, err := s.engine.logs(ctx, id)
		if err != nil {
			s.log.Debug("docker: logs unavailable", "container", short(id), "error", err)
			return
		}
		of[id].RecentLogs = lines // each id has a service of its own
	})
}

// telling is the container whose logs say most: none of a service that is well and has not failed lately (between
// two crashes it looks well), or stopped on purpose and no failed job; else the worst, and of those the one that ended
// last.
func telling(sum *schema.ServiceSummary, members []member, now time.Time) string {
	failedJob := sum.Job != nil && sum.Job.LastExitCode != 0
	lately := sum.LastFailure != nil && now.Sub(sum.LastFailure.At) < loopRun
	quiet := sum.Status == schema.ServiceHealthy && !lately || sum.NotWanted != "" && !failedJob
	members = slices.DeleteFunc(slices.Clone(members), func(c member) bool { return c.Labels[labelLogs] == "off" })
	if quiet || len(members) == 0 {
		return ""
	}
	return slices.MaxFunc(members, func(a, b member) int {
		return cmp.Or(cmp.Compare(a.trouble(), b.trouble()), a.endedAt.Compare(b.endedAt))
	}).ID
}

// trouble ranks a container by how bad it is off.
func (c member) trouble() int {
	switch {
	case c.State == stateRunning && c.Health != schema.HealthUnhealthy:
		return 0
	case !c.Wanted && (c.Job == nil || c.Job.LastExitCode == 0):
		return 1
	}
	return 2
}
