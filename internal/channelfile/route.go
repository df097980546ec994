package channelfile

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/bellbuoy/bellbuoy/internal/config/yamlfile"
	"github.com/bellbuoy/bellbuoy/internal/route"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const (
	fixRoutes    = `write a list: "- match: {severity: critical}" and below it "  to: [ops]"`
	fixMention   = `write it as the channel's kind spells it, such as mention: "<!subteam^S123>"`
	maxMention   = 200 // bytes
	maxRouteName = 64  // bytes
)

var routeKeys = []string{"name", "match", "to", "mention", "escalate", "digest", "zone", "continue"}

func (d *decoder) allRoutes(n *yaml.Node) {
	switch {
	case n.Kind != yaml.SequenceNode:
		d.Wrong(n.Line, fixRoutes, "routes is no list")
		return
	case len(n.Content) > maxRoutes:
		d.Wrong(n.Line, "put those together that a list or a pattern with * can match", "%d routes are more than the %d that there may be", len(n.Content), maxRoutes)
		return
	}
	for _, one := range n.Content {
		before := len(d.Mistakes)
		r := d.route(one)
		if len(d.Mistakes) == before {
			d.reachable(&r)
		}
		if len(d.Mistakes) == before {
			d.routes.Routes = append(d.routes.Routes, r)
		}
	}
}

// reachable refuses a route that an earlier one leaves nothing to, and a second one of the same name.
func (d *decoder) reachable(r *route.Route) {
	for i := range d.routes.Routes {
		earlier := &d.routes.Routes[i]
		switch {
		case earlier.Name == r.Name && r.Name != "":
			d.Wrong(r.Line, "give each a name of its own", "there are two routes called %q, the first on line %d", r.Name, earlier.Line)
			return
		case !earlier.Continue && earlier.Match.Covers(&r.Match):
			d.Wrong(r.Line, fmt.Sprintf("put it before that one, or write continue: true there, on line %d", earlier.Line),
				"%s never matches: all that it would have has %s", r.String(), earlier.String())
			return
		}
	}
}

func (d *decoder) route(n *yaml.Node) route.Route {
	r := route.Route{Line: n.Line}
	given := map[string]*yaml.Node{}
	before := len(d.Mistakes)
	d.Pairs(n, "the route", routeKeys, func(key, value *yaml.Node) {
		given[key.Value] = value
		switch key.Value {
		case "name":
			r.Name = d.routeName(value)
		case "match":
			r.Match = d.match(value)
		case "to":
			r.To = d.named("to", value, true)
		case "mention":
			r.Mention = d.mention(value)
		case "escalate":
			r.Escalate = d.escalate(value)
		case "continue":
			r.Continue = d.yes("continue", value)
		}
	})
	if digest := given["digest"]; digest != nil {
		r.Digest = d.digest(digest, given["zone"])
	} else if zone := given["zone"]; zone != nil {
		d.Wrong(zone.Line, `write it into match beside hours, or beside digest: daily 08:00`, "the route has a zone but no digest")
	}
	if len(d.Mistakes) == before {
		d.whole(&r, given)
	}
	return r
}

// whole tells what of a route contradicts itself.
func (d *decoder) whole(r *route.Route, given map[string]*yaml.Node) {
	if given["to"] == nil {
		d.Wrong(r.Line, "say who is told, such as to: [ops]; to: [] is nobody", "%s names no channel", r.String())
	}
	if r.Mention != "" {
		d.mentionable(given["mention"].Line, r.To)
	}
	e := r.Escalate
	if e == nil {
		return
	}
	line := given["escalate"].Line
	for _, name := range e.To {
		if slices.Contains(r.To, name) {
			d.Wrong(line, "name another channel there", "%s escalates to %s, which it tells at once", r.String(), name)
		}
	}
	if e.Mention != "" {
		d.mentionable(line, e.To)
	}
	if len(r.Match.Severity) > 0 && !slices.Contains(r.Match.Severity, schema.SeverityCritical) {
		d.Wrong(line, "let it match severity: critical too, or take escalate out", "%s escalates, which only what is critical does, and matches none of that", r.String())
	}
}

// mentionable refuses a mention that one of the channels cannot make.
func (d *decoder) mentionable(line int, names []string) {
	for _, c := range d.channels {
		i := slices.IndexFunc(d.kinds, func(k Kind) bool { return k.Name == c.Kind })
		if slices.Contains(names, c.Name) && !d.kinds[i].Mentions(c.Options) {
			d.Wrong(line, "take mention out, or make a route of its own for that channel", "channel %s, a %s, can mention nobody", c.Name, c.Kind)
		}
	}
}

