package silence

import (
	"fmt"
	"strings"
	"time"
)

// WindowPrefix begins the id of a window, before its name.
const WindowPrefix = "window:"

// IsWindow tells whether an id is that of a window.
func IsWindow(id string) bool { return strings.HasPrefix(id, WindowPrefix) }

const dayMinutes = 24 * 60

// Weekly is a window of the week in which nobody is told of what Matcher names. It begins on each of Days at From, by the
// clocks of Zone, and ends at To, on the day after if that is not later than From.
//
// A time that comes twice, where clocks are set back, begins a window the first time and ends it the second time. One
// that does not come, where clocks are set forward, is the moment at which they are.
type Weekly struct {
	Name    string
	Matcher Matcher
	Days    [7]bool // by time.Weekday
	From    int     // minutes after midnight, below 24 h
	To      int     // the same; 24 h: the day's end
	Zone    *time.Location
	Reason  string
}

// ID is what a conversation bears that the window silences.
func (w *Weekly) ID() string { return WindowPrefix + w.Name }

// Span is one time that a window holds, or several that touch.
type Span struct{ From, Until time.Time }

func (s Span) holds(at time.Time) bool { return !at.Before(s.From) && at.Before(s.Until) }

// ActiveAt tells whether the window holds at now, and then until when: the end of the last of its days in a row, if one
// ends as the next begins.
func (w *Weekly) ActiveAt(now time.Time) (until time.Time, ok bool) {
	if !w.active(now) {
		return time.Time{}, false
	}
	for _, s := range w.spans(now, ahead) {
		if s.holds(now) {
			return s.Until, true
		}
	}
	return time.Time{}, false
}

// Next is when the window holds at now, or the next time that it will.
func (w *Weekly) Next(now time.Time) Span {
	for _, s := range w.spans(now, ahead+1) { // a day more: the only one of this week may have no such time
		if now.Before(s.Until) {
			return s
		}
	}
	return Span{}
}

// ahead is how many days are looked at: all of a week, wherever in it one begins.
const ahead = 8

func (w *Weekly) active(now time.Time) bool {
	for _, s := range w.spans(now, 0) {
		if s.holds(now) {
			return true
		}
	}
	return false
}

// spans are the times that the window holds which begin on the day before now's, on that one, or up to days after it.
// Those that touch are one.
func (w *Weekly) spans(now time.Time, days int) []Span {
	year, month, day := now.In(w.Zone).Date()
	var all []Span
	for i := -1; i <= days; i++ {
		if !w.Days[time.Date(year, month, day+i, 0, 0, 0, 0, time.UTC).Weekday()] {
			continue
		}
		to := w.To
		if to <= w.From {
			to += dayMinutes
		}
		from, _ := instants(time.Date(year, month, day+i, 0, w.From, 0, 0, time.UTC), w.Zone)
		_, until := instants(time.Date(year, month, day+i, 0, to, 0, 0, time.UTC), w.Zone)
		switch n := len(all); {
		case !from.Before(until): // a time that does not come on that day
		case n > 0 && !from.After(all[n-1].Until):
			all[n-1].Until = until
		default:
			all = append(all, Span{from, until})
		}
	}
	return all
}

// instants gives the first and the last instant at which clocks of the zone show what wall shows in UTC: the same one,
// but where clocks are set back. Where they are set forward over it, it is the instant at which they are.
func instants(wall time.Time, zone *time.Location) (first, last time.Time) {
	near := wall.Add(-offset(wall, zone)).In(zone)
	begin, end := near.ZoneBounds()
	var found []time.Time
	for _, within := range []time.Time{begin.Add(-1), near, end} {
		if within.Before(begin) && begin.IsZero() || within.IsZero() {
			continue
		}
		at := wall.Add(-offset(within, zone))
		if offset(at, zone) == offset(within, zone) {
			found = append(found, at)
		}
	}
	if len(found) > 0 {
		first, last = found[0], found[0]
		for _, at := range found {
			if at.Before(first) {
				first = at
			}
			if at.After(last) {
				last = at
			}
		}
		return first, last
	}
	for _, change := range []time.Time{begin, end} {
		if !change.IsZero() && !wall.Add(-offset(change.Add(-1), zone)).Before(change) && wall.Add(-offset(change, zone)).Before(change) {
			return change, change
		}
	}
	return near, near
}

func offset(at time.Time, zone *time.Location) time.Duration {
	_, seconds := at.In(zone).Zone()
	return time.Duration(seconds) * time.Second
}

// String is when the window holds, for people: mon-fri 22:00–06:00 Europe/Berlin.
func (w *Weekly) String() string {
	return fmt.Sprintf("%s %s–%s %s", w.days(), clock(w.From), clock(w.To), w.Zone)
}

func clock(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }

// weekdays are the names of days, in the order of a week.
var weekdays = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// on tells whether the window begins on the day of that place in the week.
func (w *Weekly) on(place int) bool { return w.Days[(place+1)%7] }

func (w *Weekly) days() string {
	var runs []string
	for i := 0; i < len(weekdays); i++ {
		if !w.on(i) {
			continue
		}
		first := i
		for i+1 < len(weekdays) && w.on(i+1) {
			i++
		}
		switch i - first {
		case 0:
			runs = append(runs, weekdays[first])
		default:
			runs = append(runs, weekdays[first]+"-"+weekdays[i])
		}
	}
	return strings.Join(runs, ",")
}

// Day reads the name of a day, of three letters.
func Day(name string) (time.Weekday, bool) {
	for i, known := range weekdays {
		if name == known {
			return time.Weekday((i + 1) % 7), true
		}
	}
	return 0, false
}
