package docker

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/source"
)

const (
	countLines    = 500             // newest lines that are looked at in one reading of a container
	countBytes    = 256 << 10       // of one answer
	countTogether = 4               // at a time
	countPatience = 2 * time.Second // for one container
	countAgain    = time.Minute     // after one that was not answered, or whose driver cannot be read back
)

// counted is what one reading of a container's log gives.
type counted struct {
	ID     string
	From   time.Time // the lines after this were counted
	To     time.Time // the newest line's; From if there was none
	Errors int64
	Least  bool // there may have been more lines than were looked at
}

// countErrors counts the lines at error level in an answer with times before its lines. Lines up to since are the
// boundary, which comes again. A line that was cut short by the bound on the answer waits for the next reading.
func countErrors(body io.Reader, since time.Time) counted {
	got := counted{From: since, To: since}
	var guess [4]guesser
	lines := 0
	limited := &io.LimitedReader{R: body, N: countBytes}
	split := splitter{take: func(stream int, line []byte) {
		lines++
		stamp, text, _ := bytes.Cut(line, []byte(" "))
		at, err := time.Parse(time.RFC3339Nano, string(stamp))
		if err != nil || !at.After(since) {
			return
		}
		if at.After(got.To) {
			got.To = at.UTC()
		}
		if guess[stream].counts(string(text)) {
			got.Errors++
		}
	}}
	split.read(limited)
	if limited.N > 0 {
		split.end()
	}
	got.Least = lines >= countLines || limited.N <= 0
	return got
}

// counter counts lines at error level, one batch of containers at a time, beside the readings.
type counter struct {
	ask func(ctx context.Context, id string, since time.Time) (counted, error)

	mu      sync.Mutex
	ready   []counted // not taken yet
	silent  map[string]time.Time
	started time.Time
	done    chan struct{} // of the batch under way or the newest one; nil before the first
	batches sync.WaitGroup
}

// begin starts a batch for the containers, by id with the time from which on their lines count, unless one is under way
// or was started less than every ago. It gives what is closed when the newest batch is through.
func (c *counter) begin(life context.Context, since map[string]time.Time, now time.Time, every time.Duration) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done != nil && (now.Sub(c.started) < every*9/10 || !closed(c.done)) {
		return c.done
	}
	var ids []string
	for id := range since {
		if now.After(c.silent[id]) {
			ids = append(ids, id)
		}
	}
	c.started, c.done, c.ready = now, make(chan struct{}), nil
	c.forget(since)
	c.batches.Add(1)
	go func(done chan struct{}) {
		defer c.batches.Done()
		defer close(done)
		each(life, ids, countTogether, countPatience, func(ctx context.Context, id string) { c.one(ctx, id, since[id], now) })
	}(c.done)
	return c.done
}

func closed(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// forget drops the silence of containers that are gone.
func (c *counter) forget(present map[string]time.Time) {
	for id := range c.silent {
		if _, there := present[id]; !there {
			delete(c.silent, id)
		}
	}
}

// one counts one container's lines. One that cannot be read is left alone for a while, and its lines wait.
func (c *counter) one(ctx context.Context, id string, since, now time.Time) {
	got, err := c.ask(ctx, id, since)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil || ctx.Err() != nil {
		if c.silent == nil {
			c.silent = map[string]time.Time{}
		}
		c.silent[id] = now.Add(countAgain)
		return
	}
	got.ID = id
	c.ready = append(c.ready, got)
}

// take gives what was counted since the last time.
func (c *counter) take() []counted {
	c.mu.Lock()
	defer c.mu.Unlock()
	got := c.ready
	c.ready = nil
	return got
}

// toCount gives the containers whose lines are to be counted, with the time from which on. Nothing counts that a
// container wrote before it was first seen.
func (m *memory) toCount(list []listed, now time.Time) map[string]time.Time {
	since := map[string]time.Time{}
	for _, l := range list {
		c := m.Containers[l.ID]
		if c == nil || l.State != stateRunning || l.Labels[labelLogs] == "off" || l.Detail != nil && l.Detail.NoLogs {
			continue
		}
		if c.LogsTo.IsZero() {
			c.LogsTo = now
			continue
		}
		since[l.ID] = c.LogsTo
	}
	return since
}

// waitFor waits a little until done is closed.
func waitFor(ctx context.Context, done <-chan struct{}) {
	wait, stop := context.WithTimeout(ctx, statsWait)
	defer stop()
	select {
	case <-done:
	case <-wait.Done():
	}
}

// logged says what has been counted by now.
func (s *Source) logged() []source.Happening {
	var happened []source.Happening
	for _, got := range s.counter.take() {
		if h, told := s.memory.log(got); told {
			happened = append(happened, h)
		}
	}
	return happened
}

// log takes a count in, unless the container is gone or was counted from there before.
func (m *memory) log(got counted) (source.Happening, bool) {
	c := m.Containers[got.ID]
	if c == nil || !c.LogsTo.Equal(got.From) {
		return source.Happening{}, false
	}
	c.LogsTo = got.To
	if got.Errors == 0 {
		return source.Happening{}, false
	}
	text := fmt.Sprintf("%d lines at error level", got.Errors)
	if got.Least {
		text = "at least " + text
	}
	return source.Happening{
		Key: short(got.ID) + "/log/" + strconv.FormatInt(got.To.UnixNano(), 36), At: got.To,
		Kind: source.Logged, Object: c.Object, Count: got.Errors, Text: text,
	}, true
}
