package silence

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Matcher names what a silence covers: what every field that is set matches. Patterns are shell globs, in which * and ?
// stand for anything.
type Matcher struct {
	Cluster   string            `json:"cluster,omitempty"`
	Kind      string            `json:"kind,omitempty"`
	Namespace string            `json:"namespace,omitempty"`
	Name      string            `json:"name,omitempty"`
	Condition string            `json:"condition,omitempty"` // covers an object only if all that is true of it matches
	Node      string            `json:"node,omitempty"`      // the object runs on such a node, or is one
	Labels    map[string]string `json:"labels,omitempty"`
	Object    *schema.Object    `json:"object,omitempty"` // exactly this one, of a cluster of that name
}

// labelKey is what a word about a label begins with.
const labelKey = "label."

// keys of a matcher's words, but for labels.
func (m *Matcher) keys() []key {
	return []key{
		{"cluster", &m.Cluster},
		{"kind", &m.Kind},
		{"namespace", &m.Namespace},
		{"name", &m.Name},
		{"condition", &m.Condition},
		{"node", &m.Node},
	}
}

type key struct {
	name    string
	pattern *string
}

// Parse reads words such as cluster=prod, name=web-* and label.team=shop. All have to match.
func Parse(words []string) (Matcher, error) {
	var m Matcher
	for _, w := range words {
		name, pattern, ok := strings.Cut(w, "=")
		if !ok {
			return m, fmt.Errorf("%q is no key=value, as the words beside it are: the keys are %s", w, m.known())
		}
		if err := m.set(name, pattern); err != nil {
			return m, err
		}
	}
	return m, m.Validate()
}

func (m *Matcher) set(name, pattern string) error {
	if label, ok := strings.CutPrefix(name, labelKey); ok && label != "" {
		if m.Labels == nil {
			m.Labels = map[string]string{}
		}
		if _, twice := m.Labels[label]; twice {
			return twiceError(name)
		}
		m.Labels[label] = pattern
		return nil
	}
	for _, k := range m.keys() {
		switch {
		case k.name != name:
		case *k.pattern != "":
			return twiceError(name)
		case pattern == "":
			return fmt.Errorf("%s= matches nothing: say what it has to be, or leave it out", name)
		default:
			*k.pattern = pattern
			return nil
		}
	}
	return fmt.Errorf("nothing can be matched by %q: the keys are %s", name, m.known())
}

func twiceError(name string) error {
	return fmt.Errorf("%s is said twice: one pattern has to be enough, such as web-*", name)
}

func (m *Matcher) known() string {
	var names []string
	for _, k := range m.keys() {
		names = append(names, k.name)
	}
	return strings.Join(names, ", ") + " and label.NAME"
}

// Validate says what is wrong with m.
func (m *Matcher) Validate() error {
	patterns := slices.Collect(maps.Values(m.Labels))
	for _, k := range m.keys() {
		if *k.pattern != "" {
			patterns = append(patterns, *k.pattern)
		}
	}
	if len(patterns) == 0 {
		return errors.New("it would cover everything: say what, such as cluster=prod, or cluster=* if everything is meant")
	}
	for _, p := range patterns {
		if _, err := path.Match(p, ""); err != nil {
			return fmt.Errorf("%q is no pattern: a [ needs its ], and a \\ something after it", p)
		}
	}
	if m.Object != nil && m.Cluster == "" {
		return errors.New("an object needs the name of its cluster")
	}
	return nil
}

// Target is what a silence may cover: an object, and all that is true of it.
type Target struct {
	Cluster    string
	Object     schema.Object
	Conditions []string
	Labels     map[string]string
	Nodes      []string // that it runs on
}

// Covers tells whether every field of m that is set matches t.
func (m *Matcher) Covers(t Target) bool {
	switch {
	case !fits(m.Cluster, t.Cluster), !fits(m.Kind, t.Object.Kind), !fits(m.Namespace, t.Object.Namespace), !fits(m.Name, t.Object.Name):
		return false
	case m.Object != nil && *m.Object != t.Object:
		return false
	case m.Condition != "" && !slices.ContainsFunc(t.Conditions, m.condition):
		return false
	case m.Condition != "" && slices.ContainsFunc(t.Conditions, func(name string) bool { return !m.condition(name) }):
		return false
	}
	for name, pattern := range m.Labels {
		value, has := t.Labels[name]
		if matched, err := path.Match(pattern, value); !has || !matched || err != nil {
			return false
		}
	}
	return m.Node == "" || m.onNode(t)
}

func (m *Matcher) condition(name string) bool { return fits(m.Condition, name) }

func (m *Matcher) onNode(t Target) bool {
	if t.Object.Kind == schema.KindNode {
		return fits(m.Node, t.Object.Name)
	}
	return slices.ContainsFunc(t.Nodes, func(n string) bool { return fits(m.Node, n) })
}

func fits(pattern, value string) bool {
	if pattern == "" {
		return true
	}
	matched, err := path.Match(pattern, value)
	return matched && err == nil
}

// Cluster covers all of one cluster.
func Cluster(name string) Matcher { return Matcher{Cluster: exactly(name)} }

// Node covers a node of a cluster and what runs on it.
func Node(cluster, node string) Matcher {
	return Matcher{Cluster: exactly(cluster), Node: exactly(node)}
}

// Object covers one object.
func Object(cluster string, o schema.Object) Matcher {
	return Matcher{Cluster: exactly(cluster), Object: &o}
}

// exactly is the pattern of one name, whatever it holds.
func exactly(name string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(name)
}

// String is m in the words that it is made of.
func (m *Matcher) String() string {
	var words []string
	for _, k := range m.keys() {
		if *k.pattern != "" {
			words = append(words, k.name+"="+*k.pattern)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Labels)) {
		words = append(words, labelKey+name+"="+m.Labels[name])
	}
	if m.Object != nil {
		words = append(words, m.Object.Kind+" "+m.Object.String())
	}
	return strings.Join(words, " ")
}
