package detect

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// gauge is a number that a level watches, by the name of what it is a number of; nil is unknown.
type gauge struct {
	name  string
	value *float64
	free  *int64 // of a disk's space, in bytes
	more  string // a further fact, for people
}

// gauged judges several numbers as one condition: it is true while one of them is high, and well once all of those that
// were high are low. What lies between stays as it is.
func (v *view) gauged(l *LevelRule, gauges []gauge, high func(float64) bool, what string) sight {
	seen := sight{hold: l.Hold.Of(v.t.interval), clear: l.Clear.Of(v.t.interval)}
	c := &v.condition
	var over []string
	for _, g := range gauges {
		was := slices.Contains(c.Over, g.name)
		switch {
		case g.value != nil && high(*g.value), g.value != nil && c.Firing && was && *g.value >= l.Under:
			seen.truth = yes
			over = append(over, g.name)
		case was && (g.value == nil || c.Firing): // unknown, or being watched to be well
			over = append(over, g.name)
		}
	}
	switch {
	case seen.truth == yes:
	case v.hidden(gauges):
		return sight{why: what + " is not known"}
	default:
		seen.truth = no
	}
	c.Over = over
	return seen
}

// hidden tells whether nothing can be said that is not yes: none of the numbers is known, or one that was high is not.
func (v *view) hidden(gauges []gauge) bool {
	known := false
	for _, g := range gauges {
		known = known || g.value != nil
		if g.value == nil && slices.Contains(v.condition.Over, g.name) {
			return true
		}
	}
	return !known
}

func above(limit float64) func(float64) bool {
	return func(x float64) bool { return x > limit }
}

func atLeast(limit float64) func(float64) bool {
	return func(x float64) bool { return x >= limit }
}

// highest are the gauges that are known and pass keep, the highest first.
func highest(gauges []gauge, keep func(gauge) bool) []gauge {
	kept := slices.DeleteFunc(slices.Clone(gauges), func(g gauge) bool { return g.value == nil || !keep(g) })
	slices.SortStableFunc(kept, func(a, b gauge) int { return cmp.Compare(*b.value, *a.value) })
	return kept
}

// worst are the gauges that make the condition true, the worst first. There is at least one where a rule tells of them.
func (v *view) worst(l *LevelRule, gauges []gauge) []gauge {
	over := v.condition.Over
	return highest(gauges, func(g gauge) bool { return slices.Contains(over, g.name) && *g.value >= l.Under })
}

// diskGauges are two for each file system: its space, and its inodes.
func diskGauges(n *schema.NodeSummary) []gauge {
	all := make([]gauge, 0, 2*len(n.Disks))
	for _, d := range n.Disks {
		all = append(all, gauge{name: d.Mount, value: d.UsedPercent, free: d.FreeBytes})
		all = append(all, gauge{name: inodesOf + d.Mount, value: d.InodesPercent})
	}
	return all
}

const inodesOf = "inodes of "

func seeDisk(v *view) sight {
	l := v.t.rules.Disk
	return v.gauged(&l.LevelRule, diskGauges(v.node), atLeast(l.Over), "how full its disks are")
}

// nearlyFull tells whether g is so full that it is worse. Few bytes alone mean nothing: a small file system never has
// many.
func (l *DiskRule) nearlyFull(g gauge) bool {
	return g.value != nil && (*g.value >= l.Worse || *g.value >= l.Over && g.free != nil && *g.free < l.WorseFree)
}

// diskSeverity is the worse one while a file system is nearly full, and until none has been for the clear hold.
func diskSeverity(v *view) string {
	l, c := v.t.rules.Disk, &v.condition
	seen, gauges := sight{clear: l.Clear.Of(v.t.interval)}, diskGauges(v.node)
	if slices.ContainsFunc(gauges, l.nearlyFull) {
		seen.truth = yes
	} else if !v.hidden(gauges) {
		seen.truth = no
	}
	c.Worse = c.Worse.step(v.t, seen)
	if c.Worse.Firing {
		return l.WorseSeverity
	}
	return l.Severity
}

func seeMemory(v *view) sight {
	l := v.t.rules.LowMemory
	return v.gauged(&l, memoryGauge(v.node), above(l.Over), "how much of its memory is in use")
}

func memoryGauge(n *schema.NodeSummary) []gauge {
	return []gauge{{name: "memory", value: n.MemoryPercent}}
}

func seeCPU(v *view) sight {
	l := v.t.rules.CPU
	return v.gauged(&l, cpuGauge(v.node), above(l.Over), "how busy its processors are")
}

func cpuGauge(n *schema.NodeSummary) []gauge {
	return []gauge{{name: "cpu", value: n.CPUPercent}}
}

func seeGPUHot(v *view) sight {
	l := v.t.rules.GPUHot
	return v.gauged(&l, heatGauges(v.node), above(l.Over), "how hot its GPUs are")
}

func heatGauges(n *schema.NodeSummary) []gauge {
	all := make([]gauge, 0, len(n.GPUs))
	for i := range n.GPUs {
		all = append(all, gauge{name: gpuName(n.GPUs[i].Index), value: n.GPUs[i].Temperature, more: n.GPUs[i].Model})
	}
	return all
}

func gpuName(index int) string { return "GPU " + strconv.Itoa(index) }

func seeGPUMemory(v *view) sight {
	l := v.t.rules.GPUMemory
	return v.gauged(&l, gpuMemoryGauges(v.node), above(l.Over), "how much of its GPUs' memory is in use")
}

func gpuMemoryGauges(n *schema.NodeSummary) []gauge {
	all := make([]gauge, 0, len(n.GPUs))
	for i := range n.GPUs {
		g := &n.GPUs[i]
		one := gauge{name: gpuName(g.Index)}
		if g.VRAMUsedMB != nil && g.VRAMTotalMB != nil && *g.VRAMTotalMB > 0 {
			one.value, one.more = new(100**g.VRAMUsedMB / *g.VRAMTotalMB), mebibytes(*g.VRAMUsedMB)+" of "+mebibytes(*g.VRAMTotalMB)+" in use"
		}
		all = append(all, one)
	}
	return all
}
