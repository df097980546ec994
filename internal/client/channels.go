package client

import "context"

// VerbChannels asks any notifier how its channels are.
const VerbChannels = "channels"

// ChannelsResponse has every configured channel; none, if nothing is configured.
type ChannelsResponse struct {
	Channels []Channel `json:"channels"`
	Shadow   bool      `json:"shadow,omitempty"` // all is decided and recorded, nothing sent
}

// States of a Channel.
const (
	ChannelOK      = "ok"
	ChannelPausing = "pausing" // its receiver has asked for it
	ChannelBroken  = "open"    // its breaker is: its receiver failed too often
	ChannelGone    = "gone"    // its receiver said so, for good
	ChannelSetup   = "setup"   // only a person can put it right
)

// Channel is one channel as a notifier knows it.
type Channel struct {
	Channel string `json:"channel"`
	Kind    string `json:"kind"`
	State   string `json:"state"`
	Text    string `json:"text"`    // State for people: until when, and why
	Waiting int    `json:"waiting"` // conversations that wait for it at the notifier that answers
}

// Channels says how the channels are, and whether anything is sent through them. If no notifier runs, the error is
// bus.ErrNobody.
func (c *Client) Channels(ctx context.Context) (ChannelsResponse, error) {
	return ask[ChannelsResponse](ctx, c, VerbChannels, struct{}{})
}
