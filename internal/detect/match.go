package detect

import (
	"github.com/bellbuoy/bellbuoy/internal/glob"
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
		return glob.Like(m.Node, o.Name)
	}
	if !glob.Like(m.Namespace, o.Namespace) || !glob.Like(m.Service, o.Name) {
		return false
	}
	for key, pattern := range m.Labels {
		if value, there := labels[key]; !there || !glob.Like(pattern, value) {
			return false
		}
	}
	return true
}
