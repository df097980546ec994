package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // images hold no zones of their own

	"go.yaml.in/yaml/v3"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/silence"
)

const (
	maxWindowName   = 64  // bytes
	maxWindowReason = 500 // bytes

	fixWindow = `write a list: "- name: backup", and below it match, days, from, to, time_zone and reason`
	fixDays   = "write days like mon-fri, or a list like [mon, wed, sat-sun]: mon, tue, wed, thu, fri, sat, sun"
)

var windowKeys = []string{"name", "match", "days", "from", "to", "time_zone", "reason"}

// wallClock is a time of day, in quotes or not.
var wallClock = regexp.MustCompile(`^([01]?\d|2[0-3]):([0-5]\d)$`)

func (d *decoder) allWindows(n *yaml.Node) {
	switch {
	case empty(n):
		return
	case n.Kind != yaml.SequenceNode:
		d.wrong(n.Line, fixWindow, "windows is no list")
		return
	case len(n.Content) > silence.MaxWindows:
		d.wrong(n.Line, "put those together that a pattern with * can match", "%d windows are more than the %d that there may be", len(n.Content), silence.MaxWindows)
		return
	}
	first := map[string]int{}
	for _, one := range n.Content {
		w, line := d.window(one)
		if before, twice := first[w.Name]; twice && w.Name != "" {
			d.wrong(line, "give each a name of its own: conversations name it", "there are two windows called %q, the first on line %d", w.Name, before)
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
	before := len(d.mistakes)
	d.pairs(n, "the window", windowKeys, func(key, value *yaml.Node) {
		given[key.Value] = value
		switch key.Value {
		case "name":
			line = key.Line
			w.Name = d.windowName(value)
		case "match":
			w.Matcher = d.matcher(value)
		case "days":
			w.Days = d.days(value)
		case "from":
			w.From = d.wallClock("from", value, false)
		case "to":
			w.To = d.wallClock("to", value, true)
		case "time_zone":
			w.Zone = d.zone(value)
		case "reason":
			w.Reason = d.reason(value)
		}
	})
	for _, key := range windowKeys {
		if given[key] == nil && len(given) > 0 && len(given) == len(n.Content)/2 { // else it may be one that is not known
			d.wrong(line, windowFix(key), "the window has no %s", key)
		}
	}
	if len(d.mistakes) > before {
		return w, line
	}
	switch everyDay := w.Days == [7]bool{true, true, true, true, true, true, true}; {
	case w.From == w.To:
		d.wrong(given["to"].Line, `write from: "00:00" and to: "24:00" for a whole day`, "the window ends at the time at which it begins")
	case everyDay && w.From == 0 && w.To == 24*60:
		d.wrong(given["days"].Line, "switch the conditions off by an override, or leave out the hours at which it is to be told", "the window never ends")
	}
	return w, line
}

func windowFix(key string) string {
	switch key {
	case "match":
		return "say what it silences, such as match: {cluster: prod, name: \"db-*\"}"
	case "days":
		return fixDays
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
	if n.Kind != yaml.ScalarNode || !schema.ValidToken(n.Value) || len(n.Value) > maxWindowName || empty(n) {
		d.wrong(n.Line, fmt.Sprintf("write up to %d letters, digits, - and _", maxWindowName), "name: %q cannot be the name of a window", n.Value)
		return ""
	}
	return n.Value
}

// matcher reads what a silence by scope is told in words: the same keys, by the same parser.
func (d *decoder) matcher(n *yaml.Node) silence.Matcher {
	before := len(d.mistakes)
	var words []string
	add := func(name string, value *yaml.Node) {
		if value.Kind != yaml.ScalarNode || empty(value) {
			d.wrong(value.Line, "write one name, in which * and ? stand for anything", "match: %s is no pattern", name)
			return
		}
		word := name + "=" + value.Value
		if _, err := silence.Parse([]string{word}); err != nil {
			d.wrong(value.Line, "put it right, or leave it out", "match: %s", err.Error())
			return
		}
		words = append(words, word)
	}
	d.pairs(n, "match", nil, func(key, value *yaml.Node) {
		if key.Value != "label" {
			add(key.Value, value)
			return
		}
		d.pairs(value, "label", nil, func(key, value *yaml.Node) { add("label."+key.Value, value) })
	})
	if len(d.mistakes) > before {
		return silence.Matcher{}
	}
	m, err := silence.Parse(words)
	if err != nil {
		d.wrong(n.Line, "put it right, or leave it out", "match: %s", err.Error())
	}
	return m
}

func (d *decoder) days(n *yaml.Node) (days [7]bool) {
	words := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		words = n.Content
	}
	any := false
	for _, word := range words {
		if word.Kind != yaml.ScalarNode || empty(word) {
			d.wrong(word.Line, fixDays, "days holds what is no day")
			continue
		}
		for part := range strings.SplitSeq(word.Value, ",") {
			part = strings.ToLower(strings.TrimSpace(part))
			from, to, isRange := strings.Cut(part, "-")
			if !isRange {
				to = from
			}
			first, ok1 := silence.Day(strings.TrimSpace(from))
			last, ok2 := silence.Day(strings.TrimSpace(to))
			if !ok1 || !ok2 {
				d.wrong(word.Line, fixDays, "days: %q is no day and no range of days", part)
				continue
			}
			for day := first; ; day = (day + 1) % 7 {
				days[day], any = true, true
				if day == last {
					break
				}
			}
		}
	}
	if !any && len(words) == 0 {
		d.wrong(n.Line, fixDays, "days is empty")
	}
	return days
}

// wallClock reads a time of day in minutes. YAML may take 22:00 without quotes for a number, but keeps its text.
func (d *decoder) wallClock(what string, n *yaml.Node, end bool) int {
	m := wallClock.FindStringSubmatch(n.Value)
	switch {
	case n.Kind == yaml.ScalarNode && end && n.Value == "24:00":
		return 24 * 60
	case n.Kind == yaml.ScalarNode && m != nil:
		hours, _ := strconv.Atoi(m[1]) // digits
		minutes, _ := strconv.Atoi(m[2])
		return hours*60 + minutes
	}
	fix := fmt.Sprintf(`write it like %s: "22:00", from "00:00" to "23:59"`, what)
	if end {
		fix += `, or "24:00" for the end of the day`
	}
	d.wrong(n.Line, fix, "%s: %q is no time of day", what, n.Value)
	return 0
}

func (d *decoder) zone(n *yaml.Node) *time.Location {
	// Local, and nothing, would be whatever the machine has.
	if n.Kind == yaml.ScalarNode && !empty(n) && !slices.Contains([]string{"", "Local"}, n.Value) {
		if zone, err := time.LoadLocation(n.Value); err == nil {
			return zone
		}
	}
	d.wrong(n.Line, "write the name of one of the IANA zones, such as Europe/Berlin, America/New_York or UTC", "time_zone: there is no zone %q", n.Value)
	return time.UTC
}

func (d *decoder) reason(n *yaml.Node) string {
	switch {
	case n.Kind != yaml.ScalarNode || empty(n) || strings.TrimSpace(n.Value) == "":
		d.wrong(n.Line, "say why, so that others know", "the window has no reason")
	case len(n.Value) > maxWindowReason:
		d.wrong(n.Line, fmt.Sprintf("write at most %d bytes", maxWindowReason), "the reason has %d bytes", len(n.Value))
	}
	return strings.TrimSpace(n.Value)
}
