package slack

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	api "github.com/slack-go/slack"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Bounds of one post to a thread.
const (
	maxThread       = 11_000 // characters
	maxThreadBlocks = 40
	maxPart         = 2900 // characters of one block of rich text
	maxCited        = 8
	maxOther        = 4
)

// marks tell at a glance what a line of a thread is about.
var marks = map[string]string{
	schema.EventReopened: "🔴", schema.EventWorsened: "🔺", schema.EventEased: "🔻", schema.EventGrown: "➕", schema.EventFolded: "🔗",
	schema.EventCleared: "✅", schema.EventDiagnosed: "🔎", schema.EventAsked: "❓", schema.EventAnswered: "💬",
	schema.EventAcknowledged: "🙋", schema.EventUnacknowledged: "🙅", schema.EventSilenced: "🔇", schema.EventUnsilenced: "🔔",
	schema.EventResolved: "🏁", schema.EventDismissed: "🗑", schema.EventEscalated: "⏰", schema.EventStillFiring: "⏰",
	schema.EventJudged: "⚖", schema.EventRefused: "✋",
}

// deserves tells whether an event gets a line below the card: what opens is the card, and what was asked in the thread
// stands there already.
func (v view) deserves(m schema.Message) bool {
	if m.Kind == schema.EventOpened || m.Content == "" {
		return false
	}
	return m.Kind != schema.EventAsked || m.Author == nil || m.Author.Channel != v.name
}

// lines are the events, oldest first, as one post below the card.
func (v view) lines(key string, events []schema.Message) call {
	lead := v.loudest(events)
	c := call{
		Method: methodPost, Thread: true, Text: v.headline(lead), Metadata: v.metadata(key), Since: since(v.c),
	}
	if slices.ContainsFunc(events, judged) {
		c.Metadata.EventPayload["judges"] = true
	}
	var blocks []api.Block
	if v.sound(events) == channel.Calling {
		c.Broadcast = slices.ContainsFunc(events, v.broadcasts)
		head := v.mark() + " *" + mrkdwn(v.what(), maxName+maxDetail) + "* · " + mrkdwn(v.where(), maxWhere)
		blocks = append(blocks, section(strings.TrimSpace(head+" "+v.called())))
	}
	left := maxThread
	for i, m := range events {
		line := v.line(m)
		if n := size(line); n <= left && len(blocks)+len(line) < maxThreadBlocks {
			blocks, left = append(blocks, line...), left-n
			continue
		}
		blocks = append(blocks, contextOf(fmt.Sprintf("and %s; `bellbuoy show %s` has all of it", more(len(events)-i), shortID(v.c.ID))))
		break
	}
	c.Blocks.BlockSet = blocks
	return c
}

// judged tells whether 👍 and 👎 below an event say something of the diagnosis.
func judged(m schema.Message) bool {
	return m.Sender == schema.SenderAssistant && (m.Kind == schema.EventDiagnosed || m.Kind == schema.EventAnswered)
}

func more(n int) string {
	if n == 1 {
		return "1 more event"
	}
	return fmt.Sprintf("%d more events", n)
}

// sound is how loud the events are by now: what is over calls nobody.
func (v view) sound(events []schema.Message) channel.Sound {
	if v.c.Closed() {
		return channel.Quietly
	}
	return channel.Loudest(channel.Chat, v.c, events)
}

// broadcasts tells whether an event shows in the channel too. That it still fails is for its owner.
func (v view) broadcasts(m schema.Message) bool {
	return channel.SoundOf(channel.Chat, v.c, m) == channel.Calling && !channel.OwnerAlone(v.c, m)
}

// loudest is the newest of the loudest events.
func (v view) loudest(events []schema.Message) schema.Message {
	return slices.MaxFunc(events, func(a, b schema.Message) int {
		if c := cmp.Compare(channel.SoundOf(channel.Chat, v.c, a), channel.SoundOf(channel.Chat, v.c, b)); c != 0 {
			return c
		}
		first, _ := channel.Revision(a.ID)
		second, _ := channel.Revision(b.ID)
		return cmp.Compare(first, second)
	})
}

func (v view) headline(m schema.Message) string {
	return escaped.Replace(cut(v.mark()+" "+channel.Headline(v.c, m), maxLock))
}

// owner is who has it; nobody's is empty.
func (v view) owner() string {
	if v.c.State != schema.StateAcknowledged {
		return ""
	}
	return v.c.Owner
}

// called is whom a loud line calls: the owner of what is owned, else those of the route.
func (v view) called() string {
	if v.owner() == "" {
		return v.terms.Mention
	}
	for _, m := range slices.Backward(v.c.Messages) {
		if m.Kind == schema.EventAcknowledged && v.isHere(m.Author) && m.Author.Name == v.c.Owner {
			return "<@" + m.Author.ID + ">"
		}
	}
	return v.spelled()
}

// spelled is the owner by name.
func (v view) spelled() string { return mrkdwn(v.c.Owner, maxOwner) }

