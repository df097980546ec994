package notifier

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// window bounds how many conversations a channel has claimed at a time. Many at once are told faster, as their claims are
// stored together; but what is claimed waits for one of the receiver's connections, and its time runs meanwhile. So it
// opens as long as posts are answered at once, and closes where they take long.
type window struct {
	mu         sync.Mutex
	size, used int
	waiting    []chan struct{} // closed when there is room; the first one waits the longest
}

const (
	// leastWindow is how many connections a receiver is given: with as many in hand none waits for one.
	leastWindow = 64
	// soonAnswered and lateAnswered are the times of a post, its wait for a connection included, at which a window opens
	// and closes.
	soonAnswered = 250 * time.Millisecond
	lateAnswered = time.Second
)

func newWindow() *window { return &window{size: leastWindow} }

// resized is the size of a window after a post that took so long.
func resized(size int, took time.Duration) int {
	switch {
	case took < soonAnswered:
		return min(size+1, workers)
	case took > lateAnswered:
		return max(size/2, leastWindow)
	}
	return size
}

// enter waits for room, at most until ctx is done. Whoever has entered leaves.
func (w *window) enter(ctx context.Context) error {
	w.mu.Lock()
	if w.used < w.size {
		w.used++
		w.mu.Unlock()
		return nil
	}
	room := make(chan struct{})
	w.waiting = append(w.waiting, room)
	w.mu.Unlock()
	select {
	case <-room:
		return nil
	case <-ctx.Done():
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if i := slices.Index(w.waiting, room); i >= 0 {
		w.waiting = slices.Delete(w.waiting, i, i+1)
	} else {
		w.used--
		w.admit()
	}
	return fmt.Errorf("wait to post: %w", ctx.Err())
}

func (w *window) leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.used--
	w.admit()
}

// took notes how long a post took.
func (w *window) took(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.size = resized(w.size, d)
	w.admit()
}

func (w *window) admit() {
	for w.used < w.size && len(w.waiting) > 0 {
		w.used++
		close(w.waiting[0])
		w.waiting = w.waiting[1:]
	}
}
