package analyzer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/decide"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const (
	snapshotKept   = 24 * time.Hour // in CONTEXT
	freshIntervals = 8              // a cluster whose newest snapshot is older is not published any more
	freshAtLeast   = 2 * time.Minute
)

// forgetWhat closes a conversation, or all of a cluster with what the detector remembers of it. What is still there
// would only come back, and is refused.
func (a *Analyzer) forgetWhat(ctx context.Context, r client.ForgetRequest) (client.ForgetResponse, error) {
	ref := strings.TrimSpace(r.Ref)
	by, err := a.allow(ctx, r.Author, client.VerbForget)
	if err != nil {
		return client.ForgetResponse{}, err
	}
	snapshots, err := a.newestAll(ctx)
	if err != nil {
		return client.ForgetResponse{}, err
	}
	if a.isCluster(ref, snapshots) {
		return a.forgetCluster(ctx, ref, by)
	}
	c, err := a.conversation(ctx, ref)
	if err != nil {
		return client.ForgetResponse{}, err
	}
	return a.forgetOne(ctx, c, by, snapshots[c.Cluster])
}

func (a *Analyzer) forgetOne(ctx context.Context, c schema.Conversation, by schema.Author, s *schema.ClusterContext) (client.ForgetResponse, error) {
	h := decide.Hush{Snapshot: s}
	switch there := s != nil && (h.Service(c.Object) != nil || hasNode(s, c.Object)); {
	case c.Closed():
		return client.ForgetResponse{}, badRequest(fmt.Errorf("forget: %s is closed already (%s)", c.Object, c.ClosedAs))
	case there || c.Cluster == schema.OwnCluster:
		return client.ForgetResponse{}, badRequest(fmt.Errorf("forget: %s is still there, and would come back: say dismiss if nobody needs to hear of it", c.Object))
	}
	closed, err := a.closeForgotten(ctx, []schema.Conversation{c}, by)
	return client.ForgetResponse{Cluster: c.Cluster, Object: &c.Object, Closed: closed}, err
}

func hasNode(s *schema.ClusterContext, o schema.Object) bool {
	for _, n := range s.Nodes {
		if o.Kind == schema.KindNode && n.ID == o.Name {
			return true
		}
	}
	return false
}

func (a *Analyzer) forgetCluster(ctx context.Context, cluster string, by schema.Author) (client.ForgetResponse, error) {
	r := client.ForgetResponse{Cluster: cluster}
	if cluster == schema.OwnCluster {
		return r, badRequest(fmt.Errorf("forget: %q is Bellbuoy itself: forget the cluster that it tells of", cluster))
	}
	m, err := a.bus.LastContext(ctx, cluster)
	if err != nil && !errors.Is(err, bus.ErrNotFound) {
		return r, err
	}
	if err == nil {
		r.Until = m.At.Add(snapshotKept)
		if s, err := a.snapshot(m); err == nil && s.ClusterName == cluster && published(&s, m.At, time.Now()) {
			return r, badRequest(fmt.Errorf("forget: cluster %q is still published, last %s ago: stop its collector first, then say it again after %s",
				cluster, time.Since(m.At).Round(time.Second), freshFor(&s)))
		}
	}
	if r.Memory, err = a.memories.drop(ctx, cluster); err != nil {
		return r, err
	}
	own := detect.Watched(cluster)
	var open []schema.Conversation
	for _, c := range a.index.all() {
		if !decide.Resting(c) && (c.Cluster == cluster || c.Cluster == schema.OwnCluster && slices.Contains(own, c.Object)) {
			open = append(open, c)
		}
	}
	r.Closed, err = a.closeForgotten(ctx, open, by)
	return r, err
}

// published tells whether a collector that made s, which was stored at the given time, still goes on as far as anybody
// can know.
func published(s *schema.ClusterContext, stored, now time.Time) bool {
	return !s.Goodbye && now.Sub(stored) <= freshFor(s)
}

func freshFor(s *schema.ClusterContext) time.Duration {
	return max(freshIntervals*s.Interval(), freshAtLeast)
}

// closeForgotten gives how many of the conversations it closed.
func (a *Analyzer) closeForgotten(ctx context.Context, all []schema.Conversation, by schema.Author) (closed int, err error) {
	event := conversation.Forgotten{At: time.Now().UTC(), By: by}
	for _, c := range all {
		counts := 0
		err := a.fold(ctx, c.Cluster, c.ID, func(c schema.Conversation) (conversation.Event, bool) {
			if counts = 0; !c.Closed() {
				counts = 1
			}
			return event, true
		})
		if err != nil {
			return closed, fmt.Errorf("forget: %d of %d conversations are closed, say it again for the others: %w", closed, len(all), err)
		}
		closed += counts
	}
	return closed, nil
}
