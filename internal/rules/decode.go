package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/bellbuoy/bellbuoy/internal/config/yamlfile"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/link"
	"github.com/bellbuoy/bellbuoy/internal/silence"
)

// decoder walks the nodes of one file.
type decoder struct {
	yamlfile.Reader
	rules      detect.Rules
	windows    silence.Windows
	links      link.Templates
	settings   []detect.Setting
	conditions []detect.Declared // and policies
	broken     map[string]bool   // conditions of which something could not be read, so that the rest of it means nothing
}

func (d *decoder) file(text []byte) {
	top := d.Document(text)
	if top == nil {
		return
	}
	var overrides *yaml.Node
	d.Pairs(top, "the file", []string{"rules", "overrides", "windows", "links"}, func(key, value *yaml.Node) {
		switch key.Value {
		case "overrides":
			overrides = value
			return
		case "windows":
			d.allWindows(value)
			return
		case "links":
			d.allLinks(value)
			return
		}
		changes := d.changes(value, detect.Match{})
		d.contradictions(changes, nil)
		d.rules = d.rules.With(changes...)
	})
	if overrides != nil {
		d.overrides(overrides)
	}
}

// changes reads what a list of conditions and policies sets.
func (d *decoder) changes(n *yaml.Node, m detect.Match) []detect.Change {
	var names []string
	for _, c := range d.conditions {
		names = append(names, c.Name)
	}
	var changes []detect.Change
	d.Pairs(n, "rules", names, func(key, value *yaml.Node) {
		if d.applies(key, m) {
			changes = append(changes, d.condition(key, value)...)
		}
	})
	return changes
}

// applies refuses a condition of objects that the match is not for.
func (d *decoder) applies(key *yaml.Node, m detect.Match) bool {
	i := slices.IndexFunc(d.conditions, func(c detect.Declared) bool { return c.Name == key.Value })
	kind, of := m.Kind(), d.conditions[i].Kind
	if kind == "" || of == "" || kind == of {
		return true
	}
	is := "a condition of"
	if d.policy(key.Value) {
		is = "about"
	}
	d.Wrong(key.Line, "match the cluster alone, or, for a service, namespace, service or label, and, for a node, node",
		"%s is %s a %s, and the match is for a %s", key.Value, is, of, kind)
	return false
}

// condition reads what is set of one condition or policy: off, on, or its settings.
func (d *decoder) condition(key, value *yaml.Node) []detect.Change {
	if value.Kind == yaml.ScalarNode {
		return d.switched(key, value)
	}
	var names []string
	for _, s := range d.settings {
		if s.Condition == key.Value {
			names = append(names, s.Name)
		}
	}
	var changes []detect.Change
	before := len(d.Mistakes)
	d.Pairs(value, key.Value, names, func(name, value *yaml.Node) {
		s := d.setting(key.Value, name.Value)
		if v, ok := d.value(s, value); ok {
			changes = append(changes, change(s, v, name.Line))
		}
	})
	if len(d.Mistakes) > before {
		d.broken[key.Value] = true
	}
	return changes
}

func change(s detect.Setting, v detect.Value, line int) detect.Change {
	return detect.Change{Setting: s, Value: v, By: variable + " line " + strconv.Itoa(line)}
}

func (d *decoder) setting(condition, name string) detect.Setting {
	i := slices.IndexFunc(d.settings, func(s detect.Setting) bool { return s.Condition == condition && s.Name == name })
	return d.settings[i]
}

func (d *decoder) policy(name string) bool {
	return slices.ContainsFunc(d.settings, func(s detect.Setting) bool { return s.Condition == name && s.Name == detect.SettingEnabled })
}

// switched reads a condition that is off, or on again with the severity that it is shipped with; or a policy that is
// off or on.
func (d *decoder) switched(key, value *yaml.Node) []detect.Change {
	setting, on, settings := detect.SettingEnabled, "on", "its settings below it"
	if !d.policy(key.Value) {
		i := slices.IndexFunc(d.conditions, func(c detect.Declared) bool { return c.Name == key.Value })
		setting, on, settings = detect.SettingSeverity, d.conditions[i].Severity, key.Value+": {severity: warning}"
	}
	switch value.Value {
	case "on":
	case "off":
		on = ""
	default:
		d.Wrong(value.Line, fmt.Sprintf("write %s: off, %s: on, or %s", key.Value, key.Value, settings),
			"%s: %q is neither off, nor on, nor settings", key.Value, value.Value)
		return nil
	}
	return []detect.Change{change(d.setting(key.Value, setting), detect.Value{Word: on}, key.Line)}
}

// contradictions tells what cannot be meant once the changes are made, beside what the rules without them contradict
// already.
func (d *decoder) contradictions(changes []detect.Change, known []detect.Contradiction) {
	changed := d.rules.With(changes...)
	for _, c := range changed.Contradictions() {
		if slices.Contains(known, c) || d.broken[c.Low.Condition] {
			continue
		}
		low, high := c.Low.Unit.Text(c.LowValue), c.High.Unit.Text(c.HighValue)
		above, less, more := "above", " or less", " or more"
		if c.Low.Unit == detect.UnitSeverity {
			above, less, more = "more severe than", " or milder", " or worse"
		}
		line := max(set(changes, c.Low), set(changes, c.High))
		d.Wrong(line, fmt.Sprintf("set %s to %s%s, or %s to %s%s", c.Low.Name, high, less, c.High.Name, low, more),
			"%s: %s is %s%s, %s %s, which is %s%s", c.Low.Condition, c.Low.Name, low, shipped(changed, c.Low), above,
			c.High.Name, high, shipped(changed, c.High))
	}
}

func shipped(r detect.Rules, s detect.Setting) string {
	if slices.ContainsFunc(r.Changed, func(c detect.Change) bool { return c.Setting == s }) {
		return ""
	}
	return " as shipped"
}

// set is the line that sets s; 0: none of the changes does.
func set(changes []detect.Change, s detect.Setting) int {
	line := 0
	for _, c := range changes {
		if c.Setting == s {
			line, _ = strconv.Atoi(strings.TrimPrefix(c.By, variable+" line "))
		}
	}
	return line
}
