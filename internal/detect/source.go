package detect

import (
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// Source is the object of a source by the name that its collector was configured with.
func Source(name string) schema.Object { return schema.Object{Kind: schema.KindSource, Name: name} }

// HasSource tells whether the snapshot was made of a source of that name, be it stale. One that does not say what it
// was made of may be of any.
func HasSource(s *schema.ClusterContext, name string) bool {
	kind, _, _ := strings.Cut(name, ":")
	return s.Source == "" || s.Recorded || staleOf(s, name) != nil || slices.Contains(Sources(s), kind)
}

// Sources lists the kinds of source that the snapshot says it was made of.
func Sources(s *schema.ClusterContext) []string {
	var kinds []string
	for kind := range strings.SplitSeq(s.Source, ",") {
		if kind = strings.TrimSpace(kind); kind != "" {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// staleOf is what the snapshot says of a source that could not be read; nil where it could. Of several the first counts.
func staleOf(s *schema.ClusterContext, name string) *schema.StalePart {
	for i := range s.Stale {
		if s.Stale[i].Source == name {
			return &s.Stale[i]
		}
	}
	return nil
}

// sources hands each every source that cannot be read, and of those remembered the ones that can be again.
func (t *tick) sources(old map[schema.Object]record, s *schema.ClusterContext, each func(schema.Object, *schema.StalePart)) {
	seen := map[string]bool{"": true} // one without a name cannot be told
	for i := range s.Stale {
		if name := s.Stale[i].Source; !seen[name] {
			seen[name] = true
			each(Source(name), &s.Stale[i])
		}
	}
	var again []schema.Object
	for o := range old {
		if o.Kind == schema.KindSource && HasSource(s, o.Name) {
			again = append(again, o)
		}
	}
	for _, o := range again {
		each(o, nil)
	}
}

// reading brings what is remembered of a source up to date. stale says why it could not be read; nil: it could.
func (v *view) reading(stale *schema.StalePart) record {
	v.svc, v.node, v.read, v.unread = nil, nil, true, stale
	v.rec.Conditions = v.judge(v.t.rules.sourceRules())
	return v.rec
}

func seeSourceBlind(v *view) sight {
	l := v.t.rules.SourceBlind
	return sight{truth: truthOf(v.unread != nil), hold: l.Hold.Of(v.t.interval), clear: l.Clear.Of(v.t.interval)}
}

func sourceBlindSeverity(v *view) string {
	l, c := v.t.rules.SourceBlind, &v.condition
	if v.unread != nil {
		c.Worse = c.Worse.step(v.t, sight{truth: yes, hold: l.WorseAfter.Of(v.t.interval)})
	}
	if c.Worse.Firing {
		return l.WorseSeverity
	}
	return l.Severity
}

func tellSourceBlind(v *view) (string, []string) {
	since := "it has not been read yet"
	if !v.unread.Since.IsZero() {
		since = "last read " + clock(v.unread.Since)
	}
	return titled("%s: cannot be read", v.unread.Source),
		facts(scrub.Line(v.unread.Error, maxFact), since, "nothing of it is raised or cleared meanwhile")
}

func readSource(v *view) string {
	if v.unread == nil {
		return "it can be read"
	}
	return ""
}
