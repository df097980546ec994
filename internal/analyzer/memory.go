package analyzer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// remembered is the kept record of one cluster: what detection remembers of it, and whose it is, because two names
// may make the same token.
type remembered struct {
	Cluster string        `json:"cluster"`
	Memory  detect.Memory `json:"memory"`
}

// kept is where the records are: the bus's kept records.
type kept interface {
	Get(ctx context.Context, key string) (data []byte, rev uint64, err error)
	Put(ctx context.Context, key string, data []byte, expect uint64) (rev uint64, err error)
	Drop(ctx context.Context, key string, expect uint64) error
}

// memories reads and writes the detector's memory. It remembers the newest record that it saw of each cluster, which
// saves a read as long as the same analyzer takes snapshot after snapshot; compare-and-set finds the others.
type memories struct {
	kept kept
	mu   sync.Mutex
	seen map[string]memory // by cluster token
}

type memory struct {
	remembered
	rev    uint64
	absent bool // nothing is stored
}

func newMemories(k kept) *memories { return &memories{kept: k, seen: map[string]memory{}} }

// errOtherCluster says that a snapshot's cluster shares its token with one that is already known.
var errOtherCluster = errors.New("two cluster names make the same subject")

func memoryKey(cluster string) string { return "detect." + schema.Token(cluster) }

// load gives the memory of a cluster, or a fresh one. fresh forces a read of the stored record.
func (m *memories) load(ctx context.Context, cluster string, fresh bool) (memory, error) {
	m.mu.Lock()
	got, ok := m.seen[schema.Token(cluster)]
	m.mu.Unlock()
	if !ok || fresh {
		var err error
		if got, err = m.read(ctx, cluster); err != nil {
			return memory{}, err
		}
	}
	if got.Cluster != cluster {
		return memory{}, fmt.Errorf("%w: %q and %q: rename one of them", errOtherCluster, got.Cluster, cluster)
	}
	return got, nil
}

func (m *memories) read(ctx context.Context, cluster string) (memory, error) {
	data, rev, err := m.kept.Get(ctx, memoryKey(cluster))
	if err != nil {
		return memory{}, fmt.Errorf("read the memory of cluster %q: %w", cluster, err)
	}
	got := memory{remembered: remembered{Cluster: cluster}, rev: rev}
	if data == nil {
		got.absent = true
		return got, nil
	}
	if err := json.Unmarshal(data, &got.remembered); err != nil {
		return memory{}, fmt.Errorf("decode the memory of cluster %q: %w", cluster, err)
	}
	return got, nil
}

// drop forgets a cluster, and tells whether there was something to forget.
func (m *memories) drop(ctx context.Context, cluster string) (had bool, err error) {
	for range attempts {
		got, err := m.load(ctx, cluster, true)
		if err != nil || got.absent {
			return false, err
		}
		m.mu.Lock()
		delete(m.seen, schema.Token(cluster))
		m.mu.Unlock()
		err = m.kept.Drop(ctx, memoryKey(cluster), got.rev)
		if !errors.Is(err, bus.ErrConflict) {
			return err == nil, err
		}
	}
	return false, fmt.Errorf("forget the memory of cluster %q: others wrote first %d times in a row: a collector still publishes it", cluster, attempts)
}

// store writes next over before. It fails with bus.ErrConflict when another analyzer was faster.
func (m *memories) store(ctx context.Context, before memory, next detect.Memory) error {
	data, err := json.Marshal(remembered{Cluster: before.Cluster, Memory: next})
	if err != nil {
		return fmt.Errorf("encode the memory of cluster %q: %w", before.Cluster, err)
	}
	rev, err := m.kept.Put(ctx, memoryKey(before.Cluster), data, before.rev)
	if err != nil {
		return fmt.Errorf("store the memory of cluster %q: %w", before.Cluster, err)
	}
	m.mu.Lock()
	m.seen[schema.Token(before.Cluster)] = memory{remembered: remembered{Cluster: before.Cluster, Memory: next}, rev: rev}
	m.mu.Unlock()
	return nil
}
