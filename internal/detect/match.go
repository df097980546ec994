package detect

import (
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Match says which objects an override is for. What is empty matches all; in a pattern * stands for any characters. With
// a namespace, a service or a label it is for services, with a node for nodes, and with neither for all of the cluster.
type Match struct {
	Cluster, Namespace, Service, Node string
	Labels                            map[string]string // of a service that the snapshot shows: patterns
}

// Override changes the rules for some objects.
type Override struct {
	Match   Match
	Changes []Change
}

// Kind is the kind of object that the match is for; empty: of all kinds.
func (m *Match) Kind() string {
	switch {
	case m.Namespace != "" || m.Service != "" || len(m.Labels) > 0:
		return schema.KindService
	case m.Node != "":
		return schema.KindNode
	}
	return ""
}

// covers tells whether the match, whose cluster is the object's, is for the object.
func (m *Match) covers(o schema.Object, labels map[string]string) bool {
	switch kind := m.Kind(); {
	case kind == "":
		return true
	case kind != o.Kind:
		return false
	case kind == schema.KindNode:
		return like(m.Node, o.Name)
	}
	if !like(m.Namespace, o.Namespace) || !like(m.Service, o.Name) {
		return false
	}
	for key, pattern := range m.Labels {
		if value, there := labels[key]; !there || !like(pattern, value) {
			return false
		}
	}
	return true
}

// like tells whether the pattern, which is empty or has any number of *, is that of text.
func like(pattern, text string) bool {
	head, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == "" || pattern == text
	}
	text, ok := strings.CutPrefix(text, head)
	for ok && wild {
		head, rest, wild = strings.Cut(rest, "*")
		if !wild {
			return strings.HasSuffix(text, head)
		}
		_, text, ok = strings.Cut(text, head)
	}
	return ok
}
