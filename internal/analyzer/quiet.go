package analyzer

import (
	"cmp"
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
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
	"github.com/bellbuoy/bellbuoy/internal/silence"
)

const (
	silenceIDLength = 8   // hex digits
	maxAuthor       = 200 // bytes of a name
)

// silence makes a silence by scope, or says silence to the open conversation that is named.
func (a *Analyzer) silence(ctx context.Context, r client.SilenceRequest) (client.SilenceResponse, error) {
	now := time.Now().UTC()
	verb, ok := conversation.ParseVerb(conversation.VerbSilence + " " + r.For)
	if !ok || verb.For == 0 {
		return client.SilenceResponse{}, badRequest(fmt.Errorf("silence: %q is no length of time: say 30m, 2h or 1d", r.For))
	}
	from := r.From.UTC().Round(0)
	if r.From.IsZero() {
		from = now
	}
	snapshots, err := a.newestAll(ctx)
	if err != nil {
		return client.SilenceResponse{}, err
	}
	m, about, err := a.scope(r.Ref, snapshots)
	if err != nil {
		return client.SilenceResponse{}, err
	}
	if a.speaks(ctx, about) && r.From.IsZero() {
		reply, err := a.take(ctx, client.ReplyRequest{Ref: about, Verb: conversation.VerbSilence + " " + r.For, Text: r.Reason, Author: r.Author})
		return client.SilenceResponse{Reply: &reply}, err
	}
	author, err := a.allow(ctx, r.Author, conversation.VerbSilence)
	if err != nil {
		return client.SilenceResponse{}, err
	}
	s := silence.Silence{
		ID: newTraceID()[:silenceIDLength], Matcher: m, From: from, Until: from.Add(verb.For),
		Author: author, Reason: r.Reason,
	}
	if err := s.Validate(now); err != nil {
		return client.SilenceResponse{}, badRequest(fmt.Errorf("silence: %w", err))
	}
	s.Reason = scrub.Line(s.Reason, len(s.Reason))
	return a.makeSilence(ctx, s, snapshots)
}

// speaks tells whether what is said to a conversation goes to one that is open: itself, or the one that explains it.
func (a *Analyzer) speaks(ctx context.Context, id string) bool {
	h, _, known := a.index.get(id)
	if !known || !h.Conversation.Closed() {
		return known
	}
	c, err := a.saidTo(ctx, h.Conversation, newTraceID())
	return err == nil && !c.Closed()
}

func (a *Analyzer) makeSilence(ctx context.Context, s silence.Silence, snapshots map[string]*schema.ClusterContext) (client.SilenceResponse, error) {
	list, err := a.silences.change(ctx, time.Now(), func(l silence.List) (silence.List, error) {
		next, err := l.With(s)
		if err != nil {
			return next, badRequest(fmt.Errorf("silence: %w", err))
		}
		return next, nil
	})
	if err != nil {
		return client.SilenceResponse{}, err
	}
	covered := a.covered(s, snapshots)
	a.quiet(ctx, list, covered, snapshots, "")
	return client.SilenceResponse{Silence: &s, Covers: len(covered)}, nil
}

// scope is what ref names: matcher words, a node, a cluster, or an object, whose conversation's id is about.
func (a *Analyzer) scope(ref string, snapshots map[string]*schema.ClusterContext) (m silence.Matcher, about string, err error) {
	ref = strings.TrimSpace(ref)
	if strings.Contains(ref, "=") {
		m, err = silence.Parse(strings.Fields(ref))
		if err != nil {
			err = badRequest(fmt.Errorf("silence: %w", err))
		}
		return m, "", err
	}
	known := append(a.named(), objects(snapshots)...)
	slices.SortStableFunc(known, func(x, y client.Named) int { return cmp.Compare(x.ID, y.ID) })
	known = slices.CompactFunc(known, func(x, y client.Named) bool { return x.ID == y.ID })
	found := client.Match(ref, known)
	isCluster := a.isCluster(ref, snapshots)
	if isCluster { // what is about the cluster as a whole bears its name
		found = slices.DeleteFunc(found, func(n client.Named) bool { return n.Object.Name == ref && n.Object.Kind != schema.KindService })
	}
	switch {
	case isCluster && len(found) > 0:
		return m, "", badRequest(fmt.Errorf("silence: %q is a cluster and also names %s/%s: say cluster=%s or name=%s", ref, found[0].Cluster, found[0].Object, ref, found[0].Object.Name))
	case isCluster:
		return silence.Cluster(ref), "", nil
	case len(found) == 0:
		return m, "", notFound(fmt.Errorf("silence: no cluster, object or conversation is called %q; key=value words silence what is not there yet, such as cluster=prod name=web-*", ref))
	}
	n, err := client.One(ref, known)
	switch {
	case err != nil:
		return m, "", badRequest(fmt.Errorf("silence: %w", err))
	case n.Object.Kind == schema.KindCluster:
		return silence.Cluster(n.Cluster), "", nil
	case n.Object.Kind == schema.KindNode && strings.HasPrefix(ref, "node/"):
		return silence.Node(n.Cluster, n.Object.Name), "", nil
	}
	return silence.Object(n.Cluster, n.Object), n.ID, nil
}

func (a *Analyzer) isCluster(name string, snapshots map[string]*schema.ClusterContext) bool {
	return snapshots[name] != nil || slices.ContainsFunc(a.named(), func(n client.Named) bool { return n.Cluster == name })
}

