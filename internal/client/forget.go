package client

import (
	"context"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// VerbForget closes what nobody needs any more.
const VerbForget = "forget"

// ForgetRequest names a cluster that nobody publishes any more, or a conversation about what is no longer there.
type ForgetRequest struct {
	Ref    string `json:"ref"`
	Author string `json:"author,omitempty"` // who says so; unverified
}

// ForgetResponse is what was done.
type ForgetResponse struct {
	Cluster string         `json:"cluster"`
	Object  *schema.Object `json:"object,omitempty"` // of the one conversation that was named; nil: all of the cluster
	Closed  int            `json:"closed"`           // conversations
	Memory  bool           `json:"memory"`           // the detector's was dropped
	Until   time.Time      `json:"until,omitzero"`   // the newest snapshot, which only its writer could replace, goes by then
}

// Forget closes what nobody needs any more.
func (c *Client) Forget(ctx context.Context, r ForgetRequest) (ForgetResponse, error) {
	return ask[ForgetResponse](ctx, c, VerbForget, r)
}
