package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"
)

// Joined are kept records of which many may be put at the same time. Each goes by itself, up to singlyAtOnce together; the
// others wait for their turn. Where so many wait that one atomic batch is expected to be faster, they go in one: with
// `sync_interval: always` it is written to the disk once instead of once for each. A batch changes nothing for those who
// put: each record is stored on top of the revision that its writer saw, or else not. Put may be called from several
// goroutines.
type Joined struct {
	Kept

	mu      sync.Mutex
	waiting []*put // the oldest first
	singly  int    // on their way by themselves
	batches int    // that have been sent
	joining bool   // a batch is on its way
	cost    cost
}

// Joined are the records of k, for whoever puts many at once.
func (k Kept) Joined() *Joined { return &Joined{Kept: k} }

const (
	// singlyAtOnce is how many records are on their way by themselves. As many keep the server busy.
	singlyAtOnce = 32
	// joinUpTo is the largest record that goes in a batch, in bytes.
	joinUpTo = 16 * kib
)

// put is one record to be stored.
type put struct {
	key      string
	data     []byte
	expected uint64
	alone    bool // never in a batch (again)

	state  putState  // under Joined.mu
	turn   chan turn // gets one
	among  int       // so many were on their way by themselves, this one included
	before int       // batches that had been sent then
}

type putState int

const (
	putWaits putState = iota
	putGoes           // by itself, or at the head of a batch
	putJoins          // in a batch that somebody else sends
)

// turn says what becomes of a put that waited.
type turn struct {
	self  bool // it goes by itself
	batch []*put
	rev   uint64
	err   error
}

// Put stores a record on top of revision expected (0: it must be missing) and returns its new revision, as Kept.Put does.
func (j *Joined) Put(ctx context.Context, key string, data []byte, expected uint64) (rev uint64, err error) {
	if err := validKey(key); err != nil {
		return 0, err
	}
	return j.await(ctx, j.enter(key, data, expected))
}

// enter lets a record wait for its turn, which may be at once.
func (j *Joined) enter(key string, data []byte, expected uint64) *put {
	p := &put{key: key, data: data, expected: expected, alone: len(data) > joinUpTo, turn: make(chan turn, 1)}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.waiting = append(j.waiting, p)
	j.dispatch()
	return p
}

// await waits for the turn of p and takes it. If ctx is done before, p is not stored, or it is in a batch that may be.
func (j *Joined) await(ctx context.Context, p *put) (rev uint64, err error) {
	for {
		select {
		case t := <-p.turn:
			if rev, err, done := j.take(ctx, p, t); done {
				return rev, err
			}
		case <-ctx.Done():
			if j.leaves(p) {
				return 0, fmt.Errorf("store record %s: %w", p.key, ctx.Err())
			}
			if rev, err, done := j.take(ctx, p, <-p.turn); done { // it has to do its part: others wait for that
				return rev, err
			}
		}
	}
}

// leaves takes p out unless it is its turn to do something.
func (j *Joined) leaves(p *put) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i, other := range j.waiting {
		if other == p {
			j.waiting = append(j.waiting[:i], j.waiting[i+1:]...)
			return true
		}
	}
	return p.state != putGoes
}

// take does what is p's turn to do. It is not done where p has led a batch that was refused.
func (j *Joined) take(ctx context.Context, p *put, t turn) (rev uint64, err error, done bool) {
	switch {
	case t.self:
		began := time.Now()
		rev, err = j.put(ctx, p.key, p.data, p.expected, 0)
		j.went(p, time.Since(began))
		return rev, err, true
	case t.batch != nil:
		j.commit(ctx, t.batch)
		return 0, nil, false // its own turn comes with the others'
	}
	return t.rev, t.err, true
}

// dispatch gives turns. Nothing overtakes a batch: at the server it would wait behind it.
func (j *Joined) dispatch() {
	if j.joining {
		return
	}
	if batch, rest := joinable(j.waiting); j.cost.joins(len(batch)) {
		j.waiting, j.joining = rest, true
		j.batches++
		for _, p := range batch[1:] {
			p.state = putJoins
		}
		batch[0].state = putGoes
		batch[0].turn <- turn{batch: batch}
		return
	}
	for len(j.waiting) > 0 && j.singly < singlyAtOnce {
		p := j.waiting[0]
		j.waiting = j.waiting[1:]
		j.singly++
		p.state, p.among, p.before = putGoes, j.singly, j.batches
		p.turn <- turn{self: true}
	}
}

// joinable divides what waits into what may go in one batch, and the rest: no record twice, because a batch is checked
// against what was stored before it.
func joinable(waiting []*put) (batch, rest []*put) {
	if len(waiting) < joinFrom {
		return nil, waiting
	}
	in := map[string]bool{}
	for _, p := range waiting {
		if p.alone || in[p.key] || len(batch) == maxBatch {
			rest = append(rest, p)
			continue
		}
		in[p.key] = true
		batch = append(batch, p)
	}
	return batch, rest
}

// went notes how long a record took that went by itself.
func (j *Joined) went(p *put, took time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.singly--
	if !j.joining && p.before == j.batches {
		j.cost = j.cost.afterSingle(took, p.among)
	}
	j.dispatch()
}

// commit stores a batch and gives each of it its turn. If the server refuses it, nothing of it is stored, and each goes by
// itself.
func (j *Joined) commit(ctx context.Context, batch []*put) {
	began := time.Now()
	first, err := j.storeAll(ctx, batch)
	refused, isRefused := errors.AsType[*jetstream.APIError](err)
	if isRefused {
		j.bus.log.Debug("batch refused; storing one by one", "err", refused, "records", len(batch))
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.joining = false
	j.cost = j.cost.afterBatch(time.Since(began))
	for i, p := range batch {
		switch {
		case isRefused:
			p.state, p.alone = putWaits, true
		case err != nil:
			p.turn <- turn{err: fmt.Errorf("store record %s in a batch of %d: %w", p.key, len(batch), err)}
		default:
			p.turn <- turn{rev: first + uint64(i)}
		}
	}
	if isRefused {
		j.waiting = append(batch, j.waiting...)
	}
	j.dispatch()
}

// storeAll stores a batch for all who are in it, whoever of them leaves. The revisions follow one another from first on.
func (j *Joined) storeAll(ctx context.Context, batch []*put) (first uint64, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWithin)
	defer cancel()
	msgs := make([]*nats.Msg, len(batch))
	for i, p := range batch {
		m := nats.NewMsg(j.bus.subjects.Kept(j.part, p.key))
		m.Data = p.data
		expect(m, m.Subject, p.expected)
		msgs[i] = m
	}
	ack, err := jetstreamext.PublishMsgBatch(ctx, j.bus.js, msgs)
	if err != nil {
		return 0, err
	}
	j.bus.metrics.published.WithLabelValues("kept").Add(float64(len(batch)))
	return ack.Sequence - uint64(len(batch)) + 1, nil
}
