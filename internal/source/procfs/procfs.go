// Package procfs reads what Linux says of its own machine under /proc: processor time, memory and the time of boot.
//
// The parsing is pure; a Reader only opens the files and remembers the processor times of the reading before, from
// which the load since then follows. A Reader belongs to one goroutine. What cannot be read is nil, never zero.
package procfs

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Node is what one reading says of the machine. Percentages are 0 to 100; nil and the zero time mean unknown.
type Node struct {
	CPUPercent    *float64 // of all processors, since the reading before; nil at the first
	MemoryPercent *float64 // taken, that is not available to a new program
	MemoryTotal   int64    // bytes
	BootAt        time.Time
}

// Times are the processor's clock ticks since boot.
type Times struct {
	Busy, Total uint64
}

// Reader reads one proc file system.
type Reader struct {
	root   string
	before Times
}

// New gives a Reader of the proc file system at root; if that is empty, at $HOST_PROC, and else at /proc.
func New(root string) *Reader {
	if root == "" {
		root = os.Getenv("HOST_PROC")
	}
	if root == "" {
		root = "/proc"
	}
	return &Reader{root: root}
}

// Read reads the machine once. The node holds what could be read even where there is an error.
func (r *Reader) Read() (Node, error) {
	var n Node
	err := errors.Join(
		r.parse("stat", func(f io.Reader) error {
			times, boot, err := ParseStat(f)
			if err == nil {
				n.CPUPercent, n.BootAt, r.before = Load(r.before, times), boot, times
			}
			return err
		}),
		r.parse("meminfo", func(f io.Reader) error {
			total, available, err := ParseMeminfo(f)
			if err == nil {
				n.MemoryTotal, n.MemoryPercent = total, new(100*(1-float64(available)/float64(total)))
			}
			return err
		}))
	return n, err
}

func (r *Reader) parse(name string, parse func(io.Reader) error) error {
	path := filepath.Join(r.root, name)
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read the machine: %w", err)
	}
	defer f.Close()
	if err := parse(io.LimitReader(f, 1<<20)); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// Load is the percentage of the time between two readings in which processors were busy. It is nil where there is no
// earlier reading, no time between them, or the clock ran backwards.
func Load(before, now Times) *float64 {
	if before.Total == 0 || now.Total <= before.Total || now.Busy < before.Busy {
		return nil
	}
	return new(min(100, 100*float64(now.Busy-before.Busy)/float64(now.Total-before.Total)))
}

// ParseStat reads the processor times and the time of boot from the text of /proc/stat.
func ParseStat(f io.Reader) (Times, time.Time, error) {
	var times Times
	var boot time.Time
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20) // the line of interrupts is long on big machines
	for lines.Scan() {
		switch name, rest, _ := strings.Cut(lines.Text(), " "); name {
		case "cpu":
			times = cpuTimes(strings.Fields(rest))
		case "btime":
			if s, err := strconv.ParseInt(strings.TrimSpace(rest), 10, 64); err == nil && s > 0 {
				boot = time.Unix(s, 0).UTC()
			}
		}
	}
	if times.Total == 0 {
		return times, boot, errors.Join(errors.New("no line of processor times"), lines.Err())
	}
	return times, boot, nil
}

// cpuTimes adds up user, nice, system, idle, iowait, irq, softirq and steal; guest time is within user already.
// Idle and waiting for I/O are not busy.
func cpuTimes(fields []string) Times {
	var t Times
	for i, field := range fields[:min(len(fields), 8)] {
		n, err := strconv.ParseUint(field, 10, 64)
		if err != nil {
			return Times{}
		}
		t.Total += n
		if i != 3 && i != 4 {
			t.Busy += n
		}
	}
	return t
}

// ParseMeminfo reads total and available memory, in bytes, from the text of /proc/meminfo.
func ParseMeminfo(f io.Reader) (total, available int64, err error) {
	total, available = -1, -1
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		switch name, rest, _ := strings.Cut(lines.Text(), ":"); name {
		case "MemTotal":
			total = kibibytes(rest)
		case "MemAvailable":
			available = kibibytes(rest)
		}
	}
	if total <= 0 || available < 0 || available > total {
		return 0, 0, errors.Join(errors.New("no sound MemTotal and MemAvailable"), lines.Err())
	}
	return total, available, nil
}

func kibibytes(s string) int64 {
	n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(s), " kB"), 10, 64)
	if err != nil || n < 0 || n > 1<<50 {
		return -1
	}
	return n << 10
}
