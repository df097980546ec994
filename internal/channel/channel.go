// Package channel is the seam between the notifier and the ways out: what a channel has to say next and how posting
// it can end. Each kind is a package below this one, which sees this package, schema, scrub and config only.
//
// A channel says what to post and posts it, once. It never sleeps, retries or stores; the notifier's loop does.
package channel

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Channel is one configured way out.
type Channel interface {
	// Next says what to post, given the newest state and what this channel has been told of the conversation. It is
	// pure. It returns false when there is nothing to post.
	Next(c schema.Conversation, told Told) (Post, bool)
	// Post posts once and returns the receiver's own reference to it. Its error is a verdict: see the Err values and
	// Throttled; any other error is passing and the same post will be tried again.
	Post(ctx context.Context, p Post) (ref string, err error)
}

// Finder is a channel that can tell whether a post of unknown fate has arrived.
type Finder interface {
	Find(ctx context.Context, p Post) (ref string, found bool, err error)
}

// Hear stores a reply. Once it returns nil the reply is durable, and only then may the person be told so.
type Hear func(ctx context.Context, r schema.Reply) error

// Listener is a channel that brings replies back.
type Listener interface {
	Listen(ctx context.Context, hear Hear) error
}

// Post is one message to a receiver. Key is <conversation>-<revision> and stays the same over all attempts, so that a
// receiver can drop a second copy.
type Post struct {
	Key      string
	Revision int    // what the receiver will have been told once this post is through
	Kind     string // of the post, for metrics and logs
	Body     []byte
	Ref      string // of the earlier post that this one changes or continues; empty: a new one
}

// Told is what one channel has been told of one conversation: its own kept record. The zero value means nothing yet.
type Told struct {
	Revision int       `json:"revision"`      // the newest revision that the receiver has
	Episode  int       `json:"episode"`       // of the card
	Ref      string    `json:"ref,omitempty"` // the receiver's reference to the episode's card
	Claim    *Claim    `json:"claim,omitempty"`
	Attempts int       `json:"attempts,omitempty"` // in vain, since the last post that went through
	FirstTry time.Time `json:"first_try,omitzero"` // of those attempts
	Problem  string    `json:"problem,omitempty"`  // why the last of those attempts was in vain, for people
	At       time.Time `json:"at,omitzero"`        // of the newest event told: tells a conversation that began anew
	GaveUp   int       `json:"gave_up,omitempty"`  // the newest revision whose post was given up; its events go with the next post
}

// After lists the events of c that are newer than revision, oldest first.
func After(c schema.Conversation, revision int) []schema.Message {
	var events []schema.Message
	for _, m := range c.Messages {
		if n, ok := Revision(m.ID); ok && n > revision {
			events = append(events, m)
		}
	}
	return events
}

// Revision reads the revision from an event's id or a post's key, <conversation>-<revision>.
func Revision(key string) (revision int, ok bool) {
	i := strings.LastIndexByte(key, '-')
	if i < 0 {
		return 0, false
	}
	revision, err := strconv.Atoi(key[i+1:])
	return revision, err == nil && revision > 0
}

// Claim says who is posting what. It is written before the post and removed by the receipt. One whose Until has
// passed is ambiguous: the post may or may not have arrived.
type Claim struct {
	Key    string    `json:"key"`
	Holder string    `json:"holder"`
	Until  time.Time `json:"until"`
}

// Verdicts of Post.
var (
	ErrAmbiguous = errors.New("the post may or may not have arrived")           // look for it, or post again under the same key
	ErrTooBig    = errors.New("the receiver will not take a body this large")   // post a smaller one
	ErrLostRoot  = errors.New("the post that this one continues is gone")       // post a new one
	ErrSetup     = errors.New("the channel is set up wrongly")                  // nothing helps but a person
	ErrRefused   = errors.New("the receiver refuses this body and always will") // give this post up
)

// Throttled says that the receiver wants nothing before Until.
type Throttled struct{ Until time.Time }

func (t Throttled) Error() string {
	return fmt.Sprintf("the receiver wants no more before %s", t.Until.UTC().Format(time.RFC3339))
}
