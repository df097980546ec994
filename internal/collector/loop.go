package collector

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	// minGap is the shortest time between two snapshots, so that a platform where much happens is not read for ever.
	minGap = time.Second
	// settle is how long an extra snapshot waits for what belongs to the happening: an end is one of several events.
	settle = 100 * time.Millisecond
)

// loop calls step at once, then about every interval, and soon after each wake, until ctx is done.
func loop(ctx context.Context, interval time.Duration, wake <-chan struct{}, step func(now time.Time)) {
	var started, due time.Time // of the newest step and the next
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wake:
			due = extra(time.Now(), started, due)
			timer.Reset(time.Until(due))
		case <-timer.C:
			if ctx.Err() != nil {
				return
			}
			started = time.Now()
			step(started)
			due = started.Add(varied(interval, rand.Float64()))
			timer.Reset(time.Until(due))
		}
	}
}

// extra is when the next snapshot is due after a wake: soon, but not sooner than minGap after the one before, and
// not later than it was due anyway.
func extra(now, started, due time.Time) time.Time {
	next := later(now.Add(settle), started.Add(minGap))
	if !due.IsZero() && due.Before(next) {
		return due
	}
	return next
}

// varied is the interval give or take a twentieth, so that collectors do not come to read in step.
func varied(interval time.Duration, random float64) time.Duration {
	return interval + time.Duration((random-0.5)/10*float64(interval))
}
