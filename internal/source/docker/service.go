package docker

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// jobMemory is how far into its next run the end of a job is still shown.
const jobMemory = 10 * time.Minute

// member is one container of a service, judged.
type member struct {
	listed
	verdict
	endedAt time.Time
}

// view is what a summary is made with, beside the members.
type view struct {
	now    time.Time
	node   string
	labels []string         // to be collected
	usages map[string]usage // by container id
	memory int64            // of the machine, in bytes; 0 unknown
}

// gather judges the containers and sorts them by service. Services that are remembered but have no container now are
// there with none.
func (m *memory) gather(list []listed) map[string][]member {
	groups := make(map[string][]member, len(m.Services))
	for key := range m.Services {
		groups[key] = nil
	}
	for _, l := range list {
		s := m.see(l)
		key := m.service(l.Object).Object.String()
		groups[key] = append(groups[key], member{l, judge(s, m.FirstSeen), s.EndedAt})
	}
	for _, members := range groups {
		slices.SortFunc(members, func(a, b member) int { return cmp.Compare(a.Name, b.Name) })
	}
	return groups
}

// summarize describes one service; it is false for one that is gone. It changes what is remembered of it.
func (s *service) summarize(members []member, v view) (schema.ServiceSummary, bool) {
	sum := schema.ServiceSummary{Name: s.Object.Name, Namespace: s.Object.Namespace, Runtime: "container"}
	if !s.count(&sum, members, v.now) {
		return sum, false
	}
	s.SeenAt = v.now
	sum.Image, sum.PreviousImage, sum.LastDeployAt = s.Image, s.Previous, s.DeployAt
	for _, c := range members {
		sum.UsesGPU = sum.UsesGPU || c.Detail != nil && c.Detail.GPU
		sum.Instances = append(sum.Instances, c.instance(v.node))
		s.fail(c.Failure)
	}
	sum.Health = worstHealth(members)
	sum.Status = status(&sum, members)
	s.lastJob(&sum, members, v.now)
	if s.Failure != nil {
		sum.LastFailure = new(*s.Failure)
	}
	if *sum.ReplicasRunning > 0 {
		sum.Nodes = []string{v.node}
	}
	describe(&sum, members, v.labels)
	measure(&sum, members, v)
	return sum, true
}

// count says how many containers run, how many should, and why none should.
func (s *service) count(sum *schema.ServiceSummary, members []member, now time.Time) bool {
	var running, unwanted, unknown int
	for _, c := range members {
		switch {
		case c.State == stateRunning:
			running++
		case c.Unknown:
			unknown++
		case !c.Wanted:
			unwanted++
		}
	}
	if len(members) > 0 {
		s.Marks = observe(s.Marks, len(members), now)
	} else {
		s.Marks = slices.DeleteFunc(s.Marks, func(m mark) bool { return now.Sub(m.At) > markWindow })
	}
	desired := highest(s.Marks) - unwanted
	sum.ReplicasRunning = new(running)
	if unknown == 0 {
		sum.ReplicasDesired = new(desired)
	}
	if desired == 0 {
		sum.NotWanted = s.why(members)
	}
	overrule(sum, members)
	return len(members) > 0 || highest(s.Marks) > 0 || now.Sub(s.RemovedAt) <= rebirth
}

// why is the reason of the container that ended last; one that had ended before we came counts for less.
func (s *service) why(members []member) string {
	if len(members) == 0 {
		return cmp.Or(s.Reason, reasonRemoved)
	}
	last := slices.MaxFunc(members, func(a, b member) int {
		if a.Baseline != b.Baseline {
			return map[bool]int{true: -1, false: 1}[a.Baseline]
		}
		return a.endedAt.Compare(b.endedAt)
	})
	return last.Reason
}

// overrule lets a label of the owner say how many there should be.
func overrule(sum *schema.ServiceSummary, members []member) {
	for _, c := range members {
		n, err := strconv.Atoi(strings.TrimSpace(c.Labels[labelWanted]))
		if err != nil || n < 0 {
			continue
		}
		sum.ReplicasDesired, sum.NotWanted = new(n), ""
		if n == 0 {
			sum.NotWanted = labelWanted + "=0"
		}
		return
	}
}

func status(sum *schema.ServiceSummary, members []member) string {
	switch {
	case *sum.ReplicasRunning == 0 && sum.ReplicasDesired == nil:
		return ""
	case *sum.ReplicasRunning == 0:
		return schema.ServiceStopped
	case sum.ReplicasDesired != nil && *sum.ReplicasRunning < *sum.ReplicasDesired,
		sum.Health == schema.HealthUnhealthy, slices.ContainsFunc(members, restarting):
		return schema.ServiceDegraded
	}
	return schema.ServiceHealthy
}

