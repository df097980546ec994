package collector

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
	"github.com/bellbuoy/bellbuoy/internal/source"
)

// record is what the collector keeps of one cluster. It changes by apply, note, prune and nothing else, all of which
// give the same result for the same input in the same order.
type record struct {
	Cluster  string                     `json:"cluster"` // the whole name, because several meet in one token
	Owner    *owner                     `json:"owner,omitempty"`
	Since    time.Time                  `json:"counters_since"`
	Services []*tracked                 `json:"services,omitempty"` // those that something happened to, sorted
	Events   []schema.ClusterEvent      `json:"events,omitempty"`   // oldest first
	Counted  []string                   `json:"counted,omitempty"`  // short hashes of the newest happenings' keys, oldest first
	States   map[string]json.RawMessage `json:"states,omitempty"`   // of sources, by their names in the configuration
}

// tracked is one service's counts.
type tracked struct {
	Object      schema.Object   `json:"object"`
	Errors      int64           `json:"errors_total"`
	Restarts    int64           `json:"restarts_total"`
	Failures1h  window          `json:"failures,omitempty"`
	Restarts24h window          `json:"restarts,omitempty"`
	LastFailure *schema.Failure `json:"last_failure,omitempty"`
	Newest      time.Time       `json:"newest"` // when something was last counted for it
}

// Bounds of a record.
const (
	maxCounted     = 2048 // more than a source can report again after it was opened anew
	maxTracked     = schema.MaxServices
	forgetAfter    = 7 * 24 * time.Hour // after its newest happening, a service that left the cluster is forgotten
	maxEventBytes  = 400
	maxEventObject = 2*schema.MaxName + 1 // namespace/name
	maxTextBytes   = 1 << 10
	maxRecordBytes = 3 << 20
)

func newRecord(cluster string, now time.Time) *record {
	return &record{Cluster: cluster, Since: now.UTC().Truncate(time.Second)}
}

// apply folds one happening in, unless it has been counted before; it tells which. Only services are counted.
func (r *record) apply(h source.Happening, now time.Time) bool {
	key := short(h.Key)
	if h.Key != "" {
		if slices.Contains(r.Counted, key) {
			return false
		}
		r.Counted = append(r.Counted, key)
		r.Counted = r.Counted[max(0, len(r.Counted)-maxCounted):]
	}
	at := h.At.UTC()
	if h.At.IsZero() || at.After(now) {
		at = now.UTC() // another clock's future would never leave the windows
	}
	if h.Event != "" {
		r.note(schema.ClusterEvent{At: at, Kind: h.Event, Object: h.Object.String(), Text: h.Text})
	}
	if h.Object.Kind == schema.KindService && h.Kind != source.Noted {
		r.track(h.Object).count(h, at)
	}
	return true
}

