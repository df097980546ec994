package slacktest_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"

	"github.com/bellbuoy/bellbuoy/internal/channel/slack/slacktest"
)

func TestAPersonsWordsReachTheApp(t *testing.T) {
	s := start(t, slacktest.Options{})
	l := listen(t, s)
	root := post(t, s, "text", "root").TS
	told := say(t, s, "@alerts why <now> & @here?", root)
	if len(told) != 2 {
		t.Fatalf("told %d times, want as a message and as a mention", len(told))
	}
	acked(t, told[0])
	acked(t, told[1])
	var said *slackevents.MessageEvent
	var mentioned bool
	for _, e := range l.told(socketmode.EventTypeEventsAPI) {
		switch inner := e.Data.(slackevents.EventsAPIEvent).InnerEvent.Data.(type) {
		case *slackevents.MessageEvent:
			if inner.BotID == "" {
				said = inner
			}
		case *slackevents.AppMentionEvent:
			mentioned = true
		}
	}
	if said == nil || said.User != slacktest.Anna || said.ThreadTimeStamp != root || said.Channel != slacktest.Ops || !mentioned {
		t.Fatalf("the app hears %+v, mentioned: %v", said, mentioned)
	}
	if want := "<@U0BELLBUOY> why &lt;now&gt; &amp; <!here>?"; said.Text != want {
		t.Errorf("text %q, want %q", said.Text, want)
	}
	if p := s.Problems(); p != nil {
		t.Errorf("problems %q", p)
	}
	if _, _, err := s.Say(slacktest.Anna, "ops", "x", "1.000001"); err == nil {
		t.Error("anna replied to nothing")
	}
}

func TestTheAppHearsItsOwnMessagesTheirChangesAndTheirEnd(t *testing.T) {
	s := start(t, slacktest.Options{})
	l := listen(t, s)
	ts := post(t, s, "text", "x").TS
	call(t, s, "chat.update", "channel", slacktest.Ops, "ts", ts, "text", "y")
	call(t, s, "chat.delete", "channel", slacktest.Ops, "ts", ts)
	if err := s.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range l.told(socketmode.EventTypeEventsAPI) {
		m := e.Data.(slackevents.EventsAPIEvent).InnerEvent.Data.(*slackevents.MessageEvent)
		got = append(got, m.SubType+" "+m.BotID)
	}
	if want := []string{" B0BELLBUOY", "message_changed ", "message_deleted "}; !slices.Equal(got, want) {
		t.Errorf("the app hears %q, want %q", got, want)
	}
}

func TestAButtonReactionAndCommandReachTheApp(t *testing.T) {
	s := start(t, slacktest.Options{})
	l := listen(t, s)
	card := mustJSON(t, l2(o{"color": "#a30200", "blocks": l2(button(o{"action_id": "ack", "value": "c1"}))}))
	ts := post(t, s, "text", "x", "attachments", card).TS
	pressed, err := s.Press(slacktest.Anna, s.Messages("ops")[0], "ack")
	if err != nil {
		t.Fatal(err)
	}
	acked(t, pressed)
	p := l.told(socketmode.EventTypeInteractive)[0].Data.(slack.InteractionCallback)
	if a := p.ActionCallback.BlockActions[0]; a.ActionID != "ack" || a.Value != "c1" || p.User.ID != slacktest.Anna || p.Message.Timestamp != ts || p.Channel.ID != slacktest.Ops {
		t.Errorf("the app hears %+v", p)
	}
	if _, err := s.Press(slacktest.Anna, s.Messages("ops")[0], "other"); err == nil {
		t.Error("anna pressed a button that is not there")
	}
	reacted, err := s.React(slacktest.Ben, "ops", ts, "eyes")
	if err != nil {
		t.Fatal(err)
	}
	acked(t, reacted)
	if _, err := s.React(slacktest.Ben, "ops", ts, "eyes"); err == nil {
		t.Error("ben reacted twice")
	}
	l.set(false, map[string]string{"text": "here they are"})
	typed, err := s.Command(slacktest.Anna, "ops", "/alerts", "open @ben")
	if err != nil {
		t.Fatal(err)
	}
	acked(t, typed)
	c := l.told(socketmode.EventTypeSlashCommand)[0].Data.(slack.SlashCommand)
	if c.Command != "/alerts" || c.Text != "open <@U0BEN>" || !strings.Contains(string(typed.Response()), "here they are") {
		t.Errorf("the app hears %+v and answers %s", c, typed.Response())
	}
	acked(t, say(t, s, "answered with words", "")[0])
}

func l2(all ...any) l { return all }

func TestAViewIsOpenedOnceWithinThreeSeconds(t *testing.T) {
	c := &clock{now: time.Unix(1_700_000_000, 0)}
	s := start(t, slacktest.Options{Now: c.Now})
	lis := listen(t, s)
	trigger := func() string {
		d, err := s.Press(slacktest.Anna, pressable(t, s), "ack")
		if err != nil {
			t.Fatal(err)
		}
		acked(t, d)
		all := lis.told(socketmode.EventTypeInteractive)
		return all[len(all)-1].Data.(slack.InteractionCallback).TriggerID
	}
	view := slack.ModalViewRequest{Type: slack.VTModal, Title: slack.NewTextBlockObject(slack.PlainTextType, "Ask", false, false), Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewDividerBlock()}}}
	open := func(id string, v slack.ModalViewRequest) string {
		_, err := client(s).OpenViewContext(t.Context(), id, v)
		refused, _ := errors.AsType[slack.SlackErrorResponse](err)
		return refused.Err
	}
	id := trigger()
	if got := open(id, view); got != "" {
		t.Errorf("refused: %s", got)
	}
	if got := open(id, view); got != "exchanged_trigger_id" {
		t.Errorf("the second time: %q", got)
	}
	if got := open("no-trigger", view); got != "invalid_trigger_id" {
		t.Errorf("without a trigger: %q", got)
	}
	late := trigger()
	c.pass(4 * time.Second)
	if got := open(late, view); got != "expired_trigger_id" {
		t.Errorf("too late: %q", got)
	}
	view.Title.Text = xs(25)
	if got := open(trigger(), view); got != "invalid_arguments" {
		t.Errorf("a title of 25 characters: %q", got)
	}
	views := s.Views(slacktest.Anna)
	if len(views) != 1 {
		t.Fatalf("anna sees %d views, want 1", len(views))
	}
	d, err := s.Submit(views[0], map[string]map[string]any{"b": {"a": map[string]string{"type": "plain_text_input", "value": "why?"}}})
	if err != nil {
		t.Fatal(err)
	}
	acked(t, d)
	all := lis.told(socketmode.EventTypeInteractive)
	if p := all[len(all)-1].Data.(slack.InteractionCallback); p.Type != slack.InteractionTypeViewSubmission || p.View.State.Values["b"]["a"].Value != "why?" {
		t.Errorf("the app hears %+v", p)
	}
}
