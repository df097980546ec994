package webhook

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// spoken tells what a chat hears of that cannot change what it was told: each post is a message more. What begins, gets
// worse or breaks through a silence, what nobody has, what is over, and answers. Who has it by now, diagnoses and small
// changes go with the next of those.
func spoken(c schema.Conversation, m schema.Message) bool {
	switch m.Kind {
	case schema.EventOpened, schema.EventReopened, schema.EventWorsened, schema.EventUnsilenced, schema.EventEscalated,
		schema.EventStillFiring, schema.EventAnswered:
		return true
	case schema.EventGrown:
		return !m.Silent // something bad has joined
	}
	return channel.Closes(m) && c.Closed()
}

// fact is one named value of a conversation.
type fact struct{ name, value string }

func summary(c schema.Conversation) []fact {
	all := []fact{{"Severity", c.Severity}, {"State", c.State}, {"Cluster", c.Cluster}, {"Owner", c.Owner}}
	if c.AffectedCount > 0 {
		all = append(all, fact{"Affected", fmt.Sprint(c.AffectedCount)})
	}
	for _, name := range []string{"team", "tier"} {
		all = append(all, fact{strings.ToUpper(name[:1]) + name[1:], c.Labels[name]})
	}
	var said []fact
	for _, f := range all {
		if f.value = plain(f.value, 80); f.value != "" {
			said = append(said, f)
		}
	}
	return said
}

// paragraphs are what a chat is told below the line, each of at most limit bytes: answers; else, while it is open, the
// diagnosis, the next step and what it logged.
func paragraphs(s step, limit int) []string {
	var all []string
	add := func(text string) {
		if text != "" && len(all) < maxParagraphs {
			all = append(all, text)
		}
	}
	for _, m := range s.events {
		if m.Kind == schema.EventAnswered {
			add(block(m.Content, limit))
		}
	}
	if c := s.conv; !c.Closed() && s.lead.Kind != schema.EventAnswered {
		if c.Diagnosis != nil {
			add(block(c.Diagnosis.Summary, limit))
			add(titled("Next: ", nextStep(c, limit)))
		}
		add(titled("Log: ", logged(s, limit)))
	}
	return all
}

const (
	maxParagraphs = 6
	maxLines      = 12 // of a paragraph
	maxLogged     = 5  // lines of logs, where all may be shown
)

// logged is what the evidence has of logs.
func logged(s step, limit int) string {
	var lines []string
	for _, e := range s.conv.Evidence {
		if e.Kind == "log" && len(lines) < maxLogged {
			lines = append(lines, plain(e.Text, limit/maxLogged))
		}
	}
	return channel.Cut(strings.Join(lines, "\n"), limit)
}

// titled is a text behind what it is; nothing if there is none.
func titled(what, text string) string {
	if text == "" {
		return ""
	}
	return what + text
}

// nextStep is what to do: the command where there is one, else the step by its name. A command that does not fit is left
// out rather than shown in part, which may do something else.
func nextStep(c schema.Conversation, limit int) string {
	d := c.Diagnosis
	switch {
	case d == nil || d.Action.Verb == "" || d.Action.Verb == "none":
		return ""
	case d.Command != "" && len(d.Command) <= limit:
		return plain(d.Command, limit)
	}
	return strings.TrimSpace(plain(d.Action.Verb, 40) + " " + plain(d.Action.Target, 160))
}

// block is a text of several lines of which no program makes a link, a mention or markup.
func block(text string, limit int) string {
	text = strings.TrimSpace(scrub.Inert(channel.Cut(text, schema.MaxMessageBytes)))
	lines := strings.SplitN(text, "\n", maxLines+1)
	if len(lines) > maxLines {
		lines[maxLines] = "…"
	}
	return channel.Cut(strings.Join(lines, "\n"), limit)
}

// tone is how a state looks.
type tone int

const (
	firing tone = iota
	owned
	over
	hushed
)

func toneOf(c schema.Conversation) tone {
	switch {
	case c.Closed():
		return over
	case c.State == schema.StateSilenced:
		return hushed
	case c.State == schema.StateAcknowledged || c.State == schema.StateWatching:
		return owned
	}
	return firing
}

// title names the object.
func title(c schema.Conversation) string { return cmp.Or(plain(c.Object.String(), 160), c.ID) }