// isHere tells whether a person can be called: Slack vouched for who they are, and they said it in this channel.
func (v view) isHere(a *schema.Author) bool {
	return a != nil && a.Verified && a.Channel == v.name && userID.MatchString(a.ID)
}

// line is one event. A text that is too long for a block goes on in the next one.
func (v view) line(m schema.Message) []api.Block {
	head := []api.RichTextSectionElement{plain(cmp.Or(marks[m.Kind], "•") + " ")}
	switch m.Kind {
	case schema.EventDiagnosed:
		if v.stands(m) {
			return v.diagnosis(head)
		}
	case schema.EventAnswered:
		head = append(head, v.to(m)...)
	case schema.EventAsked:
		head = append(head, bold(v.by(m)+": "))
	}
	parts := split(prose(m.Content, maxThread-500), maxPart)
	var blocks []api.Block
	for i, part := range parts {
		elements := []api.RichTextSectionElement{plain(part)}
		if i == 0 {
			elements = append(head, elements...)
		}
		rows := []api.RichTextElement{row(elements...)}
		if i == len(parts)-1 {
			rows = append(rows, v.step(m)...)
		}
		blocks = append(blocks, api.NewRichTextBlock("", rows...))
	}
	return blocks
}

// step is the command that an event brings, unless the card has it.
func (v view) step(m schema.Message) []api.RichTextElement {
	text := wholeCommand(m.SuggestedCommand)
	if text == "" || text == v.command() {
		return nil
	}
	return []api.RichTextElement{row(bold("Next step  "), code(text))}
}

func (v view) by(m schema.Message) string {
	if m.Author == nil || m.Author.Name == "" {
		return "Somebody"
	}
	return short(m.Author.Name, maxOwner)
}

// to addresses an answer to whoever asked.
func (v view) to(m schema.Message) []api.RichTextSectionElement {
	for _, q := range v.c.Messages {
		switch {
		case q.ID != m.Settles || q.Author == nil:
		case v.isHere(q.Author):
			return []api.RichTextSectionElement{api.NewRichTextSectionUserElement(q.Author.ID, nil), plain(" ")}
		default:
			return []api.RichTextSectionElement{bold("To " + v.by(q) + ": ")}
		}
	}
	return nil
}

// stands tells whether the conversation's diagnosis is the one that m brought.
func (v view) stands(m schema.Message) bool {
	if v.c.Diagnosis == nil || m.Sender != schema.SenderAssistant {
		return false
	}
	for _, later := range slices.Backward(v.c.Messages) {
		if later.Kind == schema.EventDiagnosed && later.Sender == schema.SenderAssistant {
			return later.ID == m.ID
		}
	}
	return false
}

// diagnosis is the verdict with what it rests on and what else it may be.
func (v view) diagnosis(head []api.RichTextSectionElement) []api.Block {
	d := v.c.Diagnosis
	rows := []api.RichTextElement{
		row(append(head, bold("Likely cause  "), plain(v.cause(maxPart/2)))...),
		row(italic(v.because())),
	}
	if list := v.cited(); len(list) > 0 {
		rows = append(rows, row(bold("Because of")), api.NewRichTextList(api.RTEListBullet, 0, list...))
	}
	var others []api.RichTextElement
	for _, a := range d.Alternatives[:min(len(d.Alternatives), maxOther)] {
		text := short(a.Statement, maxDetail)
		if check := short(a.Check, maxDetail); check != "" {
			text += " – tell by: " + check
		}
		others = append(others, row(plain(text)))
	}
	if len(others) > 0 {
		rows = append(rows, row(bold("Or else")), api.NewRichTextList(api.RTEListBullet, 0, others...))
	}
	return []api.Block{api.NewRichTextBlock("", rows...)}
}

// cited is the evidence that the diagnosis names.
func (v view) cited() []api.RichTextElement {
	var list []api.RichTextElement
	for _, cite := range v.c.Diagnosis.Evidence[:min(len(v.c.Diagnosis.Evidence), maxCited)] {
		for _, e := range v.c.Evidence {
			if e.ID != cite.ID {
				continue
			}
			text := short(e.Text, maxDetail)
			if e.Object != "" && e.Object != v.c.Object.String() {
				text = short(e.Object, maxName) + ": " + text
			}
			elements := []api.RichTextSectionElement{plain(text)}
			if why := short(cite.Why, maxWhy); why != "" {
				elements = append(elements, italic(" – "+why))
			}
			list = append(list, row(elements...))
		}
	}
	return list
}

// split cuts a text into parts of at most limit characters each, between lines or words where it can.
func split(text string, limit int) []string {
	var parts []string
	for counted(text) > limit {
		part := strings.TrimSuffix(cut(text, limit+1), "…")
		if i := strings.LastIndexAny(part, "\n "); i > len(part)/2 {
			part = part[:i]
		}
		parts, text = append(parts, part), strings.TrimLeft(text[len(part):], "\n ")
	}
	return append(parts, text)
}

// size is how many characters of blocks count.
func size(blocks []api.Block) int { return utf8.RuneCountInString(plainText(blocks)) }
