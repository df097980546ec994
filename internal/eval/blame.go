package eval

import (
	"context"
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/replay"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Told is an incident at the moment at which people first heard of it.
type Told struct {
	Incident     *Incident
	Conversation schema.Conversation    // as it was then, with the rules' diagnosis
	Snapshot     *schema.ClusterContext // that it was found in
}

// Victim is a service that an incident explains, at the moment at which it was first said to be affected.
type Victim struct {
	Object     schema.Object
	Conditions []schema.Condition // that it showed then
	Causes     []string           // what it may blame: what the incident is about, or may be, and what that blames
	Snapshot   *schema.ClusterContext
}

// Blame is what a scenario's incidents are blamed on.
type Blame struct {
	Told    []Told   // each incident that is told, once
	Victims []Victim // what incidents explain; not those of a storm, which is told because nothing explains them
}

// Blame plays the scenario by the rules as shipped.
func (s *Scenario) Blame(ctx context.Context) (Blame, error) {
	var b Blame
	kept := map[string]Told{}
	seen := map[[2]string]bool{}
	dry := replay.Dry{Recording: s.Played(), Rules: new(detect.Default())}
	dry.Kept = func(c schema.Conversation, snapshot *schema.ClusterContext) {
		kept[c.ID] = Told{Conversation: c, Snapshot: snapshot}
		if c.Object.Kind != schema.KindCluster && c.Diagnosis != nil && !c.Closed() {
			b.Victims = append(b.Victims, s.victims(&c, snapshot, seen)...)
		}
	}
	_, err := dry.Run(ctx, func(e replay.Entry) {
		i := slices.IndexFunc(s.Truth.Incidents, func(x Incident) bool { return x.during(e.Cluster+"/"+e.Object.String(), e.At) })
		if !e.Sound || i < 0 {
			return
		}
		told := kept[e.Conversation]
		told.Incident = &s.Truth.Incidents[i]
		if !slices.ContainsFunc(b.Told, func(x Told) bool { return x.Incident == told.Incident }) {
			b.Told = append(b.Told, told)
		}
	})
	return b, err
}

// victims lists those of c that show something and are not in seen, and puts them there.
func (s *Scenario) victims(c *schema.Conversation, snapshot *schema.ClusterContext, seen map[[2]string]bool) []Victim {
	var all []Victim
	for _, a := range c.Affected {
		key := [2]string{c.ID, a.Object.String()}
		if a.Condition == schema.AffectedRunning || a.Since.IsZero() || seen[key] {
			continue
		}
		seen[key] = true
		all = append(all, Victim{
			Object: a.Object, Conditions: []schema.Condition{{Name: a.Condition, Severity: schema.SeverityWarning, Since: a.Since}},
			Causes: append(s.either(c), c.Object.String(), c.Diagnosis.RootCause.Component), Snapshot: snapshot,
		})
	}
	return all
}

// Guilty tells whether the diagnosis blames what is to blame.
func (t *Told) Guilty() bool {
	guilty := t.Incident.Causes
	if len(guilty) == 0 {
		guilty = t.Incident.Objects
	}
	d := t.Conversation.Diagnosis
	return d != nil && slices.Contains(guilty, t.Conversation.Cluster+"/"+d.RootCause.Component)
}

// either lists the objects, by their names in the cluster, of which any may stand for the incident that c is about.
func (s *Scenario) either(c *schema.Conversation) []string {
	var names []string
	for _, x := range s.Truth.Incidents {
		if len(x.Objects) > 1 && slices.Contains(x.Objects, c.Cluster+"/"+c.Object.String()) {
			for _, o := range x.Objects {
				names = append(names, strings.TrimPrefix(o, c.Cluster+"/"))
			}
		}
	}
	return names
}
