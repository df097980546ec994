package rules

import (
	"fmt"
	"strings"
	_ "time/tzdata" // images hold no zones of their own

	"go.yaml.in/yaml/v3"

	"github.com/bellbuoy/bellbuoy/internal/config/yamlfile"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/silence"
)

const (
	maxWindowName   = 64  // bytes
	maxWindowReason = 500 // bytes

	fixWindow = `write a list: "- name: backup", and below it match, days, from, to, time_zone and reason`
)

var windowKeys = []string{"name", "match", "days", "from", "to", "time_zone", "reason"}

func (d *decoder) allWindows(n *yaml.Node) {
	switch {
	case yamlfile.Empty(n):
		return
	case n.Kind != yaml.SequenceNode:
		d.Wrong(n.Line, fixWindow, "windows is no list")
		return
	case len(n.Content) > silence.MaxWindows:
		d.Wrong(n.Line, "put those together that a pattern with * can match", "%d windows are more than the %d that there may be", len(n.Content), silence.MaxWindows)
		return
	}
	first := map[string]int{}
	for _, one := range n.Content {
		w, line := d.window(one)
		if before, twice := first[w.Name]; twice && w.Name != "" {
			d.Wrong(line, "give each a name of its own: conversations name it", "there are two windows called %q, the first on line %d", w.Name, before)
			continue
		}
		first[w.Name] = line
		d.windows = append(d.windows, w)
	}
}

// window reads one, and gives the line of its name.
func (d *decoder) window(n *yaml.Node) (w silence.Weekly, line int) {
	given := map[string]*yaml.Node{}
	line = n.Line
	before := len(d.Mistakes)
	d.Pairs(n, "the window", windowKeys, func(key, value *yaml.Node) {
		given[key.Value] = value
		switch key.Value {
		case "name":
			line = key.Line
			w.Name = d.windowName(value)
		case "match":
			w.Matcher = d.matcher(value)
		case "days":
			w.Days = d.Days(value)
		case "from":
			w.From = d.WallClock("from", value, false)
		case "to":
			w.To = d.WallClock("to", value, true)
		case "time_zone":
			w.Zone = d.Zone("time_zone", value)
		case "reason":
			w.Reason = d.reason(value)
		}
	})
	for _, key := range windowKeys {
		if given[key] == nil && len(given) > 0 && len(given) == len(n.Content)/2 { // else it may be one that is not known
			d.Wrong(line, windowFix(key), "the window has no %s", key)
		}
	}
	if len(d.Mistakes) > before {
		return w, line
	}
	switch everyDay := w.Days == [7]bool{true, true, true, true, true, true, true}; {
	case w.From == w.To:
		d.Wrong(given["to"].Line, `write from: "00:00" and to: "24:00" for a whole day`, "the window ends at the time at which it begins")
	case everyDay && w.From == 0 && w.To == 24*60:
		d.Wrong(given["days"].Line, "switch the conditions off by an override, or leave out the hours at which it is to be told", "the window never ends")
	}
	return w, line
}

func windowFix(key string) string {
	switch key {
	case "match":
		return "say what it silences, such as match: {cluster: prod, name: \"db-*\"}"
	case "days":
		return yamlfile.FixDays
	case "from", "to":
		return fmt.Sprintf(`say when, such as %s: "22:00"`, key)
	case "time_zone":
		return "say by which clocks, such as time_zone: Europe/Berlin, or UTC"
	case "reason":
		return "say why, so that others know"
	}
	return "give it a short one, such as name: backup"
}

func (d *decoder) windowName(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode || !schema.ValidToken(n.Value) || len(n.Value) > maxWindowName || yamlfile.Empty(n) {
		d.Wrong(n.Line, fmt.Sprintf("write up to %d letters, digits, - and _", maxWindowName), "name: %q cannot be the name of a window", n.Value)
		return ""
	}
	return n.Value
}

// matcher reads what a silence by scope is told in words: the same keys, by the same parser.
func (d *decoder) matcher(n *yaml.Node) silence.Matcher {
	before := len(d.Mistakes)
	var words []string
	add := func(name string, value *yaml.Node) {
		if value.Kind != yaml.ScalarNode || yamlfile.Empty(value) {
			d.Wrong(value.Line, "write one name, in which * and ? stand for anything", "match: %s is no pattern", name)
			return
		}
		word := name + "=" + value.Value
		if _, err := silence.Parse([]string{word}); err != nil {
			d.Wrong(value.Line, "put it right, or leave it out", "match: %s", err.Error())
			return
		}
		words = append(words, word)
	}
	d.Pairs(n, "match", nil, func(key, value *yaml.Node) {
		if key.Value != "label" {
			add(key.Value, value)
			return
		}
		d.Pairs(value, "label", nil, func(key, value *yaml.Node) { add("label."+key.Value, value) })
	})
	if len(d.Mistakes) > before {
		return silence.Matcher{}
	}
	m, err := silence.Parse(words)
	if err != nil {
		d.Wrong(n.Line, "put it right, or leave it out", "match: %s", err.Error())
	}
	return m
}

func (d *decoder) reason(n *yaml.Node) string {
	switch {
	case n.Kind != yaml.ScalarNode || yamlfile.Empty(n) || strings.TrimSpace(n.Value) == "":
		d.Wrong(n.Line, "say why, so that others know", "the window has no reason")
	case len(n.Value) > maxWindowReason:
		d.Wrong(n.Line, fmt.Sprintf("write at most %d bytes", maxWindowReason), "the reason has %d bytes", len(n.Value))
	}
	return strings.TrimSpace(n.Value)
}
