package bus

import (
	"context"
	"time"
)

// Backoff is for tests.
var Backoff = backoff

// Hold makes records wait, as if many were on their way and each were dear.
func (j *Joined) Hold() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.joining, j.cost = true, cost{single: time.Second}
}

// Waiting is one that waits for its turn.
type Waiting struct{ p *put }

// Enter begins to put a record.
func (j *Joined) Enter(key, data string, expected uint64) Waiting {
	return Waiting{j.enter(key, []byte(data), expected)}
}

// Await ends that.
func (j *Joined) Await(ctx context.Context, w Waiting) (uint64, error) { return j.await(ctx, w.p) }

// Resume ends Hold.
func (j *Joined) Resume() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.joining = false
	j.dispatch()
}

// Batches is how many have been sent.
func (j *Joined) Batches() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.batches
}
