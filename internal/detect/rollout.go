package detect

import (
	"cmp"
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const (
	sameRollout = 5 * time.Minute  // deploys of one image so near each other are one rollout
	rolloutFor  = 30 * time.Minute // what fails so long after it may be its fault
)

// deployed is when the service was last deployed, as the snapshot says or as its grace tells; zero: that is not known.
func (f *failing) deployed() time.Time {
	d := f.rec.Deploy
	switch {
	case f.svc != nil && !f.svc.LastDeployAt.IsZero():
		return f.svc.LastDeployAt
	case d == nil:
		return time.Time{}
	case d.on() || len(d.Spent) == 0:
		return d.At
	}
	last := d.Spent[len(d.Spent)-1] // its end, and how long it lasted
	return time.UnixMilli(last[0] - last[1])
}

// slot is deploys of one image, within sameRollout of each other, that failed so badly.
type slot struct {
	image    string
	number   int64 // of the stretch of time
	severity int
}

// rolledOut puts services that failed after an image was deployed down to the first that did. The first of a slot
// stands for all of it, so that a service meets at most three slots of each severity.
func (x *explaining) rolledOut() {
	var failed []int32
	for i := range x.all {
		f := &x.all[i]
		at := f.deployed()
		if f.svc != nil && f.svc.Image != "" && !at.IsZero() && f.explainable(byRollout) && !f.since.Before(at) && !f.since.After(at.Add(rolloutFor)) {
			failed = append(failed, int32(i))
		}
	}
	if len(failed) < 2 {
		return
	}
	slices.SortFunc(failed, func(a, b int32) int {
		return cmp.Or(x.all[a].since.Compare(x.all[b].since), cmp.Compare(a, b))
	})
	order := make(map[int32]int, len(failed))
	first := map[slot]int32{}
	for n, i := range failed {
		f := &x.all[i]
		order[i] = n
		at := slot{f.svc.Image, f.deployed().Unix() / int64(sameRollout.Seconds()), f.severity}
		leader := x.leader(f, at, first, order)
		if leader >= 0 && f.seeks(byRollout) {
			x.link(f, leader, byRollout)
		}
		if _, led := first[at]; !led && f.severity >= schema.SeverityRank(schema.SeverityWarning) {
			first[at] = i
		}
	}
}

// leader is the first to fail of the same rollout that is at least as severe as f.
func (x *explaining) leader(f *failing, at slot, first map[slot]int32, order map[int32]int) int32 {
	best := int32(-1)
	for severity := f.severity; severity <= schema.SeverityRank(schema.SeverityCritical); severity++ {
		for near := int64(-1); near <= 1; near++ {
			l, led := first[slot{at.image, at.number + near, severity}]
			if !led || x.all[l].deployed().Sub(f.deployed()).Abs() > sameRollout {
				continue
			}
			if best < 0 || order[l] < order[best] {
				best = l
			}
		}
	}
	return best
}
