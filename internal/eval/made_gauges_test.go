package eval_test

import (
	"time"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func gaugeFilms() []film {
	return []film{
		{"condition-disk-space", []string{detect.Disk}, time.Minute, "09:10", diskSpace},
		{"condition-disk-inodes", []string{detect.Disk}, time.Minute, "08:40", diskInodes},
		{"condition-disk-little-free", []string{detect.Disk}, time.Minute, "08:40", diskLittleFree},
		{"condition-memory", []string{detect.LowMemory}, time.Minute, "09:10", lowMemory},
		{"condition-cpu", []string{detect.CPU}, time.Minute, "10:50", busy},
		{"condition-gpu-hot", []string{detect.GPUHot}, 15 * time.Second, "08:25", gpuHot},
		{"condition-gpu-memory", []string{detect.GPUMemory}, 15 * time.Second, "08:55", gpuMemory},
		{"condition-gpu-errors", []string{detect.GPUErrors}, time.Minute, "10:15", gpuErrors},
	}
}

// level is a number over the time.
type level = change[float64]

func disk(mount string, used, inodes, freeGB float64) schema.DiskSummary {
	return schema.DiskSummary{Mount: mount, UsedPercent: &used, InodesPercent: &inodes, FreeBytes: new(int64(freeGB * 1e9))}
}

func node(s *schema.ClusterContext, id string, change func(*schema.NodeSummary)) {
	n := schema.NodeSummary{ID: id, Status: schema.NodeHealthy}
	change(&n)
	s.Nodes = append(s.Nodes, n)
}

func diskSpace(n now, s *schema.ClusterContext) bool {
	node(s, "web1", func(x *schema.NodeSummary) {
		x.Disks = append(
			x.Disks,
			disk("/", 89.5, 10, 20),
			disk("/data", step(n, 70, level{"08:10", 92}, level{"08:15", 70}, level{"08:30", 92}, level{"08:50", 88}, level{"09:00", 80}), 10, 20),
		)
	})
	return true
}

func diskInodes(n now, s *schema.ClusterContext) bool {
	node(s, "web1", func(x *schema.NodeSummary) {
		x.Disks = append(x.Disks, disk("/", 50, 88, 20), disk("/mail", 50, step(n, 60, level{"08:10", 94}, level{"08:30", 60}), 20))
	})
	return true
}

func diskLittleFree(n now, s *schema.ClusterContext) bool {
	node(s, "web1", func(x *schema.NodeSummary) {
		x.Disks = append(
			x.Disks,
			disk("/boot", 60, 10, 0.2),
			disk("/var", step(n, 70, level{"08:05", 92}, level{"08:30", 60}), 10, step(n, 5, level{"08:05", 1.5}, level{"08:20", 0.7}, level{"08:30", 6})),
		)
	})
	return true
}

func lowMemory(n now, s *schema.ClusterContext) bool {
	node(s, "full", func(x *schema.NodeSummary) { x.MemoryPercent = new(94.0) })
	node(s, "web1", func(x *schema.NodeSummary) {
		x.MemoryPercent = new(step(n, 60, level{"08:10", 97}, level{"08:15", 60}, level{"08:30", 97}, level{"08:50", 93}, level{"09:00", 85}))
	})
	return true
}

func busy(n now, s *schema.ClusterContext) bool {
	node(s, "usual", func(x *schema.NodeSummary) { x.CPUPercent = new(93.0) })
	node(s, "web1", func(x *schema.NodeSummary) {
		x.CPUPercent = new(step(n, 40, level{"08:10", 99}, level{"08:39", 40}, level{"09:00", 99}, level{"09:50", 90}, level{"10:20", 60}))
	})
	return true
}

func gpu(index int, change func(*schema.GPUSummary)) schema.GPUSummary {
	g := schema.GPUSummary{Index: index}
	change(&g)
	return g
}

func gpuHot(n now, s *schema.ClusterContext) bool {
	hot := func(celsius float64) func(*schema.GPUSummary) {
		return func(g *schema.GPUSummary) { g.Temperature = &celsius }
	}
	node(s, "gpu1", func(x *schema.NodeSummary) {
		x.GPUs = append(
			x.GPUs,
			gpu(0, hot(89)),
			gpu(1, hot(step(n, 70, level{"08:02", 95}, level{"08:04", 70}, level{"08:06", 95}, level{"08:12", 87}, level{"08:18", 70}))),
		)
	})
	return true
}

func gpuMemory(n now, s *schema.ClusterContext) bool {
	used := func(percent float64) func(*schema.GPUSummary) {
		return func(g *schema.GPUSummary) { g.VRAMUsedMB, g.VRAMTotalMB = new(percent*800), new(80_000.0) }
	}
	node(s, "gpu1", func(x *schema.NodeSummary) {
		x.GPUs = append(
			x.GPUs,
			gpu(0, used(97)),
			gpu(1, used(step(n, 80, level{"08:05", 99}, level{"08:15", 80}, level{"08:20", 99}, level{"08:40", 96}, level{"08:48", 90}))),
		)
	})
	return true
}

func gpuErrors(n now, s *schema.ClusterContext) bool {
	node(s, "gpu1", func(x *schema.NodeSummary) {
		x.GPUs = append(
			x.GPUs,
			gpu(0, func(g *schema.GPUSummary) { g.ErrorsTotal = new(int64(3)) }), // from before anybody looked
			gpu(1, func(g *schema.GPUSummary) { g.ErrorsTotal = new(n.count("08:20", "09:00", "09:00")) }),
		)
	})
	return true
}
