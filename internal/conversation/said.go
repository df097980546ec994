package conversation

import (
	"fmt"
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// maxOpenQuestions is how many questions may wait for an answer at once, and maxDayQuestions how many may be asked within
// 24 hours.
const (
	maxOpenQuestions = 20
	maxDayQuestions  = 20
)

// said folds a reply in. Whatever it says adds a message, so that the watermark moves.
func said(c schema.Conversation, e Said) (schema.Conversation, string) {
	id := replyID(e.Reply)
	switch {
	case c.ID == "":
		return c, "no such conversation"
	case e.From == "" && e.Seq <= c.HeardSeq && e.Epoch.Equal(c.HeardEpoch):
		return c, "heard already"
	case id != "" && Heard(c, id):
		return c, "heard already, under the same reply id"
	}
	r := &reply{step: begin(c, e.At), was: c, Reply: e.Reply, author: tidyAuthor(e.Reply.Author), deny: e.Deny}
	if e.From == "" {
		r.c.HeardSeq, r.c.HeardEpoch = e.Seq, utc(e.Epoch)
	}
	r.Text = prose(e.Reply.Text, maxContent)
	if e.To != nil {
		r.system(schema.EventAnswered, wentOnText(*e.To))
	} else {
		r.apply()
	}
	return r.end()
}

// Heard tells whether c has what was said under that reply id.
func Heard(c schema.Conversation, id string) bool {
	return slices.ContainsFunc(c.Messages, func(m schema.Message) bool { return m.ReplyID == id })
}

// Outdated tells whether r says a verb where an earlier episode of c is shown, as by a button of its card.
func Outdated(c schema.Conversation, r schema.Reply) bool {
	verb, _ := Intent(r)
	return verb != "" && r.Episode > 0 && r.Episode < c.Episode
}

// reply is a step that a person takes.
type reply struct {
	*step
	schema.Reply
	was    schema.Conversation
	author schema.Author
	verb   Verb
	deny   string // of Said
}

func (r *reply) apply() {
	verb, ok := intent(r.Reply)
	r.verb = verb
	switch {
	case Outdated(r.was, r.Reply):
		r.refuse("Not done: that is the card of an earlier time, and it has failed again since. Please use the newest card.")
	case ok && r.deny != "" && verb.Name != VerbHelp:
		r.refuse(r.deny)
	case ok:
		r.act()
	case r.Verb != "":
		r.refuse(fmt.Sprintf("Bellbuoy does not know %q. %s", line(r.Verb, 60), r.allowed()))
	case r.Text == "":
		r.refuse("There was nothing to read in that reply. " + r.allowed())
	case openQuestions(r.was) >= maxOpenQuestions:
		r.refuse(fmt.Sprintf("%d questions wait for an answer already; ask again when there are fewer.", maxOpenQuestions))
	case r.at.Before(mayAskAgain(r.was, r.at)):
		r.refuse(fmt.Sprintf("%d questions have been asked here within 24 h, and no more are answered. Ask again after %s; until then show has all that is known.",
			maxDayQuestions, clock(mayAskAgain(r.was, r.at), r.at)))
	default:
		r.person(schema.EventAsked, r.Text)
	}
}

// asked lists the messages by which something was asked in the 24 hours before at, as far as they count, oldest first.
func asked(c schema.Conversation, at time.Time) []int {
	var all []int
	for i := range c.Messages {
		if m := &c.Messages[i]; m.Kind == schema.EventAsked && m.At.After(at.Add(-24*time.Hour)) {
			all = append(all, i)
		}
	}
	return all[max(0, len(all)-maxDayQuestions):]
}

// mayAskAgain is when the next question may be asked; not after at if that is now.
func mayAskAgain(c schema.Conversation, at time.Time) time.Time {
	all := asked(c, at)
	if len(all) < maxDayQuestions {
		return at
	}
	return c.Messages[all[0]].At.Add(24 * time.Hour)
}

// Intent is the name of the verb that a reply says, empty if it asks. ok is false for a verb that there is not.
func Intent(r schema.Reply) (verb string, ok bool) {
	v, is := intent(r)
	return v.Name, is || r.Verb == ""
}

// intent is what the reply wants done. An explicit verb wins over the text, which is then its argument or reason.
func intent(r schema.Reply) (Verb, bool) {
	if r.Verb == "" {
		return ParseVerb(r.Text)
	}
	v, ok := ParseVerb(r.Verb)
	if ok && v.Name == VerbSilence && v.For == 0 && v.Until == "" {
		if with, ok := ParseVerb(VerbSilence + " " + r.Text); ok {
			return with, true
		}
	}
	v.Note = join(v.Note, r.Text)
	return v, ok
}

func (r *reply) act() {
	switch r.verb.Name {
	case VerbAck:
		r.acknowledge()
	case VerbUnack:
		r.unacknowledge()
	case VerbSilence:
		r.silence()
	case VerbUnsilence:
		r.unsilence()
	case VerbResolve:
		r.resolve()
	case VerbDismiss:
		r.dismiss()
	case VerbReopen:
		r.reopenByHand()
	case VerbRight, VerbWrong:
		r.judge()
	case VerbApprove:
		r.approve()
	case VerbHelp:
		r.system(schema.EventAnswered, r.allowed())
	}
}

// person adds what the person said or did, with the reason that was given.
func (r *reply) person(kind, content string) {
	m := r.say(kind, schema.SenderOperator, content)
	m.Author, m.ReplyID = new(r.author), replyID(r.Reply)
}

// did is person for a verb.
func (r *reply) did(kind, content string) {
	if r.verb.Note != "" {
		content = fmt.Sprintf("%s “%s”", content, r.verb.Note)
	}
	r.person(kind, content)
}

// system adds what Bellbuoy says to the person whose reply it records.
func (r *reply) system(kind, content string) {
	m := r.say(kind, schema.SenderSystem, content)
	m.Author, m.ReplyID = new(r.author), replyID(r.Reply)
}

func (r *reply) refuse(content string) { r.system(schema.EventRefused, content) }

// isOpen tells whether the conversation is open, and refuses what otherwise.
func (r *reply) isOpen(what string) bool {
	if r.was.Closed() {
		r.refuse(fmt.Sprintf("Not %s: it was closed as %s at %s. Say reopen first if it is not over.",
			what, r.was.ClosedAs, clock(r.was.ClosedAt, r.at)))
	}
	return !r.was.Closed()
}

func (r *reply) name() string { return who(&r.author) }

func replyID(r schema.Reply) string { return fit(r.ID, 6*maxName) }

func tidyAuthor(a schema.Author) schema.Author {
	return schema.Author{Name: line(a.Name, 512), ID: line(a.ID, maxName), Channel: line(a.Channel, maxName), Verified: a.Verified}
}
