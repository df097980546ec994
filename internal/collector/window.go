package collector

import (
	"maps"
	"time"
)

// Widths and numbers of buckets: an hour of failures, a day of restarts.
const (
	failureWidth   = time.Minute
	failureBuckets = 60
	restartWidth   = 5 * time.Minute
	restartBuckets = 288
)

// window counts what happened in each of the newest buckets of time. Only buckets in which something happened are
// there, by their number since 1970.
type window map[int64]int64

func bucket(at time.Time, width time.Duration) int64 { return at.Unix() / int64(width/time.Second) }

// sum counts what happened in the newest n buckets before now, the one of now included.
func (w window) sum(now time.Time, width time.Duration, n int64) int64 {
	var total int64
	newest := bucket(now, width)
	for b, count := range w {
		if newest-n < b && b <= newest {
			total += count
		}
	}
	return total
}

// prune drops the buckets older than the newest n.
func (w window) prune(now time.Time, width time.Duration, n int64) {
	oldest := bucket(now, width) - n
	maps.DeleteFunc(w, func(b, _ int64) bool { return b <= oldest })
}
