package silence

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Bounds of a silence, and of how many there may be.
const (
	Min       = time.Minute
	Max       = 30 * 24 * time.Hour // also how far ahead one may begin
	MaxCount  = 500
	maxReason = 500 // bytes
	minPrefix = 4
)

// Silence tells nobody of what Matcher names, from From until Until.
type Silence struct {
	ID      string        `json:"id"`
	Matcher Matcher       `json:"matcher"`
	From    time.Time     `json:"from"`
	Until   time.Time     `json:"until"`
	Author  schema.Author `json:"author"`
	Reason  string        `json:"reason"`
}

// Validate says what is wrong with a new silence, as of now.
func (s *Silence) Validate(now time.Time) error {
	switch {
	case s.Until.Sub(s.From) < Min:
		return errors.New("a silence shorter than a minute is over before it helps: say for how long, like 2h")
	case s.Until.Sub(s.From) > Max:
		return errors.New("30 days is the longest: silence it again when they are over")
	case s.From.Sub(now) > Max:
		return errors.New("it may begin at most 30 days from now")
	case !s.Until.After(now):
		return errors.New("it would be over already")
	case strings.TrimSpace(s.Reason) == "":
		return errors.New("say why, so that others know: -m 'moving the racks'")
	case len(s.Reason) > maxReason:
		return fmt.Errorf("the reason has %d bytes, and at most %d are kept", len(s.Reason), maxReason)
	}
	return s.Matcher.Validate()
}

// Active tells whether s holds at the given time.
func (s *Silence) Active(at time.Time) bool { return !at.Before(s.From) && at.Before(s.Until) }

// List is all silences, as they are kept.
type List struct {
	Silences []Silence `json:"silences"`
}

// Kept is the list without what is over at the given time.
func (l List) Kept(at time.Time) List {
	kept := slices.DeleteFunc(slices.Clone(l.Silences), func(s Silence) bool { return !at.Before(s.Until) })
	return List{kept}
}

// With is the list with s. One with the same id is there already, and stays as it is.
func (l List) With(s Silence) (List, error) {
	if _, found := l.Find(s.ID); found {
		return l, nil
	}
	if len(l.Silences) >= MaxCount {
		return l, fmt.Errorf("there are %d silences already: end some with bellbuoy unsilence, or make one that covers more", len(l.Silences))
	}
	return List{append(slices.Clone(l.Silences), s)}, nil
}

// Without is the list without the silence of that id.
func (l List) Without(id string) List {
	return List{slices.DeleteFunc(slices.Clone(l.Silences), func(s Silence) bool { return s.ID == id })}
}

// Find gives the silence of that id.
func (l List) Find(id string) (Silence, bool) {
	i := slices.IndexFunc(l.Silences, func(s Silence) bool { return s.ID == id })
	if i < 0 {
		return Silence{}, false
	}
	return l.Silences[i], true
}

// Named gives the silences whose id is ref or begins with it, with at least four digits.
func (l List) Named(ref string) []Silence {
	var found []Silence
	for _, s := range l.Silences {
		if s.ID == ref || len(ref) >= minPrefix && strings.HasPrefix(s.ID, ref) {
			found = append(found, s)
		}
	}
	return found
}

// Covering gives, of the silences that cover t at the given time, the one that holds longest.
func (l List) Covering(t Target, at time.Time) (best Silence, found bool) {
	for _, s := range l.Silences {
		if !s.Active(at) || !s.Matcher.Covers(t) {
			continue
		}
		if !found || s.Until.After(best.Until) || s.Until.Equal(best.Until) && s.ID < best.ID {
			best, found = s, true
		}
	}
	return best, found
}
