// Package route decides which channels are told of a conversation, on which terms and why. It is pure: the same
// conversation, routes and time give the same answer.
//
// Routes are tried in their order. The first one that matches has the conversation, and the next ones are tried only if it
// says so; where none matches, the default is told. A route may be for some hours of the week only: what it does not have
// because of the hour it has once its hours begin, if the conversation is open then. What is over is routed as of when it
// ended. An escalation tells further channels of what is critical, open and nobody's once that has lasted for long enough.
//
// What `bellbuoy test` makes up every channel is told of, whatever the routes say.
//
// What a channel has been told of an episode is not known here: it is told that to its end, whatever the routes say by then.
package route

import (
	"time"

	"github.com/bellbuoy/bellbuoy/internal/silence"
)

// Route says who is told of what.
type Route struct {
	Name     string // empty: it has none
	Line     int    // of the file
	Match    Match
	To       []string // names of channels; empty: nobody is told
	Mention  string   // whom posts call, in the channels' own spelling; empty: nobody
	Escalate *Escalation
	Digest   Digest
	Continue bool // the routes after it are tried too
}

// Escalation tells further channels of what is critical and nobody's.
type Escalation struct {
	After   time.Duration // since it is
	To      []string
	Mention string
}

// Digest is how often what is not told one by one is told together. The zero value is never.
type Digest struct {
	Every time.Duration  // 0: once a day
	At    int            // minutes after midnight by the clocks of Zone
	Zone  *time.Location // nil: not once a day
}

// None tells whether there is no digest.
func (d Digest) None() bool { return d.Every == 0 && d.Zone == nil }

// End is when what is collected at now is told: the same for everybody who asks. Zero: there is no digest.
func (d Digest) End(now time.Time) time.Time {
	switch {
	case d.None():
		return time.Time{}
	case d.Zone == nil:
		return now.Truncate(d.Every).Add(d.Every)
	}
	year, month, day := now.In(d.Zone).Date()
	end := time.Date(year, month, day, 0, d.At, 0, 0, d.Zone)
	for i := 1; !end.After(now); i++ {
		end = time.Date(year, month, day+i, 0, d.At, 0, 0, d.Zone)
	}
	return end
}

// String is the digest as it is written; empty: none.
func (d Digest) String() string {
	switch {
	case d.None():
		return ""
	case d.Zone == nil:
		return "every " + span(d.Every)
	}
	return "daily " + clock(d.At) + " " + d.Zone.String()
}

// Routes are all there are. The zero value with channels tells each of everything.
type Routes struct {
	Channels []string // all that are configured, in their order
	Routes   []Route
	Default  []string // told of what no route has; nil: all channels
}

// Choice is what the routes say of a conversation and one channel.
type Choice struct {
	Channel   string
	Tell      bool
	Mention   string
	Digest    Digest
	Escalated bool      // it is told because nobody has the conversation
	Why       string    // in words: which route tells the channel, or why none does
	Again     time.Time // when it may be otherwise without an event; zero: only an event changes it

	by int // the route's place, or one of those below
}

const (
	byDefault = -1
	byNobody  = -2
	byItself  = -3 // it is about a channel
	byTest    = -4
)

// same tells whether the channel hears the same on the same terms.
func (c Choice) same(d Choice) bool {
	return c.Tell == d.Tell && (!c.Tell || c.by == d.by && c.Escalated == d.Escalated)
}

// Window is the hours of the week that a route is for: only its days, times and zone count.
type Window = silence.Weekly
