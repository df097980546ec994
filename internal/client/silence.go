package client

import (
	"context"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/silence"
)

// Verbs of the micro service about silences.
const (
	VerbSilence   = "silence"
	VerbSilences  = "silences"
	VerbUnsilence = "unsilence"
)

// SilenceRequest asks for quiet. Ref is one word that names a cluster, node/NAME, a conversation or an object, or
// key=value words with spaces between them, all of which have to match.
type SilenceRequest struct {
	Ref    string    `json:"ref"`
	For    string    `json:"for"` // such as 2h, 1d or 30m
	From   time.Time `json:"from,omitzero"`
	Reason string    `json:"reason,omitempty"` // only an open conversation may be silenced without
	Author string    `json:"author,omitempty"` // who says so; unverified
}

// SilenceResponse is the silence that was made, or, where Ref names an open conversation, the reply that was stored for
// it. Covers is how many open conversations the silence covers as they are now.
type SilenceResponse struct {
	Silence *silence.Silence `json:"silence,omitempty"`
	Covers  int              `json:"covers"`
	Reply   *ReplyResponse   `json:"reply,omitempty"`
}

// SilencesResponse lists the silences by scope that hold or will, the first to end first, and then the weekly windows in
// the order of their file.
type SilencesResponse struct {
	Silences []Silence `json:"silences"`
}

// Silence is one of a list. A weekly window has the id window:NAME and says when it holds now, or will next.
type Silence struct {
	silence.Silence
	Weekly string `json:"weekly,omitempty"` // when a window holds, for people
	Active bool   `json:"active"`           // it holds now
	Covers int    `json:"covers"`           // open conversations, as they are now
}

// UnsilenceRequest ends a silence: Ref is its id or the beginning of that, or names a conversation.
type UnsilenceRequest struct {
	Ref    string `json:"ref"`
	Author string `json:"author,omitempty"` // who says so; unverified
}

// Silence asks for quiet.
func (c *Client) Silence(ctx context.Context, r SilenceRequest) (SilenceResponse, error) {
	return ask[SilenceResponse](ctx, c, VerbSilence, r)
}

// Silences lists the silences by scope.
func (c *Client) Silences(ctx context.Context) (SilencesResponse, error) {
	return ask[SilencesResponse](ctx, c, VerbSilences, struct{}{})
}

// Unsilence ends a silence. The response has what it was.
func (c *Client) Unsilence(ctx context.Context, r UnsilenceRequest) (SilenceResponse, error) {
	return ask[SilenceResponse](ctx, c, VerbUnsilence, r)
}
