package slacktest_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/bellbuoy/bellbuoy/internal/channel/slack/slacktest"
)

func TestASlackClientPostsThreadsUpdatesAndReadsBack(t *testing.T) {
	s := start(t, slacktest.Options{})
	api := client(s)
	card := slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, "*checkout* is down", false, false), nil, nil)
	ch, root, err := api.PostMessageContext(t.Context(), "#ops",
		slack.MsgOptionText("checkout is down", false), slack.MsgOptionBlocks(card),
		slack.MsgOptionMetadata(slack.SlackMetadata{EventType: "bellbuoy", EventPayload: map[string]any{"key": "c1-1"}}))
	if err != nil {
		t.Fatal(err)
	}
	if ch != slacktest.Ops {
		t.Errorf("channel %q, want its ID", ch)
	}
	if _, _, err := api.PostMessageContext(t.Context(), ch, slack.MsgOptionText("why", false), slack.MsgOptionTS(root)); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := api.UpdateMessageContext(t.Context(), ch, root, slack.MsgOptionText("checkout is well", false), slack.MsgOptionBlocks(card)); err != nil {
		t.Fatal(err)
	}
	h, err := api.GetConversationHistoryContext(t.Context(), &slack.GetConversationHistoryParameters{ChannelID: ch, IncludeAllMetadata: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Messages) != 1 || h.Messages[0].Metadata.EventPayload["key"] != "c1-1" || h.Messages[0].ReplyCount != 1 {
		t.Errorf("history %+v, want the card with its key and one reply", h.Messages)
	}
	replies, _, _, err := api.GetConversationRepliesContext(t.Context(), &slack.GetConversationRepliesParameters{ChannelID: ch, Timestamp: root})
	if err != nil || len(replies) != 2 || replies[1].Text != "why" {
		t.Errorf("replies %+v, %v", replies, err)
	}
	seen := s.Messages("ops")
	if len(seen) != 1 || seen[0].Edits != 1 || seen[0].Marked || len(seen[0].Replies) != 1 {
		t.Errorf("people see %+v, want one card, changed once without a mark, and one reply", seen)
	}
}

func TestASlackClientGetsItsOwnErrors(t *testing.T) {
	s := start(t, slacktest.Options{})
	long := slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, strings.Repeat("x", 3001), false, false), nil, nil)
	_, _, err := client(s).PostMessageContext(t.Context(), slacktest.Ops, slack.MsgOptionBlocks(long))
	refused, ok := errors.AsType[slack.SlackErrorResponse](err)
	want := "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
	if !ok || refused.Err != "invalid_blocks" || !slices.Contains(refused.ResponseMetadata.Messages, want) {
		t.Errorf("error %#v, want invalid_blocks with %s", err, want)
	}
}
