package detect_test

import (
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// machine feeds a node n1 for so many intervals and gives what the last snapshot found.
func (c *cluster) machine(n node, times int) detect.Result {
	c.t.Helper()
	n.ID = "n1"
	var r detect.Result
	for range times {
		r = c.see(nodes(after(time.Duration(c.seq)*i), n))
	}
	return r
}

const long = 130 // intervals: longer than any hold of a level

func TestLevelsOfANode(t *testing.T) {
	full := func(all ...disk) node { return node{Disks: all} }
	tests := []struct {
		name  string
		node  node
		found []string
		title string
		facts []string
	}{
		{"disk-almost-full", disks(new(89.9), nil), nil, "", nil},
		{
			"disk-full", full(disk{Mount: "/var", UsedPercent: new(96.9), FreeBytes: new(int64(3_100_000_000))}),
			[]string{"n1 disk warning"},
			"disk /var is 96 % full",
			[]string{"3.1 GB free"},
		},
		{
			"disk-nearly-at-its-end", full(disk{Mount: "/var", UsedPercent: new(97.0), FreeBytes: new(int64(31e9))}),
			[]string{"n1 disk critical"},
			"disk /var is 97 % full",
			[]string{"31.0 GB free"},
		},
		{
			"less-than-a-gigabyte-free", full(disk{Mount: "/var", UsedPercent: new(92.0), FreeBytes: new(int64(999_999_999))}),
			[]string{"n1 disk critical"},
			"disk /var is 92 % full",
			[]string{"1000 MB free"},
		},
		{"small-and-half-empty", full(disk{Mount: "/boot", UsedPercent: new(50.0), FreeBytes: new(int64(200e6))}), nil, "", nil},
		{
			"free-bytes-unknown", disks(new(91.0), new(12.0)),
			[]string{"n1 disk warning"},
			"disk /var is 91 % full",
			[]string{"disk /var is 91 % full"},
		},
		{
			"inodes", disks(new(20.0), new(98.0)),
			[]string{"n1 disk critical"},
			"98 % of the inodes of disk /var are used",
			[]string{"98 % of the inodes of disk /var are used"},
		},
		{
			"worst-first-then-the-others", full(
				disk{Mount: "/", UsedPercent: new(93.0), FreeBytes: new(int64(50e9))},
				disk{Mount: "/var", UsedPercent: new(95.0), FreeBytes: new(int64(20e9))},
				disk{Mount: "/small", UsedPercent: new(91.0), FreeBytes: new(int64(100e6))},
				disk{Mount: "/home", UsedPercent: new(30.0)},
			),
			[]string{"n1 disk critical"},
			"disk /small is 91 % full",
			[]string{"100 MB free", "disk /var is 95 % full, 20.0 GB free", "disk / is 93 % full, 50.0 GB free"},
		},
		{"memory-in-use", node{MemoryPercent: new(95.0)}, nil, "", nil},
		{
			"memory-short",
			node{MemoryPercent: new(97.6)},
			[]string{"n1 memory warning"},
			"97 % of the memory of n1 is used",
			[]string{"2.4 % available"},
		},
		{
			"processors-busy",
			node{CPUPercent: new(99.0)},
			[]string{"n1 cpu info"},
			"the processors of n1 are 99 % busy",
			[]string{"99 % busy", "since 08:00:00 UTC"},
		},
		{
			"gpus-hot", gpus(gpu{Index: 0, Temperature: new(91.0)}, gpu{Index: 3, Temperature: new(94.5), Model: "H100"}, gpu{Index: 4, Temperature: new(40.0)}),
			[]string{"n1 gpu_hot warning"},
			"GPU 3 of n1 is at 94 °C",
			[]string{"GPU 3 is at 94 °C", "H100", "GPU 0 is at 91 °C"},
		},
		{
			"gpu-memory-full", gpus(vram(99)),
			[]string{"n1 gpu_memory info"},
			"GPU 0 of n1 is using 99 % of its memory",
			[]string{"GPU 0 is using 99 % of its memory", "23.2 GiB of 23.4 GiB in use"},
		},
		{"gpu-whose-memory-is-not-known", gpus(gpu{VRAMUsedMB: new(99.0), VRAMTotalMB: new(0.0)}), nil, "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := watch(t).machine(tt.node, long)
			want(t, firing(r), tt.found)
			if tt.found != nil {
				want(t, r.Findings[0].Conditions[0].Title, tt.title)
				want(t, r.Findings[0].Conditions[0].Facts, tt.facts)
			}
		})
	}
}

