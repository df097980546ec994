package analyzer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/decide"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/silence"
)

// silencesKey is the kept record of the silences by scope.
const silencesKey = "silences"

// silences reads and writes that record. It is read anew for every decision: nobody is to be told of what was silenced
// a moment ago.
type silences struct {
	kept    kept
	changes atomic.Uint64 // how often this analyzer has stored it
}

func (x *silences) load(ctx context.Context) (l silence.List, rev uint64, err error) {
	data, rev, err := x.kept.Get(ctx, silencesKey)
	if err != nil || data == nil {
		return l, rev, wrapped("read the silences", err)
	}
	if err := json.Unmarshal(data, &l); err != nil {
		return silence.List{}, rev, fmt.Errorf("%w: the next one that is made begins the list anew: %w", errUnreadable, err)
	}
	return l, rev, nil
}

// errUnreadable says that the record is none. Nothing is silenced then: rather too much is told than too little.
var errUnreadable = errors.New("the silences cannot be read")

func wrapped(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// change stores what do makes of the newest list, without what is over, and gives that.
func (x *silences) change(ctx context.Context, now time.Time, do func(silence.List) (silence.List, error)) (silence.List, error) {
	for range attempts {
		l, rev, err := x.load(ctx)
		if err != nil && !errors.Is(err, errUnreadable) {
			return l, err
		}
		next, err := do(l.Kept(now))
		if err != nil {
			return l, err
		}
		data, err := json.Marshal(next)
		if err != nil {
			return l, wrapped("encode the silences", err)
		}
		if _, err = x.kept.Put(ctx, silencesKey, data, rev); !errors.Is(err, bus.ErrConflict) {
			x.changes.Add(1)
			return next, wrapped("store the silences", err)
		}
	}
	return silence.List{}, fmt.Errorf("store the silences: others wrote first %d times in a row: try again", attempts)
}

// reading is one read of the list that goes on while its snapshot is decided. It is begun as the snapshot comes, before
// the detector's memory is written: behind that write, in the same stream, it would wait for the disk.
type reading struct {
	changed uint64 // how often this analyzer had stored the list when it began
	done    chan struct{}
	stop    context.CancelFunc
	list    silence.List
	err     error
}

func (x *silences) begin(ctx context.Context) *reading {
	ctx, stop := context.WithCancel(ctx)
	r := &reading{changed: x.changes.Load(), done: make(chan struct{}), stop: stop}
	go func() {
		defer close(r.done)
		r.list, _, r.err = x.load(ctx)
	}()
	return r
}

func (r *reading) wait() (silence.List, error) {
	<-r.done
	r.stop()
	return r.list, r.err
}

// end gives a reading up whose list nobody needs.
func (r *reading) end() {
	r.stop()
	<-r.done
}

// hush is what the silences by scope and the windows say of the objects of one snapshot.
type hush struct {
	decide.Hush
	silences *silences
	began    *reading // of the list
	read     bool     // the list was
	changed  uint64   // how often this analyzer had changed it before
}

// hushing begins to read the list of silences for a snapshot. What is silenced by then counts.
func (a *Analyzer) hushing(ctx context.Context, s *schema.ClusterContext) hush {
	r := a.silences.begin(ctx)
	return hush{Hush: decide.Hush{Snapshot: s, Windows: a.windows}, silences: a.silences, began: r, changed: r.changed}
}

// covering gives the silence that covers what f found, c being the conversation about it so far. A conversation that is
// silenced by one which the list lacks may be newer than the list, which is read again then.
func (h *hush) covering(ctx context.Context, f conversation.Found, c schema.Conversation) (*conversation.Silence, error) {
	if len(f.Conditions) == 0 {
		return nil, nil
	}
	by := decide.SilencedBy(c)
	_, listed := h.List.Find(by)
	anew := h.changed != h.silences.changes.Load() || by != "" && !listed && !silence.IsWindow(by)
	if err := h.newest(ctx, anew); err != nil {
		return nil, err
	}
	h.At(time.Now().UTC())
	s := h.Covering(f, c)
	// What is over by its own time is left to the loop that looks at deadlines.
	if s == nil && by != "" && !h.Now.Before(c.SilencedUntil) {
		s = &conversation.Silence{ID: by, Until: c.SilencedUntil}
	}
	return s, nil
}

// newest has the list read, again if it has to be.
func (h *hush) newest(ctx context.Context, anew bool) error {
	if h.read && !anew {
		return nil
	}
	r := h.began
	if anew {
		r = h.silences.begin(ctx)
	}
	for range attempts {
		list, err := r.wait()
		if err != nil && !errors.Is(err, errUnreadable) {
			return err
		}
		h.List, h.read, h.changed = list, true, r.changed
		if r.changed == h.silences.changes.Load() {
			break
		}
		r = h.silences.begin(ctx) // this analyzer has stored another list meanwhile
	}
	r.end()
	return nil
}
