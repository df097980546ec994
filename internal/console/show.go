package console

import (
	"fmt"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Show prints one conversation as of now: what is wrong, why, and everything that was said and done, oldest first; the
// next step at the end, where the eye is.
func (p *Printer) Show(c schema.Conversation, now time.Time) {
	var b strings.Builder
	p.Alone(c.Cluster)
	tag := stateTag(&c)
	b.WriteString(p.paint(dim, c.ID) + " " + p.paintTag(tag) + space(tag) + p.paint(bold, p.object(c.Cluster, c.Object)) + " ")
	head := c.ID + " " + tag + space(tag) + p.object(c.Cluster, c.Object) + " "
	b.WriteString(strings.Join(wrap(headline(&c), p.width()-columns(head), p.width()-labelled), "\n"+strings.Repeat(" ", labelled)) + "\n")
	p.row(&b, "state", p.stateLine(&c, now))
	p.optional(&b, "part of", p.partOf(&c))
	if by := silencedBy(&c); by != "" {
		p.row(&b, "silenced", by)
	}
	p.row(&b, "since", p.sinceLine(&c, now))
	for i, x := range c.Conditions {
		label := ""
		if i == 0 {
			label = "conditions"
		}
		p.row(&b, label, p.conditionLine(x))
	}
	if d := c.Diagnosis; d != nil && d.Summary != "" {
		p.row(&b, "likely", clean(d.Summary))
		p.row(&b, "", "by "+because(d))
	}
	p.optional(&b, "affects", affects(&c, mostAffected))
	p.optional(&b, "needed by", neededBy(&c, mostAffected))
	for i, l := range c.Links {
		label := ""
		if i == 0 {
			label = "links"
		}
		p.whole(&b, label, clean(l.Title)+gap+clean(l.URL))
	}
	b.WriteString("\n")
	p.timeline(&b, &c)
	if c.Usage.Calls > 0 {
		b.WriteString("\n")
		p.row(&b, "cost", cost(c.Usage))
	}
	p.then(&b, &c)
	p.write(b.String())
}

// stateTag is the severity of what is open. What is part of another incident is neither that nor well.
func stateTag(c *schema.Conversation) string {
	switch {
	case c.State == schema.StateFolded:
		return ""
	case c.Closed():
		return "ok"
	}
	return tag(c.Severity)
}

// space is what stands between a tag and what follows it.
func space(tag string) string {
	if tag == "" {
		return ""
	}
	return " "
}

func (p *Printer) stateLine(c *schema.Conversation, now time.Time) string {
	text := c.State
	switch {
	case c.State == schema.StateSilenced && !c.SilencedUntil.IsZero():
		text += " until " + p.when(c.SilencedUntil, now)
	case c.Closed():
		text = "closed: " + c.State
	}
	switch {
	case c.Owner != "" && c.Closed():
		text += ", " + clean(c.Owner) + " had it"
	case c.Owner != "":
		text += ", " + clean(c.Owner) + " has it"
	case !c.Closed():
		text += ", nobody has it"
	}
	return fmt.Sprintf("%s, on %s, episode %d", text, clean(c.Cluster), max(c.Episode, 1))
}

func (p *Printer) sinceLine(c *schema.Conversation, now time.Time) string {
	if c.Closed() && !c.ClosedAt.IsZero() {
		return fmt.Sprintf("%s, over at %s after %s", p.when(c.StartedAt, now), p.when(c.ClosedAt, now), Span(c.ClosedAt.Sub(c.StartedAt)))
	}
	return fmt.Sprintf("%s, for %s", p.when(c.StartedAt, now), Span(now.Sub(c.StartedAt)))
}

// when is a time of day, with the day where that is not now's.
func (p *Printer) when(t, now time.Time) string {
	t, now = t.In(p.o.Location), now.In(p.o.Location)
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format(time.TimeOnly)
	}
	return t.Format(time.DateTime)
}

func (p *Printer) conditionLine(x schema.Condition) string {
	during := "since " + p.o.clock(x.Since)
	if !x.Until.IsZero() {
		during = "from " + p.o.clock(x.Since) + " to " + p.o.clock(x.Until)
	}
	text := fmt.Sprintf("%s, %s, %s", clean(x.Name), x.Severity, during)
	if len(x.Facts) > 0 {
		text += ": " + clean(strings.Join(x.Facts, "; "))
	}
	return text
}

// because is who made a diagnosis, how sure it is, and why.
func because(d *schema.Diagnosis) string {
	text := clean(d.Source)
	if d.Source == schema.SourceRules {
		text = "the rules"
	}
	text += ", " + d.Confidence + " confidence"
	if d.ConfidenceWhy != "" {
		text += ": " + clean(d.ConfidenceWhy)
	}
	return text
}

func cost(u schema.Usage) string {
	text := Count(u.Calls, "model call") + ", " + Count(u.Tokens, "token")
	if u.Cost > 0 {
		text += strings.TrimSpace(fmt.Sprintf(", cost %.4f %s", u.Cost, clean(u.Currency)))
	}
	return text
}

// then says what can be done next, of a conversation that is open.
func (p *Printer) then(b *strings.Builder, c *schema.Conversation) {
	if c.Closed() {
		return
	}
	b.WriteString("\n")
	if next := command(c); next != "" {
		b.WriteString("  " + p.paint(dim, pad("next", labelled-2)) + p.paint(bold, next) + "\n")
	}
	id := p.ID(c.ID)
	verb := "bellbuoy ack " + id
	if c.Owner != "" {
		verb = "bellbuoy resolve " + id
	}
	p.whole(b, "or", verb+gap+"bellbuoy reply "+id+" 'why?'")
}

// said is how far the texts of a timeline are indented: time, how long after the beginning, kind.
const said = len("03:04:31  +12 min  acknowledged    ")

func (p *Printer) timeline(b *strings.Builder, c *schema.Conversation) {
	day := ""
	for i := range c.Messages {
		m := &c.Messages[i]
		if d := m.At.In(p.o.Location).Format("Monday, 2 January 2006"); d != day {
			b.WriteString(p.paint(dim, d) + "\n")
			day = d
		}
		p.entry(b, c, m)
	}
}

func (p *Printer) entry(b *strings.Builder, c *schema.Conversation, m *schema.Message) {
	head := pad(p.o.clock(m.At)+"  "+pad(after(c, m), len("+12 min"))+"  "+pad(m.Kind, len("acknowledged")), said-2) + "  "
	width := max(p.width()-said, leastColumn)
	lines := paragraphs(m.Content, width, width)
	if who := by(m); who != "" {
		lines = append(lines, p.paint(dim, who))
	}
	if next := suggested(m); next != "" {
		lines = append(lines, p.step(next))
	}
	b.WriteString(p.paint(dim, head[:len("15:04:05")]) + head[len("15:04:05"):] + strings.Join(lines, "\n"+strings.Repeat(" ", said)) + "\n")
}

// after is how long after the episode's beginning a message came; nothing for those of earlier ones.
func after(c *schema.Conversation, m *schema.Message) string {
	if m.At.Before(c.StartedAt) {
		return ""
	}
	return "+" + Span(m.At.Sub(c.StartedAt))
}

// by is who said something, from where, and whether that is known to be true.
func by(m *schema.Message) string {
	if m.Author == nil || m.Author.Name == "" {
		return ""
	}
	who := "by "
	if m.Sender != schema.SenderOperator {
		who = "to "
	}
	return who + clean(m.Author.Name) + vouched(m.Author)
}
