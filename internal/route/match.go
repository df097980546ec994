package route

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/glob"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Match says which conversations a route is for. Of each list one has to fit, of the lists that are not empty all. In a
// pattern * stands for any characters.
type Match struct {
	Severity  []string // not patterns
	Kind      []string // of the object, such as node; not patterns
	Cluster   []string
	Namespace []string
	Service   []string // of services alone
	Name      []string // of objects of any kind
	Condition []string // one that is true, or the worst one
	Labels    map[string][]string
	When      *Window // nil: always
}

// criterion is one of the lists of a match beside what a conversation has of it.
type criterion struct {
	name     string
	patterns []string
	exact    bool
	values   []string // none: it has nothing of the kind
}

// criteria are the lists of m that are not empty, in their order.
func (m *Match) criteria(c schema.Conversation) iter.Seq[criterion] {
	return func(yield func(criterion) bool) {
		more := true
		give := func(name string, patterns []string, exact bool, values ...string) {
			if more && len(patterns) > 0 {
				more = yield(criterion{name, patterns, exact, values})
			}
		}
		give("severity", m.Severity, true, c.Severity)
		give("kind", m.Kind, true, c.Object.Kind)
		give("cluster", m.Cluster, false, c.Cluster)
		give("namespace", m.Namespace, false, c.Object.Namespace)
		if c.Object.Kind == schema.KindService {
			give("service", m.Service, false, c.Object.Name)
		} else {
			give("service", m.Service, false)
		}
		give("name", m.Name, false, c.Object.Name)
		if len(m.Condition) > 0 {
			give("condition", m.Condition, false, conditions(c)...)
		}
		for _, name := range slices.Sorted(maps.Keys(m.Labels)) {
			if value, has := c.Labels[name]; has {
				give("label "+name, m.Labels[name], false, value)
			} else {
				give("label "+name, m.Labels[name], false)
			}
		}
	}
}

// conditions are those that are true, with the worst one: of a closed conversation that is the last.
func conditions(c schema.Conversation) []string {
	all := []string{c.Condition}
	for _, x := range c.Conditions {
		if x.Until.IsZero() && x.Name != c.Condition {
			all = append(all, x.Name)
		}
	}
	return all
}

func (x criterion) fits() bool {
	return slices.ContainsFunc(x.values, func(value string) bool {
		return slices.ContainsFunc(x.patterns, func(p string) bool {
			return p == value || !x.exact && glob.Like(p, value)
		})
	})
}

// misses lists, in words, what of m does not fit; the hours do not count.
func (m *Match) misses(c schema.Conversation) []string {
	var all []string
	for x := range m.criteria(c) {
		if !x.fits() {
			all = append(all, fmt.Sprintf("%s is %s and not %s", x.name, x.has(), strings.Join(x.patterns, " or ")))
		}
	}
	return all
}

func (x criterion) has() string {
	has := strings.Join(x.values, ", ")
	if has == "" {
		return "none"
	}
	return has
}

// matches tells whether m fits but for the hours.
func (m *Match) matches(c schema.Conversation) bool {
	for x := range m.criteria(c) {
		if !x.fits() {
			return false
		}
	}
	return true
}

// Covers tells whether m has everything that n has, at every hour. It may say no where that takes more than a look at
// the words.
func (m *Match) Covers(n *Match) bool {
	if m.When != nil && (n.When == nil || m.When.String() != n.When.String()) {
		return false
	}
	narrow := map[string]criterion{}
	for x := range n.criteria(schema.Conversation{}) {
		narrow[x.name] = x
	}
	for x := range m.criteria(schema.Conversation{}) {
		if !x.covers(narrow[x.name]) {
			return false
		}
	}
	return true
}

// covers tells whether each pattern of y is one of x, or is a name that one of x fits.
func (x criterion) covers(y criterion) bool {
	for _, p := range y.patterns {
		y := criterion{patterns: x.patterns, exact: x.exact, values: []string{p}}
		if !y.fits() { // a * in p is a character that only a * stands for
			return false
		}
	}
	return len(y.patterns) > 0
}
