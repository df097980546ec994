package client

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
)

// Verbs about dead letters. What a channel gave up the notifiers can try again, any other message the analyzers.
const (
	VerbDead  = "dead"
	VerbAgain = "again"
	VerbRetry = "retry"
)

// Kinds of what a dead letter is about.
const (
	DeadPost     = "post"     // a channel gave it up
	DeadDigest   = "digest"   // as a post, of many conversations
	DeadAlert    = "alert"    // an event in ALERTS that could not be worked on
	DeadSnapshot = "snapshot" // of a cluster
	DeadReply    = "reply"    // of a person
	DeadFinding  = "finding"  // of somebody else than the rules
	DeadOther    = "other"
)

// DeadRequest asks for dead letters, the newest first, or, with a Ref, for the one with that id.
type DeadRequest struct {
	Ref    string `json:"ref,omitempty"`
	Limit  int    `json:"limit,omitempty"`  // at most this many; a page has 200 at most; 0: as many
	Before uint64 `json:"before,omitempty"` // only what was given up before the letter with this id
}

// DeadResponse is one page, without bodies, or the one letter that was asked for, whole.
type DeadResponse struct {
	Letters []Letter `json:"letters"`
	Total   uint64   `json:"total"`
	More    bool     `json:"more,omitempty"` // there are older ones
}

// Letter is one dead letter.
type Letter struct {
	ID           uint64    `json:"id"` // stays the same
	Kind         string    `json:"kind"`
	About        string    `json:"about"` // what it was, for people
	Who          string    `json:"who"`   // gave it up
	At           time.Time `json:"at"`
	Reason       string    `json:"reason"`
	Consumer     string    `json:"consumer,omitempty"`
	Subject      string    `json:"subject,omitempty"`
	Seq          uint64    `json:"seq,omitempty"`          // of the message, in its stream
	Conversation string    `json:"conversation,omitempty"` // id
	Channel      string    `json:"channel,omitempty"`      // that gave up a post
	Size         int       `json:"size"`                   // of the body as it was, in bytes
	SHA256       string    `json:"sha256,omitempty"`
	Body         *string   `json:"body,omitempty"` // secrets taken out, at most 64 KB; not in a list
}

// AgainRequest asks to take the message of a dead letter again.
type AgainRequest struct {
	Ref string `json:"ref"`
}

// AgainResponse says where the message is stored again. What only people may write is left to whoever asks: then Seq is 0,
// and Body is to be published to Subject; a snapshot over that one.
type AgainResponse struct {
	Subject string `json:"subject"`
	Seq     uint64 `json:"seq,omitempty"`
	Body    string `json:"body,omitempty"`
	Over    uint64 `json:"over"`
}

// RetryRequest asks a notifier to tell a conversation through a channel that has given it up.
type RetryRequest struct {
	Channel string `json:"channel"`
	ID      string `json:"id"` // of the conversation
}

// Outcomes of a retry.
const (
	RetryPosted  = "posted"
	RetryNothing = "nothing" // there is nothing to tell any more
	RetryFailed  = "failed"
)

// RetryResponse is what came of it.
type RetryResponse struct {
	Outcome string `json:"outcome"`
	Reason  string `json:"reason,omitempty"` // why nothing was posted
	Kinds   string `json:"kinds,omitempty"`  // what was posted, such as opened
}

// Retried is what came of a letter that was tried again.
type Retried struct {
	Letter  Letter `json:"letter"`
	Outcome string `json:"outcome"` // posted, stored, nothing or failed
	Reason  string `json:"reason,omitempty"`
	Kinds   string `json:"kinds,omitempty"`
	Kept    string `json:"kept,omitempty"` // why the letter is still there though it was tried with success
}

// RetryStored says that the message is stored again, under its subject.
const RetryStored = "stored"

// Dead gives a page of dead letters.
func (c *Client) Dead(ctx context.Context, r DeadRequest) (DeadResponse, error) {
	return ask[DeadResponse](ctx, c, VerbDead, r)
}

// Letter gives one dead letter with its body.
func (c *Client) Letter(ctx context.Context, ref string) (Letter, error) {
	r, err := c.Dead(ctx, DeadRequest{Ref: ref})
	if err == nil && len(r.Letters) != 1 {
		err = fmt.Errorf("read the answer to %s: %d letters came instead of one", VerbDead, len(r.Letters))
	}
	if err != nil {
		return Letter{}, err
	}
	return r.Letters[0], nil
}

// Drop takes a dead letter away for good, over this client's own connection: no part of Bellbuoy may do so.
func (c *Client) Drop(ctx context.Context, ref string) (Letter, error) {
	l, err := c.Letter(ctx, ref)
	if err != nil {
		return Letter{}, err
	}
	return l, c.bus.DropLetter(ctx, l.ID)
}

// retryWithin is how long a channel may take for a post.
const retryWithin = 30 * time.Second

// Retry tries again what was given up, and drops the letter if that went well.
func (c *Client) Retry(ctx context.Context, ref string) (Retried, error) {
	l, err := c.Letter(ctx, ref)
	if err != nil {
		return Retried{}, err
	}
	r := Retried{Letter: l, Outcome: RetryStored}
	if l.Kind == DeadPost {
		posted, err := c.RetryPost(ctx, RetryRequest{Channel: l.Channel, ID: l.Conversation})
		if err != nil {
			return r, err
		}
		r.Outcome, r.Reason, r.Kinds = posted.Outcome, posted.Reason, posted.Kinds
	} else if err := c.again(ctx, l); err != nil {
		return r, err
	}
	if r.Outcome == RetryFailed {
		return r, nil
	}
	if err := c.bus.DropLetter(ctx, l.ID); err != nil {
		r.Kept = err.Error()
	}
	return r, nil
}

// DropLetter is Drop of the letter with that id, whether or not an analyzer runs.
func (c *Client) DropLetter(ctx context.Context, id uint64) error { return c.bus.DropLetter(ctx, id) }

// RetryPost has a notifier tell a conversation through a channel that has given it up. If none runs, the error is
// bus.ErrNobody.
func (c *Client) RetryPost(ctx context.Context, r RetryRequest) (RetryResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, retryWithin)
	defer cancel()
	response, err := ask[RetryResponse](ctx, c, VerbRetry, r)
	if errors.Is(err, bus.ErrNobody) {
		return response, fmt.Errorf("retry a post to %s: no notifier runs (%w): start `bellbuoy up` or `notifier`", r.Channel, bus.ErrNobody)
	}
	return response, err
}

// again has the message taken again; what only people may write goes out from here.
func (c *Client) again(ctx context.Context, l Letter) error {
	r, err := ask[AgainResponse](ctx, c, VerbAgain, AgainRequest{Ref: strconv.FormatUint(l.ID, 10)})
	switch {
	case err != nil:
		return err
	case r.Seq > 0:
		return nil
	case l.Kind == DeadSnapshot:
		_, err = c.bus.PublishOver(ctx, r.Subject, []byte(r.Body), r.Over)
		if errors.Is(err, bus.ErrConflict) {
			return fmt.Errorf("retry a snapshot: a newer one has come meanwhile: %w", err)
		}
	default:
		_, err = c.bus.Publish(ctx, r.Subject, []byte(r.Body), "")
	}
	return err
}
