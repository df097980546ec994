package client

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// MinPrefix is the least number of digits of an id that stands for it.
const MinPrefix = 4

// Named is something that a REF can name.
type Named struct {
	Cluster string
	Object  schema.Object
	ID      string
	State   string // of its conversation; empty where there is none, or where it does not matter
}

func (n Named) path() string { return n.Cluster + "/" + n.Object.String() }

// Match gives those of all that ref names: the one with that id; else those whose id it begins, with at least
// MinPrefix digits; else those whose CLUSTER/NAMESPACE/NAME is it or ends with it at a slash. What is
// neither a service nor a collector is also named by its kind, such as node/NAME, source/NAME, cluster/NAME and
// channel/NAME.
func Match(ref string, all []Named) []Named {
	ref = strings.Trim(strings.TrimSpace(ref), "/")
	if ref == "" {
		return nil
	}
	var byID, byName []Named
	for _, n := range all {
		if schema.ValidIDPrefix(ref, MinPrefix) && strings.HasPrefix(n.ID, ref) {
			byID = append(byID, n)
		}
		if n.named(ref) {
			byName = append(byName, n)
		}
	}
	if len(byID) > 0 {
		return byID
	}
	return byName
}

func (n Named) named(ref string) bool {
	unlike := []string{schema.KindService, schema.KindCollector} // are named by their names alone
	if name, ok := strings.CutPrefix(ref, n.Object.Kind+"/"); ok && !slices.Contains(unlike, n.Object.Kind) {
		return n.Object.Name == name
	}
	return n.path() == ref || strings.HasSuffix(n.path(), "/"+ref)
}

// Short gives for each id its beginning that no other of them has, at least MinPrefix digits.
func Short(ids []string) map[string]string {
	sorted := slices.Compact(slices.Sorted(slices.Values(ids)))
	short := make(map[string]string, len(sorted))
	for i, id := range sorted {
		short[id] = ShortOf(sorted, i)
	}
	return short
}

// ShortOf is Short for the id at one place of ids that are sorted, none of them twice: only its neighbours matter.
func ShortOf(sorted []string, i int) string {
	id, n := sorted[i], MinPrefix
	if i > 0 {
		n = max(n, common(id, sorted[i-1])+1)
	}
	if i+1 < len(sorted) {
		n = max(n, common(id, sorted[i+1])+1)
	}
	return id[:min(n, len(id))]
}

// common counts the digits with which both begin.
func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// One gives the single thing that ref names, or says what it could have meant. Of several with such a name those that are
// part of another incident give way.
func One(ref string, all []Named) (Named, error) {
	switch found := foldedLast(ref, Match(ref, all)); len(found) {
	case 0:
		return Named{}, fmt.Errorf("no conversation has an id beginning with, or a name ending in, %q: bellbuoy list --all shows those there are", ref)
	case 1:
		return found[0], nil
	default:
		return Named{}, &AmbiguousError{fmt.Sprintf("%q names %d conversations, say which: %s", ref, len(found), candidates(found))}
	}
}

// AmbiguousError says what a name that fits several things could have meant.
type AmbiguousError struct{ text string }

func (e *AmbiguousError) Error() string { return e.text }

// foldedLast leaves out the folded ones where a name fits one that is open as well. Who types an id means that one.
func foldedLast(ref string, found []Named) []Named {
	open := func(n Named) bool {
		switch n.State {
		case schema.StateInvestigating, schema.StateDiagnosed, schema.StateAcknowledged, schema.StateSilenced, schema.StateWatching:
			return true
		}
		return false
	}
	if !slices.ContainsFunc(found, open) || strings.HasPrefix(found[0].ID, ref) {
		return found
	}
	return slices.DeleteFunc(found, func(n Named) bool { return n.State == schema.StateFolded })
}

func candidates(found []Named) string {
	const most = 8
	var s []string
	for _, n := range found[:min(len(found), most)] {
		s = append(s, n.ID[:8]+" "+n.path()) // eight digits are enough for any that a person chooses between
	}
	if len(found) > most {
		s = append(s, fmt.Sprintf("and %d more", len(found)-most))
	}
	return strings.Join(s, ", ")
}
