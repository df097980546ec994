package slacktest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Say posts as a person, to a thread if threadTS is that of a message. The text is as it is typed: @name of somebody
// mentions them. It gives the message's ts and what the app is told of it; a mention of the bot is told twice, as a
// message and as a mention.
func (s *Server) Say(user, channel, text, threadTS string) (string, []*Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.find(channel)
	if c == nil || s.users[user].ID == "" {
		return "", nil, fmt.Errorf("say something as %s in %s: no such person or channel", user, channel)
	}
	text = s.typed(text)
	root := c.root(threadTS)
	if m := c.message(threadTS); root == nil && m != nil {
		root = c.message(m.ThreadTS)
	}
	if threadTS != "" && root == nil {
		return "", nil, fmt.Errorf("reply to %s: there is no such message", threadTS)
	}
	blocks, err := json.Marshal([]any{map[string]any{"type": "rich_text", "block_id": fmt.Sprintf("b%d", s.number()), "elements": []any{
		map[string]any{"type": "rich_text_section", "elements": []any{map[string]string{"type": "text", "text": unescape(text)}}},
	}}})
	if err != nil {
		return "", nil, fmt.Errorf("say something: %w", err)
	}
	p := parseMarkup(text, true)
	m := &Message{Channel: c.ID, TS: c.stamp(s.now()), User: user, Text: text, Blocks: blocks, Mentions: p.mentions, parsed: p, key: fmt.Sprintf("m-%d", s.number())}
	c.put(m, root, false)
	told := s.tellPosted(c, m)
	s.change()
	return m.TS, told, nil
}

var name = regexp.MustCompile(`@([a-z0-9._-]+)`)

// typed is text as Slack stores what a person types.
func (s *Server) typed(text string) string {
	text = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
	return name.ReplaceAllStringFunc(text, func(at string) string {
		if slices.Contains([]string{"@here", "@channel", "@everyone"}, at) {
			return "<!" + at[1:] + ">"
		}
		for _, u := range s.users {
			if u.Name == at[1:] {
				return "<@" + u.ID + ">"
			}
		}
		return at
	})
}

// React puts an emoji below a message as a person, and tells the app.
func (s *Server) React(user, channel, ts, emoji string) (*Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.find(channel)
	if c == nil || c.message(ts) == nil {
		return nil, fmt.Errorf("react to %s in %s: no such message", ts, channel)
	}
	m := c.message(ts)
	if !m.react(user, emoji) {
		return nil, fmt.Errorf("react to %s: %s is there already", ts, emoji)
	}
	return s.deliver(events, s.event(map[string]any{
		"type": "reaction_added", "user": user, "reaction": emoji, "item_user": m.User, "event_ts": c.stamp(s.now()),
		"item": map[string]string{"type": "message", "channel": c.ID, "ts": ts},
	})), nil
}

// Press presses a button of a message as a person who sees it as it stands in m, which may be older than what there
// is now.
func (s *Server) Press(user string, m Message, actionID string) (*Delivery, error) {
	return s.act(user, m, m.button(actionID), actionID)
}

// Choose chooses the option with that label from a menu of a message, as Press presses a button.
func (s *Server) Choose(user string, m Message, actionID, label string) (*Delivery, error) {
	return s.act(user, m, m.chosen(actionID, label), actionID+" "+label)
}

// PressForged is a press of a button that the message does not have. Slack sends none such.
func (s *Server) PressForged(user string, m Message, actionID, value string) (*Delivery, error) {
	return s.act(user, m, map[string]any{"type": "button", "block_id": "forged", "action_id": actionID, "value": value}, actionID)
}

func (s *Server) act(user string, m Message, button map[string]any, what string) (*Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[m.Channel]
	if c == nil || button == nil {
		return nil, fmt.Errorf("press %s: the message has no such button", what)
	}
	now := s.now()
	button["action_ts"] = c.stamp(now)
	container := map[string]any{"type": "message", "message_ts": m.TS, "channel_id": c.ID, "is_ephemeral": m.Only != ""}
	if m.ThreadTS != "" {
		container["thread_ts"] = m.ThreadTS
	}
	p := s.person(user)
	p["type"], p["container"], p["message"], p["actions"] = "block_actions", container, s.wire(c, &m, true), []any{button}
	p["channel"] = map[string]string{"id": c.ID, "name": c.Name}
	p["state"] = map[string]any{"values": map[string]any{}}
	p["trigger_id"], p["response_url"] = s.trigger(user, now), s.responseURL(c, user, m.TS, now)
	return s.deliver(interactive, p), nil
}

