package diagnose

import (
	"cmp"
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Bounds of what one question has looked up.
const (
	maxObjects = 3 // objects
	maxLookups = 4
)

// lookWords tells by which words a question asks for which look-up.
func lookWords() []struct{ kind, words string } {
	return []struct{ kind, words string }{
		{schema.LookLogs, "log logs logged logging output stdout stderr journal journalctl print prints printed trace traces stacktrace traceback"},
		{schema.LookStatus, "status state running runs up down alive dead health healthy unhealthy healthcheck replicas stopped inspect"},
		{schema.LookEvents, "event events happened happening restart restarts restarted restarting died exited history timeline oom deploy deployed"},
	}
}

// asksFor lists the kinds of look-up that a question asks for, in the order of the table.
func asksFor(question string) []string {
	var kinds []string
	for _, row := range lookWords() {
		if slices.ContainsFunc(strings.Fields(row.words), func(w string) bool { return hasWord(question, w) }) {
			kinds = append(kinds, row.kind)
		}
	}
	return kinds
}

// Lookups says what to look up for a question about c: what it asks for, of the services of the snapshot that it names,
// or else of c's own; of what it only names, the status and the logs. Nothing is looked up of what the snapshot does not
// show. The snapshot may be nil.
func Lookups(c schema.Conversation, s *schema.ClusterContext, question string) []schema.Inspection {
	v := NewView(s)
	kinds, objects := asksFor(question), v.namedIn(question, c.Object.Namespace)
	switch {
	case len(objects) > 0 && len(kinds) == 0:
		kinds = []string{schema.LookStatus, schema.LookLogs}
	case len(objects) == 0 && v.service(c.Object) != nil:
		objects = []schema.Object{c.Object}
	}
	var all []schema.Inspection
	for _, kind := range kinds {
		for _, o := range objects {
			if len(all) < maxLookups {
				all = append(all, schema.Inspection{Schema: schema.InspectionVersion, Cluster: c.Cluster, Kind: kind, Object: o})
			}
		}
	}
	return all
}

// namedIn lists the services that a text names, by their own name, with their namespace, or by one of their containers or
// units, in the order in which it does. Of several services of one name those count that it names with their namespace,
// else the one in the given namespace.
func (v *View) namedIn(text, namespace string) []schema.Object {
	low := strings.ToLower(text)
	type name struct {
		object schema.Object
		at     int
		whole  bool
	}
	var names []name
	for i := range v.snap.Services {
		s := &v.snap.Services[i]
		o := s.Object()
		for _, word := range append([]string{o.String(), o.Name}, instanceNames(s)...) {
			at := strings.Index(low, strings.ToLower(word))
			if len(word) > 1 && at >= 0 && hasWord(low, word) {
				names = append(names, name{o, at, word != o.Name})
				break
			}
		}
	}
	var objects []schema.Object
	slices.SortStableFunc(names, func(a, b name) int { return cmp.Compare(a.at, b.at) })
	for _, n := range names {
		better := slices.ContainsFunc(names, func(m name) bool {
			return m.object != n.object && m.object.Name == n.object.Name && !n.whole && (m.whole || m.object.Namespace == namespace)
		})
		if !better && len(objects) < maxObjects {
			objects = append(objects, n.object)
		}
	}
	return objects
}

func instanceNames(s *schema.ServiceSummary) []string {
	var names []string
	for _, in := range s.Instances {
		names = append(names, in.Name)
	}
	return names
}
