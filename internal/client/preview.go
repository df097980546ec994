package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/bellbuoy/bellbuoy/internal/bus"
)

// Verbs of previews: what a model would be asked is the analyzers' to say, what a channel would post the notifiers'.
const (
	VerbPreview = "preview"
	VerbShown   = "shown"
)

// PreviewRequest asks what a model would be sent for the diagnosis of a conversation, as it is now.
type PreviewRequest struct {
	Ref string `json:"ref"`
}

// PreviewResponse has the messages byte for byte. Without a model they are those that one would be sent.
type PreviewResponse struct {
	Conversation string          `json:"conversation"`
	Model        string          `json:"model,omitempty"` // that is configured; empty: none, and nothing is ever sent
	Host         string          `json:"host,omitempty"`  // of its server
	Waiting      bool            `json:"waiting"`         // the conversation waits for this diagnosis now
	System       string          `json:"system"`          // empty where the server takes no such message: it begins User then
	User         string          `json:"user"`
	Schema       json.RawMessage `json:"schema,omitempty"` // that the answer has to keep
	MaxTokens    int             `json:"max_tokens"`       // of the answer
	Tokens       int             `json:"tokens"`           // of both messages, as estimated
	Budget       int             `json:"budget"`           // that both messages may have, in tokens
	Evidence     int             `json:"evidence"`         // pieces that the conversation has
	LeftOut      map[string]int  `json:"left_out,omitempty"`
	Suspicious   int             `json:"suspicious,omitempty"` // pieces that read like an instruction
	Redacted     map[string]int  `json:"redacted,omitempty"`   // secrets that were taken out of what is left, by kind
}

// ShownRequest asks what one channel would post of a conversation, by its whole id.
type ShownRequest struct {
	ID      string `json:"id"`
	Channel string `json:"channel"`
}

// ShownResponse has the post's body byte for byte as the channel would send it.
type ShownResponse struct {
	Channel string          `json:"channel"`
	Shadow  bool            `json:"shadow,omitempty"` // it would be recorded and not sent
	Due     bool            `json:"due"`              // something of it is new to the receiver; else this is all of it as if nothing had been told
	Silent  bool            `json:"silent"`           // the channel would post nothing of the conversation as it is
	Kind    string          `json:"kind,omitempty"`
	Key     string          `json:"key,omitempty"`
	Body    json.RawMessage `json:"body,omitempty"`
}

// Preview says what a model would be sent.
func (c *Client) Preview(ctx context.Context, ref string) (PreviewResponse, error) {
	return ask[PreviewResponse](ctx, c, VerbPreview, PreviewRequest{Ref: ref})
}

// Shown says what a channel would post. If no notifier runs, the error is bus.ErrNobody.
func (c *Client) Shown(ctx context.Context, id, channel string) (ShownResponse, error) {
	r, err := ask[ShownResponse](ctx, c, VerbShown, ShownRequest{ID: id, Channel: channel})
	if errors.Is(err, bus.ErrNobody) {
		return r, fmt.Errorf("ask what %s would post: no notifier runs (%w): start `bellbuoy up` or `notifier`", channel, bus.ErrNobody)
	}
	return r, err
}
