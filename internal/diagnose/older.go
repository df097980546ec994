package diagnose

import (
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// maxThreadNames is how many people one line about older decisions names.
const maxThreadNames = 3

// notes is how many tokens the turns of which open is true take as notes.
func notes(turns []schema.Message, open func(i int) bool) int {
	n := 0
	for i := range turns {
		if open(i) {
			n += Tokens(compact(turn(turns[i], maxThreadNote)) + "\n")
		}
	}
	return n
}

// older stands for the turns of which open is true, which are too many to stand as they are, in as many words as there
// are tokens for.
func older(turns []schema.Message, open func(i int) bool, room int) string {
	var those []schema.Message
	for i := range turns {
		if open(i) {
			those = append(those, turns[i])
		}
	}
	rest := commands(those, room/2)
	for _, how := range []telling{{words: true, apart: true, names: maxThreadNames}, {apart: true, names: maxThreadNames}, {names: maxThreadNames}} {
		if text := together(those, how) + rest; Tokens(text) <= room {
			return text
		}
	}
	return together(those, telling{}) + rest
}

// telling is how much is told of older decisions.
type telling struct {
	words bool // what was said with the last of a kind
	apart bool // each person's apart
	names int  // of people in one line
}

// decision is what one person, or several, decided once or more.
type decision struct {
	Earlier string    `json:"earlier"`
	By      []string  `json:"by,omitempty"`
	More    int       `json:"by_more,omitempty"` // times that it was somebody not named
	Count   int       `json:"count"`
	Last    time.Time `json:"last"`
	Text    string    `json:"text,omitempty"` // of the last
}

// together lists what was decided, each kind once, or each person's of a kind.
func together(turns []schema.Message, how telling) string {
	var all []*decision
	for _, m := range turns {
		by := turn(m, 0).Author
		i := slices.IndexFunc(all, func(d *decision) bool { return d.Earlier == m.Kind && (!how.apart || slices.Equal(d.By, named(by))) })
		if i < 0 {
			i = len(all)
			all = append(all, &decision{Earlier: m.Kind})
		}
		d := all[i]
		d.Count, d.Last = d.Count+1, m.At.UTC()
		if how.words {
			d.Text = scrub.Line(m.Content, maxThreadNote)
		}
		switch {
		case by == "" || slices.Contains(d.By, by):
		case len(d.By) >= how.names:
			d.More++
		default:
			d.By = append(d.By, by)
		}
	}
	var b strings.Builder
	for _, d := range all {
		b.WriteString(compact(d) + "\n")
	}
	return b.String()
}

func named(by string) []string {
	if by == "" {
		return nil
	}
	return []string{by}
}

// commands lists the different commands that were shown, the newest last, as many as there are tokens for.
func commands(turns []schema.Message, room int) string {
	var all, seen []string
	for _, m := range slices.Backward(turns) {
		if m.SuggestedCommand == "" || slices.Contains(seen, m.SuggestedCommand) {
			continue
		}
		seen = append(seen, m.SuggestedCommand)
		if room -= Tokens(quote(m.SuggestedCommand)) + 1; room >= 0 {
			all = append(all, m.SuggestedCommand)
		}
	}
	if len(seen) == 0 {
		return ""
	}
	slices.Reverse(all)
	return compact(struct {
		Commands []string `json:"earlier_commands"`
		More     int      `json:"more,omitempty"`
	}{all, len(seen) - len(all)}) + "\n"
}
