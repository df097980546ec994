package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// VerbRoute asks who would be told; any notifier answers.
const VerbRoute = "route"

// RouteRequest is a conversation that might begin.
type RouteRequest struct {
	Cluster   string            `json:"cluster"`
	Object    schema.Object     `json:"object"`
	Severity  string            `json:"severity"`
	Condition string            `json:"condition,omitempty"`
	Labels    map[string]string `json:"labels,omitempty"`
	At        time.Time         `json:"at,omitzero"` // when it begins; zero: now
}

// RouteResponse has every configured channel, in its order; none, if nothing is configured.
type RouteResponse struct {
	At       time.Time `json:"at"`
	Channels []Routed  `json:"channels"`
}

// Routed is whether and how one channel would be told.
type Routed struct {
	Channel string    `json:"channel"`
	Tell    bool      `json:"tell"`
	Why     string    `json:"why"`
	Mention string    `json:"mention,omitempty"` // whom its posts would call
	Digest  string    `json:"digest,omitempty"`  // how often it would be told together with others; empty: at once
	Again   time.Time `json:"again,omitzero"`    // when it would be otherwise, if it is open, critical and nobody's until then; zero: not within a week
}

// Route says who would be told. If no notifier runs, the error is bus.ErrNobody.
func (c *Client) Route(ctx context.Context, r RouteRequest) (RouteResponse, error) {
	response, err := ask[RouteResponse](ctx, c, VerbRoute, r)
	if errors.Is(err, bus.ErrNobody) {
		return response, fmt.Errorf("ask who would be told: no notifier runs (%w): start `bellbuoy up` or `notifier`, or name the file of channels with --file", bus.ErrNobody)
	}
	return response, err
}
