package slacktest_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/bellbuoy/bellbuoy/internal/channel/slack/slacktest"
)

// why is Slack's name for what went wrong.
func why(err error) string {
	if refused, ok := errors.AsType[slack.SlackErrorResponse](err); ok {
		return refused.Err
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func TestAClientLooksUpPeopleAndChannels(t *testing.T) {
	s := start(t, slacktest.Options{})
	s.AddChannel(slacktest.Channel{ID: "G0OUT", Name: "secret", Private: true, Outside: true})
	s.AddChannel(slacktest.Channel{ID: "G0IN", Name: "in-secret", Private: true})
	api := client(s)
	if who, err := api.AuthTestContext(t.Context()); err != nil || who.UserID != slacktest.Bot || who.TeamID != slacktest.Team {
		t.Errorf("auth.test: %+v, %v", who, err)
	}
	if u, err := api.GetUserInfoContext(t.Context(), slacktest.Anna); err != nil || u.Name != "anna" || u.Profile.Email != "anna@example.com" {
		t.Errorf("users.info: %+v, %v", u, err)
	}
	if _, err := api.GetUserInfoContext(t.Context(), "U0NOBODY"); why(err) != "user_not_found" {
		t.Errorf("users.info of nobody: %v", err)
	}
	info := func(id string) (*slack.Channel, string) {
		c, err := api.GetConversationInfoContext(t.Context(), &slack.GetConversationInfoInput{ChannelID: id})
		return c, why(err)
	}
	if c, bad := info(slacktest.Ops); bad != "" || c.Name != "ops" || !c.IsMember || c.IsPrivate {
		t.Errorf("conversations.info: %+v, %s", c, bad)
	}
	if c, bad := info("G0IN"); bad != "" || !c.IsPrivate {
		t.Errorf("conversations.info of a private channel: %+v, %s", c, bad)
	}
	if _, bad := info("G0OUT"); bad != "channel_not_found" {
		t.Errorf("conversations.info of a channel that the bot cannot see: %q", bad)
	}
	s.AddToken(slacktest.Token{Value: slacktest.BotToken, Scopes: []string{"users:read"}, User: slacktest.Bot})
	if u, err := api.GetUserInfoContext(t.Context(), slacktest.Anna); err != nil || u.Profile.Email != "" {
		t.Errorf("without users:read.email: %+v, %v", u, err)
	}
	if _, bad := info("G0IN"); bad != "missing_scope" {
		t.Errorf("without groups:read: %q", bad)
	}
}

func TestAClientReacts(t *testing.T) {
	s := start(t, slacktest.Options{})
	api := client(s)
	item := slack.NewRefToMessage(slacktest.Ops, post(t, s, "text", "x").TS)
	for name, want := range map[string]string{"eyes": "", "No Such": "invalid_name"} {
		if err := api.AddReactionContext(t.Context(), name, item); why(err) != want {
			t.Errorf("reactions.add of %s: %v, want %q", name, err, want)
		}
	}
	if err := api.AddReactionContext(t.Context(), "eyes", item); why(err) != "already_reacted" {
		t.Errorf("twice: %v", err)
	}
	if err := api.AddReactionContext(t.Context(), "eyes", slack.NewRefToMessage(slacktest.Ops, "1.000001")); why(err) != "message_not_found" {
		t.Errorf("to nothing: %v", err)
	}
	got, err := api.GetReactionsContext(t.Context(), item, slack.GetReactionsParameters{Full: true})
	if err != nil || len(got.Reactions) != 1 || !slices.Equal(got.Reactions[0].Users, []string{slacktest.Bot}) {
		t.Errorf("reactions.get: %+v, %v", got, err)
	}
	if r := s.Messages("ops")[0].Reactions; len(r) != 1 || r[0].Name != "eyes" {
		t.Errorf("people see %+v", r)
	}
}

// Everything that slack-go can build of what we accept is accepted as it builds it.
func TestBlocksAsAClientBuildsThem(t *testing.T) {
	s := start(t, slacktest.Options{})
	text := slack.NewTextBlockObject(slack.MarkdownType, "*x*", false, true)
	plain := slack.NewTextBlockObject(slack.PlainTextType, "x", true, false)
	ack := slack.NewButtonBlockElement("ack", "c1", plain).WithStyle(slack.StylePrimary).WithConfirm(slack.NewConfirmationBlockObject(plain, text, plain, plain))
	option := slack.NewOptionBlockObject("v", plain, nil)
	image := slack.NewImageBlockElement("https://a.example/x.png", "x")
	_, _, err := client(s).PostMessageContext(t.Context(), "ops", slack.MsgOptionText("x", true), slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl(),
		slack.MsgOptionParse(false), slack.MsgOptionLinkNames(false), slack.MsgOptionBlocks(
			slack.NewHeaderBlock(plain),
			slack.NewSectionBlock(text, []*slack.TextBlockObject{text, plain}, slack.NewAccessory(image)),
			slack.NewSectionBlock(text, nil, slack.NewAccessory(slack.NewOverflowBlockElement("more", option))),
			slack.NewActionBlock("", ack, slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, plain, "pick", option)),
			slack.NewContextBlock("", text, image),
			slack.NewImageBlock("https://a.example/x.png", "x", "", plain),
			slack.NewDividerBlock(),
			slack.NewMarkdownBlock("", "# x\n```\ncode\n# code\n```\n| a |\n|---|\n\ntext\n- item"),
			slack.NewRichTextBlock("",
				slack.NewRichTextSection(slack.NewRichTextSectionTextElement("x", &slack.RichTextSectionTextStyle{Bold: true}), slack.NewRichTextSectionLinkElement("https://a.example", "x", nil)),
				slack.NewRichTextList(slack.RTEListBullet, 0, slack.NewRichTextSection(slack.NewRichTextSectionTextElement("x", nil))),
				&slack.RichTextPreformatted{Type: slack.RTEPreformatted, Elements: []slack.RichTextSectionElement{slack.NewRichTextSectionTextElement("x", nil)}},
			),
		))
	if err != nil {
		t.Fatal(err)
	}
	m := s.Messages("ops")[0]
	if links := m.Links(); !slices.Equal(links, []string{"https://a.example/x.png", "https://a.example"}) {
		t.Errorf("links %q", links)
	}
	pressed := strings.Count(string(m.Blocks), `"action_id"`)
	if pressed != 3 {
		t.Errorf("%d controls are kept, want 3", pressed)
	}
}