func (d *decoder) routeName(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode || yamlfile.Empty(n) || !schema.ValidToken(n.Value) || len(n.Value) > maxRouteName {
		d.Wrong(n.Line, fmt.Sprintf("write up to %d letters, digits, - and _", maxRouteName), "name: that cannot be the name of a route")
		return ""
	}
	return n.Value
}

// named reads a channel's name, or a list of them. none: it may be empty.
func (d *decoder) named(what string, n *yaml.Node, none bool) []string {
	names := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		names = n.Content
	}
	if len(names) == 0 && !none || yamlfile.Empty(n) {
		d.Wrong(n.Line, fmt.Sprintf("write a list of channels, such as %s: [ops]", what), "%s names no channel", what)
	}
	all := []string{}
	for _, one := range names {
		switch {
		case yamlfile.Empty(one) && one == n:
		case one.Kind != yaml.ScalarNode || !name.MatchString(one.Value):
			d.Wrong(one.Line, fmt.Sprintf("write a list of channels, such as %s: [ops]", what), "%s holds what is no name of a channel", what)
		case slices.Contains(all, one.Value):
			d.Wrong(one.Line, "name it once", "%s has %s twice", what, one.Value)
		case !slices.ContainsFunc(d.channels, func(c Channel) bool { return c.Name == one.Value }):
			if known := d.names(); !slices.Contains(known, one.Value) && len(known) > 0 { // else it was told what is wrong
				d.Unknown(one.Line, one.Value, what+": the list of channels", known)
			}
		default:
			all = append(all, one.Value)
		}
	}
	return all
}

// names are all channels, whether or not all else of them could be read.
func (d *decoder) names() []string {
	all := slices.Concat(d.routes.Channels, d.broken)
	return slices.DeleteFunc(all, func(name string) bool { return name == "" })
}

func (d *decoder) mention(n *yaml.Node) string {
	text := strings.TrimSpace(n.Value)
	if n.Kind != yaml.ScalarNode || yamlfile.Empty(n) || text == "" || len(text) > maxMention || strings.ContainsAny(text, "\r\n") {
		d.Wrong(n.Line, fixMention, "mention calls nobody")
		return ""
	}
	return text
}

func (d *decoder) escalate(n *yaml.Node) *route.Escalation {
	var e route.Escalation
	given := map[string]bool{}
	before := len(d.Mistakes)
	d.Pairs(n, "escalate", []string{"after", "to", "mention"}, func(key, value *yaml.Node) {
		given[key.Value] = true
		switch key.Value {
		case "after":
			e.After = d.span("escalate: after", value, time.Minute, 7*24*time.Hour)
		case "to":
			e.To = d.named("escalate: to", value, false)
		case "mention":
			e.Mention = d.mention(value)
		}
	})
	for _, key := range []string{"after", "to"} {
		if !given[key] && len(d.Mistakes) == before {
			d.Wrong(n.Line, "write escalate: {after: 15m, to: [pager]}", "escalate has no %s", key)
		}
	}
	return &e
}

// span reads a length of time within bounds.
func (d *decoder) span(what string, n *yaml.Node, least, most time.Duration) time.Duration {
	took, err := time.ParseDuration(strings.TrimSpace(n.Value))
	if n.Kind != yaml.ScalarNode || err != nil {
		d.Wrong(n.Line, "write it like 15m or 1h30m", "%s is no length of time", what)
		return least
	}
	if took < least || took > most {
		d.Wrong(n.Line, fmt.Sprintf("write a length of time from %s to %s", least, most), "%s is out of bounds", what)
		return least
	}
	return took
}

func (d *decoder) digest(n, zone *yaml.Node) route.Digest {
	word, at, daily := strings.Cut(strings.TrimSpace(n.Value), " ")
	if n.Kind != yaml.ScalarNode || !daily || word != "daily" {
		if zone != nil {
			d.Wrong(zone.Line, "take zone out, or write digest: daily 08:00", "the digest is not of a time of day, so that it needs no zone")
		}
		return route.Digest{Every: d.span("digest", n, time.Minute, 24*time.Hour)}
	}
	clock := *n
	clock.Value = strings.TrimSpace(at)
	g := route.Digest{At: d.WallClock("digest: daily", &clock, false), Zone: time.UTC}
	if zone == nil {
		d.Wrong(n.Line, "say by which clocks, such as zone: Europe/Berlin, or UTC", "the digest has a time of day but no zone")
		return g
	}
	g.Zone = d.Zone("zone", zone)
	return g
}

func (d *decoder) yes(what string, n *yaml.Node) bool {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		d.Wrong(n.Line, fmt.Sprintf("write %s: true, or leave it out", what), "%s is neither true nor false", what)
	}
	return n.Value == "true" || n.Value == "True" || n.Value == "TRUE"
}
