package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"sync"
	"time"

	mobycontainer "github.com/moby/moby/api/types/container"
)

const (
	statsPatience = 3 * time.Second        // for one container
	statsWait     = 300 * time.Millisecond // how long a reading waits for a batch
	statsTogether = 8                      // at a time, on an engine that answers at once
	statsSlow     = 64                     // at a time, on one that takes a second for each
	maxStatsBytes = 1 << 20
)

// usage is what one container uses; nil is unknown.
type usage struct {
	CPUPercent *float64 // 100 is one processor
	Memory     *int64   // bytes, without the page cache that can be dropped
	Limit      *int64   // bytes
	At         time.Time
}

// sample is one answer of the engine, as far as it matters.
type sample struct {
	Read     time.Time
	CPU      uint64 // nanoseconds
	Memory   uint64
	Inactive uint64
	Limit    uint64
}

// readSample decodes an answer. An engine answers for a container that does not run with its name alone; that is
// false.
func readSample(body io.Reader) (sample, bool, error) {
	var raw mobycontainer.StatsResponse
	if err := json.NewDecoder(io.LimitReader(body, maxStatsBytes)).Decode(&raw); err != nil {
		return sample{}, false, fmt.Errorf("decode stats: %w", err)
	}
	s := sample{
		Read: raw.Read, CPU: raw.CPUStats.CPUUsage.TotalUsage, Memory: raw.MemoryStats.Usage,
		Limit: raw.MemoryStats.Limit, Inactive: inactive(raw.MemoryStats.Stats),
	}
	return s, s.Read.Year() > 1, nil
}

// inactive is the page cache that can be dropped: total_inactive_file where control groups are of version 1,
// inactive_file where they are of version 2.
func inactive(stats map[string]uint64) uint64 {
	if n, ok := stats["total_inactive_file"]; ok {
		return n
	}
	return stats["inactive_file"]
}

// used works out what a container uses from two samples of it. Without a sound earlier one its load is unknown.
func used(before, now sample) usage {
	u := usage{At: now.Read}
	if span := now.Read.Sub(before.Read); !before.Read.IsZero() && span > 0 && now.CPU >= before.CPU {
		u.CPUPercent = new(100 * float64(now.CPU-before.CPU) / float64(span))
	}
	if now.Memory == 0 {
		return u // no memory control group
	}
	memory := now.Memory
	if now.Inactive < memory {
		memory -= now.Inactive
	}
	u.Memory = new(int64(memory))
	if now.Limit > 0 && now.Limit < 1<<62 {
		u.Limit = new(int64(now.Limit))
	}
	return u
}

// sampler asks for stats, one batch at a time, beside the readings.
type sampler struct {
	ask      func(ctx context.Context, id string) (sample, bool, error)
	together int

	mu      sync.Mutex
	samples map[string]sample
	usages  map[string]usage
	started time.Time
	done    chan struct{} // of the batch under way or the newest one; nil before the first
	batches sync.WaitGroup
}

// latest starts a batch for ids, unless one is under way or was started less than every ago, waits for it a little,
// and gives what is known now and not older than two batches.
func (s *sampler) latest(ctx, life context.Context, ids []string, now time.Time, every time.Duration) map[string]usage {
	done := s.begin(life, ids, now, every)
	waitFor(ctx, done)
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh := maps.Clone(s.usages)
	maps.DeleteFunc(fresh, func(_ string, u usage) bool { return now.Sub(u.At) > 2*every+statsPatience })
	return fresh
}

func (s *sampler) begin(life context.Context, ids []string, now time.Time, every time.Duration) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done != nil && now.Sub(s.started) < every*9/10 {
		return s.done
	}
	select {
	case <-s.done: // the one before is through
	default:
		if s.done != nil {
			return s.done
		}
	}
	s.started, s.done = now, make(chan struct{})
	s.batches.Add(1)
	go func(done chan struct{}) {
		defer s.batches.Done()
		defer close(done)
		s.batch(life, ids)
	}(s.done)
	return s.done
}

// batch asks for all ids, some at a time, and keeps what was answered.
func (s *sampler) batch(ctx context.Context, ids []string) {
	got := map[string]sample{}
	var mu sync.Mutex
	each(ctx, ids, s.together, statsPatience, func(ctx context.Context, id string) {
		if now, ok, err := s.ask(ctx, id); err == nil && ok {
			mu.Lock()
			got[id] = now
			mu.Unlock()
		}
	})
	usages := make(map[string]usage, len(got))
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, now := range got {
		usages[id] = used(s.samples[id], now)
	}
	s.samples, s.usages = got, usages
}

// each calls do for all ids, at most together at a time and each with its own patience, and returns when all are
// through. It starts no more of them once ctx is done.
func each(ctx context.Context, ids []string, together int, patience time.Duration, do func(context.Context, string)) {
	slots := make(chan struct{}, together)
	var running sync.WaitGroup
	defer running.Wait()
	for _, id := range ids {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		running.Go(func() {
			defer func() { <-slots }()
			ctx, stop := context.WithTimeout(ctx, patience)
			defer stop()
			do(ctx, id)
		})
	}
}
