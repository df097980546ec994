package analyzer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

const (
	// maxSayings bounds what is remembered of one object.
	maxSayings = 32
	// saidFor is how long what is over is remembered: longer than an older message could come again.
	saidFor = time.Hour
)

// saying is what one source has said last of one condition of an object.
type saying struct {
	Source    string    `json:"source"`
	Condition string    `json:"condition"`
	Severity  string    `json:"severity,omitempty"`
	Title     string    `json:"title,omitempty"`
	Facts     []string  `json:"facts,omitempty"`
	Since     time.Time `json:"since"`
	Firing    bool      `json:"firing,omitempty"`
	Lapsed    bool      `json:"lapsed,omitempty"` // it was not said again in time
	At        time.Time `json:"at"`               // when it was stored, or lapsed
	Until     time.Time `json:"until"`            // when it lapses
	Seq       uint64    `json:"seq"`              // of its message
}

// saidRecord is the kept record of one object: all that is said of it, by whoever.
type saidRecord struct {
	Cluster string        `json:"cluster"`
	Object  schema.Object `json:"object"`
	Seq     uint64        `json:"seq"`   // the newest one's
	Epoch   time.Time     `json:"epoch"` // of the stream that sequences count in
	Sayings []saying      `json:"sayings"`
}

// keptFor is where these records are: those of the bus, which go by themselves.
type keptFor interface {
	Get(ctx context.Context, key string) (data []byte, rev uint64, err error)
	PutFor(ctx context.Context, key string, data []byte, expect uint64, d time.Duration) (rev uint64, err error)
}

// sayings reads and writes them. Nothing is remembered between two reads: several analyzers write.
type sayings struct{ kept keptFor }

func sayingsKey(cluster string, o schema.Object) string {
	return "findings." + schema.ConversationID(cluster, o)
}

// load gives an empty record where nothing is said.
func (x sayings) load(ctx context.Context, cluster string, o schema.Object) (r saidRecord, rev uint64, err error) {
	r = saidRecord{Cluster: cluster, Object: o}
	data, rev, err := x.kept.Get(ctx, sayingsKey(cluster, o))
	if err != nil || data == nil {
		return r, rev, wrapped("read what is said of "+o.String(), err)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, rev, fmt.Errorf("decode what is said of %s: %w", o, err)
	}
	return r, rev, nil
}

// change stores what do makes of the newest record, unless do gives false.
func (x sayings) change(ctx context.Context, cluster string, o schema.Object, now time.Time, do func(*saidRecord) bool) error {
	for range attempts {
		r, rev, err := x.load(ctx, cluster, o)
		if err != nil {
			return err
		}
		if !do(&r) {
			return nil
		}
		data, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("encode what is said of %s: %w", o, err)
		}
		if _, err = x.kept.PutFor(ctx, sayingsKey(cluster, o), data, rev, r.keep(now)); !errors.Is(err, bus.ErrConflict) {
			return wrapped("store what is said of "+o.String(), err)
		}
	}
	return fmt.Errorf("store what is said of %s: others wrote first %d times in a row", o, attempts)
}

// note stores that f was said by the message m.
func (x sayings) note(ctx context.Context, f *schema.Finding, m bus.Message) error {
	return x.change(ctx, f.Cluster, f.Object, m.At, func(r *saidRecord) bool { return r.take(f, m) })
}

// lapse ends what nobody has said again until now, and tells whether the conversation is to be looked at.
func (x sayings) lapse(ctx context.Context, cluster string, o schema.Object, now time.Time, attentive time.Duration) (lapsed bool, err error) {
	err = x.change(ctx, cluster, o, now, func(r *saidRecord) bool {
		changed := r.lapse(now, attentive)
		lapsed = changed || !r.firing() && attentive >= lapseAttention // or whoever ended it has died since
		return changed
	})
	return lapsed, err
}

// keep is how long the record is of use.
func (r *saidRecord) keep(now time.Time) time.Duration {
	last := now
	for _, s := range r.Sayings {
		if s.Until.After(last) {
			last = s.Until
		}
	}
	return last.Sub(now) + saidFor
}

// take folds in what was said, and tells whether that changes anything. What is older than what the same source has said
// since does not.
func (r *saidRecord) take(f *schema.Finding, m bus.Message) bool {
	if !m.Epoch.Equal(r.Epoch) {
		if m.Epoch.Before(r.Epoch) {
			return false
		}
		r.Epoch, r.Seq = m.Epoch.UTC(), 0 // another life of the stream counts anew, and as newer
		for i := range r.Sayings {
			r.Sayings[i].Seq = 0
		}
	}
	i := slices.IndexFunc(r.Sayings, func(s saying) bool { return s.Source == f.Source && s.Condition == f.Condition })
	if i >= 0 && r.Sayings[i].Seq >= m.Seq {
		return false
	}
	s := said(f, m)
	if i >= 0 {
		if was := r.Sayings[i]; was.Firing && s.Firing && was.Since.Before(s.Since) {
			s.Since = was.Since
		}
		r.Sayings = slices.Delete(r.Sayings, i, i+1)
	}
	r.Sayings = append(r.Sayings, s)
	r.Seq = max(r.Seq, m.Seq)
	r.bound(m.At)
	return true
}

