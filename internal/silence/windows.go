package silence

import (
	"cmp"
	"slices"
	"time"
)

// Windows are all there are, by their names.
type Windows []Weekly

// MaxWindows is how many there may be.
const MaxWindows = 100

// Find gives the window of that id.
func (ws Windows) Find(id string) (*Weekly, bool) {
	for i := range ws {
		if ws[i].ID() == id {
			return &ws[i], true
		}
	}
	return nil, false
}

// Standing is how windows stand at one time. It remembers what it found out and belongs to one goroutine.
type Standing struct {
	windows Windows
	now     time.Time
	active  []int          // of the windows
	spans   map[int][]Span // by window, of those that were asked for
}

// At gives how the windows stand at now.
func (ws Windows) At(now time.Time) *Standing {
	s := &Standing{windows: ws, now: now, spans: map[int][]Span{}}
	for i := range ws {
		if ws[i].active(now) {
			s.active = append(s.active, i)
		}
	}
	return s
}

// Covering gives the window that covers t and holds longest. The span begins with that window and ends when no window
// covers t any more: the next one may begin as this one ends. Where that never comes, it is so far away that it need not
// be looked at again for 30 days.
func (s *Standing) Covering(t Target) (w *Weekly, held Span, found bool) {
	for _, i := range s.active {
		x := &s.windows[i]
		if !x.Matcher.Covers(t) {
			continue
		}
		for _, span := range s.spansOf(i) {
			if span.holds(s.now) && (!found || span.Until.After(held.Until) || span.Until.Equal(held.Until) && x.Name < w.Name) {
				w, held, found = x, span, true
			}
		}
	}
	if found {
		held.Until = s.end(t, held.Until)
	}
	return w, held, found
}

// end goes on from the end of one window to that of the next, as long as they touch.
func (s *Standing) end(t Target, until time.Time) time.Time {
	var all []Span
	for i := range s.windows {
		if s.windows[i].Matcher.Covers(t) {
			all = append(all, s.spansOf(i)...)
		}
	}
	slices.SortFunc(all, func(a, b Span) int { return cmp.Or(a.From.Compare(b.From), a.Until.Compare(b.Until)) })
	for _, x := range all {
		if !x.From.After(until) && x.Until.After(until) {
			until = x.Until
		}
	}
	if until.Sub(s.now) > 7*24*time.Hour {
		return s.now.Truncate(Max).Add(2 * Max).UTC()
	}
	return until
}

func (s *Standing) spansOf(i int) []Span {
	spans, known := s.spans[i]
	if !known {
		spans = s.windows[i].spans(s.now, ahead)
		s.spans[i] = spans
	}
	return spans
}
