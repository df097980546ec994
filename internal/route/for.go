package route

import (
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const (
	ahead    = 8 * 24 * time.Hour // how far the hours of routes are looked at: a week and what clocks are set by
	maxEdges = 100                // so many times are looked at; it is looked again at the last of them
)

// For says of every channel whether it is told of c at now, in the order of the channels.
func (r *Routes) For(c schema.Conversation, now time.Time) []Choice {
	open := r.thoseFor(c)
	choices := r.decide(c, open, r.Channels, now)
	having := r.having(open, asOf(c, now))
	for i := range choices {
		choices[i].Why = r.why(c, choices[i], open, having)
	}
	return choices
}

// One says what For says of one channel, but for the reason.
func (r *Routes) One(c schema.Conversation, channel string, now time.Time) Choice {
	names := []string{channel}
	if isChannel(c) { // what is told through one depends on the others
		names = r.Channels
	}
	for _, x := range r.decide(c, r.thoseFor(c), names, now) {
		if x.Channel == channel {
			return x
		}
	}
	return Choice{Channel: channel, by: byNobody}
}

// decide says who of the channels is told at now, and until when that stands.
func (r *Routes) decide(c schema.Conversation, open []int, names []string, now time.Time) []Choice {
	choices := r.at(c, open, names, asOf(c, now))
	if c.Closed() {
		return choices
	}
	t, left := now, maxEdges
	for left > 0 && slices.ContainsFunc(choices, func(x Choice) bool { return x.Again.IsZero() }) {
		if t = r.edge(c, open, t); t.IsZero() || t.Sub(now) > ahead {
			break
		}
		left--
		for i, later := range r.at(c, open, names, t) {
			if x := &choices[i]; x.Again.IsZero() && (left == 0 || !x.same(later)) {
				x.Again = t
			}
		}
	}
	return choices
}

// asOf is when c is routed as of: now, or when it ended.
func asOf(c schema.Conversation, now time.Time) time.Time {
	if !c.Closed() || c.ClosedAt.IsZero() || c.ClosedAt.After(now) {
		return now
	}
	return c.ClosedAt
}

// thoseFor are the routes that have c at some hour, by their places. None that comes after one that always has it and
// does not continue is ever tried.
func (r *Routes) thoseFor(c schema.Conversation) []int {
	var all []int
	for i := range r.Routes {
		x := &r.Routes[i]
		if !x.Match.matches(c) {
			continue
		}
		if all = append(all, i); !x.Continue && x.Match.When == nil {
			break
		}
	}
	return all
}

// having are those of the routes that have c at one time.
func (r *Routes) having(open []int, at time.Time) []int {
	var all []int
	for _, i := range open {
		x := &r.Routes[i]
		if x.Match.When != nil {
			if _, holds := x.Match.When.ActiveAt(at); !holds {
				continue
			}
		}
		if all = append(all, i); !x.Continue {
			break
		}
	}
	return all
}

// at says who of the channels is told at one time, without when it may be otherwise and why.
func (r *Routes) at(c schema.Conversation, open []int, names []string, at time.Time) []Choice {
	having := r.having(open, at)
	choices := make([]Choice, 0, len(names))
	for _, name := range names {
		if isTest(c) {
			choices = append(choices, Choice{Channel: name, Tell: true, by: byTest})
			continue
		}
		x, told := r.direct(name, having)
		if !told {
			x = r.escalated(c, name, having, at)
		}
		choices = append(choices, x)
	}
	if isChannel(c) {
		notThroughItself(c.Object.Name, choices)
	}
	return choices
}

// direct says whether one of the routes that have a conversation, or the default, names the channel.
func (r *Routes) direct(name string, having []int) (Choice, bool) {
	for _, i := range having {
		if x := &r.Routes[i]; slices.Contains(x.To, name) {
			return Choice{Channel: name, Tell: true, Mention: x.Mention, Digest: x.Digest, by: i}, true
		}
	}
	if len(having) == 0 && (r.Default == nil || slices.Contains(r.Default, name)) {
		return Choice{Channel: name, Tell: true, by: byDefault}, true
	}
	return Choice{}, false
}

// escalated says whether the channel is told because nobody has the conversation.
func (r *Routes) escalated(c schema.Conversation, name string, having []int, at time.Time) Choice {
	since := NobodysSince(c)
	for _, i := range having {
		e := r.Routes[i].Escalate
		if e == nil || !slices.Contains(e.To, name) || since.IsZero() || at.Before(since.Add(e.After)) {
			continue
		}
		return Choice{Channel: name, Tell: true, Escalated: true, Mention: e.Mention, by: i}
	}
	return Choice{Channel: name, by: byNobody}
}

// NobodysSince is since when c is critical and nobody's; zero: it is not, or it is over or silenced. What is given back or
// no longer silenced starts anew.
func NobodysSince(c schema.Conversation) time.Time {
	waits := c.State == schema.StateInvestigating || c.State == schema.StateDiagnosed
	if !waits || c.Closed() || c.Owner != "" || c.Severity != schema.SeverityCritical {
		return time.Time{}
	}
	since := c.CriticalSince
	for _, m := range c.Messages {
		if back := m.Kind == schema.EventUnacknowledged || m.Kind == schema.EventUnsilenced; back && m.At.After(since) && !since.IsZero() {
			since = m.At
		}
	}
	return since
}

// edge is the next time after t at which the routes may have c or not, or escalate it; zero: there is none.
func (r *Routes) edge(c schema.Conversation, open []int, t time.Time) time.Time {
	var next time.Time
	consider := func(at time.Time) {
		if at.After(t) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	since := NobodysSince(c)
	for _, i := range open {
		if w := r.Routes[i].Match.When; w != nil {
			s := w.Next(t)
			consider(s.From)
			consider(s.Until)
		}
		if e := r.Routes[i].Escalate; e != nil && !since.IsZero() {
			consider(since.Add(e.After))
		}
	}
	return next
}

// isTest tells whether c is made up by somebody who wants to know whether each channel is reached.
func isTest(c schema.Conversation) bool {
	return strings.HasPrefix(c.Cluster, schema.TestCluster) && c.Object.Kind == schema.KindService
}

// isChannel tells whether c is about one of the channels.
func isChannel(c schema.Conversation) bool {
	return c.Cluster == schema.OwnCluster && c.Object.Kind == schema.KindChannel
}

// notThroughItself has no channel told of its own trouble, if there is another one.
func notThroughItself(name string, choices []Choice) {
	own := slices.IndexFunc(choices, func(x Choice) bool { return x.Channel == name })
	if own < 0 || !choices[own].Tell || len(choices) == 1 {
		return
	}
	choices[own] = Choice{Channel: name, by: byItself}
	if slices.ContainsFunc(choices, func(x Choice) bool { return x.Tell }) {
		return
	}
	for i, x := range choices {
		if i != own {
			choices[i] = Choice{Channel: x.Channel, Tell: true, by: byItself}
		}
	}
}
