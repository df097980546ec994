package conversation

import (
	"cmp"
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Conditions hold one entry per name that is true, worst first, then what ended, newest first: at most one such
// entry per name and severity. A severity that falls ends the entry with the higher one and goes on under the lower,
// so that what a person was able to see can be told later.

// Bounds of the conditions: how many, and the facts of each.
const (
	maxConditions = 32
	maxFacts      = 6
)

func rank(severity string) int { return schema.SeverityRank(severity) }

// change is how what is true now differs from what was.
type change struct {
	now   []schema.Condition // all that is true, worst first
	more  []schema.Condition // new, or of a higher severity
	less  []schema.Condition // those with a lower severity, as they are now
	ended []schema.Condition // as they were
	past  []schema.Condition // entries that end with this change
}

func (d change) nothing() bool { return len(d.more)+len(d.less)+len(d.ended) == 0 }

// compare works out what changes when found, which it may change, is all that is true of c's object at the given
// time.
func compare(c schema.Conversation, found []schema.Condition, at time.Time) change {
	d := change{now: found}
	was := map[string]schema.Condition{}
	for _, x := range c.Conditions {
		if x.Until.IsZero() {
			was[x.Name] = x
		}
	}
	for i := range d.now {
		n := &d.now[i]
		w, known := was[n.Name]
		delete(was, n.Name)
		if known {
			n.Since, n.Unknown = w.Since, w.Unknown
		}
		switch {
		case !known || rank(n.Severity) > rank(w.Severity):
			d.more = append(d.more, *n)
		case rank(n.Severity) < rank(w.Severity):
			d.less = append(d.less, *n)
			w.Until = at
			d.past = append(d.past, w)
		}
	}
	for _, x := range c.Conditions { // in c's order, which a map does not keep
		if w, over := was[x.Name]; over && x.Until.IsZero() {
			d.ended = append(d.ended, w)
			w.Until = at
			d.past = append(d.past, w)
		}
	}
	return d
}

// track writes the change to the conversation, with the worst one's severity and title. When nothing is true any
// more, those of the last worst stay.
func (s *step) track(d change) {
	past := slices.Clone(d.past)
	for _, x := range s.c.Conditions {
		if !x.Until.IsZero() && !has(past, x) && !has(d.now, x) {
			past = append(past, x)
		}
	}
	slices.SortStableFunc(past, func(a, b schema.Condition) int { return b.Until.Compare(a.Until) })
	all := make([]schema.Condition, 0, len(d.now)+len(past))
	for _, x := range d.now {
		all = append(all, tidy(x))
	}
	all = append(all, past...)
	s.c.Conditions = all[:min(len(all), maxConditions)]
	if len(d.now) > 0 {
		w := all[0]
		s.critical(w.Severity)
		s.c.Condition, s.c.Severity, s.c.Title = w.Name, w.Severity, w.Title
	}
}

// critical records since when the worst condition is critical, severity being what it is from now on.
func (s *step) critical(severity string) {
	switch {
	case severity != schema.SeverityCritical:
		s.c.CriticalSince = time.Time{}
	case s.c.CriticalSince.IsZero() || s.c.Severity != schema.SeverityCritical:
		s.c.CriticalSince = s.stored
		if s.stored.IsZero() {
			s.c.CriticalSince = s.at
		}
	}
}

func has(list []schema.Condition, x schema.Condition) bool {
	return slices.ContainsFunc(list, func(y schema.Condition) bool {
		return y.Name == x.Name && y.Severity == x.Severity
	})
}

// worstFirst brings what was found into order and within bounds: one condition per name, worst first, and of equals
// the oldest first. Texts are cleaned later, and only if something changes.
func worstFirst(found []schema.Condition, at time.Time) []schema.Condition {
	list := slices.Clone(found)
	for i := range list {
		x := &list[i]
		x.Name = fit(x.Name, maxName)
		if rank(x.Severity) == 0 {
			x.Severity = schema.SeverityWarning // a subject needs one of the three
		}
		if x.Since.IsZero() {
			x.Since = at
		}
		x.Since, x.Until = utc(x.Since), time.Time{}
	}
	slices.SortStableFunc(list, func(a, b schema.Condition) int {
		return cmp.Or(rank(b.Severity)-rank(a.Severity), a.Since.Compare(b.Since), cmp.Compare(a.Name, b.Name))
	})
	seen := map[string]bool{}
	list = slices.DeleteFunc(list, func(x schema.Condition) bool {
		again := seen[x.Name]
		seen[x.Name] = true
		return again
	})
	return list[:min(len(list), maxConditions)]
}

// tidy cleans the texts of x and holds them to their bounds.
func tidy(x schema.Condition) schema.Condition {
	x.Title = line(x.Title, maxLine)
	facts := x.Facts[:min(len(x.Facts), maxFacts)]
	x.Facts = nil
	for _, f := range facts {
		x.Facts = append(x.Facts, line(f, maxLine))
	}
	return x
}

// stillTrue tells whether any condition of c is true.
func stillTrue(c schema.Conversation) bool {
	return slices.ContainsFunc(c.Conditions, func(x schema.Condition) bool { return x.Until.IsZero() })
}

// seenSince is the rank of the worst severity that was to be seen in c at any time after t.
func seenSince(c schema.Conversation, t time.Time) int {
	worst := 0
	for _, x := range c.Conditions {
		if x.Until.IsZero() || x.Until.After(t) {
			worst = max(worst, rank(x.Severity))
		}
	}
	return worst
}

// covers tells whether what was to be seen since the newest message of kind includes severity.
func covers(c schema.Conversation, kind, severity string) bool {
	var t time.Time
	if i := last(c, kind); i >= 0 {
		t = c.Messages[i].At
	}
	return rank(severity) <= seenSince(c, t)
}
