package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/analyzer"
	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/channel/slack/slacktest"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/channelfile"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/gateway"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
)

// One conversation is talked about over every way: a thread of Slack, a signed webhook, a button, NATS. Each step is
// taken once, and all who read it see the same order.
func TestAnAlertIsTalkedAboutOverEveryWay(t *testing.T) {
	hook := e2e.NewReceiver(t)
	w := workspace(t, slacktest.Options{})
	k := startTalk(t, w, notifier.Config{
		Webhook: webhook.Config{URL: config.Secret(hook.URL), Format: webhook.FormatNative},
		Slack:   inSlack(w), In: gateway.Config{Secret: config.Secret(annasSecret)},
	})
	e2e.StartAnalyzer(t, k.nats, llm.Config{})
	id := k.down()

	k.says(slacktest.Anna, "since when?")
	k.until("the answer", func() bool { return strings.Contains(k.thread(), "💬") })
	body := `{"conversation":"` + id[:6] + `","verb":"ack","actor":"Ben"}`
	for range 2 { // the sender is not sure that it was taken
		if got := signed(t, k.url, annasSecret, "ack-1", body); got != http.StatusAccepted {
			t.Fatalf("the webhook is answered with %d", got)
		}
	}
	k.turns(amber, "Ben (webhook) has it")
	d, err := k.Choose(slacktest.Anna, k.card(), "silence", "for 1 hour")
	if err != nil {
		t.Fatal(err)
	}
	k.acked(d)
	k.turns(grey, "silenced until")
	if got := k.requests(id, "resolve"); !strings.Contains(got, `"stream":"REPLIES"`) {
		t.Errorf("the request is answered with %s", got)
	}
	k.turns(amber, "it is being watched")
	for n := range 6 {
		e2e.Publish(t, k.bus, e2e.Snapshot("prod", 2+n, 1))
		bustest.Settled(t, k.bus)
	}
	k.turns(green, "checkout is resolved")
	bustest.Settled(t, k.bus)

	steps := []string{"opened", "asked", "answered", "acknowledged", "silenced", "resolved", "cleared"}
	for reader, told := range map[string][]string{"ALERTS": k.stored(id), "the webhook": e2e.ToldKinds(hook.All())} {
		if diff := cmp.Diff(steps, told); diff != "" {
			t.Errorf("%s (-want +got):\n%s", reader, diff)
		}
	}
	if diff := cmp.Diff([]string{"since when?", "💬", "🙋", "🔇", "🏁", "✅"}, k.marks()); diff != "" {
		t.Errorf("the thread (-want +got):\n%s", diff)
	}
	if cards, problems := len(k.Messages(slacktest.Ops)), k.Problems(); cards != 1 || len(problems) > 0 {
		t.Errorf("%d cards, and Slack finds %q", cards, problems)
	}
}

// What somebody may not say is refused over each way, whatever they claim to be, and nothing of it is done. What is refused
// on the open subject stands in the conversation, where all see it.
func TestWhoMayNotIsRefusedOverEveryWay(t *testing.T) {
	hook := e2e.NewReceiver(t)
	w := workspace(t, slacktest.Options{})
	const lee = "U0ANNALEE"
	w.AddUser(slacktest.User{ID: lee, Name: "lee"})
	file := filepath.Join(t.TempDir(), "channels.yml")
	text := fmt.Sprintf(`
channels:
  - {name: webhook, kind: webhook, url: %q}
  - {name: slack, kind: slack, channel: %s, bot_token: %s, app_token: %s, api_url: %q}
people: [{name: Anna, role: responder, slack: %s, webhook: anna}]
in:
  - {name: anna, secret: %s}
  - {name: vera, secret: %s}
`, hook.URL, slacktest.Ops, slacktest.BotToken, slacktest.AppToken, w.APIURL(), lee, annasSecret, verasSecret)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	k := startTalk(t, w, notifier.Config{ChannelsFile: file})
	listed := analyzer.Config{Calls: analyzer.Calls{Concurrency: 1}, People: channelfile.PeopleFile{Path: file}}
	a, err := analyzer.New(listed, k.nats.ConnectWith(t, bus.Options{Log: e2e.Quiet()}), e2e.Quiet(), k.reg)
	if err != nil {
		t.Fatal(err)
	}
	e2e.Start(t, a.Part())
	id := k.down()

	k.requests(id, `{"verb":"ack","author":{"name":"Anna","id":"`+lee+`","channel":"slack","verified":true}}`)
	k.until("the refusal", func() bool { return strings.Contains(k.thread(), "✋") })
	k.says(slacktest.Ben, "dismiss")
	d, err := k.Press(slacktest.Ben, k.card(), "resolve")
	if err != nil {
		t.Fatal(err)
	}
	k.acked(d)
	if got := signed(t, k.url, verasSecret, "1", `{"conversation":"`+id+`","text":"silence 1h"}`); got != http.StatusForbidden {
		t.Errorf("the webhook is answered with %d", got)
	}
	k.until("both of Ben's refusals", func() bool { return k.told(slacktest.Ben) == 2 })
	bustest.Settled(t, k.bus)
	if diff := cmp.Diff([]string{"opened", "refused"}, k.stored(id)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if card := k.card(); colour(card) != red || !strings.Contains(card.Shown(), "nobody has it") {
		t.Errorf("the card shows %s", k.shown())
	}
	want := map[string]float64{"nats role": 1, "slack role": 2, "webhook role": 1}
	if diff := cmp.Diff(want, k.refusals()); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
	k.says(lee, "ack")
	k.turns(amber, "Anna has it")
}
