package rules

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/bellbuoy/bellbuoy/internal/config/yamlfile"
	"github.com/bellbuoy/bellbuoy/internal/detect"
)

// maxOverrides bounds what each service is compared with, with every snapshot.
const maxOverrides = 200

const fixOverride = `write a list: "- match: {cluster: prod, service: web}" and below it "  rules: {cpu: off}"`

func (d *decoder) overrides(n *yaml.Node) {
	switch {
	case yamlfile.Empty(n):
		return
	case n.Kind != yaml.SequenceNode:
		d.Wrong(n.Line, fixOverride, "overrides is no list")
		return
	case len(n.Content) > maxOverrides:
		d.Wrong(n.Line, "put those together that a pattern with * can match", "%d overrides are more than the %d that there may be", len(n.Content), maxOverrides)
		return
	}
	known := d.rules.Contradictions()
	for _, one := range n.Content {
		x := d.override(one)
		d.contradictions(x.Changes, known)
		d.rules.Overrides = append(d.rules.Overrides, x)
	}
}

func (d *decoder) override(n *yaml.Node) detect.Override {
	var x detect.Override
	var match, rules *yaml.Node
	before := len(d.Mistakes)
	d.Pairs(n, "the override", []string{"match", "rules"}, func(key, value *yaml.Node) {
		if key.Value == "match" {
			match = value
		} else {
			rules = value
		}
	})
	switch {
	case len(d.Mistakes) > before:
	case match == nil:
		d.Wrong(n.Line, "say which objects it is for, or move its rules to the rules for all", "the override has no match")
	case rules == nil:
		d.Wrong(n.Line, "say what it changes, or take it out", "the override has no rules")
	}
	if match != nil {
		x.Match = d.match(match)
	}
	if rules != nil {
		x.Changes = d.changes(rules, x.Match)
	}
	return x
}

func (d *decoder) match(n *yaml.Node) detect.Match {
	var m detect.Match
	d.Pairs(n, "match", []string{"cluster", "namespace", "service", "node", "label"}, func(key, value *yaml.Node) {
		switch key.Value {
		case "cluster":
			m.Cluster = d.pattern(key, value)
		case "namespace":
			m.Namespace = d.pattern(key, value)
		case "service":
			m.Service = d.pattern(key, value)
		case "node":
			m.Node = d.pattern(key, value)
		case "label":
			m.Labels = map[string]string{}
			d.Pairs(value, "label", nil, func(key, value *yaml.Node) { m.Labels[key.Value] = d.pattern(key, value) })
		}
	})
	if m.Node != "" && m.Kind() != "node" {
		d.Wrong(n.Line, "make two overrides of it", "the match is for a node and for services at once, which nothing is")
		m.Node = ""
	}
	return m
}

func (d *decoder) pattern(key, value *yaml.Node) string {
	if value.Kind != yaml.ScalarNode || strings.TrimSpace(value.Value) == "" || yamlfile.Empty(value) {
		d.Wrong(key.Line, `write one name, in which "*" stands for any characters, or leave it out for all there are`, "%s is no name", key.Value)
		return "*"
	}
	return value.Value
}
