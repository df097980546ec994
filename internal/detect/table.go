package detect

import "github.com/bellbuoy/bellbuoy/internal/schema"

// rule is how one condition is judged: by which part of the snapshot, whether it is true, how bad it is now, and how
// it is told to people.
type rule struct {
	name     string
	part     string
	level    Level
	see      func(*view) sight
	severity func(*view) string // nil: always the level's
	tell     func(*view) (title string, facts []string)
	reads    func(*view) string // what it reads while it is well, for people; nil: nothing worth saying
	off      bool               // nothing reads its part
}

// serviceRules lists the conditions of a service in their declared order.
func (r *Rules) serviceRules() []rule {
	return []rule{
		{name: ServiceDown, part: schema.PartServices, level: r.ServiceDown, see: seeServiceDown, tell: tellServiceDown},
		{name: CrashLoop, part: schema.PartServices, level: r.CrashLoop.Level, see: seeCrashLoop, tell: tellCrashLoop},
		{name: OOMKilled, part: schema.PartServices, level: r.OOMKilled, see: seeOOMKilled, tell: tellOOMKilled},
		{name: Unhealthy, part: schema.PartHealth, level: r.Unhealthy.Level, see: seeUnhealthy, severity: unhealthySeverity, tell: tellUnhealthy},
		{name: ServiceDegraded, part: schema.PartServices, level: r.ServiceDegraded, see: seeServiceDegraded, tell: tellServiceDegraded},
		{name: ErrorBurst, part: schema.PartErrors, level: r.ErrorBurst.Level, see: seeErrorBurst, tell: tellErrorBurst, reads: readErrors},
		{name: JobFailed, part: schema.PartJobs, level: r.JobFailed, see: seeJobFailed, tell: tellJobFailed},
	}
}

// nodeRules lists the conditions of a node in their declared order.
func (r *Rules) nodeRules() []rule {
	return []rule{
		{name: NodeDown, part: schema.PartNodes, level: r.NodeDown.Level, see: seeNodeDown, severity: nodeDownSeverity, tell: tellNodeDown},
		{name: GPUErrors, part: schema.PartGPUErrors, level: r.GPUErrors, see: seeGPUErrors, tell: tellGPUErrors},
		{name: Disk, part: schema.PartDisks, level: r.Disk.Level, see: seeDisk, severity: diskSeverity, tell: tellDisk, reads: readDisk},
		{name: LowMemory, part: schema.PartMachine, level: r.LowMemory.Level, see: seeMemory, tell: tellMemory, reads: readMemory},
		{name: GPUHot, part: schema.PartGPUs, level: r.GPUHot.Level, see: seeGPUHot, tell: tellGPUHot, reads: readGPUHot},
		{name: NodeRebooted, part: schema.PartMachine, level: r.NodeRebooted.Level, see: seeNodeRebooted, tell: tellNodeRebooted, reads: readBoot},
		{name: CPU, part: schema.PartMachine, level: r.CPU.Level, see: seeCPU, tell: tellCPU, reads: readCPU},
		{name: GPUMemory, part: schema.PartGPUs, level: r.GPUMemory.Level, see: seeGPUMemory, tell: tellGPUMemory, reads: readGPUMemory},
	}
}

// sourceRules lists the conditions of a source.
func (r *Rules) sourceRules() []rule {
	return []rule{
		{name: SourceBlind, level: r.SourceBlind.Level, see: seeSourceBlind, severity: sourceBlindSeverity, tell: tellSourceBlind, reads: readSource},
	}
}

// Declared is one condition as the rules declare it. Part is the schema.Part that it is judged by; none for what
// Bellbuoy sees of its own collecting. Severity is the usual one, empty where the rules switch the condition off.
type Declared struct {
	Name     string
	Kind     string
	Part     string
	Severity string
}

// Conditions lists every condition there is: of services, of nodes, of sources, of whole clusters, of Bellbuoy itself,
// each in their declared order.
func Conditions(r Rules) []Declared {
	var all []Declared
	for _, x := range r.serviceRules() {
		all = append(all, Declared{x.name, schema.KindService, x.part, x.level.Severity})
	}
	for _, x := range r.nodeRules() {
		all = append(all, Declared{x.name, schema.KindNode, x.part, x.level.Severity})
	}
	for _, x := range r.sourceRules() {
		all = append(all, Declared{x.name, schema.KindSource, "", x.level.Severity})
	}
	all = append(all, Declared{ClusterSilent, schema.KindCluster, "", r.ClusterSilent.Severity}, r.Storm.declared(),
		Declared{TwoCollectors, schema.KindCollector, "", r.TwoCollectors.Severity})
	return append(all, r.ownConditions()...)
}

// OffCondition is a condition that is not judged, and why, in words for people.
type OffCondition struct {
	Condition string
	Reason    string
}

const offByRules = "switched off by the rules"

// Off lists the conditions that are not judged in the cluster of s: those that the rules switch off, and those whose
// part of the snapshot nothing reads. It follows the order of Conditions. What the rules switch off for some objects only
// is not among them, unless r is what Rules.For gave for one.
func Off(s schema.ClusterContext, r Rules) []OffCondition {
	r = r.in(s.ClusterName)
	unread := unreadParts(&s)
	var off []OffCondition
	for _, c := range Conditions(r) {
		reason, is := unread[c.Part]
		switch {
		case c.Severity == "":
			off = append(off, OffCondition{c.Name, r.offReason(c.Name)})
		case is:
			off = append(off, OffCondition{c.Name, reason})
		}
	}
	return off
}

// unreadParts are the parts that nothing reads, and why.
func unreadParts(s *schema.ClusterContext) map[string]string {
	parts := make(map[string]string, len(s.Unread))
	for _, u := range s.Unread {
		parts[u.Part] = u.Reason
		if u.Reason == "" {
			parts[u.Part] = "no source for " + u.Part
		}
	}
	return parts
}

// marked notes which of the rules are off.
func (t *tick) marked(rules []rule) []rule {
	for i := range rules {
		_, rules[i].off = t.unread[rules[i].part]
	}
	return rules
}
