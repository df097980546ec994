package finding

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

const (
	// Repeat is how often a finding that lasts is said.
	Repeat = time.Minute
	// again is after how long it is due, so that a tick that comes a little early does not make it late.
	again = Repeat - time.Second
)

// Publisher is where findings go: the bus.
type Publisher interface {
	Publish(ctx context.Context, subject string, body []byte, msgID string) (seq uint64, err error)
	Subjects() schema.Subjects
}

// Teller says the findings of one source. It belongs to one goroutine.
type Teller struct {
	to     Publisher
	source string
	said   map[key]said
}

type key struct {
	object    schema.Object
	condition string
}

func compare(a, b key) int {
	return cmp.Or(cmp.Compare(a.object.String(), b.object.String()), cmp.Compare(a.condition, b.condition))
}

type said struct {
	finding schema.Finding
	at      time.Time
}

// NewTeller says findings as source.
func NewTeller(to Publisher, source string) *Teller {
	return &Teller{to: to, source: source, said: map[key]said{}}
}

// Tell brings what has been said in line with what is true now: all of it, of Bellbuoy's own cluster. What could not be
// said is due again with the next call.
func (t *Teller) Tell(ctx context.Context, now time.Time, firing []schema.Finding) error {
	var failed []error
	over := maps.Clone(t.said)
	for _, f := range firing {
		k := key{f.Object, f.Condition}
		delete(over, k)
		was, known := t.said[k]
		if known && was.finding.Severity == f.Severity && now.Sub(was.at) < again {
			continue
		}
		f.Firing = true
		if err := t.publish(ctx, f, now); err != nil {
			failed = append(failed, err)
			continue
		}
		t.said[k] = said{f, now}
	}
	for _, k := range slices.SortedFunc(maps.Keys(over), compare) {
		f := over[k].finding
		f.Firing, f.Facts = false, nil
		if err := t.publish(ctx, f, now); err != nil {
			failed = append(failed, err)
			continue
		}
		delete(t.said, k)
	}
	return errors.Join(failed...)
}

// Said tells whether the condition of o has been said and not been called over since.
func (t *Teller) Said(o schema.Object, condition string) bool {
	_, known := t.said[key{o, condition}]
	return known
}

func (t *Teller) publish(ctx context.Context, f schema.Finding, now time.Time) error {
	f.Schema, f.Cluster, f.Source, f.At = schema.FindingVersion, schema.OwnCluster, t.source, now.UTC()
	f.ValidForSeconds = schema.DefaultValidFor.Seconds()
	f.Title = scrub.Line(f.Title, schema.MaxFindingText)
	f.Facts = slices.Clone(f.Facts)
	for i, fact := range f.Facts {
		f.Facts[i] = scrub.Line(fact, schema.MaxFindingText)
	}
	if err := f.Validate(); err != nil {
		return fmt.Errorf("say %s of %s: %w", f.Condition, f.Object, err)
	}
	body, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("say %s of %s: %w", f.Condition, f.Object, err)
	}
	if _, err := t.to.Publish(ctx, t.to.Subjects().Finding(f.Cluster), body, ""); err != nil {
		return fmt.Errorf("say %s of %s: %w", f.Condition, f.Object, err)
	}
	return nil
}