// person is what every payload says of who did it.
func (s *Server) person(user string) map[string]any {
	name := s.users[user].Name
	return map[string]any{
		"user":       map[string]string{"id": user, "username": name, "name": name, "team_id": Team},
		"team":       map[string]string{"id": Team, "domain": "bellbuoy"},
		"api_app_id": appID, "token": "unused", "enterprise": nil, "is_enterprise_install": false,
	}
}

// button finds a button of the message as a payload tells it.
func (m *Message) button(actionID string) map[string]any {
	control := m.control("button", actionID)
	if control == nil {
		return nil
	}
	told := map[string]any{"block_id": control["block_id"]}
	for _, name := range []string{"type", "action_id", "text", "value", "style", "url"} {
		if control[name] != nil {
			told[name] = control[name]
		}
	}
	return told
}

// chosen finds an option of a menu of the message, by its label, as a payload tells it.
func (m *Message) chosen(actionID, label string) map[string]any {
	control := m.control("static_select", actionID)
	options, _ := control["options"].([]any)
	for _, option := range options {
		o, _ := option.(map[string]any)
		text, _ := o["text"].(map[string]any)
		if text["text"] == label {
			return map[string]any{
				"type": "static_select", "block_id": control["block_id"], "action_id": actionID, "placeholder": control["placeholder"], "selected_option": o,
			}
		}
	}
	return nil
}

// control finds a control of a kind, with the id of its block; nil if there is none.
func (m *Message) control(kind, actionID string) map[string]any {
	var attachments []struct {
		Blocks []map[string]any `json:"blocks"`
	}
	var blocks []map[string]any
	_ = json.Unmarshal(m.Blocks, &blocks)
	_ = json.Unmarshal(m.Attachments, &attachments)
	for _, a := range attachments {
		blocks = append(blocks, a.Blocks...)
	}
	for _, b := range blocks {
		elements, _ := b["elements"].([]any)
		for _, e := range append(elements, b["accessory"]) {
			control, _ := e.(map[string]any)
			if control["type"] == kind && control["action_id"] == actionID {
				control["block_id"] = b["block_id"]
				return control
			}
		}
	}
	return nil
}

// Command types a slash command as a person, such as /alerts and "open".
func (s *Server) Command(user, channel, command, text string) (*Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.find(channel)
	if c == nil {
		return nil, fmt.Errorf("type %s in %s: no such channel", command, channel)
	}
	now := s.now()
	return s.deliver(commands, map[string]string{
		"token": "unused", "team_id": Team, "team_domain": "bellbuoy", "channel_id": c.ID, "channel_name": c.Name,
		"user_id": user, "user_name": s.users[user].Name, "command": command, "text": s.typed(text), "api_app_id": appID,
		"is_enterprise_install": "false", "trigger_id": s.trigger(user, now), "response_url": s.responseURL(c, user, "", now),
	}), nil
}

// Event tells the app an event of the test's own making, in the envelope that every event has.
func (s *Server) Event(event map[string]any) *Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.deliver(events, s.event(event))
}

// Malformed tells the app a message with a block that is of a known type and makes no sense.
func (s *Server) Malformed(user, channel string) *Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	ts := "1700000000.000001"
	if c := s.find(channel); c != nil {
		channel, ts = c.ID, c.stamp(s.now())
	}
	return s.deliver(events, s.event(map[string]any{
		"type": "message", "channel": channel, "channel_type": "channel", "user": user, "text": "x", "ts": ts, "event_ts": ts,
		"blocks": []any{map[string]any{"type": "section", "block_id": 7, "text": "not an object"}},
	}))
}

// event puts an event into the envelope of the Events API.
func (s *Server) event(event map[string]any) map[string]any {
	return map[string]any{
		"token": "unused", "team_id": Team, "api_app_id": appID, "type": "event_callback", "event": event,
		"event_id": fmt.Sprintf("Ev%d", s.number()), "event_time": s.now().Unix(), "is_ext_shared_channel": false,
		"authorizations": []any{map[string]any{"team_id": Team, "user_id": Bot, "is_bot": true, "is_enterprise_install": false}},
	}
}
