package console

import (
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// below is where the lines under an event's first one begin: under its tag.
const below = len("15:04:05 ")

// Event prints message m of conversation c, readable at a glance: when, how bad, which conversation, about what, and
// what happened; below it the likely cause and the next step, if the event brings them. c is the conversation as it was
// after m or later.
func (p *Printer) Event(c schema.Conversation, m schema.Message) {
	e := p.event(&c, &m)
	p.lines(c, m.At, e)
}

// Standing prints an open conversation as it is now, in the form of an event: by when it began.
func (p *Printer) Standing(c schema.Conversation) {
	e := event{tag: tag(c.Severity), text: headline(&c) + " (" + standing(&c) + ")", reach: reach(&c), likely: likely(&c), next: command(&c)}
	p.lines(c, c.StartedAt, e)
}

// standing is a conversation's state in words, with its owner.
func standing(c *schema.Conversation) string {
	if c.State == schema.StateAcknowledged && c.Owner != "" {
		return clean(c.Owner) + " has it"
	}
	return c.State
}

// event is what is said of one: all of it is clean.
type event struct {
	tag, text, likely, next string
	reach                   string   // whom it affects
	more                    []string // further lines, each of its own
}

// reach says in a line whom it affects, or who needs what failed.
func reach(c *schema.Conversation) string {
	if who := affects(c, fewAffected); who != "" {
		return "affects: " + who
	}
	if who := neededBy(c, fewAffected); who != "" {
		return "needed by: " + who
	}
	return ""
}

func (p *Printer) lines(c schema.Conversation, at time.Time, e event) {
	var b strings.Builder
	name := p.object(c.Cluster, c.Object)
	head := p.o.clock(at) + " " + pad(e.tag, len(tagNone)) + " " + p.ID(c.ID) + " " + name + " "
	width := p.width()
	text := wrap(e.text, width-columns(head), width-below)
	b.WriteString(p.paint(dim, p.o.clock(at)) + " " + p.paintTag(pad(e.tag, len(tagNone))) + " " + p.paint(dim, p.ID(c.ID)) + " " + p.paint(bold, name))
	if text[0] != "" {
		b.WriteString(" ")
	}
	for _, line := range e.more {
		text = append(text, wrap(line, width-below, width-below)...)
	}
	b.WriteString(strings.Join(text, "\n"+strings.Repeat(" ", below)) + "\n")
	if e.reach != "" {
		indent := strings.Repeat(" ", below)
		b.WriteString(indent + p.faint(strings.Join(wrap(e.reach, width-below, width-below), "\n"+indent)) + "\n")
	}
	p.advice(&b, width, e.likely, e.next)
	p.write(b.String())
}

// advice writes the likely cause and the next step on one line if that has room, else on lines of their own. A command
// is never broken, because it is there to be copied.
func (p *Printer) advice(b *strings.Builder, width int, likely, next string) {
	indent := strings.Repeat(" ", below)
	if likely != "" {
		likely = "likely: " + likely
	}
	if next != "" && likely != "" && below+columns(likely)+len(gap)+len("next: ")+columns(next) <= width {
		b.WriteString(indent + p.faint(likely) + gap + p.step(next) + "\n")
		return
	}
	if likely != "" {
		b.WriteString(indent + p.faint(strings.Join(wrap(likely, width-below, width-below), "\n"+indent)) + "\n")
	}
	if next != "" {
		b.WriteString(indent + p.step(next) + "\n")
	}
}

// faint puts the label before the first colon in the background.
func (p *Printer) faint(s string) string {
	label, rest, _ := strings.Cut(s, ":")
	return p.paint(dim, label+":") + rest
}

func (p *Printer) step(next string) string { return p.paint(dim, "next:") + " " + p.paint(bold, next) }

func (o Options) clock(t time.Time) string { return t.In(o.Location).Format(time.TimeOnly) }

// event chooses the words of a message: what the rules say is put together anew, because the object is named already;
// what people say is theirs.
func (p *Printer) event(c *schema.Conversation, m *schema.Message) event {
	newest := len(c.Messages) == 0 || c.Messages[len(c.Messages)-1].ID == m.ID
	e := event{tag: tagNone, text: attributed(m), next: suggested(m)}
	switch m.Kind {
	case schema.EventOpened:
		e.tag, e.text = tag(c.Severity), lowerFirst(withoutName(c, clean(m.Content)))
		if newest {
			e.text, e.reach, e.likely = headline(c), reach(c), likely(c)
		}
	case schema.EventReopened, schema.EventWorsened, schema.EventEscalated:
		e.tag, e.text = tag(c.Severity), lowerFirst(withoutName(c, attributed(m)))
		if newest && m.Kind == schema.EventReopened {
			e.reach, e.likely = reach(c), likely(c)
		}
	case schema.EventFolded, schema.EventGrown:
		e.text = strings.TrimSuffix(lowerFirst(clean(m.Content)), ".")
	case schema.EventEased:
		e.text = lowerFirst(withoutName(c, clean(m.Content)))
	case schema.EventCleared:
		e.tag, e.text = tagWell, recovered(m)
		if c.ClosedAs == schema.StateRemoved {
			e.tag = "info"
		}
	case schema.EventDiagnosed:
		e.text = diagnosed(c, m, newest)
	case schema.EventAnswered:
		lines := paragraphs(m.Content, noLimit, noLimit)
		e.text, e.more = "answer: "+lines[0], lines[1:]
	}
	return e
}

// suggested is the command that a message brings, unless its text has it already.
func suggested(m *schema.Message) string {
	if next := clean(m.SuggestedCommand); !strings.Contains(clean(m.Content), next) {
		return next
	}
	return ""
}

// recovered says that it is over, without "recovered" for what has only gone.
func recovered(m *schema.Message) string {
	text := clean(m.Content)
	if rest, ok := strings.CutPrefix(text, "Well again"); ok {
		text = "recovered" + rest
	}
	return strings.TrimSuffix(lowerFirst(text), ".")
}

func diagnosed(c *schema.Conversation, m *schema.Message, newest bool) string {
	if m.Sender == schema.SenderSystem {
		return clean(m.Content)
	}
	if newest && c.Diagnosis != nil {
		return "likely: " + strings.TrimSuffix(clean(m.Content), ".") + " (" + byWhom(c.Diagnosis) + ")"
	}
	return "likely: " + clean(m.Content)
}

// byWhom is who says so, and how sure a model is of it.
func byWhom(d *schema.Diagnosis) string {
	if d.Source == schema.SourceRules {
		return "rules"
	}
	return clean(d.Source) + ", " + d.Confidence + " confidence"
}

// likely is the diagnosis in a line, if it says more than what is wrong.
func likely(c *schema.Conversation) string {
	d := c.Diagnosis
	if d == nil || d.Summary == "" || d.Summary == c.Title || d.InsufficientData {
		return ""
	}
	text := strings.TrimSuffix(clean(d.Summary), ".")
	if lead := len("likely "); len(text) > lead && strings.EqualFold(text[:lead], "likely ") {
		text = text[lead:]
	}
	return text + " (" + byWhom(d) + ")"
}

func command(c *schema.Conversation) string {
	if c.Diagnosis == nil {
		return ""
	}
	return clean(c.Diagnosis.Command)
}

// headline is what is wrong in as few words as will do: the title without the object's name, and the most telling fact.
func headline(c *schema.Conversation) string {
	text := withoutName(c, clean(c.Title))
	if text == "" {
		text = strings.ReplaceAll(clean(c.Condition), "_", " ")
	}
	if c.Condition == "service_down" && !strings.Contains(text, "down") {
		text = "down: " + text
	}
	if fact := worstFact(c, text); fact != "" {
		text += ", " + fact
	}
	return text
}

// worstFact is the first fact of the worst condition that the text does not have.
func worstFact(c *schema.Conversation, text string) string {
	for _, x := range c.Conditions {
		if x.Name != c.Condition {
			continue
		}
		for _, f := range x.Facts {
			if f = clean(f); f != "" && !strings.Contains(text, beginning(f)) {
				return f
			}
		}
	}
	return ""
}

// beginning is the first words of a fact, by which it is known when the text has said it less exactly.
func beginning(fact string) string {
	words := strings.Fields(fact)
	return strings.Join(words[:min(len(words), 4)], " ")
}

// withoutName takes the object's own name out of what the rules say, where the line names it already.
func withoutName(c *schema.Conversation, text string) string {
	name := clean(c.Object.Name)
	for _, x := range [][2]string{{"job " + name + " ", "job "}, {"node " + name + " ", ""}, {name + ": ", ""}, {name + " ", ""}} {
		if rest, ok := strings.CutPrefix(text, x[0]); ok {
			return x[1] + rest
		}
	}
	for _, lead := range []string{": ", "Also: ", "Over: "} {
		for _, end := range []string{": ", " "} {
			if before, after, ok := strings.Cut(text, lead+name+end); ok {
				return before + lead + after
			}
		}
	}
	return text
}

// attributed is what a message says, with who said it and whether that is known to be true.
func attributed(m *schema.Message) string {
	text, who := clean(m.Content), ""
	if m.Author != nil {
		who = clean(m.Author.Name)
	}
	switch m.Kind {
	case schema.EventAsked:
		if who == "" {
			who = "somebody"
		}
		return who + " asks: " + text + vouched(m.Author)
	case schema.EventRefused:
		if who != "" {
			return "to " + who + ": " + text + vouched(m.Author)
		}
	}
	if who == "" {
		return text
	}
	if strings.Contains(text, who) {
		return text + vouched(m.Author)
	}
	return who + ": " + text + vouched(m.Author)
}

// vouched is where something was said and whether the name is checked.
func vouched(a *schema.Author) string {
	if a == nil || a.Name == "" {
		return ""
	}
	where := clean(a.Channel)
	if where != "" {
		where += ", "
	}
	if a.Verified {
		return " (" + where + "verified)"
	}
	return " (" + where + "unverified)"
}
