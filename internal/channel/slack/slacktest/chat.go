package slacktest

import (
	"encoding/json"
	"slices"
	"time"
	"unicode/utf8"
)

const (
	maxText       = 40_000 // characters; what is over is cut off
	maxUpdateText = 4_000  // characters; what is over is refused
)

// content is what a message is made of.
type content struct {
	text          string
	blocks        json.RawMessage // nil if not given
	attachments   json.RawMessage
	metadata      json.RawMessage
	parsed        parsed
	args          args
	blank, silent bool // nothing to show; neither text nor blocks nor attachments were given
}

// content reads and judges what the call wants to show.
func (c call) content() (content, *refusal) {
	if bad := c.customized(); bad != nil {
		return content{}, bad
	}
	v := newInspector(c.number)
	blocks, badBlocks := v.blocksArg(c.args)
	attachments, badAttachments := v.attachmentsArg(c.args)
	for _, bad := range []*refusal{badBlocks, badAttachments} {
		if bad != nil {
			return content{}, bad
		}
	}
	if v.counted > maxCounted || v.markdown > maxMarkdown {
		return content{}, refuse("msg_blocks_too_long")
	}
	metadata, bad := metadataArg(c.args)
	if bad != nil {
		return content{}, bad
	}
	full := content{text: cut(c.args["text"]), blocks: blocks, attachments: attachments, metadata: metadata, parsed: v.parsed, args: c.args}
	full.silent = full.text == "" && blocks == nil && attachments == nil
	full.blank = full.text == "" && v.blocks == 0 && v.attachments == 0
	full.parsed.add(parseTop(full.text, c.args))
	return full, nil
}

// customized refuses what a bot may not do today, or not without a scope of its own.
func (c call) customized() *refusal {
	if c.args.flag("as_user") {
		return refuse("as_user_not_supported")
	}
	if p := c.args["parse"]; p != "" && p != "none" && p != "full" {
		return refuse("invalid_arguments", "invalid parse: "+p)
	}
	for _, name := range []string{"username", "icon_emoji", "icon_url"} {
		if c.args[name] != "" {
			return c.token.needs("chat:write.customize")
		}
	}
	return nil
}

func cut(text string) string {
	if utf8.RuneCountInString(text) <= maxText {
		return text
	}
	return string([]rune(text)[:maxText])
}

// speak finds the channel that the call wants to post to.
func (c call) speak() (*conversation, *refusal) {
	ch := c.find(c.args["channel"])
	switch {
	case !ch.visible():
		return nil, refuse("channel_not_found")
	case ch.Archived:
		return nil, refuse("is_archived")
	case ch.Outside && !c.token.may("chat:write.public"):
		return nil, refuse("not_in_channel")
	}
	return ch, nil
}

func (c call) rateKey() string {
	if ch := c.find(c.args["channel"]); ch != nil {
		return ch.ID
	}
	return ""
}

// thread finds the root that the call wants to reply to. One that is not there, or is a reply itself, is not refused:
// the message lands in the channel.
func (c call) thread(ch *conversation) (*Message, *refusal) {
	ts := c.args["thread_ts"]
	if ts == "" {
		return nil, nil
	}
	if !stampShape.MatchString(ts) {
		return nil, refuse("invalid_thread_ts")
	}
	root := ch.root(ts)
	if root != nil && root.Subtype == tombstone {
		return nil, refuse("cannot_reply_to_message")
	}
	return root, nil
}

func (c call) postMessage() (answer, *refusal) {
	ch, bad := c.speak()
	if bad != nil {
		return nil, bad
	}
	full, bad := c.content()
	if bad != nil {
		return nil, bad
	}
	if full.blank {
		return nil, refuse("no_text")
	}
	root, bad := c.thread(ch)
	if bad != nil {
		return nil, bad
	}
	m := full.message(ch, c.token.User, ch.stamp(c.now))
	m.key = c.args["client_msg_id"]
	ch.put(m, root, c.args.flag("reply_broadcast"))
	ch.sounds.hear(m)
	c.tellPosted(ch, m)
	return answer{"channel": ch.ID, "ts": m.TS, "message": c.wire(ch, m, true)}, nil
}