func TestLevelBetweenItsThresholdsStaysAsItIs(t *testing.T) {
	tests := map[string]struct {
		between, over, under node
		found                []string
	}{
		"disk":       {disks(new(88.0), nil), disks(new(90.0), nil), disks(new(86.9), nil), []string{"n1 disk warning"}},
		"memory":     {node{MemoryPercent: new(93.0)}, node{MemoryPercent: new(95.1)}, node{MemoryPercent: new(91.9)}, []string{"n1 memory warning"}},
		"cpu":        {node{CPUPercent: new(90.0)}, node{CPUPercent: new(95.1)}, node{CPUPercent: new(84.9)}, []string{"n1 cpu info"}},
		"gpu_hot":    {gpus(gpu{Temperature: new(88.0)}), gpus(gpu{Temperature: new(90.1)}), gpus(gpu{Temperature: new(84.9)}), []string{"n1 gpu_hot warning"}},
		"gpu_memory": {gpus(vram(97)), gpus(vram(98.1)), gpus(vram(94.9)), []string{"n1 gpu_memory info"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := watch(t)
			want(t, firing(c.machine(tt.between, long)), []string(nil))
			c.machine(tt.over, 5)
			want(t, firing(c.machine(tt.between, long)), []string(nil))
			want(t, firing(c.machine(tt.over, long)), tt.found)
			want(t, firing(c.machine(tt.between, long)), tt.found)
			c.machine(tt.under, 5)
			want(t, firing(c.machine(tt.between, long)), tt.found)
			want(t, firing(c.machine(tt.under, long)), []string(nil))
			want(t, firing(c.machine(tt.between, long)), []string(nil))
		})
	}
}

func TestDiskThatIsAlwaysInBetweenDoesNotKeepAnotherOneFiring(t *testing.T) {
	c := watch(t)
	two := func(used float64) node {
		return node{Disks: []disk{{Mount: "/data", UsedPercent: new(88.0)}, {Mount: "/var", UsedPercent: new(used)}}}
	}
	want(t, firing(c.machine(two(95), 21)), []string{"n1 disk warning"})
	want(t, firing(c.machine(two(40), 21)), []string(nil))
}

func TestDiskThatIsNoLongerKnownIsNotCalledWell(t *testing.T) {
	c := watch(t)
	known := node{Disks: []disk{{Mount: "/", UsedPercent: new(10.0)}, {Mount: "/var", UsedPercent: new(98.0)}}}
	hidden := node{Disks: []disk{{Mount: "/", UsedPercent: new(10.0)}, {Mount: "/var"}}}
	taken := node{Disks: []disk{{Mount: "/", UsedPercent: new(10.0)}}}
	c.machine(known, 10)
	want(t, firing(c.machine(hidden, long)), []string(nil))
	want(t, firing(c.machine(known, 12)), []string{"n1 disk critical"})
	want(t, firing(c.machine(hidden, long)), []string{"n1 disk critical"})
	want(t, firing(c.machine(taken, 20)), []string{"n1 disk critical"})
	want(t, firing(c.machine(taken, 1)), []string(nil))
}

func TestDiskThatIsNoLongerNearlyFullIsMildAfterItsHold(t *testing.T) {
	c := watch(t)
	want(t, firing(c.machine(disks(new(98.0), nil), 21)), []string{"n1 disk critical"})
	want(t, firing(c.machine(disks(new(93.0), nil), 20)), []string{"n1 disk critical"})
	want(t, firing(c.machine(disks(new(93.0), nil), 1)), []string{"n1 disk warning"})
}

