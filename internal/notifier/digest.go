package notifier

import (
	"cmp"
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// digest is the kept record of what a channel is told in one post: digest.<channel>.
type digest struct {
	Entries  []collected    `json:"entries,omitempty"`
	More     int            `json:"more,omitempty"` // for which there was no room
	Claim    *channel.Claim `json:"claim,omitempty"`
	Attempts int            `json:"attempts,omitempty"` // in vain, since the last one that went through
	FirstTry time.Time      `json:"first_try,omitzero"`
	Next     time.Time      `json:"next,omitzero"` // not to be tried before
}

// collected is one conversation of it.
type collected struct {
	channel.Entry
	Reason channel.Reason `json:"reason"`
	Since  time.Time      `json:"since"`           // when it was collected
	Due    time.Time      `json:"due,omitzero"`    // zero: once the receiver can be reached
	Batch  string         `json:"batch,omitempty"` // the key of the post that tells of it; empty: none yet
}

// maxCollected bounds a record: a post names far fewer.
const maxCollected = 1000

// enter adds a conversation, in the place of what is waiting of it. What a post on its way tells stays as it is.
func (d digest) enter(c collected) (digest, bool) {
	for i, e := range d.Entries {
		if e.ID != c.ID {
			continue
		}
		if e.Revision >= c.Revision {
			return d, false
		}
		if e.Batch != "" || e.Reason != c.Reason {
			continue
		}
		c.Since, c.Due = e.Since, e.Due
		d.Entries = slices.Clone(d.Entries)
		d.Entries[i] = c
		return d, true
	}
	if len(d.Entries) >= maxCollected {
		d.More++
		return d, true
	}
	d.Entries = append(slices.Clip(d.Entries), c)
	return d, true
}

// due is why a post is due now; empty: none is. What is of unknown fate goes first. back tells that the receiver can be
// reached, and has been told what is open.
func (d digest) due(now time.Time, back bool) channel.Reason {
	if d.Next.After(now) || d.Claim != nil && d.Claim.Until.After(now) {
		return ""
	}
	for _, e := range d.Entries {
		if d.Claim != nil && e.Batch == d.Claim.Key {
			return e.Reason
		}
	}
	for _, e := range d.Entries {
		if e.Due.IsZero() && back || !e.Due.IsZero() && !e.Due.After(now) {
			return e.Reason
		}
	}
	return ""
}

// claim claims the post that is due: the one of unknown fate, or a new one under key.
func (d digest) claim(reason channel.Reason, key, holder string, now, until time.Time) digest {
	if d.Claim != nil && d.batched(d.Claim.Key) {
		key = d.Claim.Key
	}
	repeated := d.batched(key)
	d.Claim = &channel.Claim{Key: key, Holder: holder, Until: until}
	d.Entries = slices.Clone(d.Entries)
	for i, e := range d.Entries {
		if !repeated && e.Batch == "" && e.Reason == reason && !e.Due.After(now) {
			d.Entries[i].Batch = key
		}
	}
	return d
}

// batched tells whether the post of that key has entries.
func (d digest) batched(key string) bool {
	return slices.ContainsFunc(d.Entries, func(e collected) bool { return e.Batch == key })
}

// told is what the post of that key says.
func (d digest) told(key string) channel.Digest {
	post := channel.Digest{Key: key}
	for _, e := range d.Entries {
		if e.Batch != key {
			continue
		}
		post.Reason, post.Until = e.Reason, e.Due
		if post.Since.IsZero() || e.Since.Before(post.Since) {
			post.Since = e.Since
		}
		post.Entries = append(post.Entries, e.Entry)
	}
	slices.SortStableFunc(post.Entries, func(a, b channel.Entry) int {
		return cmp.Or(cmp.Compare(schema.SeverityRank(b.Severity), schema.SeverityRank(a.Severity)), a.At.Compare(b.At))
	})
	post.More = d.More
	return post
}

// over is the record after the post of that key has gone through, or was given up.
func (d digest) over(key string) digest {
	left := digest{}
	for _, e := range d.Entries {
		if e.Batch != key {
			left.Entries = append(left.Entries, e)
		}
	}
	return left
}

// failed is the record after an attempt in vain. A post that has not arrived tells the next time what there is by then; one
// that may have arrived before (repeated) stays as it is, however this attempt ended.
func (d digest) failed(key string, v verdict, repeated bool, wait time.Duration, now time.Time) digest {
	if d.FirstTry.IsZero() {
		d.FirstTry = now
	}
	if v.action != hold && v.action != gone {
		d.Attempts++
	}
	d.Next = now.Add(wait)
	if v.action == unsure || repeated {
		d.Claim = &channel.Claim{Key: key, Holder: d.Claim.Holder, Until: now}
		return d
	}
	d.Claim, d.Entries = nil, slices.Clone(d.Entries)
	for i := range d.Entries {
		d.Entries[i].Batch = ""
	}
	return d
}

// collects says whether a channel is told of a conversation together with others, and why: one that came and went while
// the channel could not be reached, and what a route collects. What is critical never waits for others, nor does what
// continues an earlier post.
func collects(r routing, c schema.Conversation, told channel.Told, out func(at time.Time) bool, now time.Time) (reason channel.Reason, due time.Time) {
	switch {
	case told.Claim != nil: // it may have arrived by itself
	case c.Closed() && !channel.Knows(c, told) && out(c.ClosedAt):
		return channel.AfterOutage, time.Time{}
	case r.digest.After(now) && c.Severity != schema.SeverityCritical && told.Ref == "" && !channel.Knows(c, told):
		return channel.Collected, r.digest
	}
	return "", time.Time{}
}

// informs tells whether a conversation that is only information, of which no channel makes a post, has news for a route
// that collects.
func informs(r routing, c schema.Conversation, told channel.Told, now time.Time) bool {
	return c.Severity == schema.SeverityInfo && r.tell && r.digest.After(now) && c.State != schema.StateSilenced && told.Claim == nil &&
		slices.ContainsFunc(channel.After(c, told.Revision), func(m schema.Message) bool { return !m.Silent })
}
