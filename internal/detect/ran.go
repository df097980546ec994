package detect

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// ran is what was last seen to run of a service: 16 bits of its image's name, 15 of when it was deployed, each 0 where
// it is not known, and whether it was seen well since. It is small because every service has one.
type ran uint32

const ranWell ran = 1

func (r ran) image() uint32  { return uint32(r >> 16) }
func (r ran) deploy() uint32 { return uint32(r>>1) & 0x7fff }
func (r ran) well() bool     { return r&ranWell != 0 }

// next is what runs now. What the snapshot does not say stays as it was.
func (r ran) next(s *schema.ServiceSummary) ran {
	image, deploy := r.image(), r.deploy()
	if s.Image != "" {
		image = short(fnv1a(fnvOffset, s.Image), 16)
	}
	if !s.LastDeployAt.IsZero() {
		deploy = short(uint64(s.LastDeployAt.UnixNano())*fnvPrime, 15)
	}
	now := ran(image<<16 | deploy<<1)
	if now == r&^ranWell {
		return r
	}
	return now
}

// short is so many bits of h, of which not all are 0.
func short(h uint64, bits int) uint32 {
	h ^= h >> 32
	h ^= h >> 16
	return max(uint32(h)&(1<<bits-1), 1)
}

// mark is the ran of one service, and when the service was last there.
type mark struct {
	key uint64 // a hash of its name
	ran ran
	at  uint32 // in Unix seconds; only of one that has left
}

const (
	markSize = 12   // bytes of one that is there: key and ran
	leftSize = 16   // bytes of one that has left: at, too
	maxLeft  = 8192 // of those; the newest ones are kept
)

// seenRunning is the marks of a cluster: those of the snapshot before, by which deploys are noticed, and those of this
// one. In the memory they are bytes, sorted by key.
type seenRunning struct {
	there, left []byte
	now         []mark
}

func markKey(o schema.Object) uint64 {
	h := fnv1a(fnvOffset, o.Namespace)
	return fnv1a((h^'/')*fnvPrime, o.Name)
}

// of is what was last seen to run of a service; 0: nothing is known.
func (x *seenRunning) of(key uint64) ran {
	return cmp.Or(lookUp(x.there, markSize, key), lookUp(x.left, leftSize, key))
}

func lookUp(b []byte, size int, key uint64) ran {
	low, high := 0, len(b)/size
	for low < high {
		mid := int(uint(low+high) >> 1)
		if keyAt(b, size, mid) < key {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low < len(b)/size && keyAt(b, size, low) == key {
		return ranAt(b, size, low)
	}
	return 0
}

func keyAt(b []byte, size, i int) uint64 { return binary.LittleEndian.Uint64(b[i*size:]) }
func ranAt(b []byte, size, i int) ran    { return ran(binary.LittleEndian.Uint32(b[i*size+8:])) }

// note remembers what runs of a service.
func (x *seenRunning) note(key uint64, r ran) {
	if r != 0 {
		x.now = append(x.now, mark{key: key, ran: r})
	}
}

// stands keeps what is known of a service that stands still.
func (x *seenRunning) stands(o schema.Object) {
	key := markKey(o)
	x.note(key, x.of(key))
}

// kept is what is to be remembered: of the services that are there, and of those that were there within the hour.
func (x *seenRunning) kept(now time.Time) (there, left []byte) {
	slices.SortFunc(x.now, func(a, b mark) int { return cmp.Compare(a.key, b.key) })
	for i, m := range x.now {
		if i == 0 {
			there = make([]byte, 0, markSize*len(x.now))
		}
		there = binary.LittleEndian.AppendUint64(there, m.key)
		there = binary.LittleEndian.AppendUint32(there, uint32(m.ran))
	}
	for _, m := range x.gone(now) {
		left = binary.LittleEndian.AppendUint64(left, m.key)
		left = binary.LittleEndian.AppendUint32(left, uint32(m.ran))
		left = binary.LittleEndian.AppendUint32(left, m.at)
	}
	return there, left
}

// gone lists those that are not there, by key.
func (x *seenRunning) gone(now time.Time) []mark {
	var gone []mark
	x.absent(x.there, markSize, func(i int, key uint64) {
		gone = append(gone, mark{key, ranAt(x.there, markSize, i), uint32(now.Unix())})
	})
	x.absent(x.left, leftSize, func(i int, key uint64) {
		at := binary.LittleEndian.Uint32(x.left[i*leftSize+12:])
		age := now.Sub(time.Unix(int64(at), 0)).Abs() // a clock that was set back does not keep it for ever
		if age < forgetAbsent && lookUp(x.there, markSize, key) == 0 {
			gone = append(gone, mark{key, ranAt(x.left, leftSize, i), at})
		}
	})
	if len(gone) > maxLeft {
		slices.SortFunc(gone, func(a, b mark) int { return cmp.Or(cmp.Compare(b.at, a.at), cmp.Compare(a.key, b.key)) })
		gone = gone[:maxLeft]
	}
	slices.SortFunc(gone, func(a, b mark) int { return cmp.Compare(a.key, b.key) })
	return gone
}

// absent hands each the marks of b that are not among those of now. Both are sorted.
func (x *seenRunning) absent(b []byte, size int, each func(i int, key uint64)) {
	at := 0
	for i := range len(b) / size {
		key := keyAt(b, size, i)
		for at < len(x.now) && x.now[at].key < key {
			at++
		}
		if at == len(x.now) || x.now[at].key != key {
			each(i, key)
		}
	}
}
