package channelfile

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/bellbuoy/bellbuoy/internal/config/yamlfile"
	"github.com/bellbuoy/bellbuoy/internal/route"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

var matchKeys = []string{"severity", "cluster", "namespace", "service", "condition", "kind", "name", "labels", "days", "hours", "zone"}

// kindsOfObject are those that conversations are about.
var kindsOfObject = []string{
	schema.KindService, schema.KindNode, schema.KindCluster, schema.KindSource, schema.KindCollector, schema.KindClock,
	schema.KindChannel, schema.KindDead, schema.KindStream, schema.KindModel, schema.KindBudget,
}

func (d *decoder) match(n *yaml.Node) route.Match {
	var m route.Match
	when := map[string]*yaml.Node{}
	if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		return m // {} is everything
	}
	d.Pairs(n, "match", matchKeys, func(key, value *yaml.Node) {
		switch key.Value {
		case "severity":
			m.Severity = d.words("severity", value, []string{schema.SeverityInfo, schema.SeverityWarning, schema.SeverityCritical})
		case "kind":
			m.Kind = d.words("kind", value, kindsOfObject)
		case "cluster":
			m.Cluster = d.patterns("cluster", value)
		case "namespace":
			m.Namespace = d.patterns("namespace", value)
		case "service":
			m.Service = d.patterns("service", value)
		case "name":
			m.Name = d.patterns("name", value)
		case "condition":
			m.Condition = d.patterns("condition", value)
		case "labels":
			m.Labels = map[string][]string{}
			d.Pairs(value, "labels", nil, func(key, value *yaml.Node) { m.Labels[key.Value] = d.patterns(key.Value, value) })
		default:
			when[key.Value] = value
		}
	})
	if len(m.Service) > 0 && len(m.Kind) > 0 && !slices.Contains(m.Kind, schema.KindService) {
		d.Wrong(n.Line, "match name, which is of objects of any kind, or take kind out", "the match is for services and for none at once, which nothing is")
	}
	m.When = d.window(n, when)
	return m
}

// patterns reads one name or a list of names, in which * stands for any characters.
func (d *decoder) patterns(what string, n *yaml.Node) []string {
	ones := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		ones = n.Content
	}
	var all []string
	for _, one := range ones {
		if one.Kind != yaml.ScalarNode || yamlfile.Empty(one) || strings.TrimSpace(one.Value) == "" {
			d.Wrong(one.Line, `write a name or a list of names, in which "*" stands for any characters, or leave it out for all there are`, "%s holds what is no name", what)
			continue
		}
		all = append(all, one.Value)
	}
	if len(ones) == 0 {
		d.Wrong(n.Line, "leave it out for all there are", "%s is an empty list, which nothing matches", what)
	}
	return all
}

// words reads one of the known words or a list of them.
func (d *decoder) words(what string, n *yaml.Node, known []string) []string {
	all := d.patterns(what, n)
	for _, word := range all {
		if !slices.Contains(known, word) {
			d.Unknown(n.Line, word, what, known)
		}
	}
	return all
}

// hours is a range of times of day.
var hours = regexp.MustCompile(`^\s*([0-9:]+)\s*(?:-|–)\s*([0-9:]+)\s*$`)

// window reads the hours of the week; nil: always.
func (d *decoder) window(n *yaml.Node, given map[string]*yaml.Node) *route.Window {
	if len(given) == 0 {
		return nil
	}
	before := len(d.Mistakes)
	w := &route.Window{Days: [7]bool{true, true, true, true, true, true, true}, To: 24 * 60, Zone: time.UTC}
	if given["days"] == nil && given["hours"] == nil {
		d.Wrong(given["zone"].Line, `say when, such as hours: "09:00-17:00" or days: mon-fri, or take zone out`, "match has a zone but no days and no hours")
	}
	if x := given["days"]; x != nil {
		w.Days = d.Days(x)
	}
	if x := given["hours"]; x != nil {
		d.hours(w, x)
	}
	if x := given["zone"]; x != nil {
		w.Zone = d.Zone("zone", x)
	} else {
		d.Wrong(n.Line, "say by which clocks, such as zone: Europe/Berlin, or UTC", "match has a time but no zone")
	}
	if len(d.Mistakes) == before && w.Days == [7]bool{true, true, true, true, true, true, true} && w.From == 0 && w.To == 24*60 {
		d.Wrong(n.Line, "take days, hours and zone out", "match has a time that never ends")
	}
	return w
}

func (d *decoder) hours(w *route.Window, n *yaml.Node) {
	m := hours.FindStringSubmatch(n.Value)
	if n.Kind != yaml.ScalarNode || m == nil {
		d.Wrong(n.Line, `write them like hours: "09:00-17:00", or "22:00-06:00" over midnight`, "hours is no range of times")
		return
	}
	from, to := *n, *n
	from.Value, to.Value = m[1], m[2]
	before := len(d.Mistakes)
	w.From, w.To = d.WallClock("hours: from", &from, false), d.WallClock("hours: to", &to, true)
	if w.From == w.To && len(d.Mistakes) == before {
		d.Wrong(n.Line, "leave hours out for whole days", "hours end at the time at which they begin")
	}
}
