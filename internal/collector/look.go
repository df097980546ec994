package collector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
	"github.com/bellbuoy/bellbuoy/internal/source"
)

const (
	looksTogether = 4                       // under way at once
	looksBurst    = 30                      // may be asked for in a row
	looksEvery    = time.Second             // and one more in each such time
	lookPatience  = 2500 * time.Millisecond // so that its error still comes within schema.InspectWithin
)

// shown is a part of the newest snapshot, by the reader that it came from. Nothing in it changes any more.
type shown struct {
	reader   *reader
	services []schema.ServiceSummary
}

// desk is where look-ups are asked for. They change nothing, and delay no snapshot.
type desk struct {
	rate  rate
	slots chan struct{}

	mu    sync.Mutex
	shown []shown // what may be looked up; guarded by mu
}

func newDesk() *desk { return &desk{slots: make(chan struct{}, looksTogether)} }

// show says what may be looked up from now on: what the snapshot that was just published holds.
func (d *desk) show(readers []*reader) {
	var all []shown
	for _, r := range readers {
		if r.absent == nil && !r.read.IsZero() {
			all = append(all, shown{r, r.part.Snapshot.Services})
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shown = all
}

// reader is the one that shows the object; nil: none does.
func (d *desk) reader(o schema.Object) *reader {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, part := range d.shown {
		if slices.ContainsFunc(part.services, func(s schema.ServiceSummary) bool { return s.Object() == o }) {
			return part.reader
		}
	}
	return nil
}

// answerLooks answers look-ups until ctx is done. A recording has nothing to look at.
func (c *Collector) answerLooks(ctx context.Context) {
	if c.recorded() {
		return
	}
	if err := c.bus.Answer(ctx, c.bus.Subjects().Inspect(c.cluster, "*"), c.look); err != nil {
		c.log.Error("nobody can look anything up in this cluster until the collector is started again", "error", err)
	}
}

// look answers one look-up. A collector that does not store the cluster's record leaves it to the one that does.
func (c *Collector) look(ctx context.Context, subject string, body []byte) (any, error) {
	c.mu.Lock()
	mine := c.rival == nil && !c.published.IsZero()
	c.mu.Unlock()
	if !mine {
		return nil, bus.ErrNotMine
	}
	r, err := c.lookUp(ctx, subject, body)
	c.metrics.looked(err)
	return r, err
}

func (c *Collector) lookUp(ctx context.Context, subject string, body []byte) (schema.InspectionResult, error) {
	none := schema.InspectionResult{}
	cluster, kind, err := c.bus.Subjects().ParseInspect(subject)
	if err != nil {
		return none, err
	}
	i, err := schema.DecodeInspection(body, cluster, kind)
	if err != nil {
		return none, &bus.APIError{Code: bus.CodeBadRequest, Message: err.Error()}
	}
	if i.Cluster != c.cluster {
		return none, &bus.APIError{Code: bus.CodeNotFound, Message: fmt.Sprintf("this collector watches cluster %q, not %q", c.cluster, i.Cluster)}
	}
	if !c.desk.rate.take(time.Now()) {
		return none, &bus.APIError{Code: bus.CodeBusy, Message: "too much was looked up in this cluster lately: ask again in a moment"}
	}
	from := c.desk.reader(i.Object)
	if from == nil {
		return none, &bus.APIError{Code: bus.CodeNotFound, Message: fmt.Sprintf("%s is not in the newest snapshot of cluster %s", i.Object, c.cluster)}
	}
	r, err := c.desk.inspect(ctx, from, i)
	if err != nil {
		return none, &bus.APIError{Code: bus.CodeInternal, Message: scrub.Line(err.Error(), maxTextBytes)}
	}
	r.Schema, r.Cluster, r.Kind, r.Object = schema.InspectionResultVersion, i.Cluster, i.Kind, i.Object
	r.At, r.Collector, r.Source = time.Now().UTC(), c.id, from.kind.name
	r.Note = scrub.Line(r.Note, schema.MaxInspectedNote)
	return r, r.Validate()
}

// errBusy is why a look-up is not begun: too many are under way, some of which may hang.
var errBusy = errors.New("look it up: the collector is busy with others")

// inspect has the source look. A source that hangs keeps its place until it lets go, and nobody waits for it.
func (d *desk) inspect(ctx context.Context, from *reader, i schema.Inspection) (schema.InspectionResult, error) {
	none := schema.InspectionResult{}
	eye := from.inspector()
	if eye == nil {
		return none, fmt.Errorf("look it up: source %s has no means to", from.name)
	}
	ctx, cancel := context.WithTimeout(ctx, lookPatience)
	defer cancel()
	select {
	case d.slots <- struct{}{}:
	case <-ctx.Done():
		return none, errBusy
	}
	type outcome struct {
		result schema.InspectionResult
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		defer func() { <-d.slots }()
		r, err := eye.Inspect(ctx, i)
		done <- outcome{r, err}
	}()
	select {
	case got := <-done:
		return got.result, got.err
	case <-ctx.Done():
		return none, fmt.Errorf("look it up: source %s gave no answer in time", from.name)
	}
}

// rate allows a burst, and then one in each looksEvery. Its zero value allows the burst.
type rate struct {
	mu   sync.Mutex
	full time.Time // when the whole burst is there again; guarded by mu
}

// take tells whether one more is allowed now.
func (r *rate) take(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := later(r.full, now).Add(looksEvery)
	if next.Sub(now) > looksBurst*looksEvery {
		return false
	}
	r.full = next
	return true
}

// is notes which source is open.
func (r *reader) is(open source.Source) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.opened = open
}

// inspector is the source, if it is open and can look things up.
func (r *reader) inspector() source.Inspector {
	r.mu.Lock()
	defer r.mu.Unlock()
	eye, _ := r.opened.(source.Inspector)
	return eye
}