func said(f *schema.Finding, m bus.Message) saying {
	s := saying{
		Source: f.Source, Condition: f.Condition, Severity: f.Severity, Title: scrub.Line(f.Title, schema.MaxFindingText),
		Since: f.Since.UTC(), Firing: f.Firing, At: m.At.UTC(), Until: m.At.Add(f.ValidFor()).UTC(), Seq: m.Seq,
	}
	if s.Since.IsZero() || s.Since.After(s.At) {
		s.Since = s.At
	}
	for _, fact := range f.Facts {
		s.Facts = append(s.Facts, scrub.Line(fact, schema.MaxFindingText))
	}
	return s
}

// bound forgets what is long over, and the oldest of what is too many: first of what is over.
func (r *saidRecord) bound(now time.Time) {
	r.Sayings = slices.DeleteFunc(r.Sayings, func(s saying) bool { return !s.Firing && now.Sub(s.At) > saidFor })
	slices.SortStableFunc(r.Sayings, func(a, b saying) int {
		if a.Firing != b.Firing {
			return map[bool]int{false: -1, true: 1}[a.Firing]
		}
		return a.At.Compare(b.At)
	})
	r.Sayings = r.Sayings[max(0, len(r.Sayings)-maxSayings):]
}

func (r *saidRecord) lapse(now time.Time, attentive time.Duration) bool {
	changed := false
	for i := range r.Sayings {
		s := &r.Sayings[i]
		if s.Firing && !now.Before(s.Until) && attentive >= min(s.Until.Sub(s.At), lapseAttention) {
			s.Firing, s.Lapsed, s.At, changed = false, true, s.Until, true
		}
	}
	return changed
}

func (r *saidRecord) firing() bool {
	return slices.ContainsFunc(r.Sayings, func(s saying) bool { return s.Firing })
}

// found is what the conversation c about the object has to be told.
func (r *saidRecord) found(c *schema.Conversation, rules detect.Rules, at time.Time) conversation.Found {
	f := conversation.Found{
		At: at, Stored: at, Cluster: r.Cluster, Object: r.Object, Seq: r.Seq, Epoch: r.Epoch, Late: true, Interval: time.Minute,
	}
	if r.Seq == 0 { // nothing has been said for long
		f.Seq, f.Epoch = c.SnapshotSeq, c.SnapshotEpoch
	}
	by := map[string][]string{}
	for _, s := range r.ranked() {
		severity, off, _ := rules.Graded(r.Cluster, r.Object, s.Condition, s.Severity)
		if off != "" {
			f.Unjudged = off
			continue
		}
		i := slices.IndexFunc(f.Conditions, func(x schema.Condition) bool { return x.Name == s.Condition })
		if i < 0 {
			f.Conditions = append(f.Conditions, schema.Condition{Name: s.Condition, Severity: severity, Since: s.Since, Title: s.Title, Facts: s.Facts})
		} else if s.Since.Before(f.Conditions[i].Since) {
			f.Conditions[i].Since = s.Since
		}
		by[s.Condition] = append(by[s.Condition], s.Source)
	}
	for i := range f.Conditions {
		x := &f.Conditions[i]
		x.Facts = append(slices.Clone(x.Facts), "as said by "+listed(by[x.Name]))
	}
	switch {
	case len(f.Conditions) > 0:
		f.Unjudged = ""
	case f.Unjudged == "":
		f.Unjudged = r.silent()
	}
	f.Removed = f.Unjudged != ""
	return f
}

// ranked is what is said to be true: of each condition the worst first, then the oldest.
func (r *saidRecord) ranked() []saying {
	firing := slices.DeleteFunc(slices.Clone(r.Sayings), func(s saying) bool { return !s.Firing })
	slices.SortStableFunc(firing, func(a, b saying) int {
		return cmp.Or(schema.SeverityRank(b.Severity)-schema.SeverityRank(a.Severity), a.Since.Compare(b.Since),
			cmp.Compare(a.Source, b.Source), cmp.Compare(a.Condition, b.Condition))
	})
	return firing
}

// silent is why nobody knows whether it is over: what ended last was not said to have ended. It is empty where it was.
func (r *saidRecord) silent() string {
	if len(r.Sayings) == 0 {
		return "nobody says so any more"
	}
	last := slices.MaxFunc(r.Sayings, func(a, b saying) int { return a.At.Compare(b.At) })
	if !last.Lapsed {
		return ""
	}
	return last.Source + " has not said so again by " + clock(last.At)
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05 UTC") }

// listed names at most three.
func listed(names []string) string {
	const most = 3
	text := strings.Join(names[:min(len(names), most)], ", ")
	if more := len(names) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