func TestGPUErrorsNeedADifference(t *testing.T) {
	c := watch(t)
	counted := func(totals ...int64) node {
		var all []gpu
		for n, total := range totals {
			all = append(all, gpu{Index: n, Model: "H100", ErrorsTotal: new(total)})
		}
		return gpus(all...)
	}
	want(t, firing(c.machine(counted(12, 0), 5)), []string(nil))
	want(t, firing(c.machine(counted(3, 0), 5)), []string(nil)) // a lower total is a new baseline
	want(t, firing(c.machine(counted(3, 0, 9), 5)), []string(nil))
	r := c.machine(counted(3, 2, 10), 1)
	want(t, firing(r), []string{"n1 gpu_errors critical"})
	want(t, r.Findings[0].Conditions[0].Title, "GPU 1 of n1 has 2 new errors")
	want(t, r.Findings[0].Conditions[0].Facts, []string{
		"GPU 1: 2 new errors, 2 in all", "GPU 1 is a H100", "GPU 2: 1 new error, 10 in all", "GPU 2 is a H100",
	})
	want(t, firing(c.machine(counted(3, 2, 10), 239)), []string{"n1 gpu_errors critical"})
	want(t, firing(c.machine(counted(3, 2, 10), 1)), []string(nil))
}

func TestRebootIsABootTimeThatMoved(t *testing.T) {
	booted := start.Add(-24 * time.Hour)
	tests := []struct {
		name string
		boot []time.Time // one interval apart
		gap  time.Duration
		told bool
	}{
		{"the-same", []time.Time{booted, booted, booted}, i, false},
		{"jitter", []time.Time{booted, booted.Add(time.Second), booted.Add(-time.Second), booted.Add(2 * time.Second)}, i, false},
		{"adjusted-by-a-minute", []time.Time{booted, booted.Add(time.Minute)}, i, false},
		{"adjusted-again-and-again", []time.Time{booted, booted.Add(50 * time.Second), booted.Add(100 * time.Second), booted.Add(150 * time.Second)}, i, false},
		{"earlier", []time.Time{booted, booted.Add(-time.Hour)}, i, false},
		{"moved", []time.Time{booted, booted.Add(61 * time.Second)}, i, true},
		{"rebooted-while-away", []time.Time{booted, start.Add(8 * time.Minute)}, 10 * time.Minute, true},
		{"known-for-the-first-time", []time.Time{{}, start}, i, false},
		{"unknown-in-between", []time.Time{booted, {}, start.Add(i)}, i, true},
		{"clock-set-forward", []time.Time{booted, booted.Add(time.Hour)}, time.Hour + i, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, told := watch(t), false
			for n, at := range tt.boot {
				told = len(c.see(nodes(after(time.Duration(n)*tt.gap), node{ID: "n1", BootAt: at})).Findings) > 0 || told
			}
			want(t, told, tt.told)
		})
	}
	c := watch(t)
	c.machine(node{BootAt: booted}, 4)
	r := c.machine(node{BootAt: after(50 * time.Second)}, 1)
	want(t, r.Findings[0].Conditions[0].Title, "node n1 was rebooted")
	want(t, r.Findings[0].Conditions[0].Facts, []string{"booted at 08:00:50 UTC", "up for 10 s"})
}

// TestDiskIsJudgedWhileDockerIsStale is an hour in which the engine does not answer while a disk fills and empties.
func TestDiskIsJudgedWhileDockerIsStale(t *testing.T) {
	c := watch(t)
	see := func(used float64, stale bool) []string {
		s := snapshot(after(time.Duration(c.seq)*i), down("web"))
		s.Nodes = []node{disks(new(used), nil)}
		s.Nodes[0].ID = "n1"
		if stale {
			s.Services[0] = up("web") // whatever a stale part says
			s.Services[0].Stale = true
			s.Stale = []schema.StalePart{{Source: "docker", Since: start}}
		}
		r := c.see(s)
		want(t, r.Gone, []schema.Object(nil))
		want(t, r.Proof(schema.KindNode).Well, c.seq > 8)
		return firing(r)
	}
	web, both := []string{"shop/web service_down critical"}, []string{"shop/web service_down critical", "n1 disk warning"}
	see(50, false)
	want(t, see(50, false), web)
	for n := range 240 {
		switch {
		case n < 20:
			want(t, see(95, true), web)
		case n < 120:
			want(t, see(95, true), both)
		case n < 140:
			want(t, see(50, true), both)
		default:
			want(t, see(50, true), web)
		}
	}
	want(t, see(50, false), web)
}
