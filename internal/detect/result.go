package detect

import (
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Finding is everything that is true of one object now, worst first. Its labels are those of the snapshot: nil while
// the object is absent from it.
type Finding struct {
	Object     schema.Object
	Conditions []schema.Condition
	Labels     map[string]string

	Cause   *schema.Object // explains all of Conditions, which then join its conversation; nil: it stands for itself
	Victims []Victim       // whom this one explains now, worst first (severity, then since, then object); only of one without a Cause
	Quiet   bool           // people heard of it already, as part of another one: it opens without a sound

	Within *schema.Object // where Cause is a storm: the member of it that explains this; nil: this is one itself
}

// Victim is one object that a finding explains.
type Victim struct {
	Object              schema.Object
	Condition, Severity string
	Since               time.Time
}

// Result is what one snapshot comes to. Findings are sorted by severity, worst first, then by kind, namespace and name.
type Result struct {
	Findings []Finding
	Own      []Finding       // about Bellbuoy itself, which is schema.OwnCluster's
	Gone     []schema.Object // were firing, and are absent from complete snapshots for 8 intervals; named for an hour
	Services Proof
	Nodes    Proof
	Sources  Proof
	Clocked  bool     // the clock of the cluster's collector was judged
	Back     bool     // snapshots come one after the other again: what was silent no longer is
	Dropped  string   // not empty: why nothing was decided and the memory is unchanged
	Refused  *Refusal // not nil: dropped as another collector's; the memory has changed by no more than that
}

// Proof is what a snapshot proves about the objects of one kind of which nothing is found. An object that the snapshot
// marks stale is proven nothing about.
type Proof struct {
	Well bool // one that is there is well, whenever what is open about it began: the memory covers 8 intervals
	Gone bool // one that is not there is gone: the snapshot is complete, and the memory covers 8 intervals
}

// Proof is what the result proves about objects of the given kind.
func (r *Result) Proof(kind string) Proof {
	switch kind {
	case schema.KindNode:
		return r.Nodes
	case schema.KindSource:
		return r.Sources
	}
	return r.Services
}

// result reads what is true now out of the memory.
func (m *Memory) result(s *schema.ClusterContext, rules *Rules) Result {
	enough, complete := clearIntervals*interval(s), completeness(s)
	res := Result{
		Own:      append(m.Collector.found(s.ClusterName, &rules.TwoCollectors), m.Clock.found(s.ClusterName, &rules.ClockSkew)...),
		Clocked:  m.Clock != nil,
		Services: proof(m.Age >= enough, complete[schema.KindService]),
		Nodes:    proof(m.NodeAge >= enough, complete[schema.KindNode]),
		Sources:  proof(true, complete[schema.KindSource]), // the snapshot itself says whether one could be read
		Back:     m.Heard.Times >= rules.ClusterSilent.Snapshots,
	}
	res.Findings = m.stormed(s.ClusterName, &rules.Storm)
	causes := m.causes(s.ClusterName)
	for i := range m.Objects {
		r := &m.Objects[i]
		if r.Gone {
			res.Gone = append(res.Gone, r.Object)
		}
		if f := r.finding(); len(f.Conditions) > 0 {
			f.Cause, f.Quiet = causes.of(r), r.Alone.in(quiet)
			if e := m.explained(r); e != nil && f.Cause != nil && *f.Cause != e.By {
				f.Within = &e.By
			}
			res.Findings = append(res.Findings, f)
		}
	}
	label(res.Findings, s.Services)
	gather(res.Findings)
	slices.SortStableFunc(res.Findings, func(a, b Finding) int { // within a severity they are sorted already
		return schema.SeverityRank(b.Conditions[0].Severity) - schema.SeverityRank(a.Conditions[0].Severity)
	})
	return res
}

func proof(covers, complete bool) Proof { return Proof{Well: covers, Gone: covers && complete} }

func (r *record) finding() Finding {
	f := Finding{Object: r.Object}
	for _, c := range r.Conditions {
		if c.Firing {
			f.Conditions = append(f.Conditions, schema.Condition{
				Name: c.Name, Severity: c.Severity, Since: c.Since, Title: c.Title, Facts: slices.Clone(c.Facts),
			})
		}
	}
	slices.SortStableFunc(f.Conditions, func(a, b schema.Condition) int {
		return schema.SeverityRank(b.Severity) - schema.SeverityRank(a.Severity)
	})
	r.Flaps.tell(f.Conditions)
	return f
}

func label(findings []Finding, services []schema.ServiceSummary) {
	if len(findings) == 0 {
		return
	}
	place := make(map[schema.Object]int, len(findings))
	for i := range findings {
		place[findings[i].Object] = i
	}
	for i := range services {
		if at, found := place[services[i].Object()]; found {
			findings[at].Labels = services[i].Labels
		}
	}
}