// silencesNow lists the silences by scope.
func (a *Analyzer) silencesNow(ctx context.Context, _ struct{}) (client.SilencesResponse, error) {
	r := client.SilencesResponse{Silences: []client.Silence{}}
	list, _, err := a.silences.load(ctx)
	if err != nil {
		return r, err
	}
	snapshots, err := a.newestAll(ctx)
	if err != nil {
		return r, err
	}
	now := time.Now()
	for _, s := range list.Kept(now).Silences {
		r.Silences = append(r.Silences, client.Silence{Silence: s, Active: s.Active(now), Covers: len(a.covered(s, snapshots))})
	}
	slices.SortFunc(r.Silences, func(x, y client.Silence) int {
		return cmp.Or(x.Until.Compare(y.Until), cmp.Compare(x.ID, y.ID))
	})
	for i, s := range windowed(a.windows, now) {
		r.Silences = append(r.Silences, client.Silence{
			Silence: s, Weekly: a.windows[i].String(), Active: s.Active(now), Covers: len(a.covered(s, snapshots)),
		})
	}
	return r, nil
}

// unsilence ends the silence that is named, by its id or by a conversation.
func (a *Analyzer) unsilence(ctx context.Context, r client.UnsilenceRequest) (client.SilenceResponse, error) {
	if id := strings.TrimSpace(r.Ref); silence.IsWindow(id) {
		return client.SilenceResponse{}, a.notToUnsilence(id)
	}
	list, _, err := a.silences.load(ctx)
	if err != nil {
		return client.SilenceResponse{}, err
	}
	named := list.Kept(time.Now()).Named(strings.TrimSpace(r.Ref))
	switch {
	case len(named) > 1:
		return client.SilenceResponse{}, badRequest(fmt.Errorf("unsilence: %d silences begin with %q, say which: bellbuoy silences lists them", len(named), r.Ref))
	case len(named) == 1:
		by, err := a.allow(ctx, r.Author, conversation.VerbUnsilence)
		if err != nil {
			return client.SilenceResponse{}, err
		}
		return a.endSilence(ctx, named[0], by.Name)
	}
	reply, err := a.take(ctx, client.ReplyRequest{Ref: r.Ref, Verb: conversation.VerbUnsilence, Author: r.Author})
	if e, ok := errors.AsType[*bus.APIError](err); ok && e.Code == bus.CodeNotFound {
		err = notFound(fmt.Errorf("unsilence: no silence has an id beginning with %q: bellbuoy silences lists them; and as to conversations, %s", r.Ref, e.Message))
	}
	if err != nil {
		return client.SilenceResponse{}, err
	}
	return client.SilenceResponse{Reply: &reply}, nil
}

// notToUnsilence is why a window is not ended.
func (a *Analyzer) notToUnsilence(id string) error {
	if _, known := a.windows.Find(id); !known {
		return notFound(fmt.Errorf("unsilence: there is no %s: bellbuoy silences lists them", id))
	}
	return badRequest(fmt.Errorf("unsilence: %s comes every week, and is changed under windows in the file that BELLBUOY_RULES_FILE names, with a restart of each analyzer: "+
		"bellbuoy unsilence REF ends it for one conversation", id))
}

func (a *Analyzer) endSilence(ctx context.Context, s silence.Silence, by string) (client.SilenceResponse, error) {
	snapshots, err := a.newestAll(ctx)
	if err != nil {
		return client.SilenceResponse{}, err
	}
	list, err := a.silences.change(ctx, time.Now(), func(l silence.List) (silence.List, error) { return l.Without(s.ID), nil })
	if err != nil {
		return client.SilenceResponse{}, err
	}
	var released []schema.Conversation
	for _, c := range a.index.all() {
		if !c.Closed() && decide.SilencedBy(c) == s.ID {
			released = append(released, c)
		}
	}
	a.quiet(ctx, list, released, snapshots, cmp.Or(by, "somebody"))
	return client.SilenceResponse{Silence: &s, Covers: len(released)}, nil
}

// covered are the open conversations that s covers as they are now, whether it holds yet or not.
func (a *Analyzer) covered(s silence.Silence, snapshots map[string]*schema.ClusterContext) []schema.Conversation {
	places := places{snapshots: snapshots}
	return slices.DeleteFunc(a.index.all(), func(c schema.Conversation) bool {
		return c.Closed() || !s.Matcher.Covers(places.target(c))
	})
}

// quiet brings open conversations in line with a list that has just been stored. What fails here is made good by the
// next snapshot.
func (a *Analyzer) quiet(ctx context.Context, list silence.List, all []schema.Conversation, snapshots map[string]*schema.ClusterContext, by string) {
	places := places{snapshots: snapshots}
	held := decide.Hush{List: list, Windows: a.windows, Now: time.Now().UTC()}
	for _, c := range all {
		err := a.fold(ctx, c.Cluster, c.ID, func(c schema.Conversation) (conversation.Event, bool) {
			q := conversation.Quieted{At: held.Now, By: by, Silence: held.Over(places.target(c))}
			return q, by != "" || q.Silence != nil
		})
		if err != nil && ctx.Err() == nil {
			a.log.Warn("a silence does not show in a conversation before the next snapshot", "conversation", c.ID, "error", err)
		}
	}
}
