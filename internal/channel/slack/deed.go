package slack

import (
	"encoding/json"
	"errors"
	"slices"

	"github.com/bellbuoy/bellbuoy/internal/channel/slack/socket"
)

// Kinds of deed.
const (
	deedMessage  = "message"
	deedButton   = "button"
	deedReaction = "reaction"
)

// deed is what a person did in Slack that may be meant for us, as far as it can be told from what Slack says of it.
type deed struct {
	kind    string
	user    string
	channel string // the Slack channel
	on      string // ts of what it was done to: the thread's root, the card, the message
	ts      string // of the person's own message
	thread  string // where whoever did it can be told something; empty: in the channel itself
	id      string // the same however often, and by whichever connection, it comes
	text    string // of a message; the name of a button or of an emoji
	value   string // of a button
}

// self is who we are in the workspace.
type self struct{ user, bot string }

// Reasons why something is nobody's deed for us.
const (
	ignoredKind     = "kind"
	ignoredBot      = "bot"
	ignoredSubtype  = "subtype"
	ignoredNoThread = "no_thread"
	ignoredEmoji    = "emoji"
	ignoredForeign  = "foreign"
	ignoredEmpty    = "empty"
)

var errMalformed = errors.New("what Slack sent cannot be read")

// wireEvent is as much of an event as is looked at.
type wireEvent struct {
	Type     string `json:"type"`
	Subtype  string `json:"subtype"`
	Channel  string `json:"channel"`
	User     string `json:"user"`
	BotID    string `json:"bot_id"`
	AppID    string `json:"app_id"`
	Text     string `json:"text"`
	TS       string `json:"ts"`
	ThreadTS string `json:"thread_ts"`
	EventTS  string `json:"event_ts"`
	Reaction string `json:"reaction"`
	Item     struct {
		Type    string `json:"type"`
		Channel string `json:"channel"`
		TS      string `json:"ts"`
	} `json:"item"`
}

// wirePress is as much of an interaction as is looked at.
type wirePress struct {
	Type string `json:"type"`
	User struct {
		ID string `json:"id"`
	} `json:"user"`
	Container struct {
		Channel string `json:"channel_id"`
		Message string `json:"message_ts"`
	} `json:"container"`
	Actions []struct {
		ID       string `json:"action_id"`
		Value    string `json:"value"`
		TS       string `json:"action_ts"`
		Selected struct {
			Value string `json:"value"`
		} `json:"selected_option"`
	} `json:"actions"`
}

// read reads an envelope. What is ignored has a reason.
func read(e socket.Envelope, me self) (d deed, ignored string, err error) {
	switch e.Type {
	case "events_api":
		var p struct {
			Type  string    `json:"type"`
			Event wireEvent `json:"event"`
		}
		if json.Unmarshal(e.Payload, &p) != nil {
			return d, "", errMalformed
		}
		return readEvent(p.Event, me)
	case "interactive":
		var p wirePress
		if json.Unmarshal(e.Payload, &p) != nil {
			return d, "", errMalformed
		}
		return readPress(p)
	}
	return d, ignoredKind, nil
}

func readEvent(e wireEvent, me self) (deed, string, error) {
	switch e.Type {
	case "message", "app_mention":
		return readMessage(e, me)
	case "reaction_added":
		return readReaction(e, me)
	}
	return deed{}, ignoredKind, nil
}

func readMessage(e wireEvent, me self) (d deed, ignored string, err error) {
	switch {
	case !slices.Contains([]string{"", "thread_broadcast", "file_share"}, e.Subtype):
		return d, ignoredSubtype, nil
	case e.BotID != "" || e.AppID != "" || e.User == me.user:
		return d, ignoredBot, nil
	case !userID.MatchString(e.User) || e.Channel == "" || e.TS == "":
		return d, "", errMalformed
	case e.ThreadTS == "" || e.ThreadTS == e.TS:
		return d, ignoredNoThread, nil
	}
	return deed{
		kind: deedMessage, user: e.User, channel: e.Channel, on: e.ThreadTS, thread: e.ThreadTS, ts: e.TS, text: e.Text,
		id: e.Channel + "-" + e.TS, // not the event's: that one is another for a mention
	}, "", nil
}

func readReaction(e wireEvent, me self) (d deed, ignored string, err error) {
	switch {
	case e.Item.Type != "message" || verdict(e.Reaction) == "":
		return d, ignoredEmoji, nil
	case e.User == me.user:
		return d, ignoredBot, nil
	case !userID.MatchString(e.User) || e.Item.Channel == "" || e.Item.TS == "":
		return d, "", errMalformed
	}
	return deed{
		kind: deedReaction, user: e.User, channel: e.Item.Channel, on: e.Item.TS, text: e.Reaction,
		id: e.Item.Channel + "-" + e.Item.TS + "-" + e.User + "-" + e.Reaction + "-" + e.EventTS,
	}, "", nil
}

func readPress(p wirePress) (d deed, ignored string, err error) {
	if p.Type != "block_actions" {
		return d, ignoredKind, nil
	}
	if len(p.Actions) != 1 || !userID.MatchString(p.User.ID) || p.Container.Channel == "" || p.Container.Message == "" {
		return d, "", errMalformed
	}
	a := p.Actions[0]
	d = deed{
		kind: deedButton, user: p.User.ID, channel: p.Container.Channel, on: p.Container.Message, text: a.ID, value: a.Value,
		id: p.Container.Channel + "-" + p.Container.Message + "-" + p.User.ID + "-" + a.ID + "-" + a.TS,
	}
	if a.Selected.Value != "" {
		d.value = a.Selected.Value
	}
	return d, "", nil
}

// lane is what a deed is told in order with.
func (d deed) lane() string { return d.channel + ":" + d.on }
