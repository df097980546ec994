package slacktest_test

import (
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/bellbuoy/bellbuoy/internal/channel/slack/slacktest"
)

// dial opens a connection of Socket Mode by hand, which says nothing by itself.
func dial(t *testing.T, s *slacktest.Server) *websocket.Conn {
	t.Helper()
	_, url, err := client(s, slack.OptionAppLevelToken(slacktest.AppToken)).StartSocketModeContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn, _, err := websocket.DefaultDialer.DialContext(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, _, err := websocket.DefaultDialer.DialContext(t.Context(), url, nil); err == nil {
		t.Error("an address was dialled twice")
	}
	return conn
}

func TestAResponseURLTakesFiveAnswersInHalfAnHour(t *testing.T) {
	c := &clock{now: time.Unix(1_700_000_000, 0)}
	s := start(t, slacktest.Options{Now: c.Now})
	lis := listen(t, s)
	m := pressable(t, s)
	d, err := s.Press(slacktest.Anna, m, "ack")
	if err != nil {
		t.Fatal(err)
	}
	acked(t, d)
	url := lis.told(socketmode.EventTypeInteractive)[0].Data.(slack.InteractionCallback).ResponseURL
	answer := func(msg slack.WebhookMessage) error { return slack.PostWebhookContext(t.Context(), url, &msg) }
	for i, msg := range []slack.WebhookMessage{
		{Text: "only you"}, {Text: "all", ResponseType: "in_channel"}, {Text: "instead", ReplaceOriginal: true}, {Text: "4"}, {Text: "5"},
	} {
		if err := answer(msg); err != nil {
			t.Fatalf("answer %d: %v", i+1, err)
		}
	}
	if answer(slack.WebhookMessage{Text: "6"}) == nil {
		t.Error("a sixth answer is taken")
	}
	seen := s.Messages("ops")
	if len(seen) != 5 || seen[0].Text != "instead" || seen[1].Only != slacktest.Anna || seen[2].Only != "" {
		t.Errorf("people see %+v", seen)
	}
	d, err = s.Press(slacktest.Anna, m, "ack")
	if err != nil {
		t.Fatal(err)
	}
	acked(t, d)
	url = lis.told(socketmode.EventTypeInteractive)[1].Data.(slack.InteractionCallback).ResponseURL
	c.pass(time.Hour)
	if answer(slack.WebhookMessage{Text: "late"}) == nil {
		t.Error("an answer after an hour is taken")
	}
}
