package detect

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// percent and degrees leave out what is behind the point: 97 % must not be said of what is not there yet.
func percent(x float64) string { return fmt.Sprintf("%.0f %%", math.Floor(x)) }

func degrees(x float64) string { return fmt.Sprintf("%.0f °C", math.Floor(x)) }

// bytes is a number of bytes as people read it.
func bytes(n int64) string {
	switch {
	case n >= 1e12:
		return fmt.Sprintf("%.1f TB", float64(n)/1e12)
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.0f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.0f kB", float64(n)/1e3)
}

func mebibytes(x float64) string {
	if x < 1024 {
		return fmt.Sprintf("%.0f MiB", x)
	}
	return fmt.Sprintf("%.1f GiB", x/1024)
}

func tellNodeDown(v *view) (string, []string) {
	var all []string
	if v.node.Status == schema.NodeDown {
		all = append(all, "reported down")
	}
	if !v.node.LastSeen.IsZero() {
		all = append(all, "last seen at "+clock(v.node.LastSeen))
	}
	if v.rec.Draining {
		all = append(all, "it was draining")
	}
	return titled("node %s is down", v.node.ID), facts(all...)
}

// filled says how full a file system is, of space or of inodes.
func filled(g gauge) (format, name string) {
	if mount, inodes := strings.CutPrefix(g.name, inodesOf); inodes {
		return percent(*g.value) + " of the inodes of disk %s are used", mount
	}
	return "disk %s is " + percent(*g.value) + " full", g.name
}

// tellDisk tells of the worst file system first: nearly full before full, then by how full.
func tellDisk(v *view) (string, []string) {
	l := v.t.rules.Disk
	all := v.worst(&l.LevelRule, diskGauges(v.node))
	slices.SortStableFunc(all, func(a, b gauge) int { return rank(l.nearlyFull(b)) - rank(l.nearlyFull(a)) })
	format, mount := filled(all[0])
	told := []string{free(all[0])}
	if told[0] == "" {
		told[0] = strings.Replace(format, "%s", mount, 1)
	}
	for _, g := range all[1:] {
		format, mount := filled(g)
		more := strings.Replace(format, "%s", mount, 1)
		if f := free(g); f != "" {
			more += ", " + f
		}
		told = append(told, more)
	}
	return titled(format, mount), facts(told...)
}

func rank(b bool) int {
	if b {
		return 1
	}
	return 0
}

func free(g gauge) string {
	if g.free == nil {
		return ""
	}
	return bytes(*g.free) + " free"
}

func readDisk(v *view) string {
	all := highest(diskGauges(v.node), func(gauge) bool { return true })
	if len(all) == 0 {
		return ""
	}
	format, mount := filled(all[0])
	return "at most " + strings.Replace(format, "%s", mount, 1)
}

func tellMemory(v *view) (string, []string) {
	used := *v.node.MemoryPercent
	return titled(percent(used)+" of the memory of %s is used", v.node.ID), facts(fmt.Sprintf("%.1f %% available", 100-used))
}

func readMemory(v *view) string { return percentRead(v.node.MemoryPercent, " used") }

func percentRead(x *float64, what string) string {
	if x == nil {
		return ""
	}
	return percent(*x) + what
}

func tellCPU(v *view) (string, []string) {
	busy := percent(*v.node.CPUPercent) + " busy"
	return titled("the processors of %s are "+busy, v.node.ID), facts(busy, "since "+clock(v.condition.Since))
}

func readCPU(v *view) string { return percentRead(v.node.CPUPercent, " busy") }

func tellGPUHot(v *view) (string, []string) {
	l := v.t.rules.GPUHot
	return v.tellGPUs(v.worst(&l, heatGauges(v.node)), func(g gauge) string { return "at " + degrees(*g.value) })
}

func tellGPUMemory(v *view) (string, []string) {
	l := v.t.rules.GPUMemory
	return v.tellGPUs(v.worst(&l, gpuMemoryGauges(v.node)), func(g gauge) string { return "using " + percent(*g.value) + " of its memory" })
}

// tellGPUs makes the title of the worst one; the others follow as facts.
func (v *view) tellGPUs(all []gauge, how func(gauge) string) (string, []string) {
	first := all[0].name + " of %s is " + how(all[0])
	told := []string{all[0].name + " is " + how(all[0]), all[0].more}
	for _, g := range all[1:] {
		told = append(told, g.name+" is "+how(g))
	}
	return titled(first, v.node.ID), facts(told...)
}

func readGPUHot(v *view) string {
	all := highest(heatGauges(v.node), func(gauge) bool { return true })
	if len(all) == 0 {
		return ""
	}
	return degrees(*all[0].value) + " at most"
}

func readGPUMemory(v *view) string {
	all := highest(gpuMemoryGauges(v.node), func(gauge) bool { return true })
	if len(all) == 0 {
		return ""
	}
	return percent(*all[0].value) + " used at most"
}

func tellGPUErrors(v *view) (string, []string) {
	var told []string
	for _, g := range v.gpuErrors {
		name, total := gpuName(int(g[0])), int64(0)
		if i := slices.IndexFunc(v.rec.GPUErrors, func(s sample) bool { return s[0] == g[0] }); i >= 0 {
			total = v.rec.GPUErrors[i][1]
		}
		told = append(told, fmt.Sprintf("%s: %s, %d in all", name, plural(g[1], "new error"), total))
		told = append(told, v.gpuModel(int(g[0])))
	}
	first := gpuName(int(v.gpuErrors[0][0])) + " of %s has " + plural(v.gpuErrors[0][1], "new error")
	return titled(first, v.node.ID), facts(told...)
}

func (v *view) gpuModel(index int) string {
	for i := range v.node.GPUs {
		if g := &v.node.GPUs[i]; g.Index == index && g.Model != "" {
			return gpuName(index) + " is a " + g.Model
		}
	}
	return ""
}

func tellNodeRebooted(v *view) (string, []string) {
	at := v.node.BootAt
	return titled("node %s was rebooted", v.node.ID), facts("booted at "+clock(at), "up for "+span(max(v.t.now.Sub(at), 0)))
}

func readBoot(v *view) string {
	if v.node.BootAt.IsZero() {
		return ""
	}
	return "up for " + span(max(v.t.now.Sub(v.node.BootAt), 0).Truncate(time.Second))
}
