package slacktest

import (
	"cmp"
	"regexp"
	"slices"
)

func (c call) authTest() (answer, *refusal) {
	u := c.users[c.token.User]
	return answer{
		"url": "https://bellbuoy.slack.com/", "team": workspace, "team_id": Team, "user": u.Name, "user_id": u.ID, "bot_id": botID,
		"is_enterprise_install": false,
	}, nil
}

func (c call) info() (answer, *refusal) {
	ch := c.byID(c.args["channel"])
	if !ch.visible() {
		return nil, refuse("channel_not_found")
	}
	if bad := c.token.needs(ch.read()); bad != nil {
		return nil, bad
	}
	return answer{"channel": map[string]any{
		"id": ch.ID, "name": ch.Name, "is_channel": ch.direct == "" && !ch.Private, "is_group": ch.Private, "is_im": ch.direct != "",
		"is_private": ch.Private, "is_archived": ch.Archived, "is_member": !ch.Outside, "user": ch.direct,
	}}, nil
}

func (c call) userInfo() (answer, *refusal) {
	u, ok := c.users[c.args["user"]]
	if !ok {
		return nil, refuse("user_not_found")
	}
	shown := cmp.Or(u.Shown, u.Name)
	profile := map[string]any{"real_name": shown, "display_name": shown}
	if c.token.may("users:read.email") && u.Email != "" {
		profile["email"] = u.Email
	}
	return answer{"user": map[string]any{
		"id": u.ID, "team_id": Team, "name": u.Name, "real_name": shown, "tz": u.Zone, "is_bot": u.Bot, "deleted": false, "profile": profile,
	}}, nil
}

// target finds the message that a reaction is about.
func (c call) target() (*conversation, *Message, *refusal) {
	ch := c.byID(c.args["channel"])
	if !ch.visible() {
		return nil, nil, refuse("channel_not_found")
	}
	if ch.Outside {
		return nil, nil, refuse("not_in_channel")
	}
	m := ch.message(c.args["timestamp"])
	if m == nil {
		return nil, nil, refuse("message_not_found")
	}
	return ch, m, nil
}

var emojiName = regexp.MustCompile(`^[a-z0-9_+'-]{1,100}$`)

func (c call) addReaction() (answer, *refusal) {
	ch, m, bad := c.target()
	if bad != nil {
		return nil, bad
	}
	switch {
	case ch.Archived:
		return nil, refuse("is_archived")
	case !emojiName.MatchString(c.args["name"]):
		return nil, refuse("invalid_name")
	case !m.react(c.token.User, c.args["name"]):
		return nil, refuse("already_reacted")
	}
	return nil, nil
}

// react puts a person's emoji below the message, and tells whether it was not there yet.
func (m *Message) react(user, name string) bool {
	at := slices.IndexFunc(m.Reactions, func(r Reaction) bool { return r.Name == name })
	if at < 0 {
		m.Reactions = append(m.Reactions, Reaction{Name: name})
		at = len(m.Reactions) - 1
	}
	if slices.Contains(m.Reactions[at].Users, user) {
		return false
	}
	m.Reactions[at].Users = append(m.Reactions[at].Users, user)
	return true
}

func (c call) getReactions() (answer, *refusal) {
	ch, m, bad := c.target()
	if bad != nil {
		return nil, bad
	}
	return answer{"type": "message", "channel": ch.ID, "message": c.wire(ch, m, false)}, nil
}
