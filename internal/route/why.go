package route

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// String names the route by name and line.
func (r *Route) String() string {
	if r.Name == "" {
		return fmt.Sprintf("the route on line %d", r.Line)
	}
	return fmt.Sprintf("route %s (line %d)", r.Name, r.Line)
}

// why says why a channel is told, or is not.
func (r *Routes) why(c schema.Conversation, x Choice, open, having []int) string {
	switch {
	case x.by == byItself && x.Tell:
		return "it is about " + c.Object.Name + ", which alone would be told"
	case x.by == byItself:
		return "it is about this channel, so that others are told"
	case x.by == byTest:
		return "it is made up by `bellbuoy test`, which every channel is told of"
	case x.by == byNobody:
		return r.whyNot(c, x.Channel, open, having)
	case x.by == byDefault:
		return r.whyDefault()
	case x.Escalated:
		by := &r.Routes[x.by]
		return by.String() + " tells it because this is critical and nobody has had it for " + span(by.Escalate.After)
	}
	return r.Routes[x.by].String()
}

func (r *Routes) whyDefault() string {
	switch {
	case len(r.Routes) == 0 && r.Default == nil:
		return "there are no routes, so that every channel is told of everything"
	case r.Default == nil:
		return "no route has it, so that every channel is told"
	case len(r.Routes) == 0:
		return "it is of the default"
	}
	return "no route has it, so that the default is told"
}

// whyNot says, in words, what comes nearest to telling the channel.
func (r *Routes) whyNot(c schema.Conversation, name string, open, having []int) string {
	for _, i := range having {
		if e := r.Routes[i].Escalate; e != nil && slices.Contains(e.To, name) {
			return r.Routes[i].String() + " tells it of what is critical once nobody has had it for " + span(e.After) + pending(c)
		}
	}
	for _, i := range open {
		if x := &r.Routes[i]; x.names(name) && x.Match.When != nil && !slices.Contains(having, i) && !r.before(having, i) {
			return x.String() + " tells it at other hours: " + x.Match.When.String()
		}
	}
	if near, misses := r.nearest(c, name); near != nil {
		if len(misses) == 0 && len(having) > 0 {
			return r.Routes[having[len(having)-1]].String() + " has it and does not continue to " + near.String()
		}
		return near.String() + " would tell it, but " + strings.Join(misses, ", and ")
	}
	if len(having) > 0 && (r.Default == nil || slices.Contains(r.Default, name)) {
		return r.Routes[having[0]].String() + " has it, and the default is told only of what no route has"
	}
	if slices.ContainsFunc(r.Routes, func(x Route) bool { return x.names(name) }) {
		return "no route that names it has it, and it is not of the default"
	}
	return "no route names it, and it is not of the default"
}

// pending says why an escalation does not come at all, if that is so.
func pending(c schema.Conversation) string {
	switch {
	case !NobodysSince(c).IsZero():
		return ""
	case c.Closed():
		return "; this is over"
	case c.Severity != schema.SeverityCritical:
		return "; this is " + c.Severity
	case c.Owner != "":
		return "; " + c.Owner + " has this"
	}
	return "; this is " + c.State
}

// before tells whether one of the routes ends the search before the place.
func (r *Routes) before(having []int, place int) bool {
	return slices.ContainsFunc(having, func(i int) bool { return i < place && !r.Routes[i].Continue })
}

// nearest is the route that names the channel and misses c by the least, with what it misses it by.
func (r *Routes) nearest(c schema.Conversation, name string) (near *Route, misses []string) {
	for i := range r.Routes {
		x := &r.Routes[i]
		if !slices.Contains(x.To, name) {
			continue
		}
		if m := x.Match.misses(c); near == nil || len(m) < len(misses) {
			near, misses = x, m
		}
	}
	return near, misses
}

// names tells whether the route tells the channel, at once or later.
func (r *Route) names(channel string) bool {
	return slices.Contains(r.To, channel) || r.Escalate != nil && slices.Contains(r.Escalate.To, channel)
}

func clock(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }

// span is a time of whole seconds without its zeros: 15m, 1h30m.
func span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