func short(key string) string {
	sum := sha256.Sum256([]byte(key))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// note adds an event, in the order of time.
func (r *record) note(e schema.ClusterEvent) {
	e.Kind, e.Object, e.Text = scrub.Line(e.Kind, maxTextBytes), scrub.Line(e.Object, maxEventObject), scrub.Line(e.Text, maxEventBytes)
	i, _ := slices.BinarySearchFunc(r.Events, e, func(have, want schema.ClusterEvent) int {
		if have.At.After(want.At) {
			return 1
		}
		return -1 // after those of the same time
	})
	r.Events = slices.Insert(r.Events, i, e)
	r.Events = r.Events[max(0, len(r.Events)-schema.MaxEvents):]
}

func byObject(t *tracked, o schema.Object) int {
	return cmp.Or(cmp.Compare(t.Object.Kind, o.Kind), cmp.Compare(t.Object.Namespace, o.Namespace), cmp.Compare(t.Object.Name, o.Name))
}

// find returns what is kept of o; nil: nothing.
func (r *record) find(o schema.Object) *tracked {
	if i, ok := slices.BinarySearchFunc(r.Services, o, byObject); ok {
		return r.Services[i]
	}
	return nil
}

// track returns what is kept of o, from now on.
func (r *record) track(o schema.Object) *tracked {
	i, ok := slices.BinarySearchFunc(r.Services, o, byObject)
	if !ok {
		r.Services = slices.Insert(r.Services, i, &tracked{Object: o, Failures1h: window{}, Restarts24h: window{}})
	}
	t := r.Services[i]
	if t.Failures1h == nil {
		t.Failures1h = window{} // empty ones are not stored
	}
	if t.Restarts24h == nil {
		t.Restarts24h = window{}
	}
	return t
}

func (t *tracked) count(h source.Happening, at time.Time) {
	if at.After(t.Newest) {
		t.Newest = at
	}
	switch h.Kind {
	case source.Restarted:
		t.Restarts++
		t.Restarts24h[bucket(at, restartWidth)]++
		return
	case source.Logged:
		if h.Count > 0 {
			t.Errors += h.Count
			t.Failures1h[bucket(at, failureWidth)] += h.Count
		}
		return
	}
	t.Errors++
	t.Failures1h[bucket(at, failureWidth)]++
	if h.Failure != nil && (t.LastFailure == nil || !h.Failure.At.Before(t.LastFailure.At)) {
		failure := *h.Failure
		if failure.At.IsZero() {
			failure.At = at
		}
		t.LastFailure = &failure
	}
}

// prune drops what is too old to be reported. present tells whether a service is still in the cluster; the totals of
// one that is never go back.
func (r *record) prune(now time.Time, present func(schema.Object) bool) {
	for _, t := range r.Services {
		t.Failures1h.prune(now, failureWidth, failureBuckets)
		t.Restarts24h.prune(now, restartWidth, restartBuckets)
	}
	r.Services = slices.DeleteFunc(r.Services, func(t *tracked) bool {
		return now.Sub(t.Newest) > forgetAfter && !present(t.Object)
	})
	if over := len(r.Services) - maxTracked; over > 0 {
		r.forgetOldest(over)
	}
	oldest := now.Add(-schema.EventWindow)
	r.Events = slices.DeleteFunc(r.Events, func(e schema.ClusterEvent) bool { return e.At.Before(oldest) })
}

// forgetOldest drops the n services to which nothing has happened for longest.
func (r *record) forgetOldest(n int) {
	byAge := slices.SortedFunc(slices.Values(r.Services), func(a, b *tracked) int { return a.Newest.Compare(b.Newest) })
	gone := map[*tracked]bool{}
	for _, t := range byAge[:min(n, len(byAge))] {
		gone[t] = true
	}
	r.Services = slices.DeleteFunc(r.Services, func(t *tracked) bool { return gone[t] })
}

// encode gives the record's bytes, the same for the same record. One that is too large forgets services first.
func (r *record) encode() ([]byte, error) {
	for {
		b, err := json.Marshal(r)
		if err != nil || len(b) <= maxRecordBytes || len(r.Services) == 0 {
			return b, err
		}
		r.forgetOldest(1 + len(r.Services)/4)
	}
}

// report fills into s what is kept of it and what its source left to the collector.
func (r *record) report(s *schema.ServiceSummary, now time.Time) {
	t := r.find(s.Object())
	if t == nil {
		t = &tracked{}
	}
	fill(&s.ErrorsTotal, t.Errors)
	fill(&s.RestartsTotal, t.Restarts)
	fill(&s.ErrorCount1h, t.Failures1h.sum(now, failureWidth, failureBuckets))
	fill(&s.RestartCount24h, t.Restarts24h.sum(now, restartWidth, restartBuckets))
	if s.LastFailure == nil && t.LastFailure != nil {
		failure := *t.LastFailure
		s.LastFailure = &failure
	}
}

func fill(field **int64, value int64) {
	if *field == nil {
		*field = &value
	}
}
