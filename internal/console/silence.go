package console

import (
	"strconv"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/silence"
)

// Silenced says what a new silence covers, as of now, and how to end it.
func (p *Printer) Silenced(s silence.Silence, covers int, now time.Time) {
	var b strings.Builder
	p.titled(&b, s.ID+"  ", "silenced: "+clean(s.Matcher.String())+", "+p.during(s, now)+"; "+covering(covers))
	p.whole(&b, "end it", "bellbuoy unsilence "+s.ID)
	p.write(b.String())
}

// Unsilenced says what a silence was that is over, and how many open conversations it had kept quiet.
func (p *Printer) Unsilenced(s silence.Silence, covered int) {
	p.write(s.ID + "  no longer silenced: " + clean(s.Matcher.String()) + "; it kept " + Count(covered, "open conversation") + " quiet\n")
}

// Silences prints the silences by scope as a table, as of now.
func (p *Printer) Silences(list []client.Silence, now time.Time) {
	if len(list) == 0 {
		p.write("nothing is silenced by scope; bellbuoy list shows conversations that are silenced alone\n")
		return
	}
	t := Table{Head: []string{"ID", "WHAT", "WHEN", "OPEN", "BY", "WHY"}, Gives: []int{5, 1, 2}}
	for _, s := range list {
		t.Rows = append(t.Rows, []Cell{
			{Text: s.ID},
			{Text: s.Matcher.String()},
			{Text: p.weekly(s, now)},
			{Text: strconv.Itoa(s.Covers)},
			{Text: dash(s.Author.Name)},
			{Text: s.Reason},
		})
	}
	p.Table(t)
}

func covering(n int) string {
	if n == 0 {
		return "of what is open it covers nothing"
	}
	return "of what is open it covers " + Count(n, "conversation")
}

// weekly is when one of a list holds; of a window also when it does each week.
func (p *Printer) weekly(s client.Silence, now time.Time) string {
	switch {
	case s.Weekly == "":
		return p.during(s.Silence, now)
	case s.Active:
		return p.during(s.Silence, now) + ", " + s.Weekly
	}
	return "next " + p.when(s.From, now) + ", " + s.Weekly
}

// during is when a silence holds.
func (p *Printer) during(s silence.Silence, now time.Time) string {
	if s.From.After(now) {
		return "from " + p.when(s.From, now) + " to " + p.when(s.Until, now)
	}
	return "until " + p.when(s.Until, now)
}

// byScope tells of a silence that covers an object.
func (p *Printer) byScope(s silence.Silence, now time.Time) string {
	return clean(s.Author.Name) + vouched(&s.Author) + ", " + p.during(s, now) + ", with silence " + s.ID + " of " + clean(s.Matcher.String()) + ": " + clean(s.Reason)
}

// silencedBy is how the newest silence of a conversation was told; empty unless it is silenced now.
func silencedBy(c *schema.Conversation) string {
	text := ""
	for _, m := range c.Messages {
		if m.Kind == schema.EventSilenced && c.State == schema.StateSilenced {
			text = clean(m.Content)
		}
	}
	return text
}
