package webhook

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// MaxBody bounds a post, in bytes.
const MaxBody = 64 << 10

type body struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"` // of data.event
	Data      data      `json:"data"`
}

type data struct {
	Text         string              `json:"text"` // one line for people
	Event        schema.Message      `json:"event"`
	Events       []schema.Message    `json:"events"` // all that is new to this receiver, oldest first
	Conversation schema.Conversation `json:"conversation"`
	Links        []channel.Link      `json:"links"`
	Omitted      map[string]int      `json:"omitted,omitempty"` // counts of what did not fit, by list
}

func native(s step, limit int) ([]byte, bool) {
	return shrink(s, limit, func(b body) any { return b })
}

// shrink makes the body, smaller and smaller until it fits. The same input gives the same bytes.
func shrink(s step, limit int, as func(body) any) ([]byte, bool) {
	b := body{Type: "conversation." + channel.Line(s.lead.Kind, 64), Timestamp: s.lead.At.UTC()}
	b.Data = data{Text: s.line(), Event: s.lead, Events: s.events, Conversation: s.conv, Links: channel.Links(s.conv)}
	for _, size := range sizes() {
		fit := size.fit(b)
		if fit.Data.atLeast() > limit {
			continue
		}
		raw, err := json.Marshal(as(fit))
		if err == nil && len(raw) <= limit {
			if raw = visible(scrub.JSON(raw)); len(raw) <= limit {
				return raw, true
			}
		} // an error comes from a field that a smaller size leaves out
	}
	return nil, false
}

// atLeast is a lower bound of d's size in bytes, which spares encoding what is far too large.
func (d *data) atLeast() int {
	n := 0
	for _, e := range d.Conversation.Evidence {
		n += len(e.Text)
	}
	for _, list := range [][]schema.Message{d.Conversation.Messages, d.Events} {
		for _, m := range list {
			n += len(m.Content) + len(m.SuggestedCommand)
		}
	}
	return n
}

// size says how much of a conversation a body carries. Zero means all for counts and bytes.
type size struct {
	evidence bool
	messages int // the first and the newest of them
	content  int // bytes of each text
	bare     bool
}

// sizes are tried in this order: the evidence goes first, then old messages, then length.
func sizes() []size {
	return []size{
		{evidence: true},
		{},
		{messages: 100},
		{messages: 40},
		{messages: 40, content: 1024},
		{messages: 12, content: 400},
		{messages: 4, content: 200, bare: true},
	}
}

// fit copies what it changes: the conversation belongs to the caller.
func (s size) fit(b body) body {
	d, omitted := &b.Data, map[string]int{}
	if !s.evidence {
		omitted["evidence"] = len(d.Conversation.Evidence)
		d.Conversation.Evidence = nil
	}
	omitted["messages"] = len(d.Conversation.Messages)
	d.Conversation.Messages = s.some(d.Conversation.Messages)
	omitted["messages"] -= len(d.Conversation.Messages)
	omitted["events"] = len(d.Events)
	d.Events = s.some(d.Events)
	omitted["events"] -= len(d.Events)
	d.Event = s.shorten(d.Event)
	if s.bare {
		omitted["affected"] = len(d.Conversation.Affected)
		d.Conversation = bare(d.Conversation, s.content)
		d.Links = []channel.Link{}
	}
	maps.DeleteFunc(omitted, func(_ string, n int) bool { return n == 0 })
	d.Omitted = omitted
	return b
}

// some keeps the first and the newest messages, each no longer than allowed.
func (s size) some(all []schema.Message) []schema.Message {
	kept := slices.Clone(all)
	if s.messages > 0 && len(all) > s.messages {
		kept = append(kept[:1], all[len(all)-s.messages+1:]...)
	}
	for i := range kept {
		kept[i] = s.shorten(kept[i])
	}
	return kept
}

func (s size) shorten(m schema.Message) schema.Message {
	if s.content == 0 {
		return m
	}
	m.Content, m.SuggestedCommand, m.Unknown = channel.Cut(m.Content, s.content), command(m.SuggestedCommand, s.content), nil
	for _, field := range []*string{&m.ID, &m.Kind, &m.Sender, &m.Settles, &m.ReplyID} {
		*field = channel.Cut(*field, s.content)
	}
	if m.Author != nil {
		m.Author = &schema.Author{Name: channel.Cut(m.Author.Name, s.content), ID: channel.Cut(m.Author.ID, s.content), Channel: channel.Cut(m.Author.Channel, s.content), Verified: m.Author.Verified}
	}
	return m
}

// command leaves a command out rather than showing a part of it: a part may do something else.
func command(whole string, limit int) string {
	if len(whole) > limit {
		return ""
	}
	return whole
}

// bare is what remains of a conversation when nothing else fits.
func bare(c schema.Conversation, limit int) schema.Conversation {
	small := schema.Conversation{
		Schema: c.Schema, ID: c.ID, Cluster: c.Cluster, Object: c.Object, Conditions: []schema.Condition{},
		Condition: c.Condition, Severity: c.Severity, Title: c.Title, State: c.State, Episode: c.Episode,
		StartedAt: c.StartedAt, UpdatedAt: c.UpdatedAt, ClosedAt: c.ClosedAt, ClosedAs: c.ClosedAs, Owner: c.Owner,
		SilencedUntil: c.SilencedUntil, AffectedCount: c.AffectedCount, FoldedInto: c.FoldedInto, Messages: c.Messages,
		Revision: c.Revision, SnapshotSeq: c.SnapshotSeq, SnapshotEpoch: c.SnapshotEpoch, HeardSeq: c.HeardSeq,
		HeardEpoch: c.HeardEpoch, WakeAt: c.WakeAt, TraceID: c.TraceID,
	}
	for _, field := range []*string{
		&small.Schema, &small.ID, &small.Cluster, &small.Object.Kind, &small.Object.Namespace, &small.Object.Name,
		&small.Condition, &small.Severity, &small.Title, &small.State, &small.ClosedAs, &small.Owner, &small.FoldedInto, &small.TraceID,
	} {
		*field = channel.Cut(*field, limit)
	}
	return small
}

var (
	_ channel.Channel  = (*Channel)(nil)
	_ channel.Targeted = (*Channel)(nil)
)
