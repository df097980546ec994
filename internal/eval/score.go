package eval

import (
	"fmt"
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/replay"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Score is how well a course tells the truth. Wrong lists what it got wrong; empty: nothing.
type Score struct {
	Incidents int
	Told      int // cards that made a sound
	Right     int // of them, those that an incident is behind
	Found     int // incidents that were told
	Sounds    int
	Delays    []time.Duration // of those, from their true beginning
	Wrong     []string
}

// card is one episode of one conversation.
type card struct {
	object  string
	entries []replay.Entry
}

// told is the entry that first made a sound.
func (c *card) told() (replay.Entry, bool) {
	i := slices.IndexFunc(c.entries, func(e replay.Entry) bool { return e.Sound })
	if i < 0 {
		return replay.Entry{}, false
	}
	return c.entries[i], true
}

// cards takes the timeline apart. They are in the order of their opening.
func cards(entries []replay.Entry) []*card {
	var all []*card
	newest := map[string]*card{}
	for _, e := range entries {
		c := newest[e.Conversation]
		if c == nil || e.Kind == schema.EventOpened {
			c = &card{object: e.Cluster + "/" + e.Object.String()}
			newest[e.Conversation] = c
			all = append(all, c)
		}
		c.entries = append(c.entries, e)
	}
	return all
}

// Judge compares what came of a recording with what is true of it.
func Judge(t *Truth, entries []replay.Entry) Score {
	s := Score{Incidents: len(t.Incidents)}
	all := cards(entries)
	found := make([]*card, len(t.Incidents))
	for _, c := range all {
		first, loud := c.told()
		if !loud {
			continue
		}
		s.Told++
		i := slices.IndexFunc(t.Incidents, func(x Incident) bool { return x.during(c.object, first.At) })
		switch {
		case i < 0:
			s.wrong("%s told %s at %s, and there is no such incident", c.object, first.Severity, clock(first.At))
		case found[i] != nil:
			s.wrong("%s told at %s, and %s had told of that incident", c.object, clock(first.At), found[i].object)
		default:
			s.Right++
			found[i] = c
		}
	}
	for i := range t.Incidents {
		s.incident(&t.Incidents[i], found[i])
	}
	s.noted(t.Noted, all)
	s.quiet(t.Quiet, entries)
	for _, e := range entries {
		if e.Sound {
			s.Sounds++
		}
	}
	if s.Sounds > t.Sounds {
		s.wrong("%d sounds, and there may be %d", s.Sounds, t.Sounds)
	}
	return s
}

func (s *Score) wrong(format string, args ...any) {
	s.Wrong = append(s.Wrong, fmt.Sprintf(format, args...))
}

func clock(at time.Time) string { return at.UTC().Format("2 Jan 15:04:05") }

// during tells whether a card about the object that is told at that time is about x.
func (x *Incident) during(object string, at time.Time) bool {
	return slices.Contains(x.Objects, object) && !at.Before(x.From) && (x.To.IsZero() || !at.After(x.To))
}

// incident judges the card that tells of x; nil: none does.
func (s *Score) incident(x *Incident, c *card) {
	name := x.Objects[0]
	if c == nil {
		s.wrong("%s, %s from %s on, is told to nobody", name, x.Severity, clock(x.From))
		return
	}
	s.Found++
	first, _ := c.told()
	s.Delays = append(s.Delays, first.At.Sub(x.From))
	if first.At.After(x.By) {
		s.wrong("%s is told at %s, %v after it was due", name, clock(first.At), first.At.Sub(x.By))
	}
	s.severity(x, c)
	s.ending(x, c)
}

// severity judges how bad it was told to be, and when.
func (s *Score) severity(x *Incident, c *card) {
	worst, at := "", time.Time{}
	for _, e := range c.entries {
		if e.Sound && schema.SeverityRank(e.Severity) > schema.SeverityRank(worst) {
			worst, at = e.Severity, e.At
		}
	}
	switch {
	case worst != x.Severity:
		s.wrong("%s is told as %s, and is %s", x.Objects[0], worst, x.Severity)
	case !x.Worse.IsZero() && at.After(x.Worse):
		s.wrong("%s is told as %s at %s, %v after it was due", x.Objects[0], worst, clock(at), at.Sub(x.Worse))
	case at.Before(x.Worst):
		s.wrong("%s is told as %s at %s, and is not before %s", x.Objects[0], worst, clock(at), clock(x.Worst))
	}
}

// ending judges when it was called over. What was folded into its cause is told there.
func (s *Score) ending(x *Incident, c *card) {
	var over time.Time
	for _, e := range c.entries {
		switch e.Kind {
		case schema.EventReopened:
			over = time.Time{}
		case schema.EventFolded:
			over = e.At
		case schema.EventCleared:
			over = e.At
			if x.To.IsZero() || e.At.Before(x.To) {
				s.wrong("%s is called over at %s, and goes on", x.Objects[0], clock(e.At))
			}
		}
	}
	switch {
	case x.Over.IsZero():
	case over.IsZero():
		s.wrong("%s is not called over, and should be by %s", x.Objects[0], clock(x.Over))
	case over.After(x.Over):
		s.wrong("%s is called over at %s, %v after it was due", x.Objects[0], clock(over), over.Sub(x.Over))
	}
}

func (s *Score) noted(all []Incident, told []*card) {
	for i := range all {
		x := &all[i]
		kept := slices.ContainsFunc(told, func(c *card) bool {
			first := c.entries[0]
			_, loud := c.told()
			return !loud && x.during(c.object, first.At) && !first.At.After(x.By) && first.Severity == x.Severity
		})
		if !kept {
			s.wrong("%s, %s from %s on, is not noted without a sound by %s", x.Objects[0], x.Severity, clock(x.From), clock(x.By))
		}
	}
}

func (s *Score) quiet(all []Quiet, entries []replay.Entry) {
	for _, q := range all {
		for _, e := range entries {
			within := q.To.IsZero() || !e.At.Before(q.From) && !e.At.After(q.To)
			if e.Posted && within && e.Cluster+"/"+e.Object.String() == q.Object {
				s.wrong("%s is to be quiet, and is told %s at %s", q.Object, e.Kind, clock(e.At))
			}
		}
	}
}
