package notifier

import (
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// plan is what a turn is to do. Without a post and not busy it is nothing.
type plan struct {
	busy   time.Duration // somebody else is posting, for at most this long
	later  time.Time     // nothing before this time; zero: nothing before the next event
	post   *channel.Post
	of     schema.Conversation // what the post tells
	unsure bool                // the post may have arrived already
}

// decide says what to do about a conversation whose newest state is head. hand is the state that came with the
// nudge, empty if that cannot be read; it is rarely needed.
func decide(ch channel.Channel, r routing, head schema.Conversation, hand func() schema.Conversation, told channel.Told, now time.Time) plan {
	if told.StandsIn != "" && (told.Revision == 0 || channel.Knows(head, told)) {
		r.terms.StandsInFor = told.StandsIn
	}
	if c := told.Claim; c != nil {
		if left := c.Until.Sub(now); left > 0 {
			return plan{busy: left}
		}
		if p, ok := repeat(ch, r.terms, head, hand, told); ok {
			return p
		}
	}
	if head.Revision < told.Revision || head.Revision <= told.GaveUp {
		return plan{}
	}
	if !r.tell && !channel.Knows(head, told) {
		return plan{later: r.again}
	}
	post, ok := ch.Next(head, told, r.terms)
	if !ok {
		return plan{}
	}
	return plan{post: &post, of: head}
}

// repeat makes the post again whose claim has run out, from the conversation as it was.
func repeat(ch channel.Channel, terms channel.Terms, head schema.Conversation, hand func() schema.Conversation, told channel.Told) (plan, bool) {
	revision, ok := channel.Revision(told.Claim.Key)
	if !ok || revision < told.Revision || revision > head.Revision {
		return plan{}, false
	}
	past := asOf(head, hand(), revision)
	post, ok := ch.Next(past, told, terms)
	if !ok || post.Key != told.Claim.Key {
		return plan{}, false
	}
	return plan{post: &post, of: past, unsure: true}, true
}

// asOf is the conversation at a revision: what came with the nudge if it is that one, else the newest state without
// the events since.
func asOf(head, hand schema.Conversation, revision int) schema.Conversation {
	switch revision {
	case head.Revision:
		return head
	case hand.Revision:
		return hand
	}
	var messages []schema.Message
	for _, m := range head.Messages {
		if n, ok := channel.Revision(m.ID); ok && n <= revision {
			messages = append(messages, m)
		}
	}
	head.Messages, head.Revision = messages, revision
	return head
}

// begunAnew tells whether c is not the conversation that told is about: its history was lost or has expired, and its
// revisions began at 1 again.
func begunAnew(c schema.Conversation, told channel.Told) bool {
	if told.Revision == 0 || told.At.IsZero() {
		return false
	}
	if c.Episode < told.Episode {
		return true
	}
	for _, m := range c.Messages {
		if n, ok := channel.Revision(m.ID); ok && n == told.Revision {
			return !m.At.Equal(told.At)
		}
	}
	return c.Revision < told.Revision && oldestAt(c).After(told.At)
}

// newestAt is when the conversation's newest event happened.
func newestAt(c schema.Conversation) time.Time {
	if len(c.Messages) == 0 {
		return c.UpdatedAt
	}
	return c.Messages[len(c.Messages)-1].At
}

// oldestAt is when the first of the conversation's events happened. A state that is a little older than what was told may
// well have newer events, because snapshots and replies bear the times of different clocks; but not only newer ones.
func oldestAt(c schema.Conversation) time.Time {
	if len(c.Messages) == 0 {
		return c.UpdatedAt
	}
	return slices.MinFunc(c.Messages, func(a, b schema.Message) int { return a.At.Compare(b.At) }).At
}

// merge joins what we have to write with what somebody else wrote meanwhile. What the receiver has never grows less,
// and a claim that is not ours stays.
func merge(ours, theirs channel.Told, claim *channel.Claim) channel.Told {
	if theirs.Revision > ours.Revision {
		ours.Revision, ours.Episode, ours.Ref, ours.At = theirs.Revision, theirs.Episode, theirs.Ref, theirs.At
	}
	ours.Lines = max(ours.Lines, theirs.Lines)
	ours.GaveUp = max(ours.GaveUp, theirs.GaveUp)
	if theirs.Claim != nil && !sameClaim(theirs.Claim, claim) {
		ours.Claim = theirs.Claim
	}
	return ours
}

func sameClaim(a, b *channel.Claim) bool {
	return a != nil && b != nil && a.Key == b.Key && a.Holder == b.Holder && a.Until.Equal(b.Until)
}
