package slack

import (
	"encoding/json"
	"slices"

	api "github.com/slack-go/slack"

	"github.com/bellbuoy/bellbuoy/internal/channel"
)

// Methods of the Web API that a post calls.
const (
	methodPost   = "chat.postMessage"
	methodUpdate = "chat.update"
)

// call is a Post's Body: what is to be called, without token and channel, which Post adds, and without the message that
// it changes or continues, which is the Post's Ref.
type call struct {
	Method      string            `json:"method"`
	Text        string            `json:"text"` // what a locked screen and a screen reader show
	Blocks      api.Blocks        `json:"blocks"`
	Attachments []api.Attachment  `json:"attachments,omitempty"`
	Thread      bool              `json:"thread,omitempty"`          // below the card
	Broadcast   bool              `json:"reply_broadcast,omitempty"` // in the channel as well
	Metadata    api.SlackMetadata `json:"metadata"`
	Since       int64             `json:"since,omitempty"` // it was not posted before, in Unix seconds: where to look for it
}

// eventType names our messages among those that have metadata.
const eventType = "bellbuoy"

// metadata is read by every member of the workspace. By it a reply finds its conversation.
func (v view) metadata(key string) api.SlackMetadata {
	return api.SlackMetadata{EventType: eventType, EventPayload: map[string]any{
		"key": key, "conversation": v.c.ID, "episode": v.c.Episode, "state": v.c.State, "channel": v.name,
	}}
}

func (c call) encode() ([]byte, bool) {
	raw, err := json.Marshal(c)
	return raw, err == nil
}

func decode(p channel.Post) (call, error) {
	var c call
	err := json.Unmarshal(p.Body, &c)
	return c, err
}

// options are the call's arguments. Nothing in it is to be turned into links, mentions or previews.
func (c call) options(ts string) []api.MsgOption {
	all := []api.MsgOption{
		api.MsgOptionText(c.Text, false), api.MsgOptionMetadata(c.Metadata), api.MsgOptionParse(false), api.MsgOptionLinkNames(false),
		api.MsgOptionDisableLinkUnfurl(), api.MsgOptionDisableMediaUnfurl(),
	}
	if c.Method == methodUpdate || len(c.Blocks.BlockSet) > 0 { // what an update leaves out would stay
		all = append(all, api.MsgOptionBlocks(c.Blocks.BlockSet...))
	}
	if c.Method == methodUpdate || len(c.Attachments) > 0 {
		all = append(all, api.MsgOptionAttachments(append([]api.Attachment{}, c.Attachments...)...))
	}
	switch {
	case c.Method == methodUpdate:
		all = append(all, api.MsgOptionUpdate(ts))
	case c.Thread:
		all = append(all, api.MsgOptionTS(ts))
		if c.Broadcast {
			all = append(all, api.MsgOptionBroadcast())
		}
	}
	return all
}

// degraded is the call as plain text, for a Slack that does not take its blocks.
func (c call) degraded() call {
	text := c.Text
	blocks := c.Blocks.BlockSet
	for _, a := range c.Attachments {
		blocks = append(slices.Clip(blocks), a.Blocks.BlockSet...)
	}
	if body := plainText(blocks); body != "" {
		text = body
	}
	c.Text, c.Blocks, c.Attachments = cutEscaped(text, maxPlain), api.Blocks{}, nil
	return c
}
