// Package channel is the seam between the notifier and the ways out: what a channel has to say next and how posting
// it can end. Each kind is a package below this one, which sees this package, schema, scrub and config only.
//
// A channel says what to post and posts it, once. It never sleeps, retries or stores; the notifier's loop does.
package channel

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Channel is one configured way out.
type Channel interface {
	// Next says what to post, given the newest state, what this channel has been told of the conversation, and on which
	// terms it is told of it. It is pure. It returns false when there is nothing to post. A channel that tells one step in
	// several posts (a card and a line below it) returns them one after another, as Told tells what has been posted.
	Next(c schema.Conversation, told Told, terms Terms) (Post, bool)
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

// Denied is Hear's error for a reply that was not stored, and never will be, because of who said it. Text tells them.
type Denied struct{ Text string }

func (d Denied) Error() string { return "not stored: " + d.Text }

// Report is how a listener tells what it does beside hearing. Neither is nil.
type Report struct {
	Log   *slog.Logger
	Count func(what What, why string) // of one thing that came in
}

// What became of something that came in and was not stored, or of the way in.
type What string

// Values of What.
const (
	Ignored   What = "ignored"   // it was not said to Bellbuoy
	Refused   What = "refused"   // it was, and may not be
	Reconnect What = "reconnect" // the way in was opened anew
)

// Reporter is a listener that reports. Report is called before Listen.
type Reporter interface{ Report(r Report) }

// Eared is a listener that shares its way in with others: of those with the same ear one has to listen, and hears for
// all.
type Eared interface{ Ear() string }

// Terms are on which terms a channel is told of a conversation: what routes and settings say.
type Terms struct {
	Mention     string // whom the route calls where the sounds table says so, in the channel's own spelling; empty: nobody
	StandsInFor string // the channel that cannot be reached and in whose place this one is told; empty: none
	Logs        string // how much of log lines may be shown: LogsOff, LogsLine, LogsFull; empty: LogsLine
}

// Values of Terms.Logs.
const (
	LogsOff  = "off"  // no log line at all
	LogsLine = "line" // the most telling one
	LogsFull = "full" // all that is in the evidence
)

// Post is one message to a receiver. Its key stays the same over all attempts, so that a receiver can drop a second
// copy: Key(conversation, revision, part).
type Post struct {
	Key      string
	Revision int    // what the receiver will have been told once this post is through
	Lines    int    // the newest revision that the thread has once it is through; 0: as before
	Kind     string // of the post, for metrics and logs
	Body     []byte
	Ref      string // of the earlier post that this one changes or continues; empty: a new one
	Sound    Sound  // whether somebody is called by it
}

// Key is that of a post of one revision. A channel that tells it in several posts names the others by a part, a word of
// lower-case letters; the part of the first one is empty.
func Key(conversation string, revision int, part string) string {
	key := conversation + "-" + strconv.Itoa(revision)
	if part != "" {
		key += "-" + part
	}
	return key
}

// Target is the far end of a channel. Channels with the same target share its breaker and its rate, over all notifiers.
type Target struct {
	ID    string        // names it and tells nothing secret: characters of a kept record's token
	Every time.Duration // at most one post in that time, once Burst of them went out at once; 0: as fast as they come
	Burst int
}

// Targeted is a channel that says whom it posts to. One that does not has a target of its own, without a rate.
type Targeted interface{ Target() Target }

// Told is what one channel has been told of one conversation: its own kept record. The zero value means nothing yet.
type Told struct {
	Revision int       `json:"revision"`        // the newest revision that the receiver has
	Episode  int       `json:"episode"`         // of the card
	Lines    int       `json:"lines,omitempty"` // the newest revision that the episode's thread has, where a channel has threads
	Ref      string    `json:"ref,omitempty"`   // the receiver's reference to the episode's card; empty though the episode is told: it is gone, and is posted anew
	Claim    *Claim    `json:"claim,omitempty"`
	Attempts int       `json:"attempts,omitempty"`  // in vain, since the last post that went through
	FirstTry time.Time `json:"first_try,omitzero"`  // of those attempts
	Problem  string    `json:"problem,omitempty"`   // why the last of those attempts was in vain, for people
	At       time.Time `json:"at,omitzero"`         // of the newest event told: tells a conversation that began anew
	GaveUp   int       `json:"gave_up,omitempty"`   // the newest revision whose post was given up; its events go with the next post
	StandsIn string    `json:"stands_in,omitempty"` // the channel in whose place this one is told of the episode
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

// Revision reads the revision from an event's id, <conversation>-<revision>, or from a post's key.
func Revision(key string) (revision int, ok bool) {
	_, rest, ok := strings.Cut(key, "-")
	if !ok {
		return 0, false
	}
	number, _, _ := strings.Cut(rest, "-")
	revision, err := strconv.Atoi(number)
	return revision, err == nil && revision > 0
}

// Part reads the part from a post's key; it is empty for the first post of a revision.
func Part(key string) string {
	_, rest, _ := strings.Cut(key, "-")
	_, part, _ := strings.Cut(rest, "-")
	return part
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
	ErrGone      = errors.New("the receiver says that it is gone for good")     // post nothing more until a person says so
)

// Throttled says that the receiver wants nothing before Until.
type Throttled struct{ Until time.Time }

func (t Throttled) Error() string {
	return fmt.Sprintf("the receiver wants no more before %s", t.Until.UTC().Format(time.RFC3339))
}
