package notifier

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/pace"
	"github.com/bellbuoy/bellbuoy/internal/people"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// retry tells a conversation through a channel that has given it up, because a person asks for it.
func (n *Notifier) retry(ctx context.Context, body []byte) (any, error) {
	var r client.RetryRequest
	if err := json.Unmarshal(body, &r); err != nil || !schema.ValidID(r.ID) {
		return nil, &bus.APIError{Code: bus.CodeBadRequest, Message: `retry: ask with {"id":"…","channel":"…"}, a conversation's whole id`}
	}
	if err := n.allow(ctx, client.VerbRetry); err != nil {
		return nil, err
	}
	l, err := n.loopOf(r.Channel)
	if err != nil {
		return nil, err
	}
	if l.shadowed() {
		return nil, &bus.APIError{Code: bus.CodeConflict, Message: "retry: BELLBUOY_NOTIFY is shadow, so nothing is sent to " + l.name + "; the letter stays"}
	}
	head, err := n.bus.HeadByID(ctx, r.ID)
	switch {
	case errors.Is(err, bus.ErrNotFound):
		return client.RetryResponse{Outcome: client.RetryNothing, Reason: "the conversation is gone"}, nil
	case err != nil:
		return nil, fmt.Errorf("read conversation %s: %w", r.ID, err)
	}
	return l.retry(ctx, head.Conversation)
}

// throughAPI is how refusals of what is asked of the micro service are counted.
const throughAPI = "api"

// allow refuses what whoever asks may not do: whom the NATS server attests, or else somebody whom nobody vouches for.
func (n *Notifier) allow(ctx context.Context, verb string) error {
	author, role := n.who.Who(people.NATS, scrub.Line(bus.CallerOf(ctx).User, maxCaller), "")
	if n.who.May(role, verb) {
		return nil
	}
	n.metrics.reply(throughAPI, "role")
	return &bus.APIError{Code: bus.CodeForbidden, Message: n.who.Refusal(author.Name, verb)}
}

// maxCaller bounds the name of who asks, in bytes.
const maxCaller = 100

// retry forgets that the conversation was given up and posts its newest state, also to a target that is to be left alone:
// a person who asks for it may know that it works again. A post that fails leaves it given up.
func (l *loop) retry(ctx context.Context, c schema.Conversation) (client.RetryResponse, error) {
	t, err := l.read(ctx, bus.Message{Subject: l.subjects.Alert(c.Cluster, c.Severity, c.ID), Deliveries: 1})
	if err != nil {
		return client.RetryResponse{}, err
	}
	t.lettered = true
	var kinds []string
	for range rounds {
		kind, why, err := l.retryOnce(ctx, t)
		switch {
		case errors.Is(err, bus.ErrConflict), errors.Is(err, channel.ErrLostRoot):
			if err := l.reread(ctx, t); err != nil {
				return client.RetryResponse{}, err
			}
			continue
		case err != nil:
			return client.RetryResponse{}, err
		case why != "":
			return client.RetryResponse{Outcome: client.RetryFailed, Reason: why}, nil
		case kind == "":
			return retried(kinds), nil
		}
		kinds = append(kinds, kind)
	}
	if len(kinds) == 0 {
		return client.RetryResponse{Outcome: client.RetryFailed, Reason: tryAgain}, nil
	}
	return retried(kinds), nil
}

const tryAgain = "somebody else is posting of this conversation; try again in a moment"

func retried(kinds []string) client.RetryResponse {
	if len(kinds) == 0 {
		return client.RetryResponse{Outcome: client.RetryNothing, Reason: "the receiver has all that it is to hear of it"}
	}
	return client.RetryResponse{Outcome: client.RetryPosted, Kinds: strings.Join(kinds, ", ")}
}

// retryOnce makes one post, and gives what kind it is: empty, if nothing is to be told. why says for people why a post did
// not go through. ErrConflict says that somebody else has written the record, ErrLostRoot that a new card is to be made.
func (l *loop) retryOnce(ctx context.Context, t *turn) (kind, why string, err error) {
	now, gaveUp := l.now(), t.told.GaveUp
	t.told.GaveUp = 0
	r := l.route(t.head, now)
	r.tell = true
	p := decide(l.ch, r, t.head, t.hand, t.told, now)
	switch {
	case p.busy > 0:
		return "", tryAgain, nil
	case p.post == nil && gaveUp == 0:
		return "", "", nil
	case p.post == nil:
		return "", "", l.put(ctx, t)
	}
	answer, err := l.target.try(ctx, t.head, true, now)
	switch {
	case err != nil:
		return "", "", fmt.Errorf("ask whether %s may be posted to: %w", l.name, err)
	case answer.Why != pace.Free:
		return "", fmt.Sprintf("%v; try again in %s", heldError(answer.Why), answer.Wait.Round(time.Second)), nil
	}
	if t.told.Revision > 0 && !channel.Knows(p.of, t.told) {
		t.told.StandsIn = "" // that was another episode
	}
	wait, err := l.deliver(ctx, t, p)
	switch {
	case errors.Is(err, errBusy):
		return "", "", bus.ErrConflict
	case wait == 0 && err == nil && t.told.GaveUp == 0:
		return p.post.Kind, "", nil
	case wait == 0 && err != nil: // nothing was posted
		return "", "", err
	case errors.Is(err, channel.ErrLostRoot):
		return "", "", err
	}
	return "", cmp.Or(t.told.Problem, fmt.Sprint(err)), l.givenUpAgain(ctx, t, gaveUp)
}

// givenUpAgain notes once more what was given up before: nothing comes to try it by itself.
func (l *loop) givenUpAgain(ctx context.Context, t *turn, gaveUp int) error {
	told := t.told
	if told.GaveUp >= gaveUp {
		return nil
	}
	told.GaveUp = gaveUp
	if err := l.settle(ctx, t, told); err != nil {
		return fmt.Errorf("note that %s gave up %s: %w", l.name, t.id, err)
	}
	return nil
}
