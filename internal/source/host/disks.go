package host

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// disksPatience is how long a reading waits for all file systems together.
const disksPatience = time.Second

// errNoDirectory is of a mount point that is a single file, as container engines mount them over /etc/hosts.
var errNoDirectory = errors.New("not a directory")

// Space is what statfs says of a file system; sizes in bytes.
type Space struct {
	Total, Free, Available uint64 // Available: free to ordinary users
	Inodes, InodesFree     uint64
}

// asked is what became of asking a file system.
type asked struct {
	space Space
	err   error
}

// disks reads the file systems.
type disks struct {
	table string // the mountinfo file
	root  string // where the machine's root is mounted for us; empty: here
	slots map[string]*slot[asked]
	ask   func(path string) (Space, error)
}

// read lists the file systems to show, with what could be learned of each in time, and counts those beyond the bound.
func (d *disks) read(ctx context.Context) ([]schema.DiskSummary, int, error) {
	f, err := os.Open(d.table)
	if err != nil {
		return nil, 0, fmt.Errorf("read the file systems: %w", err)
	}
	defer f.Close()
	all, err := parseMounts(f)
	if err != nil {
		return nil, 0, fmt.Errorf("read the file systems: %s: %w", d.table, err)
	}
	shown, more := worthShowing(all)
	d.start(shown)
	ctx, stop := context.WithTimeout(ctx, disksPatience)
	defer stop()
	list := make([]schema.DiskSummary, 0, len(shown))
	for _, m := range shown {
		got, known := d.slots[m.Point].wait(ctx)
		if errors.Is(got.err, errNoDirectory) {
			continue
		}
		list = append(list, summary(m.Point, got.space, known && got.err == nil))
	}
	return list, more, nil
}

// start asks every file system that is not still being asked, and forgets those that are gone.
func (d *disks) start(shown []mount) {
	slots := make(map[string]*slot[asked], len(shown))
	for _, m := range shown {
		s := d.slots[m.Point]
		if s == nil {
			s = &slot[asked]{}
		}
		path := filepath.Join("/", d.root, m.Point)
		s.start(func() asked {
			space, err := d.ask(path)
			return asked{space, err}
		})
		slots[m.Point] = s
	}
	for point, s := range d.slots {
		if slots[point] == nil && s.hangs() {
			slots[point] = s // it may come back while it still hangs
		}
	}
	d.slots = slots
}

// summary reckons as df does: of what ordinary users can ever use, so that a disk is full at 100 although some of it
// is kept back for root.
func summary(point string, s Space, known bool) schema.DiskSummary {
	d := schema.DiskSummary{Mount: scrub.Line(point, maxMountBytes)}
	if !known || s.Total == 0 || s.Free > s.Total {
		return d
	}
	used := s.Total - s.Free
	d.UsedPercent = percent(used, used+s.Available)
	d.FreeBytes = new(int64(min(s.Available, math.MaxInt64)))
	if s.InodesFree <= s.Inodes {
		d.InodesPercent = percent(s.Inodes-s.InodesFree, s.Inodes) // nil where the file system has none
	}
	return d
}

// percent is to a tenth, because a finer one is news with every reading; nil of nothing.
func percent(part, of uint64) *float64 {
	if of == 0 {
		return nil
	}
	return new(math.Round(1000*float64(part)/float64(of)) / 10)
}
