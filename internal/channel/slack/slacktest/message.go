package slacktest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Message is one message of a channel, as it stands.
type Message struct {
	Channel  string // ID
	TS       string
	ThreadTS string // of the thread that it is in; of a root its own ts once somebody replied
	User     string
	Subtype  string // thread_broadcast, tombstone, or empty

	Text        string
	Blocks      json.RawMessage
	Attachments json.RawMessage
	Metadata    json.RawMessage

	Broadcast bool   // a reply that is shown in the channel as well
	Edits     int    // how often it was changed
	Marked    bool   // whether people see the mark "edited"
	Only      string // the one person who sees it, if it is ephemeral
	Reactions []Reaction

	Mentions []string // that it made when it was posted, as <!here> and <@U0ANNA>; no edit makes one
	Replies  []Message

	parsed parsed
	edited string
	key    string // client_msg_id
}

// Reaction is an emoji that people put below a message.
type Reaction struct {
	Name  string
	Users []string
}

func (m *Message) reply() bool { return m.ThreadTS != "" && m.ThreadTS != m.TS }

func (m *Message) clone() Message {
	c := *m
	c.Reactions = slices.Clone(m.Reactions)
	for i := range c.Reactions {
		c.Reactions[i].Users = slices.Clone(c.Reactions[i].Users)
	}
	c.Mentions = slices.Clone(m.Mentions)
	return c
}

// stamp gives the channel's next ts, which no other message of it has.
func (c *conversation) stamp(now time.Time) string {
	c.last = max(now.UnixMicro(), c.last+1)
	return fmt.Sprintf("%d.%06d", c.last/1e6, c.last%1e6)
}

var stampShape = regexp.MustCompile(`^\d{1,10}\.\d{6}$`)

// micros reads a ts, or a bound of a search, which may be whole seconds.
func micros(ts string) (int64, bool) {
	sec, frac, dot := strings.Cut(ts, ".")
	n, err := strconv.ParseInt(sec, 10, 40)
	if err != nil || n < 0 {
		return 0, false
	}
	if !dot {
		return n * 1e6, true
	}
	f, err := strconv.ParseInt((frac + "000000")[:6], 10, 32)
	return n*1e6 + f, err == nil && f >= 0 && len(frac) <= 6
}

func (c *conversation) message(ts string) *Message {
	for _, m := range c.messages {
		if m.TS == ts && m.Only == "" {
			return m
		}
	}
	return nil
}

// root finds the message that a thread may hang on: one that is not itself a reply.
func (c *conversation) root(ts string) *Message {
	if m := c.message(ts); m != nil && !m.reply() {
		return m
	}
	return nil
}

func (c *conversation) replies(root *Message) []*Message {
	var all []*Message
	for _, m := range c.messages {
		if m.reply() && m.ThreadTS == root.TS && m.Only == "" {
			all = append(all, m)
		}
	}
	return all
}

// wire is the message as the API tells it.
func (s *Server) wire(c *conversation, m *Message, metadata bool) map[string]any {
	w := map[string]any{"type": "message", "ts": m.TS, "user": m.User, "text": m.Text, "team": Team}
	if m.User == Bot {
		w["bot_id"], w["app_id"] = botID, appID
	}
	for name, value := range map[string]string{"thread_ts": m.ThreadTS, "subtype": m.Subtype, "client_msg_id": m.key} {
		if value != "" {
			w[name] = value
		}
	}
	for name, value := range map[string]json.RawMessage{"blocks": m.Blocks, "attachments": m.Attachments} {
		if value != nil {
			w[name] = value
		}
	}
	if metadata && m.Metadata != nil {
		w["metadata"] = m.Metadata
	}
	if m.Marked {
		w["edited"] = map[string]string{"user": m.User, "ts": m.edited}
	}
	if len(m.Reactions) > 0 {
		w["reactions"] = wireReactions(m.Reactions)
	}
	if m.ThreadTS == m.TS {
		wireThread(w, c.replies(m))
	}
	return w
}

func wireThread(w map[string]any, replies []*Message) {
	var users []string
	for _, r := range replies {
		if !slices.Contains(users, r.User) {
			users = append(users, r.User)
		}
	}
	w["reply_count"], w["reply_users"], w["reply_users_count"] = len(replies), users, len(users)
	if len(replies) > 0 {
		w["latest_reply"] = replies[len(replies)-1].TS
	}
}

func wireReactions(all []Reaction) []map[string]any {
	var w []map[string]any
	for _, r := range all {
		w = append(w, map[string]any{"name": r.Name, "users": r.Users, "count": len(r.Users)})
	}
	return w
}
