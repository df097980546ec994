package analyzer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// serviceVersion is that of the requests and answers, which NATS wants in three numbers.
const serviceVersion = "0.1.0"

// service is what people ask: answered by any analyzer.
func (a *Analyzer) service() bus.Service {
	return bus.Service{
		Name: "bellbuoy", Version: serviceVersion, Description: "Bellbuoy's conversations: list, get, reply, why, preview; silences; forget; dead letters",
		Endpoints: []bus.Endpoint{
			{Verb: client.VerbList, Handle: handle(a.list)},
			{Verb: client.VerbGet, Handle: handle(a.get)},
			{Verb: client.VerbReply, Handle: handle(a.take)},
			{Verb: client.VerbWhy, Handle: handle(a.why)},
			{Verb: client.VerbSilence, Handle: handle(a.silence)},
			{Verb: client.VerbSilences, Handle: handle(a.silencesNow)},
			{Verb: client.VerbUnsilence, Handle: handle(a.unsilence)},
			{Verb: client.VerbPreview, Handle: handle(a.preview)},
			{Verb: client.VerbForget, Handle: handle(a.forgetWhat)},
			{Verb: client.VerbDead, Handle: handle(a.dead)},
			{Verb: client.VerbAgain, Handle: handle(a.again)},
		},
	}
}

// handle decodes a request; an empty body is a request with nothing set. A body that is no JSON is taken for the REF,
// so that `nats req bellbuoy.api.get 9f2c51d0` is enough.
func handle[Request, Response any](do func(context.Context, Request) (Response, error)) func(context.Context, []byte) (any, error) {
	return func(ctx context.Context, body []byte) (any, error) {
		var r Request
		if len(body) > 0 && body[0] != '{' {
			ref, err := json.Marshal(map[string]string{"ref": string(body)})
			if err != nil {
				return nil, badRequest(err)
			}
			body = ref
		}
		if len(body) > 0 {
			if err := json.Unmarshal(body, &r); err != nil {
				return nil, badRequest(fmt.Errorf("read the request: %w", err))
			}
		}
		return do(ctx, r)
	}
}

func badRequest(err error) error { return &bus.APIError{Code: "400", Message: err.Error()} }

func notFound(err error) error { return &bus.APIError{Code: "404", Message: err.Error()} }

// listLimit is how many a page has at most: with titles as long as they may be, it still fits into one message.
const listLimit = 2000

