package analyzer

import (
	"context"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/spend"
)

// Killed makes every write of a ask fate first. Fate says whether the process dies before the write, after it, or not:
// a dead step stores nothing more, and its message is delivered again.
func (a *Analyzer) Killed(fate func() (before, after bool), died error) {
	a.store = mortalStore{a.store, fate, died}
	a.memories.kept = mortalKept{a.memories.kept, fate, died}
}

type mortalStore struct {
	store
	fate func() (before, after bool)
	died error
}

func (m mortalStore) Append(ctx context.Context, w bus.Write) (uint64, error) {
	before, after := m.fate()
	if before {
		return 0, m.died
	}
	seq, err := m.store.Append(ctx, w)
	if after {
		return 0, m.died
	}
	return seq, err
}

func (m mortalStore) AppendAll(ctx context.Context, ws []bus.Write) ([]bool, error) {
	before, after := m.fate()
	if before {
		return nil, m.died
	}
	stored, err := m.store.AppendAll(ctx, ws)
	if after {
		return nil, m.died
	}
	return stored, err
}

type mortalKept struct {
	kept
	fate func() (before, after bool)
	died error
}

func (m mortalKept) Put(ctx context.Context, key string, data []byte, expect uint64) (uint64, error) {
	before, after := m.fate()
	if before {
		return 0, m.died
	}
	rev, err := m.kept.Put(ctx, key, data, expect)
	if after {
		return 0, m.died
	}
	return rev, err
}

// Deaf keeps the listen loop from looking by itself, so that Listen alone does.
func (a *Analyzer) Deaf() { a.listening.every = 24 * time.Hour }

// Listen is one step of the listen loop, at the given time of this machine's clock.
func (a *Analyzer) Listen(ctx context.Context, now time.Time) { a.listenStep(ctx, now) }

// OverviewsAt is what why without a name answers at the given time of the server's clock.
func (a *Analyzer) OverviewsAt(ctx context.Context, now time.Time) (client.WhyResponse, error) {
	return a.overviewsAt(ctx, now)
}

// Attention is for how long a loop has been listening after steps at these times, the connection having been made
// again so often before each.
func Attention(steps []time.Time, reconnects []uint64) time.Duration {
	var l listening
	var attentive time.Duration
	for i, at := range steps {
		attentive = l.attend(at, reconnects[i])
	}
	return attentive
}

// WakeAt has a look at deadlines as of now, with the newest state of a conversation in mind.
func (a *Analyzer) WakeAt(ctx context.Context, cluster, id string, now time.Time) error {
	head, err := a.bus.Head(ctx, cluster, id)
	if err != nil {
		return err
	}
	if err := a.index.put(head); err != nil {
		return err
	}
	a.wakeStep(ctx, now)
	return nil
}

// WhileReadingSilences calls meanwhile between each read of the silences and the use of what was read.
func (a *Analyzer) WhileReadingSilences(meanwhile func()) {
	a.silences.kept = slowKept{a.silences.kept, meanwhile}
}

type slowKept struct {
	kept
	meanwhile func()
}

func (s slowKept) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	data, rev, err := s.kept.Get(ctx, key)
	s.meanwhile()
	return data, rev, err
}

// KilledSaying makes every write of what is said ask fate first, as Killed does.
func (a *Analyzer) KilledSaying(fate func() (before, after bool), died error) {
	a.sayings.kept = mortalSayings{a.sayings.kept, fate, died}
}

type mortalSayings struct {
	keptFor
	fate func() (before, after bool)
	died error
}

func (m mortalSayings) PutFor(ctx context.Context, key string, data []byte, expect uint64, d time.Duration) (uint64, error) {
	before, after := m.fate()
	if before {
		return 0, m.died
	}
	rev, err := m.keptFor.PutFor(ctx, key, data, expect, d)
	if after {
		return 0, m.died
	}
	return rev, err
}

// Notice has a look at Bellbuoy itself, the streams included, at the given time of this machine's clock.
func (a *Analyzer) Notice(ctx context.Context, now time.Time) {
	a.noticing.looked = time.Time{}
	a.noticeStep(ctx, now)
}

// Unnoticing keeps the loop that notices from looking by itself, so that Notice alone does.
func (a *Analyzer) Unnoticing() { a.noticing.every = 24 * time.Hour }

// ClockAt makes the model's budgets, and for how long it is left alone, go by the time that now gives.
func (a *Analyzer) ClockAt(now func() time.Time) {
	a.guard.clock = func(context.Context) (time.Time, error) { return now(), nil }
	if a.ledger != nil {
		a.ledger.clock = a.guard.clock
	}
}

// Ledger is what the fleet has spent on the model.
func (a *Analyzer) Ledger(ctx context.Context) (spend.Ledger, error) {
	l, _, err := a.ledger.read(ctx)
	return l, err
}

// Hear hands a one reply, as if it had been delivered.
func (a *Analyzer) Hear(ctx context.Context, m bus.Message) error { return a.hear(ctx, m) }
