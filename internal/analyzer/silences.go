package analyzer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/silence"
)

// silencesKey is the kept record of the silences by scope.
const silencesKey = "silences"

// silences reads and writes that record. It is read anew for every decision: nobody is to be told of what was silenced
// a moment ago.
type silences struct{ kept kept }

func (x silences) load(ctx context.Context) (l silence.List, rev uint64, err error) {
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
func (x silences) change(ctx context.Context, now time.Time, do func(silence.List) (silence.List, error)) (silence.List, error) {
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
			return next, wrapped("store the silences", err)
		}
	}
	return silence.List{}, fmt.Errorf("store the silences: others wrote first %d times in a row: try again", attempts)
}

// hush is what the silences by scope say of the objects of one snapshot.
type hush struct {
	silences
	snapshot *schema.ClusterContext
	services map[schema.Object]*schema.ServiceSummary // indexed when first asked for
	list     silence.List
	read     bool // the list was
}

// covering gives the silence that covers what f found, c being the conversation about it so far. A conversation that is
// silenced by one which the list lacks may be newer than the list, which is read again then.
func (h *hush) covering(ctx context.Context, f conversation.Found, c schema.Conversation) (*conversation.Silence, error) {
	if len(f.Conditions) == 0 {
		return nil, nil
	}
	by, now := silencedBy(c), time.Now()
	_, listed := h.list.Find(by)
	if !h.read || by != "" && !listed {
		list, _, err := h.load(ctx)
		if err != nil && !errors.Is(err, errUnreadable) {
			return nil, err
		}
		h.list, h.read = list, true
	}
	if len(h.list.Silences) == 0 {
		return nil, nil
	}
	t, present := h.target(f, c)
	s, found := h.list.Covering(t, now)
	// Where an object runs, and its labels, are not known while it is away. What is over by its own time is left to the
	// loop that looks at deadlines.
	if was, listed := h.list.Find(by); listed && (!present && was.Active(now) || !found && !now.Before(was.Until)) {
		s, found = was, true
	}
	if !found {
		return nil, nil
	}
	return told(s), nil
}

// silencedBy is the id of the silence by scope that holds for c, if one does.
func silencedBy(c schema.Conversation) string {
	if c.SilencedUntil.IsZero() {
		return ""
	}
	return c.SilencedBy
}

func told(s silence.Silence) *conversation.Silence {
	return &conversation.Silence{ID: s.ID, Until: s.Until, By: s.Author.Name, Why: s.Reason}
}

// target is what a silence would have to cover, and whether the snapshot has it.
func (h *hush) target(f conversation.Found, c schema.Conversation) (t silence.Target, present bool) {
	t = silence.Target{Cluster: f.Cluster, Object: f.Object, Labels: f.Labels}
	for _, x := range f.Conditions {
		t.Conditions = append(t.Conditions, x.Name)
	}
	x := h.service(f.Object)
	if x == nil {
		t.Labels = c.Labels
		return t, f.Object.Kind != schema.KindService
	}
	t.Labels, t.Nodes = x.Labels, nodesOf(x)
	return t, true
}

func (h *hush) service(o schema.Object) *schema.ServiceSummary {
	if h.services == nil {
		h.services = make(map[schema.Object]*schema.ServiceSummary, len(h.snapshot.Services))
		for i := range h.snapshot.Services {
			h.services[h.snapshot.Services[i].Object()] = &h.snapshot.Services[i]
		}
	}
	return h.services[o]
}

// nodesOf are the nodes that a service runs on.
func nodesOf(x *schema.ServiceSummary) []string {
	nodes := append([]string{}, x.Nodes...)
	for _, i := range x.Instances {
		if i.Node != "" {
			nodes = append(nodes, i.Node)
		}
	}
	return nodes
}
