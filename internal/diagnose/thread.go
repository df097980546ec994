package diagnose

import (
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// Bounds of the thread that a question goes with, in bytes but for the counts.
const (
	maxThread      = 3000 // of all of it
	maxThreadOlder = 1600 // of what stands for the older turns
	maxThreadTurn  = 500
	maxThreadTurns = 10
	maxThreadWords = 120                // of an older decision
	maxThreadNames = 3                  // of those who took it
	maxCommands    = maxThreadOlder / 2 // of all of them
)

// said is one turn of the thread as a prompt shows it.
type said struct {
	Kind    string `json:"kind"`
	Sender  string `json:"sender"`
	Author  string `json:"author,omitempty"`
	Text    string `json:"text"`
	Command string `json:"command,omitempty"`
}

// thread is what was said before question, as JSON lines, oldest first, within maxThread. The newest turns are whole.
// Of older ones the decisions and the commands are kept, those of a kind together, and the others are counted.
func thread(c schema.Conversation, question schema.Message) string {
	turns := slices.DeleteFunc(slices.Clone(c.Messages), func(m schema.Message) bool { return m.ID == question.ID || m.Content == "" })
	first, room := len(turns), maxThread-maxThreadOlder
	for first > 0 && len(turns)-first < maxThreadTurns && len(turn(turns[first-1])) <= room {
		first--
		room -= len(turn(turns[first]))
	}
	var b strings.Builder
	b.WriteString(older(turns[:first]))
	for _, m := range turns[first:] {
		b.WriteString(turn(m))
	}
	return b.String()
}

func turn(m schema.Message) string {
	t := said{Kind: m.Kind, Sender: m.Sender, Author: authorOf(m), Text: cut(scrub.Clean(m.Content), maxThreadTurn), Command: m.SuggestedCommand}
	return compact(t) + "\n"
}

func authorOf(m schema.Message) string {
	if m.Author == nil {
		return ""
	}
	return scrub.Line(m.Author.Name, 60)
}

// older stands for turns that are not shown whole, in as many words as there is room for.
func older(turns []schema.Message) string {
	if len(turns) == 0 {
		return ""
	}
	rest := commands(turns) + leftOut(turns)
	for _, how := range []telling{{words: true, apart: true, names: maxThreadNames}, {apart: true, names: maxThreadNames}, {names: maxThreadNames}} {
		if text := decisions(turns, how) + rest; len(text) <= maxThreadOlder {
			return text
		}
	}
	return decisions(turns, telling{}) + rest
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

// decisions lists what was decided, each kind once, or each person's of a kind.
func decisions(turns []schema.Message, how telling) string {
	var all []*decision
	for _, m := range turns {
		if !decided(m.Kind) {
			continue
		}
		by := authorOf(m)
		i := slices.IndexFunc(all, func(d *decision) bool { return d.Earlier == m.Kind && (!how.apart || slices.Equal(d.By, named(by))) })
		if i < 0 {
			i = len(all)
			all = append(all, &decision{Earlier: m.Kind})
		}
		d := all[i]
		d.Count, d.Last = d.Count+1, m.At.UTC()
		if how.words {
			d.Text = scrub.Line(m.Content, maxThreadWords)
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

// decided tells whether an event is a decision, or what all else follows from.
func decided(kind string) bool {
	return slices.Contains([]string{
		schema.EventOpened, schema.EventReopened, schema.EventAcknowledged, schema.EventUnacknowledged, schema.EventSilenced,
		schema.EventUnsilenced, schema.EventResolved, schema.EventDismissed, schema.EventJudged, schema.EventFolded,
	}, kind)
}

// commands lists the different commands that were shown, the newest last, as many as there is room for.
func commands(turns []schema.Message) string {
	var all, seen []string
	room := maxCommands
	for _, m := range slices.Backward(turns) {
		if m.SuggestedCommand == "" || slices.Contains(seen, m.SuggestedCommand) {
			continue
		}
		seen = append(seen, m.SuggestedCommand)
		if room -= len(quote(m.SuggestedCommand)) + 1; room >= 0 {
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

// leftOut counts the other turns, by kind.
func leftOut(turns []schema.Message) string {
	counts := map[string]int{} // in JSON its keys are sorted
	for _, m := range turns {
		if !decided(m.Kind) {
			counts[m.Kind]++
		}
	}
	if len(counts) == 0 {
		return ""
	}
	return compact(map[string]any{"earlier_left_out": counts}) + "\n"
}
