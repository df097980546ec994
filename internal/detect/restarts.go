package detect

import (
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// restarts is what is remembered of how often a service restarted. A service without it stood at 0 when its count was
// last known, if it was known at all.
type restarts struct {
	Last    int64    `json:"last"`
	Rolling bool     `json:"rolling,omitempty"` // Last is a sum over the last 24 h, not a total
	Samples []sample `json:"samples,omitempty"` // of the last 24 h, oldest first
}

// sample is a growth seen in one snapshot: when, in Unix milliseconds, and by how many.
type sample [2]int64

const (
	restartWindow = 24 * time.Hour
	maxSamples    = 64               // more are thinned out
	thinTo        = 30 * time.Minute // older samples are merged within so much
)

// restartCount is the count to go by: the monotone total, or the rolling sum of a source that has no totals.
func restartCount(s *schema.ServiceSummary) (count int64, rolling, known bool) {
	switch {
	case s.RestartsTotal != nil:
		return *s.RestartsTotal, false, true
	case s.RestartCount24h != nil:
		return *s.RestartCount24h, true, true
	}
	return 0, false, false
}

func restartsKnown(s *schema.ServiceSummary) bool {
	_, _, known := restartCount(s)
	return known
}

// fingerprint stands for the set of services whose count is known, whatever their order. While it stays the same, a
// service of which nothing is remembered was there before and stood at 0; remembering that of each would make the
// memory of a large and healthy cluster large.
func fingerprint(services []schema.ServiceSummary, known func(*schema.ServiceSummary) bool) uint64 {
	var sum uint64
	for i := range services {
		if known(&services[i]) {
			h := fnv1a(fnvOffset, services[i].Namespace)
			sum += fnv1a((h^'/')*fnvPrime, services[i].Name)
		}
	}
	return sum
}

const (
	fnvOffset uint64 = 14695981039346656037
	fnvPrime  uint64 = 1099511628211
)

func fnv1a(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * fnvPrime
	}
	return h
}

// count folds what a service says of its restarts into what is remembered, and tells by how many they grew.
func (t *tick) count(was *restarts, s *schema.ServiceSummary) (next *restarts, grew int64) {
	value, rolling, known := restartCount(s)
	if !known {
		return was, 0
	}
	now := restarts{Last: value, Rolling: rolling}
	if was != nil {
		now.Samples = was.since(t.now.Add(-restartWindow))
	}
	if t.continues(was, now) {
		before := int64(0)
		if was != nil {
			before = was.Last
		}
		if grew = max(0, value-before); grew > 0 {
			now.Samples = t.thin(append(slices.Clone(now.Samples), sample{t.happened().UnixMilli(), grew}))
		}
	} else {
		now.Samples = nil
	}
	if now.Last == 0 && len(now.Samples) == 0 {
		return nil, 0
	}
	return &now, grew
}

// continues tells whether the new count can be compared with the one before. Where it cannot, counting starts anew.
func (t *tick) continues(was *restarts, now restarts) bool {
	switch {
	case t.gap < 0, t.anew && !now.Rolling: // samples of a clock set back lie in the future
		return false
	case was == nil:
		return t.same
	}
	return was.Rolling == now.Rolling && (now.Rolling || now.Last >= was.Last)
}

// happened is when a growth that this snapshot shows took place. After a long gap it is taken to lie in the middle, or
// else what happened over hours would look like a burst.
func (t *tick) happened() time.Time {
	if t.gap > t.rules.CrashLoop.Within {
		return t.now.Add(-t.gap / 2)
	}
	return t.now
}

// thin keeps the memory of a service that restarts all day small: what has left the short window is merged.
func (t *tick) thin(samples []sample) []sample {
	if len(samples) <= maxSamples {
		return samples
	}
	recent, slot := t.now.Add(-t.rules.CrashLoop.Within).UnixMilli(), thinTo.Milliseconds()
	thinned := samples[:0]
	for _, s := range samples {
		last := len(thinned) - 1
		if last >= 0 && s[0] < recent && s[0]/slot == thinned[last][0]/slot {
			thinned[last] = sample{s[0], s[1] + thinned[last][1]}
			continue
		}
		thinned = append(thinned, s)
	}
	return thinned
}

// since are the samples after from.
func (r *restarts) since(from time.Time) []sample {
	ms := from.UnixMilli()
	i := slices.IndexFunc(r.Samples, func(s sample) bool { return s[0] > ms })
	if i < 0 {
		return nil
	}
	return r.Samples[i:]
}

func sum(samples []sample) int64 {
	var n int64
	for _, s := range samples {
		n += s[1]
	}
	return n
}

// perDay is how many restarts of the last 24 h count as news: those seen, or the source's own sum once it has grown.
func (r *restarts) perDay(now time.Time) int64 {
	seen := sum(r.since(now.Add(-restartWindow)))
	if r.Rolling && seen > 0 {
		return max(seen, r.Last)
	}
	return seen
}

// meanGap is the mean time between restarts; 0 where it cannot be told.
func (r *restarts) meanGap() time.Duration {
	if r.Rolling && r.Last > 0 {
		return restartWindow / time.Duration(r.Last)
	}
	if len(r.Samples) < 2 {
		return 0
	}
	first, last := r.Samples[0], r.Samples[len(r.Samples)-1]
	after := sum(r.Samples) - first[1]
	return time.Duration((last[0]-first[0])/max(after, 1)) * time.Millisecond
}

// quiet is how long ago the newest restart seen was.
func (r *restarts) quiet(now time.Time) time.Duration {
	if len(r.Samples) == 0 {
		return 0
	}
	return max(0, now.Sub(time.UnixMilli(r.Samples[len(r.Samples)-1][0])))
}
