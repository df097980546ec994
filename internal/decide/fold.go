package decide

import (
	"slices"

	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// maxCauses is how far what explains something is followed up to what explains that.
const maxCauses = 8

// explanation sorts the findings of a snapshot into those that explain others, those that stand for themselves, and those
// that are explained.
type explanation struct {
	step    *Step
	finding map[schema.Object]int // places of the findings
	live    map[schema.Object]schema.Conversation
	folds   []conversation.Found                    // of what is open and explained
	heirs   map[schema.Object][]schema.Conversation // the same conversations, by what explains them
}

func (s *Step) explain(live []schema.Conversation) *explanation {
	x := &explanation{
		step: s, finding: make(map[schema.Object]int, len(s.result.Findings)),
		live: make(map[schema.Object]schema.Conversation, len(live)), heirs: map[schema.Object][]schema.Conversation{},
	}
	for i := range s.result.Findings {
		x.finding[s.result.Findings[i].Object] = i
	}
	for _, c := range live {
		if c.Cluster == s.Snapshot.ClusterName { // another one's may have the same token
			x.live[c.Object] = c
		}
	}
	x.dissolve()
	return x
}

// dissolve takes a storm that a person dismissed apart: what one of its members explains is that one's again.
func (x *explanation) dissolve() {
	findings, storm := x.step.result.Findings, detect.Cluster(x.step.Snapshot.ClusterName)
	if i, found := x.finding[storm]; !found || len(findings[i].Victims) == 0 || !x.dismissed(&findings[i]) {
		return
	}
	explained := map[schema.Object]schema.Object{}
	for i := range findings {
		if f := &findings[i]; f.Cause != nil && *f.Cause == storm {
			if f.Within != nil {
				explained[f.Object] = *f.Within
			}
			f.Cause, f.Within = f.Within, nil
		}
	}
	for _, v := range findings[x.finding[storm]].Victims {
		if i, found := x.finding[explained[v.Object]]; found {
			findings[i].Victims = append(findings[i].Victims, v)
		}
	}
}

// founds lists those that explain others, then those that stand for themselves. It fills folds.
func (x *explanation) founds() []conversation.Found {
	standing := 0
	for i := range x.step.result.Findings {
		if x.step.result.Findings[i].Cause == nil {
			standing++
		}
	}
	all := make([]conversation.Found, 0, standing)
	for i := range x.step.result.Findings {
		f := &x.step.result.Findings[i]
		if cause, explained := x.cause(f); explained {
			x.fold(f, cause)
			continue
		}
		found := x.found(f)
		if len(f.Victims) > 0 && !x.dismissed(f) {
			found.Victims, found.VictimCount = affected(f.Victims)
			found.Critical = x.critical(f)
		}
		all = append(all, found)
	}
	for i := range all {
		all[i].Heirs = x.heirs[all[i].Object]
	}
	slices.SortStableFunc(all, func(a, b conversation.Found) int { return rank(b) - rank(a) })
	return all
}

// rank puts what explains others first.
func rank(f conversation.Found) int { return min(1, len(f.Victims)+len(f.Heirs)) }

func (x *explanation) found(f *detect.Finding) conversation.Found {
	found := x.step.found(f.Object)
	found.Conditions, found.Labels, found.Quiet = f.Conditions, f.Labels, f.Quiet
	if silent := x.silent(f); len(silent) > 0 {
		found.Conditions = append(slices.Clip(f.Conditions), silent...)
	}
	return found
}

// critical lists the critical victims of what somebody has.
func (x *explanation) critical(f *detect.Finding) []schema.Object {
	if x.live[f.Object].Owner == "" {
		return nil
	}
	var list []schema.Object
	for i := range f.Victims {
		if f.Victims[i].Severity == schema.SeverityCritical && len(list) < schema.MaxAffected {
			list = append(list, f.Victims[i].Object)
		}
	}
	return list
}

// fold tells an open conversation what explains it now. What is not open has nothing to be told.
func (x *explanation) fold(f *detect.Finding, cause schema.Object) {
	c, known := x.live[f.Object]
	_, firing := x.finding[cause]
	if !known || c.Closed() || !firing {
		return
	}
	found := x.found(f)
	found.Cause = &conversation.Cause{ID: schema.ConversationID(x.step.Snapshot.ClusterName, cause), Object: cause}
	x.folds = append(x.folds, found)
	x.heirs[cause] = append(x.heirs[cause], c)
}

// cause is what explains f: the last one of those that explain each other. It is false of what stands for itself, be it
// because a person dismissed what explains it.
func (x *explanation) cause(f *detect.Finding) (schema.Object, bool) {
	if f.Cause == nil || len(x.silent(f)) > 0 {
		return schema.Object{}, false
	}
	cause := *f.Cause
	for range maxCauses {
		i, firing := x.finding[cause]
		if !firing {
			break
		}
		up := &x.step.result.Findings[i]
		if x.dismissed(up) {
			return schema.Object{}, false
		}
		if up.Cause == nil || len(x.silent(up)) > 0 {
			break
		}
		if cause = *up.Cause; cause == f.Object { // a circle, which explains nothing
			break
		}
	}
	return cause, cause != f.Object
}

// dismissed tells whether f stays quiet because a person dismissed it.
func (x *explanation) dismissed(f *detect.Finding) bool {
	c, known := x.live[f.Object]
	return known && c.Closed() && worst(f.Conditions) <= schema.SeverityRank(c.Severity)
}

func worst(conditions []schema.Condition) int {
	rank := 0
	for i := range conditions {
		rank = max(rank, schema.SeverityRank(conditions[i].Severity))
	}
	return rank
}

// silent gives the condition of a cluster that was silent and of which snapshots do not come one after the other yet.
// Only the listen loop finds it, and only the cluster's own conversation has it.
func (x *explanation) silent(f *detect.Finding) []schema.Condition {
	if f.Object.Kind != schema.KindCluster || x.step.result.Back {
		return nil
	}
	var silent []schema.Condition
	c := x.live[f.Object]
	for _, y := range c.Conditions {
		if y.Name == detect.ClusterSilent && y.Until.IsZero() {
			silent = append(silent, y)
		}
	}
	return silent
}

// affected names the first victims of all, as many as a conversation keeps, and counts them.
func affected(victims []detect.Victim) (list []schema.Affected, count int) {
	all := suffering(victims)
	return slices.Clip(all[:min(len(all), schema.MaxAffected)]), len(all)
}

// suffering lists victims. A storm is none: its members are.
func suffering(victims []detect.Victim) []schema.Affected {
	all := make([]schema.Affected, 0, len(victims))
	for i := range victims {
		if v := &victims[i]; v.Object.Kind != schema.KindCluster {
			all = append(all, schema.Affected{Object: v.Object, Condition: v.Condition, Since: v.Since})
		}
	}
	return all
}

// victims are all whom f explains: what they share is a matter of all of them, not of those that a conversation names.
func (s *Step) victims(f conversation.Found) []schema.Affected {
	if f.VictimCount <= len(f.Victims) {
		return f.Victims
	}
	i := slices.IndexFunc(s.result.Findings, func(x detect.Finding) bool { return x.Object == f.Object })
	if i < 0 {
		return f.Victims
	}
	return suffering(s.result.Findings[i].Victims)
}
