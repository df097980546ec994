package channelfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/config/yamlfile"
)

// pair is one name of a mapping and what it is set to.
type pair struct{ key, value *yaml.Node }

// ofKind reads the channel's kind and its options.
func (d *decoder) ofKind(c *Channel, line int, n *yaml.Node, options []pair) {
	var names []string
	for _, k := range d.kinds {
		names = append(names, k.Name)
	}
	if n == nil {
		d.Wrong(line, "say which: "+strings.Join(names, ", "), "%s has no kind", d.called(c))
		return
	}
	i := slices.IndexFunc(d.kinds, func(k Kind) bool { return n.Kind == yaml.ScalarNode && k.Name == n.Value })
	if i < 0 {
		if n.Kind != yaml.ScalarNode || yamlfile.Empty(n) {
			d.Wrong(n.Line, "say which: "+strings.Join(names, ", "), "%s has no kind", d.called(c))
		} else {
			d.Unknown(n.Line, n.Value, "the list of kinds", names)
		}
		return
	}
	c.Kind, c.Options = d.kinds[i].Name, d.kinds[i].New()
	d.fill(c, &d.kinds[i], line, options)
}

// fill sets the channel's options. What is wrong with one is told on its line, and never with its value.
func (d *decoder) fill(c *Channel, k *Kind, line int, options []pair) {
	what, known := "a channel of kind "+k.Name, config.Options(c.Options, k.Begin)
	names := []string{"name", "kind"}
	if c.Kind != "" && c.Kind == d.in.Name {
		what, names = "a key", names[:1]
	}
	for _, o := range known {
		names = append(names, o.Name)
	}
	values, lines := map[string]string{}, map[string]int{}
	before := len(d.Mistakes)
	for _, o := range options {
		if !slices.Contains(names, o.key.Value) {
			d.Unknown(o.key.Line, o.key.Value, what, names)
			continue
		}
		lines[o.key.Value] = o.key.Line
		values[o.key.Value] = d.text(o)
	}
	if len(d.Mistakes) > before {
		return
	}
	if err := config.Fill(c.Options, k.Begin, values); err != nil {
		d.options(c, err, line, lines)
		return
	}
	if missing := k.Missing(c.Options); missing != "" {
		d.Wrong(line, fmt.Sprintf("write %s: and its value below the name", missing), "%s has no %s", d.called(c), missing)
	}
}

// options tells what is wrong with options, each on its line.
func (d *decoder) options(c *Channel, err error, line int, lines map[string]int) {
	var wrong *config.Error
	if !errors.As(err, &wrong) {
		wrong = &config.Error{Mistakes: []config.Mistake{{Problem: err.Error()}}}
	}
	for _, m := range wrong.Mistakes {
		at, there := lines[m.Name]
		if !there {
			at = line
		}
		m.Value = ""
		problem, fix, has := strings.Cut(m.Error(), "; ") // whose Validate it is may have said what to do
		if !has {
			fix = "put it right, or leave it out"
		}
		d.Wrong(at, fix, "%s: %s", d.called(c), problem)
	}
}

// text is what an option is set to: one value, or a list of them.
func (d *decoder) text(o pair) string {
	switch {
	case o.value.Kind == yaml.ScalarNode && !yamlfile.Empty(o.value) && strings.TrimSpace(o.value.Value) != "":
		return o.value.Value
	case o.value.Kind == yaml.SequenceNode && len(o.value.Content) > 0:
		var all []string
		for _, one := range o.value.Content {
			if one.Kind != yaml.ScalarNode || strings.Contains(one.Value, ",") {
				d.Wrong(one.Line, "write a list of single values", "%s holds what is no single value", o.key.Value)
				return ""
			}
			all = append(all, one.Value)
		}
		return strings.Join(all, ",")
	}
	d.Wrong(o.key.Line, `write its value behind the colon, in quotes if it begins with #, like "#ops"; or leave it out`, "%s has no value", o.key.Value)
	return ""
}

// called is the channel in words.
func (d *decoder) called(c *Channel) string {
	if c.Kind == d.in.Name && c.Kind != "" {
		return "key " + c.Name
	}
	if c.Name == "" {
		return "the channel"
	}
	return "channel " + c.Name
}