func restarting(c member) bool { return c.State == stateRestarting }

func worstHealth(members []member) string {
	worst := ""
	rank := []string{"", schema.HealthHealthy, schema.HealthStarting, schema.HealthUnhealthy}
	for _, c := range members {
		if c.State == stateRunning && slices.Index(rank, c.Health) > slices.Index(rank, worst) {
			worst = c.Health
		}
	}
	return worst
}

// lastJob shows the newest end of a job, and keeps showing it for a while when it runs again.
func (s *service) lastJob(sum *schema.ServiceSummary, members []member, now time.Time) {
	var newest *schema.JobRun
	rerun := false
	for _, c := range members {
		if c.Job != nil && (newest == nil || c.Job.At.After(newest.At)) {
			newest = c.Job
		}
		rerun = rerun || c.State == stateRunning && c.Detail != nil && now.Sub(c.Detail.StartedAt) < jobMemory
	}
	if newest != nil || !rerun {
		s.Job = newest
	}
	if s.Job != nil {
		sum.Job = new(*s.Job)
	}
}

func (c member) instance(node string) schema.Instance {
	i := schema.Instance{Name: c.Name, Node: node, State: c.State}
	if c.State == stateRunning {
		i.Health = c.Health
	}
	if c.Detail != nil {
		i.StartedAt, i.Restarts = c.Detail.StartedAt, new(int64(c.Detail.RestartCount))
	}
	return i
}

// describe takes labels and dependencies from the newest container.
func describe(sum *schema.ServiceSummary, members []member, collect []string) {
	if len(members) == 0 {
		return
	}
	newest := slices.MaxFunc(members, byCreation)
	sum.DependsOn = dependencies(newest.Labels[labelDependsOn])
	sum.Labels = collected(newest.Labels, collect)
}

// collected are the labels that are shown; nil: there are none. What a container says to Bellbuoy of its team and its
// runbook counts for more than what it says to everybody.
func collected(labels map[string]string, collect []string) map[string]string {
	var shown map[string]string
	for key, value := range labels {
		if !strings.HasPrefix(key, labelOurs) && !slices.Contains(collect, key) {
			continue
		}
		limit := schema.MaxName
		if strings.TrimPrefix(key, labelOurs) == runbook {
			limit = maxRunbook
			if len(value) > limit { // half an address is worse than none
				continue
			}
		}
		if shown == nil {
			shown = map[string]string{}
		}
		shown[key] = scrub.Line(scrub.Value(key, value), limit)
	}
	for _, key := range []string{labelTeam, labelRunbook} {
		if value := shown[key]; value != "" {
			shown[strings.TrimPrefix(key, labelOurs)] = value
		}
	}
	return shown
}

// runbook is the label that becomes a link; maxRunbook is how long it may be, in bytes, to stay one.
const (
	runbook    = "runbook"
	maxRunbook = 400
)

func byCreation(a, b member) int {
	return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
}

// dependencies reads the label that Compose writes: "db:service_started:false,cache:service_healthy:true".
func dependencies(label string) []string {
	var names []string
	for part := range strings.SplitSeq(label, ",") {
		if name, _, _ := strings.Cut(strings.TrimSpace(part), ":"); name != "" {
			names = append(names, bounded(name))
		}
	}
	return names
}

// measure adds up what the running containers use; one that is unknown makes the sum unknown.
func measure(sum *schema.ServiceSummary, members []member, v view) {
	var running []usage
	for _, c := range members {
		if c.State == stateRunning {
			running = append(running, v.usages[c.ID])
		}
	}
	sum.CPUPercent = total(running, func(u usage) *float64 { return u.CPUPercent })
	sum.MemoryBytes = total(running, func(u usage) *int64 { return u.Memory })
	sum.MemoryLimit = total(running, func(u usage) *int64 {
		if u.Limit != nil && v.memory > 0 && *u.Limit >= v.memory {
			return nil // as much as the machine has: no limit
		}
		return u.Limit
	})
}

func total[N int64 | float64](all []usage, of func(usage) *N) *N {
	var sum N
	for _, u := range all {
		n := of(u)
		if n == nil {
			return nil
		}
		sum += *n
	}
	if len(all) == 0 {
		return nil
	}
	return &sum
}
