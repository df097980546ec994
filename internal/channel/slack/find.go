package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptrace"
	"strconv"
	"strings"

	api "github.com/slack-go/slack"

	"github.com/bellbuoy/bellbuoy/internal/channel"
)

const (
	pageSize = 200 // messages
	maxPages = 10
)

// Find looks for a message by its key, from when it can have been posted. A change of a card is never looked for: to
// repeat it does no harm. A bot that may not read the channel finds nothing, and so posts twice rather than not at all.
func (ch *Channel) Find(ctx context.Context, p channel.Post) (ref string, found bool, err error) {
	c, err := decode(p)
	if err != nil || c.Method == methodUpdate {
		return "", false, nil //nolint:nilerr // Post says what is wrong with it
	}
	ctx, cancel := context.WithTimeout(ctx, ch.timeout)
	defer cancel()
	a := &attempt{method: "conversations.history", to: ch.to, token: ch.token, now: ch.now}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { a.sent.Store(true) }})
	if c.Thread {
		a.method = "conversations.replies"
		found, err = ch.inThread(ctx, c, p)
		ref = p.Ref
	} else {
		ref, err = ch.inChannel(ctx, c, p.Key)
		found = ref != ""
	}
	if said, ok := errors.AsType[api.SlackErrorResponse](err); ok && said.Err == "missing_scope" {
		return "", false, nil
	}
	if err != nil {
		return "", false, a.verdict(err)
	}
	return ref, found, nil
}

func (ch *Channel) inChannel(ctx context.Context, c call, key string) (ref string, err error) {
	id, err := ch.channelID(ctx)
	if err != nil || id == "" {
		return "", err
	}
	params := api.GetConversationHistoryParameters{
		ChannelID: id, Oldest: strconv.FormatInt(c.Since, 10), Inclusive: true, Limit: pageSize, IncludeAllMetadata: true,
	}
	for range maxPages {
		page, err := ch.api.GetConversationHistoryContext(ctx, &params)
		if err != nil {
			return "", err
		}
		for _, m := range page.Messages {
			if isKey(m, key) {
				return id + ":" + m.Timestamp, nil
			}
		}
		if params.Cursor = page.ResponseMetaData.NextCursor; params.Cursor == "" {
			break
		}
	}
	return "", nil
}

func (ch *Channel) inThread(ctx context.Context, c call, p channel.Post) (found bool, err error) {
	in, root, ok := strings.Cut(p.Ref, ":")
	if !ok {
		return false, fmt.Errorf("the reference %q of its card is not readable: %w", p.Ref, errUnthreaded)
	}
	params := api.GetConversationRepliesParameters{
		ChannelID: in, Timestamp: root, Oldest: strconv.FormatInt(c.Since, 10), Inclusive: true, Limit: pageSize, IncludeAllMetadata: true,
	}
	for range maxPages {
		page, _, next, err := ch.api.GetConversationRepliesContext(ctx, &params)
		if err != nil {
			return false, err
		}
		for _, m := range page {
			if isKey(m, p.Key) {
				return true, nil
			}
		}
		if params.Cursor = next; next == "" {
			break
		}
	}
	return false, nil
}

func isKey(m api.Message, key string) bool {
	return m.Metadata.EventType == eventType && m.Metadata.EventPayload["key"] == key
}

// channelID is the id of the Slack channel, which reading it needs: as a post has said it, else by its name. It is empty
// if there is none of that name.
func (ch *Channel) channelID(ctx context.Context) (string, error) {
	if id := ch.id.Load(); id != nil {
		return *id, nil
	}
	params := api.GetConversationsParameters{Limit: 1000, ExcludeArchived: true, Types: []string{"public_channel", "private_channel"}}
	for range maxPages {
		page, next, err := ch.api.GetConversationsContext(ctx, &params)
		if err != nil {
			return "", err
		}
		for _, c := range page {
			if "#"+c.Name == ch.to {
				ch.id.Store(&c.ID)
				return c.ID, nil
			}
		}
		if params.Cursor = next; next == "" {
			break
		}
	}
	return "", nil
}