func (full content) message(ch *conversation, user, ts string) *Message {
	return &Message{
		Channel: ch.ID, TS: ts, User: user, Text: full.text, Blocks: full.blocks, Attachments: full.attachments,
		Metadata: full.metadata, Mentions: full.parsed.mentions, parsed: full.parsed,
	}
}

// put adds a message, to a thread if there is a root.
func (c *conversation) put(m, root *Message, broadcast bool) {
	if root != nil {
		root.ThreadTS, m.ThreadTS = root.TS, root.TS
		m.Broadcast = broadcast
		if broadcast {
			m.Subtype = "thread_broadcast"
		}
	}
	c.messages = append(c.messages, m)
}

func (c call) postEphemeral() (answer, *refusal) {
	ch, bad := c.speak()
	if bad != nil {
		return nil, bad
	}
	if u, ok := c.users[c.args["user"]]; !ok || u.Bot {
		return nil, refuse("user_not_in_channel")
	}
	full, bad := c.content()
	if bad != nil {
		return nil, bad
	}
	if full.blank {
		return nil, refuse("no_text")
	}
	root, bad := c.thread(ch)
	if bad != nil {
		return nil, bad
	}
	m := full.message(ch, c.token.User, ch.stamp(c.now))
	m.Only = c.args["user"]
	if root != nil {
		m.ThreadTS = root.TS
	}
	ch.messages = append(ch.messages, m)
	return answer{"message_ts": m.TS}, nil
}

const tombstone = "tombstone"

// own finds a message that the caller may change.
func (c call) own(not string) (*conversation, *Message, *refusal) {
	ch := c.byID(c.args["channel"])
	switch {
	case !ch.visible():
		return nil, nil, refuse("channel_not_found")
	case ch.Archived:
		return nil, nil, refuse("is_archived")
	}
	m := ch.message(c.args["ts"])
	switch {
	case m == nil || m.Subtype == tombstone:
		return nil, nil, refuse("message_not_found")
	case m.User != c.token.User:
		return nil, nil, refuse(not)
	}
	return ch, m, nil
}

func (c call) update() (answer, *refusal) {
	ch, m, bad := c.own("cant_update_message")
	if bad != nil {
		return nil, bad
	}
	if utf8.RuneCountInString(c.args["text"]) > maxUpdateText {
		return nil, refuse("msg_too_long")
	}
	full, bad := c.content()
	if bad != nil {
		return nil, bad
	}
	if full.silent {
		return nil, refuse("no_text")
	}
	before := *m
	if !m.change(full, c.now, ch) {
		return nil, refuse("no_text")
	}
	c.tellChanged(ch, &before, m, m.edited)
	return answer{"channel": ch.ID, "ts": m.TS, "text": m.Text, "message": c.wire(ch, m, true)}, nil
}

// change replaces what an update gives. Text without blocks takes the blocks away; attachments and metadata that are
// not given stay. It tells whether anything is left to show, and changes nothing if not.
func (m *Message) change(full content, now time.Time, ch *conversation) bool {
	next := *m
	if full.text != "" || full.blocks != nil {
		next.Text = full.text
		next.Blocks = full.blocks
	}
	if full.attachments != nil {
		next.Attachments = full.attachments
	}
	if full.metadata != nil {
		next.Metadata = full.metadata
	}
	if next.Text == "" && empty(next.Blocks) && empty(next.Attachments) {
		return false
	}
	next.parsed = reparse(next, full.args)
	next.Edits++
	next.Marked = next.Marked || empty(full.blocks)
	next.edited = ch.stamp(now)
	*m = next
	return true
}

func empty(list json.RawMessage) bool { return len(list) == 0 || string(list) == "[]" }

// remove takes a message away. A root with replies leaves a stone in its place.
func (c call) remove() (answer, *refusal) {
	ch, m, bad := c.own("cant_delete_message")
	if bad != nil {
		return nil, bad
	}
	before := *m
	if !m.reply() && len(ch.replies(m)) > 0 {
		*m = Message{Channel: m.Channel, TS: m.TS, ThreadTS: m.TS, User: "USLACKBOT", Subtype: tombstone, Text: "This message was deleted."}
	} else {
		ch.messages = slices.DeleteFunc(ch.messages, func(x *Message) bool { return x == m })
	}
	c.tellChanged(ch, &before, nil, ch.stamp(c.now))
	return answer{"channel": ch.ID, "ts": before.TS}, nil
}
