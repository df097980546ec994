package drill

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Scene makes the snapshot of a moment. What it leaves empty of the name, time and interval is filled in.
type Scene func(at time.Time) schema.ClusterContext

// Player publishes snapshots of one made-up cluster, one scene at a time.
type Player struct {
	bus      *bus.Bus
	cluster  string
	interval time.Duration

	mu   sync.Mutex           // held while a snapshot is on its way
	sent map[uint64]time.Time // when each snapshot was handed to the server, by its sequence
}

// NewPlayer makes a player of a cluster whose snapshots are interval apart.
func NewPlayer(b *bus.Bus, cluster string, interval time.Duration) *Player {
	return &Player{bus: b, cluster: cluster, interval: interval, sent: map[uint64]time.Time{}}
}

// Play publishes the scene at once and then with every interval, until done says so, which is asked after each
// snapshot with its sequence, or until ctx is done. Its error is that of publishing, or ctx's.
func (p *Player) Play(ctx context.Context, scene Scene, done func(seq uint64) bool) error {
	tick := time.NewTicker(p.interval)
	defer tick.Stop()
	for {
		seq, err := p.Publish(ctx, scene)
		if err != nil {
			return err
		}
		if done(seq) {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Publish publishes the scene once and gives its sequence.
func (p *Player) Publish(ctx context.Context, scene Scene) (seq uint64, err error) {
	at := time.Now().UTC()
	s := scene(at)
	s.Schema, s.ClusterName, s.TakenAt, s.IntervalSeconds = schema.ContextVersion, p.cluster, at, p.interval.Seconds()
	body, err := json.Marshal(s)
	if err != nil {
		return 0, fmt.Errorf("encode a snapshot of %s: %w", p.cluster, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	begun := time.Now()
	if seq, err = p.bus.Publish(ctx, p.bus.Subjects().Context(p.cluster), body, ""); err != nil {
		return 0, fmt.Errorf("publish a snapshot of %s: %w", p.cluster, err)
	}
	p.sent[seq] = begun
	return seq, nil
}

// Sent is when the snapshot of a sequence was handed to the server, before it was acknowledged; zero if it was not this
// player's. What comes of a snapshot may be there before the server's answer to it is: Sent waits for that.
func (p *Player) Sent(seq uint64) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent[seq]
}
