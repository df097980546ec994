package analyzer

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// overviews tells for every cluster what its newest snapshot shows and what of that does not alert.
func (a *Analyzer) overviews(ctx context.Context) (client.WhyResponse, error) {
	_, ahead, err := a.bus.Roll(ctx)
	if err != nil {
		return client.WhyResponse{}, err
	}
	return a.overviewsAt(ctx, time.Now().UTC().Add(ahead))
}

// overviewsAt is overviews at the given time of the server's clock.
func (a *Analyzer) overviewsAt(ctx context.Context, now time.Time) (client.WhyResponse, error) {
	response := client.WhyResponse{Objects: []client.Explained{}, Clusters: []client.Overview{}}
	messages, err := a.bus.Contexts(ctx)
	if err != nil {
		return response, err
	}
	for _, m := range messages {
		s, err := a.snapshot(m)
		if err != nil || s.Over() {
			continue // whoever watches it says what is wrong with it
		}
		memory, err := a.memories.load(ctx, s.ClusterName, true)
		if err != nil { // of this cluster: the others are told all the same
			a.log.Warn("a cluster is left out of the overview", "cluster", s.ClusterName, "error", err)
			continue
		}
		o := overview(&s, memory.Memory, a.rules)
		o.StoredAt = m.At.UTC()
		silent := detect.Silent(s.ClusterName, memory.Memory, m.At, now, a.rules).Conditions
		if len(silent) > 0 || len(memory.Memory.Storm(s.ClusterName, a.rules)) > 0 {
			o.Firing++ // the cluster itself
		}
		response.Clusters = append(response.Clusters, o)
	}
	return response, nil
}

func overview(s *schema.ClusterContext, m detect.Memory, r detect.Rules) client.Overview {
	o := client.Overview{
		Cluster: s.ClusterName, Source: s.Source, TakenAt: s.TakenAt, Services: map[string]int{}, Instances: map[string]int{}, Nodes: len(s.Nodes),
		Off: off(s, r), Stale: s.Stale, Omitted: s.Omitted,
	}
	groups := quiet{off: o.Off, groups: map[[2]string]*client.Group{}}
	namespaces := map[string]bool{"": true}
	for i := range s.Services {
		x := &s.Services[i]
		o.Services[runtime(x)]++
		o.Instances[runtime(x)] += instances(x)
		if runtime(x) != containers || len(x.Instances) > 0 {
			namespaces[x.Namespace] = true
		}
		part := *s // with x alone, because Why looks through all there are
		part.Services = s.Services[i : i+1]
		groups.take(x.Object(), x, detect.Why(m, &part, r, x.Object()))
	}
	part := *s
	part.Services = nil
	for _, n := range s.Nodes {
		o.Disks += len(n.Disks)
		node := schema.Object{Kind: schema.KindNode, Name: n.ID}
		groups.take(node, nil, detect.Why(m, &part, r, node))
	}
	for _, source := range sources(s) {
		if alerts(detect.Why(m, &part, r, detect.Source(source))) {
			groups.firing++
		}
	}
	o.Namespaces = len(namespaces) - 1
	o.Firing, o.Groups = groups.firing, groups.sorted()
	return o
}

// off lists the conditions that are not judged there, and why.
func off(s *schema.ClusterContext, r detect.Rules) []client.Off {
	var all []client.Off
	for _, x := range detect.Off(*s, r) {
		all = append(all, client.Off{Condition: x.Condition, Reason: x.Reason})
	}
	return all
}

// quiet gathers what does not alert.
type quiet struct {
	off    []client.Off
	firing int
	groups map[[2]string]*client.Group
}

func alerts(reasons []detect.Reason) bool {
	return has(reasons, detect.VerdictFiring, detect.VerdictClearHold, detect.VerdictFlapping)
}

// aboutAll are verdicts on an object as a whole: the first of its conditions says it for all.
func aboutAll(verdict string) bool {
	return slices.Contains([]string{detect.VerdictBaseline, detect.VerdictByHand, detect.VerdictNotWanted}, verdict)
}

func (q *quiet) take(o schema.Object, x *schema.ServiceSummary, reasons []detect.Reason) {
	fires := alerts(reasons)
	if fires {
		q.firing++
	}
	waited := fires || has(reasons, detect.VerdictHold, detect.VerdictGrace, detect.VerdictExplained, detect.VerdictStorm)
	said := map[string]bool{}
	for _, r := range reasons {
		condition := r.Condition
		switch {
		case r.Verdict == detect.VerdictWell || r.Verdict == detect.VerdictFiring || q.isOff(condition):
			continue
		case aboutAll(r.Verdict) && waited:
			continue // such as a job that ended, as it should, but failed: it is not left out
		case aboutAll(r.Verdict), detect.AlertsElsewhere(r.Verdict):
			condition = ""
		}
		if key := r.Verdict + condition; !said[key] {
			said[key] = true
			q.add(condition, r, o, x)
		}
	}
}

func has(reasons []detect.Reason, verdicts ...string) bool {
	return slices.ContainsFunc(reasons, func(r detect.Reason) bool { return slices.Contains(verdicts, r.Verdict) })
}

func (q *quiet) isOff(condition string) bool {
	return slices.ContainsFunc(q.off, func(o client.Off) bool { return o.Condition == condition })
}

func (q *quiet) add(condition string, r detect.Reason, o schema.Object, x *schema.ServiceSummary) {
	key := [2]string{r.Verdict, condition}
	g := q.groups[key]
	if g == nil {
		g = &client.Group{Verdict: r.Verdict, Condition: condition, Instances: map[string]int{}}
		q.groups[key] = g
	}
	item := client.Quiet{Object: o, Until: r.Until, Text: strings.TrimPrefix(strings.TrimPrefix(r.Text, r.Condition+": "), "not alerted, ")}
	if x != nil {
		item.Runtime = runtime(x)
		g.Instances[item.Runtime] += instances(x)
	}
	if g.Count++; len(g.Objects) < client.MaxQuiet {
		g.Objects = append(g.Objects, item)
	}
}

func runtime(x *schema.ServiceSummary) string { return cmp.Or(x.Runtime, "service") }

const containers = "container"

// instances counts what there is of a service. One whose containers were removed is remembered for a day and has none.
func instances(x *schema.ServiceSummary) int {
	if runtime(x) == containers {
		return len(x.Instances)
	}
	return max(len(x.Instances), 1)
}

// sorted puts what was left out for good first, then what is being waited for, then what cannot be judged.
func (q *quiet) sorted() []client.Group {
	order := []string{
		detect.VerdictBaseline, detect.VerdictByHand, detect.VerdictNotWanted, detect.VerdictStorm, detect.VerdictExplained, detect.VerdictHold,
		detect.VerdictGrace, detect.VerdictClearHold, detect.VerdictFlapping, detect.VerdictUnknown, detect.VerdictOff,
	}
	var all []client.Group
	for _, g := range q.groups {
		all = append(all, *g)
	}
	slices.SortFunc(all, func(x, y client.Group) int {
		return cmp.Or(slices.Index(order, x.Verdict)-slices.Index(order, y.Verdict), cmp.Compare(x.Condition, y.Condition))
	})
	return all
}
