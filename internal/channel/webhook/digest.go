package webhook

import (
	"fmt"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
)

// kindDigest is the type of the native body that tells of many conversations.
const kindDigest = "digest"

// Digest tells of many conversations in one post that calls nobody. Programs are told so only of what a route collects:
// after an outage they want every event. A pager, and what keeps alerts as Alertmanager does, is told of each by itself.
func (c *Channel) Digest(d channel.Digest) (channel.Post, bool) {
	if c.format.digest == nil || len(d.Entries) == 0 || c.format.family == channel.Pager && d.Reason == channel.AfterOutage {
		return channel.Post{}, false
	}
	for _, most := range []int{300, 100, 40, 15, 5, 1} {
		raw, err := encode(c.format.digest(cut(d, most)))
		if err == nil && len(raw) <= c.format.limit {
			return channel.Post{Key: d.Key, Kind: kindDigest, Body: raw, Sound: channel.Quietly}, true
		}
	}
	return channel.Post{}, false
}

// cut leaves most entries, the worst.
func cut(d channel.Digest, most int) channel.Digest {
	if left := len(d.Entries) - most; left > 0 {
		d.Entries, d.More = d.Entries[:most], d.More+left
	}
	return d
}

// digestLine is the one line for people.
func digestLine(d channel.Digest) string {
	n, what := len(d.Entries)+d.More, "conversations"
	if n == 1 {
		what = "conversation"
	}
	from, to := d.Since.UTC().Format("15:04"), d.Until.UTC().Format("15:04 UTC")
	if d.Since.UTC().YearDay() != d.Until.UTC().YearDay() {
		from = d.Since.UTC().Format("2 Jan 15:04")
	}
	if d.Reason == channel.AfterOutage {
		return fmt.Sprintf("%d %s came and went while this channel could not be reached, from %s to %s", n, what, from, to)
	}
	return fmt.Sprintf("%d %s from %s to %s", n, what, from, to)
}

// digestLines are one for each entry, and how many there are besides.
func digestLines(d channel.Digest) []string {
	var all []string
	for _, e := range d.Entries {
		all = append(all, plain(e.Severity, 40)+": "+plain(e.Line, 400))
	}
	if d.More > 0 {
		all = append(all, fmt.Sprintf("and %d more", d.More))
	}
	return all
}

// digestTone is that of the worst: over where all is.
func digestTone(d channel.Digest) tone {
	for _, e := range d.Entries {
		if e.ClosedAs == "" {
			return firing
		}
	}
	return over
}

// digestBody is the native body that tells of many conversations.
type digestBody struct {
	Type      string     `json:"type"` // digest
	Timestamp time.Time  `json:"timestamp"`
	Data      digestData `json:"data"`
}

type digestData struct {
	Text          string          `json:"text"`   // one line for people
	Reason        string          `json:"reason"` // outage: they came and went while the receiver could not be reached; route: a route collects them
	Since         time.Time       `json:"since"`
	Until         time.Time       `json:"until"`
	Conversations []channel.Entry `json:"conversations"`  // worst first
	More          int             `json:"more,omitempty"` // how many others there were, for which there was no room
}

func digestOf(d channel.Digest) digestBody {
	b := digestBody{Type: kindDigest, Timestamp: d.Until.UTC()}
	b.Data = digestData{Text: digestLine(d), Reason: string(d.Reason), Since: d.Since.UTC(), Until: d.Until.UTC(), More: d.More}
	for _, e := range d.Entries {
		e.Line = plain(e.Line, 400)
		b.Data.Conversations = append(b.Data.Conversations, e)
	}
	return b
}

func nativeDigest(d channel.Digest) any { return digestOf(d) }

func cloudEventDigest(d channel.Digest) any {
	b := digestOf(d)
	return envelope{
		SpecVersion: "1.0", ID: d.Key, Source: "/bellbuoy", Type: "bellbuoy." + b.Type, Subject: string(d.Reason),
		Time: b.Timestamp, DataContentType: "application/json", Data: b.Data,
	}
}
