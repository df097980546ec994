package rules

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/link"
	"github.com/bellbuoy/bellbuoy/internal/silence"
)

// decoder walks the nodes of one file.
type decoder struct {
	rules      detect.Rules
	windows    silence.Windows
	links      link.Templates
	settings   []detect.Setting
	conditions []detect.Declared // and policies
	mistakes   Mistakes
	broken     map[string]bool // conditions of which something could not be read, so that the rest of it means nothing
}

func (d *decoder) wrong(line int, fix, problem string, args ...any) {
	d.mistakes = append(d.mistakes, Mistake{Line: line, Problem: fmt.Sprintf(problem, args...), Fix: fix})
}

func (d *decoder) file(text []byte) {
	in := yaml.NewDecoder(bytes.NewReader(text))
	var document, second yaml.Node
	if err := in.Decode(&document); err != nil {
		if !errors.Is(err, io.EOF) { // else the file is empty
			d.syntax(err, text)
		}
		return
	}
	if err := in.Decode(&second); err == nil {
		d.wrong(second.Line, "keep one document, and take out the line ---", "a second document begins here")
	} else if !errors.Is(err, io.EOF) {
		d.syntax(err, text)
	}
	top := document.Content[0]
	if empty(top) {
		return
	}
	var overrides *yaml.Node
	d.pairs(top, "the file", []string{"rules", "overrides", "windows", "links"}, func(key, value *yaml.Node) {
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

func empty(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// pairs calls each with the known keys of a mapping, in their order. Known is nil where any will do.
func (d *decoder) pairs(n *yaml.Node, what string, known []string, each func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		fix := "write NAME: VALUE below it"
		if len(known) > 0 {
			fix = "write one or more of: " + strings.Join(known, ", ")
		}
		d.wrong(n.Line, fix, "%s says nothing that can be read here", what)
		return
	}
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		line, twice := first[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode || value.Kind == yaml.AliasNode || key.Tag == "!!merge":
			d.wrong(key.Line, "write it out", "%s holds an alias or a name that is none, which are not read here", what)
			continue
		case twice:
			d.wrong(key.Line, "keep one of them", "%s has %q twice, first on line %d", what, key.Value, line)
			continue
		}
		first[key.Value] = key.Line
		if known != nil && !slices.Contains(known, key.Value) {
			d.unknown(key, what, known)
			continue
		}
		each(key, value)
	}
}

func (d *decoder) unknown(key *yaml.Node, what string, known []string) {
	fix := "take one of: " + strings.Join(known, ", ")
	if nearest := nearest(key.Value, known); nearest != "" {
		fix = fmt.Sprintf("write %s? There are: %s", nearest, strings.Join(known, ", "))
	}
	d.wrong(key.Line, fix, "%s has no %q", what, key.Value)
}

// nearest is the known name that was most likely meant, one that begins with what was written before all others.
func nearest(name string, known []string) string {
	if near := config.Nearest(name, known, max(1, len(name)/3)); near != "" {
		return near
	}
	i := slices.IndexFunc(known, func(k string) bool { return len(name) > 2 && strings.HasPrefix(k, name) })
	if i < 0 {
		return ""
	}
	return known[i]
}

// changes reads what a list of conditions and policies sets.
func (d *decoder) changes(n *yaml.Node, m detect.Match) []detect.Change {
	var names []string
	for _, c := range d.conditions {
		names = append(names, c.Name)
	}
	var changes []detect.Change
	d.pairs(n, "rules", names, func(key, value *yaml.Node) {
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
	d.wrong(key.Line, "match the cluster alone, or, for a service, namespace, service or label, and, for a node, node",
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
	before := len(d.mistakes)
	d.pairs(value, key.Value, names, func(name, value *yaml.Node) {
		s := d.setting(key.Value, name.Value)
		if v, ok := d.value(s, value); ok {
			changes = append(changes, change(s, v, name.Line))
		}
	})
	if len(d.mistakes) > before {
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
		d.wrong(value.Line, fmt.Sprintf("write %s: off, %s: on, or %s", key.Value, key.Value, settings),
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
		d.wrong(line, fmt.Sprintf("set %s to %s%s, or %s to %s%s", c.Low.Name, high, less, c.High.Name, low, more),
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