func (a *Analyzer) list(_ context.Context, r client.ListRequest) (client.ListResponse, error) {
	if r.Limit < 0 || r.Offset < 0 {
		return client.ListResponse{}, badRequest(fmt.Errorf("list: limit and offset are counts, not %d and %d", r.Limit, r.Offset))
	}
	response := client.ListResponse{Conversations: []client.Summary{}}
	known := a.index.all()
	all := make([]*schema.Conversation, 0, len(known)) // not themselves: they are large, and sorting moves them about
	ids := make([]string, 0, len(known))
	for i := range known {
		c := &known[i]
		ids = append(ids, c.ID)
		if c.Closed() {
			response.Closed++
		}
		if r.All || !c.Closed() {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, worstFirst)
	page := all[min(r.Offset, len(all)):]
	if limit := cmp.Or(min(r.Limit, listLimit), listLimit); len(page) > limit {
		page = page[:limit]
	}
	response.Total = len(all)
	short := client.Short(ids)
	room := roomForLinks
	for _, c := range page {
		s := a.summary(*c, short[c.ID])
		if size := sizeOfLinks(c.Links); size <= room {
			s.Links, room = c.Links, room-size
		}
		response.Conversations = append(response.Conversations, s)
	}
	return response, nil
}

// roomForLinks is how much of an answer links may take, in bytes: all there may be are more than a message may hold. The
// worst conversations come first.
const roomForLinks = 128 << 10

func sizeOfLinks(links []schema.Link) int {
	size := 0
	for _, l := range links {
		size += len(l.Title) + 2*len(l.URL) // an & takes six bytes, and few are
	}
	return size
}

// worstFirst puts what is open before what is closed, then the worst first, then the newest change.
func worstFirst(x, y *schema.Conversation) int {
	order := 0
	switch {
	case x.Closed() && !y.Closed():
		order = 1
	case y.Closed() && !x.Closed():
		order = -1
	case !x.Closed():
		order = schema.SeverityRank(y.Severity) - schema.SeverityRank(x.Severity)
	}
	return cmp.Or(order, y.UpdatedAt.Compare(x.UpdatedAt), cmp.Compare(x.ID, y.ID))
}

func (a *Analyzer) summary(c schema.Conversation, short string) client.Summary {
	s := client.Summary{
		ID: c.ID, Short: short, Cluster: c.Cluster, Object: c.Object, Condition: c.Condition, Severity: c.Severity, Title: c.Title, State: c.State,
		Owner: c.Owner, Episode: c.Episode, StartedAt: c.StartedAt, UpdatedAt: c.UpdatedAt, ClosedAt: c.ClosedAt,
		AffectedCount: max(c.AffectedCount, len(c.Affected)), FoldedInto: c.FoldedInto,
	}
	if c.FoldedInto != "" {
		if cause, known := a.index.Last(c.FoldedInto); known {
			s.Cause = &cause.Object
		}
	}
	return s
}

func (a *Analyzer) named() []client.Named {
	all := a.index.all()
	named := make([]client.Named, 0, len(all))
	for _, c := range all {
		named = append(named, client.Named{Cluster: c.Cluster, Object: c.Object, ID: c.ID, State: c.State})
	}
	return named
}

// conversation resolves a REF. A whole id is read from the stream, whatever the index has seen of it.
func (a *Analyzer) conversation(ctx context.Context, ref string) (schema.Conversation, error) {
	id := ref
	if !schema.ValidID(ref) {
		n, err := client.One(ref, a.named())
		if _, several := errors.AsType[*client.AmbiguousError](err); several {
			return schema.Conversation{}, &bus.APIError{Code: bus.CodeConflict, Message: err.Error()}
		}
		if err != nil {
			return schema.Conversation{}, notFound(err)
		}
		id = n.ID
	}
	head, err := a.bus.HeadByID(ctx, id)
	if err != nil {
		return schema.Conversation{}, notFound(fmt.Errorf("read conversation %s: %w", id, err))
	}
	return head.Conversation, nil
}

func (a *Analyzer) get(ctx context.Context, r client.GetRequest) (schema.Conversation, error) {
	return a.conversation(ctx, r.Ref)
}

// short is the beginning of an id that no other conversation has.
func (a *Analyzer) short(id string) string {
	ids := []string{id}
	for _, n := range a.named() {
		ids = append(ids, n.ID)
	}
	return client.Short(ids)[id]
}

// why explains an object by what the detector remembers, what the newest snapshot shows, and its conversation; without
// a REF, it tells what does not alert.
func (a *Analyzer) why(ctx context.Context, r client.WhyRequest) (client.WhyResponse, error) {
	if r.Ref == "" {
		return a.overviews(ctx)
	}
	snapshots, err := a.newestAll(ctx)
	if err != nil {
		return client.WhyResponse{}, err
	}
	found := client.Match(r.Ref, append(objects(snapshots), a.named()...))
	response := client.WhyResponse{Objects: []client.Explained{}}
	done := map[string]bool{}
	for _, n := range found {
		if done[n.ID] {
			continue
		}
		done[n.ID] = true
		e, err := a.explain(ctx, n, snapshots[n.Cluster])
		if err != nil {
			return client.WhyResponse{}, err
		}
		response.Objects = append(response.Objects, e)
	}
	if len(found) == 0 {
		return response, notFound(fmt.Errorf("nothing is known of %q: no cluster's newest snapshot and no conversation has it", r.Ref))
	}
	return response, nil
}

func (a *Analyzer) newestAll(ctx context.Context) (map[string]*schema.ClusterContext, error) {
	messages, err := a.bus.Contexts(ctx)
	if err != nil {
		return nil, err
	}
	snapshots := map[string]*schema.ClusterContext{}
	for _, m := range messages {
		if s, err := a.snapshot(m); err == nil {
			snapshots[s.ClusterName] = &s
		}
	}
	return snapshots, nil
}

func objects(snapshots map[string]*schema.ClusterContext) []client.Named {
	var all []client.Named
	for cluster, s := range snapshots {
		all = append(all, name(cluster, detect.Cluster(cluster)))
		for _, source := range sources(s) {
			all = append(all, name(cluster, detect.Source(source)))
		}
		for i := range s.Services {
			all = append(all, name(cluster, s.Services[i].Object()))
		}
		for _, n := range s.Nodes {
			all = append(all, name(cluster, schema.Object{Kind: schema.KindNode, Name: n.ID}))
		}
	}
	return all
}

// sources names those of a snapshot: what cannot be read by its own name, the others by their kind.
func sources(s *schema.ClusterContext) []string {
	var names []string
	for _, p := range s.Stale {
		if p.Source != "" {
			names = append(names, p.Source)
		}
	}
	for _, kind := range detect.Sources(s) {
		if !slices.Contains(names, kind) {
			names = append(names, kind)
		}
	}
	return names
}

func name(cluster string, o schema.Object) client.Named {
	return client.Named{Cluster: cluster, Object: o, ID: schema.ConversationID(cluster, o)}
}

func (a *Analyzer) explain(ctx context.Context, n client.Named, s *schema.ClusterContext) (client.Explained, error) {
	if !schema.OfSnapshots(n.Object.Kind) {
		return a.explainSaid(ctx, n, s)
	}
	watched := n.Cluster
	if n.Cluster == schema.OwnCluster { // what Bellbuoy says of itself is remembered with the cluster that it is about
		watched = n.Object.Name
	}
	memory, err := a.memories.load(ctx, watched, true)
	if err != nil {
		return client.Explained{}, err
	}
	e := client.Explained{Cluster: n.Cluster, Object: n.Object, Reasons: []client.Reason{}}
	reasons := detect.Why(memory.Memory, s, a.rules, n.Object)
	if n.Object.Kind == schema.KindCluster {
		if reasons, err = a.whySilent(ctx, n.Cluster, memory.Memory); err != nil {
			return client.Explained{}, err
		}
	}
	for _, r := range reasons {
		e.Reasons = append(e.Reasons, client.Reason{Condition: r.Condition, Verdict: r.Verdict, Text: r.Text, Since: r.Since, Until: r.Until})
	}
	head, err := a.bus.Head(ctx, n.Cluster, n.ID)
	if err != nil {
		return client.Explained{}, err
	}
	c := head.Conversation
	if c.ID != "" {
		e.Conversation, e.State = c.ID, c.State
	}
	return e, a.silencesOf(ctx, &e, c, s)
}
