package analyzer

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// take stores a reply for the conversation that REF names, or for the open one that explains it. What becomes of it is the
// hear loop's to say.
func (a *Analyzer) take(ctx context.Context, r client.ReplyRequest) (client.ReplyResponse, error) {
	named, err := a.conversation(ctx, r.Ref)
	if err != nil {
		return client.ReplyResponse{}, err
	}
	id := cmp.Or(r.ID, newTraceID())
	c, err := a.saidTo(ctx, named, id)
	if err != nil {
		return client.ReplyResponse{}, err
	}
	author, _ := a.caller(ctx, r.Author)
	reply := schema.Reply{
		Schema: schema.ReplyVersion, Conversation: c.ID, Text: scrub.Clean(r.Text), Verb: scrub.Clean(r.Verb), ID: id,
		Author: author,
	}
	if err := reply.Validate(); err != nil {
		return client.ReplyResponse{}, badRequest(err)
	}
	body, err := json.Marshal(reply)
	if err != nil {
		return client.ReplyResponse{}, err
	}
	seq, err := a.bus.Publish(ctx, a.bus.Subjects().Heard(throughAPI, c.ID), body, reply.ID)
	if err != nil {
		return client.ReplyResponse{}, err
	}
	response := client.ReplyResponse{Conversation: c.ID, Short: a.short(c.ID), ReplyID: reply.ID, Seq: seq}
	if c.ID != named.ID {
		response.Folded = named.ID
		response.Notice = fmt.Sprintf("%s is part of %s (%s): said there", named.Object, c.Object, response.Short)
	}
	return response, nil
}

// saidTo gives the conversation that takes what is said to c under a reply's id: the open one that explains it, or c.
func (a *Analyzer) saidTo(ctx context.Context, c schema.Conversation, reply string) (schema.Conversation, error) {
	if c.State != schema.StateFolded || !schema.ValidID(c.FoldedInto) {
		return c, nil
	}
	cause, err := a.explaining(ctx, c, reply)
	if err != nil {
		return c, fmt.Errorf("read conversation %s, which explains %s: %w", c.FoldedInto, c.ID, err)
	}
	if cause.ID == "" {
		return c, nil
	}
	return cause, nil
}
