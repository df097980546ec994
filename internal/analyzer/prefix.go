package analyzer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// A reply for the beginning of an id is stored once more, under the whole id, and counts from there: so what a conversation
// heard is one row in one stream, and its watermark says all there is to say. It is stored before the first one is
// acknowledged, so that none is lost; and under a message id, and a reply id, made of the first one's place in the stream,
// so that none counts twice, whoever dies in between, and so that the first analyzer to decide which conversation was
// meant has decided it for all. Those that were said to the same beginning before it are stored before it.

const (
	minPrefix = 6             // digits
	lookBack  = 4096          // replies of any conversation before one, among which those to the same beginning are looked for
	lookSince = time.Hour / 2 // well within the time for which message ids are remembered
)

// hearPrefix stores replies to the beginning of an id up to that of m under the whole id.
func (a *Analyzer) hearPrefix(ctx context.Context, m bus.Message, prefix string) error {
	if !schema.ValidIDPrefix(prefix, minPrefix) {
		return bus.Poison(fmt.Errorf("hear reply: %q is not a conversation's id, which has %d hex digits, nor the first %d of one or more: bellbuoy list shows them",
			scrub.Line(prefix, maxAuthor), schema.IDLength, minPrefix))
	}
	c, err := a.meant(prefix)
	if err != nil && time.Since(m.At) < patience {
		return bus.Later(lookAgain, err)
	}
	if err != nil {
		return bus.Poison(err)
	}
	if _, err := whole(m, prefix, c.ID); err != nil {
		return bus.Poison(err)
	}
	said, err := a.bus.RepliesBetween(ctx, prefix, m.Seq-min(lookBack, m.Seq), m.Seq)
	if err != nil {
		return err
	}
	for _, one := range said {
		// What was said before the conversation began may have gone to the dead letters meanwhile.
		if one.Seq != m.Seq && (one.At.Before(c.StartedAt) || m.At.Sub(one.At) > lookSince) {
			continue
		}
		if err := a.storeWhole(ctx, one, prefix, c.ID); err != nil {
			return err
		}
	}
	return nil
}

// meant gives the one conversation whose id begins so.
func (a *Analyzer) meant(prefix string) (schema.Conversation, error) {
	var found []schema.Conversation
	for _, c := range a.index.all() {
		if strings.HasPrefix(c.ID, prefix) {
			found = append(found, c)
		}
	}
	switch len(found) {
	case 0:
		return schema.Conversation{}, fmt.Errorf("hear reply: no conversation has an id that begins with %s: bellbuoy list --all shows those there are", prefix)
	case 1:
		return found[0], nil
	}
	var ids []string
	for _, c := range found {
		ids = append(ids, c.ID)
	}
	slices.Sort(ids)
	return schema.Conversation{}, fmt.Errorf("hear reply: %d conversations have an id that begins with %s, say more of it: %s", len(ids), prefix, strings.Join(ids[:min(len(ids), 8)], ", "))
}

func (a *Analyzer) storeWhole(ctx context.Context, m bus.Message, prefix, id string) error {
	r, err := whole(m, prefix, id)
	if err != nil {
		return nil //nolint:nilerr // goes to the dead letters by its own nudge
	}
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false) // six bytes for one might be more than a reply may have
	if err := enc.Encode(r); err != nil {
		return fmt.Errorf("encode a reply: %w", err)
	}
	_, err = a.bus.Publish(ctx, a.bus.Subjects().Replies(id), body.Bytes(), placeID(m))
	return err
}

// placeID names a reply by where it is stored.
func placeID(m bus.Message) string { return fmt.Sprintf("nats-%x-%d", m.Epoch.Unix(), m.Seq) }

// whole is a reply to the beginning of an id as one to the whole id.
func whole(m bus.Message, prefix, id string) (schema.Reply, error) {
	r, err := schema.DecodeReply(m.Data)
	if err != nil {
		return r, err
	}
	if r.Conversation != "" && r.Conversation != prefix && r.Conversation != id {
		return r, fmt.Errorf("hear reply: its body is for conversation %q, its subject for %q", scrub.Line(r.Conversation, maxAuthor), prefix)
	}
	r.Conversation, r.Text = id, scrub.Clean(r.Text)
	if r.ID == "" {
		r.ID = placeID(m)
	}
	return r, nil
}
