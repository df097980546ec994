package llm

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// How often and how long is waited.
const (
	maxRetries     = 2
	defaultBackoff = 500 * time.Millisecond
	maxBackoff     = 8 * time.Second
)

// wait is what a server said about when to come back.
type wait struct {
	said bool
	min  time.Duration
}

// waitOf reads Retry-After-Ms, or Retry-After as seconds or as an HTTP date.
func waitOf(h http.Header, now time.Time) wait {
	if ms, err := strconv.ParseFloat(strings.TrimSpace(h.Get("Retry-After-Ms")), 64); err == nil {
		return waitFor(ms / 1000)
	}
	after := strings.TrimSpace(h.Get("Retry-After"))
	if s, err := strconv.ParseFloat(after, 64); err == nil {
		return waitFor(s)
	}
	if at, err := http.ParseTime(after); err == nil {
		if theirs, err := http.ParseTime(h.Get("Date")); err == nil { // by their clock, which may be another one
			now = theirs
		}
		return waitFor(at.Sub(now).Seconds())
	}
	return wait{}
}

// waitFor bounds a number of seconds to what a Duration can hold; a negative or senseless one is no wait.
func waitFor(seconds float64) wait {
	if !(seconds > 0) {
		return wait{said: true}
	}
	return wait{said: true, min: time.Duration(min(seconds, 1e6) * float64(time.Second))}
}

// wait waits before the next attempt and returns nil, or at once the error to give up with: because the failure is
// final, because there have been enough attempts, or because the wait would not fit into the time that is left.
func (d *doer) wait(ctx context.Context, attempt int, f *failure) error {
	if !f.retry || attempt >= maxRetries {
		return f.Error
	}
	pause := d.pause(attempt, f.after)
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= pause {
		f.Message += fmt.Sprintf("; it would have to wait %s, and %s are left", pause.Round(time.Millisecond), max(time.Until(end), 0).Round(time.Millisecond))
		f.Wait = pause
		return f.Error
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return broken(ctx, ctx.Err())
	}
}

// pause is what the server asked for, or else grows with every attempt, a quarter of it left to chance.
func (d *doer) pause(attempt int, after wait) time.Duration {
	if after.said {
		return after.min
	}
	full := min(d.backoff<<attempt, maxBackoff)
	return full - time.Duration(rand.Float64()*float64(full)/4)
}
