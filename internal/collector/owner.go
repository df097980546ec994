package collector

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// owner is the collector that stores a record. Two machines that collect under one name would each report the other's
// counts as their own, so only one of them stores.
type owner struct {
	Collector string    `json:"collector"` // its id
	Host      string    `json:"host"`
	Boot      string    `json:"boot,omitempty"`    // of the machine that it runs on, see bootOf; empty: unknown
	At        time.Time `json:"at"`                // when it last said that it is there, by its own clock
	Interval  float64   `json:"interval_seconds"`  // between its snapshots
	Released  bool      `json:"released,omitzero"` // it has said goodbye
}

const (
	silentAfter = 4           // intervals after which an owner has fallen silent
	leastSilent = time.Minute // but not sooner
)

func (o *owner) interval() time.Duration { return time.Duration(o.Interval * float64(time.Second)) }

// held tells whether the record of o is not to be stored by self, unless o has fallen silent.
func (o *owner) held(self owner) bool {
	return o != nil && self.Collector != "" && o.Collector != self.Collector && !o.Released
}

// elsewhere tells whether o ran on another machine than self, so that what its sources handed over means nothing here.
// A container that was made anew has another id, and is on the same machine still.
func (o *owner) elsewhere(self owner) bool {
	return o != nil && self.Collector != "" && o.Collector != self.Collector && (o.Boot == "" || o.Boot != self.Boot)
}

// look is a revision of the record and when this collector first found it, by its own clock.
type look struct {
	rev uint64
	at  time.Time
}

// silent tells, at a look that finds revision rev, whether owner o has not stored anything for so long that it is gone.
// It goes by what this collector has seen itself: the owner's clock may be fast, or slow.
func (m *memory) silent(o *owner, rev uint64, now time.Time) bool {
	if m.seen.rev != rev || m.seen.at.IsZero() {
		m.seen = look{rev, now}
	}
	return now.Sub(m.seen.at) >= max(silentAfter*o.interval(), leastSilent)
}

// bootOf names the machine of this process from its start to its end, in whatever container: by a hash, because the
// kernel's own name for it is nobody's business. Empty where that is not known.
func bootOf() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil || len(id) == 0 {
		return ""
	}
	sum := sha256.Sum256(id)
	return hex.EncodeToString(sum[:8])
}

// identity is the id of this machine's collector of the cluster. It is the same after a restart, and another one on
// another machine even where host names are the same.
func identity(host, cluster string) string {
	machine := host // does not change with a boot either
	for _, path := range []string{"/etc/machine-id", "/var/lib/dbus/machine-id"} {
		if b, err := os.ReadFile(path); err == nil && len(strings.TrimSpace(string(b))) > 0 {
			machine = strings.TrimSpace(string(b))
			break
		}
	}
	sum := sha256.Sum256([]byte(machine + "\x00" + cluster))
	return host + "-" + hex.EncodeToString(sum[:4])
}

// standBy leaves the stored record to its owner. What is counted meanwhile stays in memory.
func (m *memory) standBy(o *owner) {
	if m.rival == nil || m.rival.Collector != o.Collector {
		m.log.Error("another machine collects under the same name; its counts are kept and ours are not. Give one of them a name of its own: set BELLBUOY_CLUSTER there",
			"cluster", m.cluster, "host", m.self.Host, "other_host", o.Host, "collector", m.self.Collector, "other_collector", o.Collector)
	}
	m.rival, m.unsaved = o, nil
}

// contest looks whether the owner that was met still is one. If not, what was counted here is the record from now on.
func (m *memory) contest(ctx context.Context, now time.Time) error {
	data, rev, err := m.keeper.Get(ctx, key(m.cluster))
	if err != nil {
		return fmt.Errorf("see who collects cluster %s: %w", m.cluster, err)
	}
	var kept struct {
		Owner *owner `json:"owner"`
	}
	_ = json.Unmarshal(data, &kept) // an unreadable record is nobody's
	if kept.Owner.held(m.self) && !m.silent(kept.Owner, rev, now) {
		m.standBy(kept.Owner)
		return nil
	}
	m.log.Info("taking over the record of the cluster", "cluster", m.cluster, "from_host", m.rival.Host)
	m.rival, m.stored, m.rev = nil, data, rev
	return nil
}

// sign says in the record whose it is. That alone is written again only when it begins to look old.
func (m *memory) sign(now time.Time) {
	if m.self.Collector == "" {
		return
	}
	now = now.UTC()
	have := m.record.Owner
	if have != nil && *have == m.signed(have.At) && now.Sub(have.At) >= 0 && now.Sub(have.At) < 2*m.self.interval() {
		if data, err := m.record.encode(); err == nil && string(data) == string(m.stored) {
			return
		}
	}
	m.record.Owner = new(m.signed(now))
}

func (m *memory) signed(at time.Time) owner {
	o := m.self
	o.At = at
	return o
}

// release says that this collector no longer stores the record, so that another may at once.
func (m *memory) release(ctx context.Context, now time.Time) error {
	if m.record == nil || m.rival != nil || m.record.Owner == nil {
		return nil
	}
	released := m.self
	released.At, released.Released = now.UTC(), true
	m.record.Owner = &released
	data, err := m.record.encode()
	if err == nil {
		_, err = m.keeper.Put(ctx, key(m.cluster), data, m.rev)
	}
	if err != nil {
		return fmt.Errorf("release the record of cluster %s: %w", m.cluster, err)
	}
	return nil
}

// named gives the cluster's name, and refuses the one that Bellbuoy's own conditions stand under.
func (c Config) named(host string) (string, error) {
	name := or(c.Cluster, host)
	if name == schema.OwnCluster {
		return "", fmt.Errorf("collect cluster %q: that name is reserved for what Bellbuoy says of itself; set BELLBUOY_CLUSTER to another", name)
	}
	return name, nil
}
