package conversation

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// What gives way when a conversation is full, lowest first. Of each, the oldest goes first.
const (
	ordinary  = iota // questions that were answered, answers, what rose and fell
	counted          // questions of the last 24 h and their answers, which may become a line each but stay
	decision         // what people decided, and commands
	essential        // the opening, what state and tasks are read from, and what was said just now
)

// recent is how many messages at the end are essential: at least as many as one event can add.
const recent = 5 + 3 + maxOpenQuestions

// oneLiner is what is left of the content of an older message.
const oneLiner = 200

// bound holds c to schema.MaxMessages and schema.MaxConversationBytes. c's messages are its own.
func bound(c *schema.Conversation) {
	for _, t := range []int{ordinary, decision} {
		for len(c.Messages) > schema.MaxMessages && dropOldest(c, t) > 0 {
			continue
		}
	}
	bytes := 0
	for i := range c.Messages {
		bytes += 6*(len(c.Messages[i].Content)+len(c.Messages[i].SuggestedCommand)) + 1024
	}
	if bytes > schema.MaxConversationBytes/4 { // less is far from the limit, for all else is bounded where it comes in
		shorten(c)
	}
}

// shorten makes lines of older messages, and drops them, until c fits.
func shorten(c *schema.Conversation) {
	over := size(*c) - schema.MaxConversationBytes
	for _, t := range []int{ordinary, decision, essential} {
		over = toLines(c, t, over)
		if t == ordinary {
			over = toLines(c, counted, over)
		}
		for t != essential && over > 0 {
			saved := dropOldest(c, t)
			if saved == 0 {
				break
			}
			over -= saved
		}
	}
}

// toLines makes a line of each message of the tier, oldest first, until c is no longer over; it gives by how much it is.
func toLines(c *schema.Conversation, tier, over int) int {
	kinds := tiers(*c)
	for i := range c.Messages {
		if over > 0 && kinds[i] == tier {
			over -= toOneLine(&c.Messages[i])
		}
	}
	return over
}

// toOneLine tells how many bytes it saved.
func toOneLine(m *schema.Message) int {
	before := encoded(m.Content)
	first, _, _ := strings.Cut(m.Content, "\n")
	m.Content = fit(first, oneLiner)
	return before - encoded(m.Content)
}

// dropOldest tells how many bytes it saved; 0 if there is nothing to drop.
func dropOldest(c *schema.Conversation, tier int) int {
	i := slices.Index(tiers(*c), tier)
	if i < 0 {
		return 0
	}
	m := c.Messages[i]
	c.Messages = slices.Delete(c.Messages, i, i+1)
	return messageSize(&m)
}

// size is at least that of c on the wire. What cannot be encoded counts as nothing: storing it will say so.
func size(c schema.Conversation) int {
	n := 0
	for i := range c.Messages {
		n += messageSize(&c.Messages[i])
	}
	c.Messages = nil
	b, err := json.Marshal(c)
	if err != nil {
		return 0
	}
	return n + len(b)
}

func messageSize(m *schema.Message) int {
	n := 400 + encoded(m.Content) + encoded(m.SuggestedCommand) + encoded(m.ReplyID) // 400: names, id, time, kind, settles
	if m.Author != nil {
		n += encoded(m.Author.Name) + encoded(m.Author.Channel)
	}
	for name, value := range m.Unknown {
		n += 2*len(name) + len(value)
	}
	return n
}

// tiers tells for each message how much it is worth keeping.
func tiers(c schema.Conversation) []int {
	t := slices.Repeat([]int{ordinary}, len(c.Messages))
	if len(t) > 0 {
		for _, i := range asked(c, c.Messages[len(t)-1].At) {
			t[i] = counted
			if answer := settler(c, c.Messages[i].ID); answer >= 0 {
				t[answer] = counted // without it the question would be asked again
			}
		}
	}
	for i := range c.Messages {
		m := &c.Messages[i]
		if m.SuggestedCommand != "" || decided(m.Kind) {
			t[i] = decision
		}
		if m.Kind == schema.EventAsked && settler(c, m.ID) < 0 || i >= len(t)-recent {
			t[i] = essential
		}
	}
	mark := func(i int) {
		if i >= 0 {
			t[i] = essential
		}
	}
	mark(last(c, schema.EventOpened))
	mark(last(c, schema.EventReopened))
	mark(last(c, schema.EventAcknowledged))
	mark(last(c, schema.EventUnacknowledged))
	mark(last(c, schema.EventResolved))
	mark(last(c, schema.EventStillFiring))
	mark(last(c, schema.EventEscalated))
	mark(last(c, schema.EventSilenced))
	mark(last(c, schema.EventUnsilenced))
	mark(last(c, schema.EventDismissed))
	mark(last(c, schema.EventGrown))
	mark(last(c, schema.EventFolded))
	if i := owing(c); i >= 0 {
		mark(i)
		mark(settler(c, c.Messages[i].ID))
	}
	return t
}

func decided(kind string) bool {
	switch kind {
	case schema.EventOpened, schema.EventReopened, schema.EventAcknowledged, schema.EventUnacknowledged,
		schema.EventSilenced, schema.EventUnsilenced, schema.EventResolved, schema.EventDismissed, schema.EventJudged, schema.EventFolded:
		return true
	}
	return false
}
