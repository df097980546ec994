// Package client is what people ask Bellbuoy over NATS: the requests of the micro services that any analyzer, and for
// told any notifier, answers, and a live view of the alerts. The command line stands on it. It decides nothing; the requests' types are shared
// with the side that answers them.
package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Verbs of the micro service, the last token of its subjects.
const (
	VerbList  = "list"
	VerbGet   = "get"
	VerbReply = "reply"
	VerbWhy   = "why"
	VerbTold  = "told"
)

// ListRequest asks for conversations: open before closed, then the worst first, then the newest change.
type ListRequest struct {
	All    bool `json:"all,omitempty"`    // closed ones too
	Limit  int  `json:"limit,omitempty"`  // at most this many, of which a page has 2,000 at most; 0: as many
	Offset int  `json:"offset,omitempty"` // skip this many
}

// ListResponse is one page of conversations, how many there are in all pages, and how many are closed, listed or not.
type ListResponse struct {
	Conversations []Summary `json:"conversations"`
	Total         int       `json:"total"`
	Closed        int       `json:"closed"`
}

// Summary is one conversation in a list.
type Summary struct {
	ID        string        `json:"id"`
	Short     string        `json:"short"` // the beginning of ID that no other conversation's has, at least MinPrefix digits
	Cluster   string        `json:"cluster"`
	Object    schema.Object `json:"object"`
	Condition string        `json:"condition"`
	Severity  string        `json:"severity"`
	Title     string        `json:"title"`
	State     string        `json:"state"`
	Owner     string        `json:"owner,omitempty"`
	Episode   int           `json:"episode"`
	StartedAt time.Time     `json:"started_at"`
	UpdatedAt time.Time     `json:"updated_at"`
	ClosedAt  time.Time     `json:"closed_at,omitzero"`

	Links         []schema.Link  `json:"links,omitempty"`          // of one that is open, as far as the answer has room; those of show are all
	AffectedCount int            `json:"affected_count,omitempty"` // objects that suffer from the same cause, or depend on what failed
	FoldedInto    string         `json:"folded_into,omitempty"`    // id of the conversation that explains a folded one
	Cause         *schema.Object `json:"cause,omitempty"`          // what that is about, where it is known
}

// GetRequest asks for one conversation by id, id prefix or the end of CLUSTER/NAMESPACE/NAME.
type GetRequest struct {
	Ref string `json:"ref"`
}

// ReplyRequest says something to a conversation: text, or a verb.
type ReplyRequest struct {
	Ref    string `json:"ref"`
	Text   string `json:"text,omitempty"`
	Verb   string `json:"verb,omitempty"`
	Author string `json:"author,omitempty"` // who says so; unverified
	ID     string `json:"id,omitempty"`     // the same for every attempt at the same reply
}

// ReplyResponse says that the reply is stored, and for which conversation. What is said to one that is folded into
// another one that is open goes to that.
type ReplyResponse struct {
	Conversation string `json:"conversation"`
	Folded       string `json:"folded,omitempty"` // id of the folded conversation that Ref named, if that is another one
	Notice       string `json:"notice,omitempty"` // says so, for people
	Short        string `json:"short"`            // as Summary.Short
	ReplyID      string `json:"reply_id"`
	Seq          uint64 `json:"seq"`
}

// ToldRequest asks a notifier what each channel has been told of a conversation, by its whole id.
type ToldRequest struct {
	ID string `json:"id"`
}

// ToldResponse has every configured channel; none, if nothing is configured.
type ToldResponse struct {
	Channels []ChannelTold `json:"channels"`
}

// ChannelTold is how far one channel is with a conversation.
type ChannelTold struct {
	Channel  string `json:"channel"`
	Shadow   bool   `json:"shadow,omitempty"`   // all is decided and recorded, nothing sent
	Revision int    `json:"revision"`           // the newest that the receiver has; 0: nothing yet
	Attempts int    `json:"attempts,omitempty"` // in vain since then
	GaveUp   int    `json:"gave_up,omitempty"`  // the newest revision whose post was given up
	Problem  string `json:"problem,omitempty"`  // why the last attempt was in vain
}

// Client asks over one connection.
type Client struct{ bus *bus.Bus }

// New gives a client on an open connection, which stays the caller's to close.
func New(b *bus.Bus) *Client { return &Client{bus: b} }

// List gives a page of conversations.
func (c *Client) List(ctx context.Context, r ListRequest) (ListResponse, error) {
	return ask[ListResponse](ctx, c, VerbList, r)
}

// Get gives one whole conversation.
func (c *Client) Get(ctx context.Context, ref string) (schema.Conversation, error) {
	return ask[schema.Conversation](ctx, c, VerbGet, GetRequest{Ref: ref})
}

// Reply stores a reply. Its effect shows as an event of the conversation.
func (c *Client) Reply(ctx context.Context, r ReplyRequest) (ReplyResponse, error) {
	return ask[ReplyResponse](ctx, c, VerbReply, r)
}

// Why explains what is decided about the objects that ref names; an empty ref, what is not alerted on.
func (c *Client) Why(ctx context.Context, ref string) (WhyResponse, error) {
	return ask[WhyResponse](ctx, c, VerbWhy, WhyRequest{Ref: ref})
}

// Told says what each channel has been told of a conversation. If no notifier runs, the error is bus.ErrNobody.
func (c *Client) Told(ctx context.Context, id string) (ToldResponse, error) {
	r, err := ask[ToldResponse](ctx, c, VerbTold, ToldRequest{ID: id})
	if errors.Is(err, bus.ErrNobody) {
		return r, fmt.Errorf("ask what the channels were told: no notifier runs, so nobody is told anything (%w): start `bellbuoy up` or `notifier`", bus.ErrNobody)
	}
	return r, err
}

// Watch calls each for the newest state of every conversation, then live for every event, until ctx is done.
// caughtUp is called once in between.
func (c *Client) Watch(ctx context.Context, caughtUp func(), each func(bus.Head) error) error {
	return c.bus.Follow(ctx, c.bus.Subjects().Alerts(), caughtUp, each)
}

// Await follows one conversation until done says so, and gives the state that satisfied it. It looks at the present
// state first, so nothing is missed between a request and the wait for its effect.
func (c *Client) Await(ctx context.Context, cluster, id string, done func(schema.Conversation) bool) (schema.Conversation, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var got schema.Conversation
	err := c.bus.Follow(ctx, c.bus.Subjects().Conversation(cluster, id), func() {}, func(h bus.Head) error {
		if ctx.Err() == nil && done(h.Conversation) {
			got = h.Conversation
			cancel(errFound)
		}
		return nil
	})
	if errors.Is(context.Cause(ctx), errFound) {
		return got, nil
	}
	return got, errors.Join(err, context.Cause(ctx))
}

var errFound = errors.New("found")

func ask[Response any](ctx context.Context, c *Client, verb string, request any) (Response, error) {
	var r Response
	body, err := json.Marshal(request)
	if err != nil {
		return r, fmt.Errorf("encode %s request: %w", verb, err)
	}
	answer, err := c.bus.Request(ctx, c.bus.Subjects().API(verb), body)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(answer, &r); err != nil {
		return r, fmt.Errorf("read the answer to %s: %w", verb, err)
	}
	return r, nil
}
