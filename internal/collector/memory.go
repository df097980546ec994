package collector

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
)

// keeper stores the collector's own records, as bus.Kept does: a missing one is nil with revision 0, and a Put that
// does not expect the newest revision is bus.ErrConflict.
type keeper interface {
	Get(ctx context.Context, key string) (data []byte, rev uint64, err error)
	Put(ctx context.Context, key string, data []byte, expect uint64) (rev uint64, err error)
}

// errTaken is in the error about a cluster whose token belongs to a cluster of another name.
var errTaken = errors.New("two cluster names that differ only in characters which a subject cannot hold")

// memory is a cluster's record together with how it is stored.
type memory struct {
	keeper  keeper
	log     *slog.Logger
	cluster string
	self    owner   // who stores; without an id nobody owns the record
	rival   *owner  // who stores it instead of us; nil: nobody
	seen    look    // of the stored record while a rival stores it
	record  *record // nil until it was loaded
	stored  []byte
	rev     uint64
	unsaved []change // since it was last stored, to be folded in again if another collector stored first
}

// change is what one reading does to a record.
type change struct {
	at       time.Time
	happened []source.Happening
	source   string
	state    json.RawMessage
}

// maxUnsaved bounds what is remembered for a conflict while nothing can be stored.
const maxUnsaved = 1000

func key(cluster string) string { return "windows." + schema.Token(cluster) }

// load reads the record, or begins one: where there is none, and where there is one that nobody can read.
func (m *memory) load(ctx context.Context, now time.Time) error {
	data, rev, err := m.keeper.Get(ctx, key(m.cluster))
	if err != nil {
		return fmt.Errorf("load windows of cluster %s: %w", m.cluster, err)
	}
	r := newRecord(m.cluster, now)
	if data != nil {
		kept := &record{}
		if err := json.Unmarshal(data, kept); err == nil {
			r = kept
		} else {
			m.log.Error("the kept windows are unreadable, counting starts anew", "cluster", m.cluster, "error", err)
		}
	}
	if r.Cluster != m.cluster {
		return fmt.Errorf("collect cluster %q: %q has the same subject token, %s; rename one of them: %w",
			m.cluster, r.Cluster, schema.Token(m.cluster), errTaken)
	}
	m.stored, m.rev = data, rev
	if r.Owner.held(m.self) && !m.silent(r.Owner, rev, now) {
		m.standBy(r.Owner)
	}
	m.record = m.ours(r, now)
	return nil
}

// ours is what of the loaded record this collector goes on from: all of it if it was stored on this machine; the counts
// but not what that machine's sources handed over if it was left by another one; nothing while that one stores it.
func (m *memory) ours(r *record, now time.Time) *record {
	switch {
	case !r.Owner.elsewhere(m.self):
	case m.rival != nil:
		return newRecord(m.cluster, now)
	default:
		r.States = nil
	}
	return r
}

// fold changes the record by what one reading gave, and returns the happenings that were not counted before.
func (m *memory) fold(c change) []source.Happening {
	fresh := m.record.fold(c)
	m.unsaved = append(m.unsaved, c)
	m.unsaved = m.unsaved[max(0, len(m.unsaved)-maxUnsaved):]
	return fresh
}

func (r *record) fold(c change) (fresh []source.Happening) {
	for _, h := range c.happened {
		if r.apply(h, c.at) {
			fresh = append(fresh, h)
		}
	}
	if c.source != "" && c.state != nil {
		if r.States == nil {
			r.States = map[string]json.RawMessage{}
		}
		r.States[c.source] = c.state
	}
	return fresh
}

// save stores the record if it has changed, unless it is another collector's. Where one of the same id stored before,
// it counts on from that record.
func (m *memory) save(ctx context.Context, now time.Time) error {
	if m.rival != nil {
		if err := m.contest(ctx, now); err != nil {
			return err
		}
	}
	for range saveAttempts {
		if m.rival != nil {
			return nil
		}
		stored, err := m.store(ctx, now)
		if stored || err != nil {
			return err
		}
		ours, changes := m.record, m.unsaved
		if err := m.load(ctx, now); err != nil {
			return err
		}
		if m.rival != nil {
			m.record = ours // which goes on in memory
			return nil
		}
		for _, c := range changes {
			m.record.fold(c)
		}
	}
	return fmt.Errorf("store windows of cluster %s: another collector stores at the same time, again and again", m.cluster)
}

// store stores the record as it is; it is false where another collector was first.
func (m *memory) store(ctx context.Context, now time.Time) (bool, error) {
	m.sign(now)
	data, err := m.record.encode()
	if err != nil {
		return false, fmt.Errorf("store windows of cluster %s: %w", m.cluster, err)
	}
	if bytes.Equal(data, m.stored) {
		m.unsaved = nil
		return true, nil
	}
	rev, err := m.keeper.Put(ctx, key(m.cluster), data, m.rev)
	switch {
	case errors.Is(err, bus.ErrConflict):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("store windows of cluster %s: %w", m.cluster, err)
	}
	m.stored, m.rev, m.unsaved = data, rev, nil
	return true, nil
}

// saveAttempts is how often a conflict is met before the snapshot is left out.
const saveAttempts = 5
