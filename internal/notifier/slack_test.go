package notifier_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/channel/slack"
	"github.com/bellbuoy/bellbuoy/internal/channel/slack/slacktest"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// inSlack is a bus and a Slack workspace, with a notifier between them.
func inSlack(t *testing.T) (*bus.Bus, *slacktest.Server) {
	t.Helper()
	b := bustest.New(t)
	if err := b.Setup(t.Context(), bus.Setup{Channels: []string{slack.Name}}); err != nil {
		t.Fatal(err)
	}
	s, err := slacktest.Start(slacktest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	cfg := notifier.Config{Notify: notifier.NotifyOn, Slack: slack.Config{BotToken: slacktest.BotToken, Channel: slacktest.Ops, APIURL: s.APIURL()}}
	if diff := cmp.Diff([]string{"slack"}, notifier.Channels(cfg)); diff != "" {
		t.Errorf("channels (-want +got):\n%s", diff)
	}
	n, err := notifier.New(cfg, b, bustest.Log(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	n.SetPause(func(time.Duration) time.Duration { return time.Millisecond })
	bustest.Start(t, n.Part().Run)
	return b, s
}

func toldInSlack(t *testing.T, b *bus.Bus) {
	t.Helper()
	bustest.Settled(t, b, bus.Diagnose, bus.Answer, bus.WatchFindings, bus.Notify("webhook"))
}

func TestAnIncidentIsOneCardAndOneThread(t *testing.T) {
	b, s := inSlack(t)
	c := channeltest.Opened("checkout")
	store(t, b, c)
	toldInSlack(t, b)
	for _, kind := range []string{schema.EventDiagnosed, schema.EventWorsened, schema.EventAcknowledged, schema.EventCleared} {
		c = channeltest.Add(c, kind)
		store(t, b, c)
		toldInSlack(t, b)
	}
	messages := s.Messages(slacktest.Ops)
	if len(messages) != 1 || messages[0].Edits != 4 || len(messages[0].Replies) != 4 {
		t.Fatalf("%d messages, want one card with 4 changes and 4 replies: %+v", len(messages), messages)
	}
	if diff := cmp.Diff(slacktest.Sounds{Roots: 1, Broadcasts: 1}, s.Sounds(slacktest.Ops)); diff != "" {
		t.Errorf("sounds (-want +got):\n%s", diff)
	}
}

// Slack takes a post and does not say so: it is found there, and not posted again.
func TestNothingIsPostedToSlackTwice(t *testing.T) {
	b, s := inSlack(t)
	s.Random(1, 0.4, slacktest.ResetsAccepted(), slacktest.Resets(), slacktest.FailsAccepted(502), slacktest.Fails(503))
	c := channeltest.Opened("checkout")
	store(t, b, c)
	for _, kind := range []string{schema.EventDiagnosed, schema.EventWorsened, schema.EventAcknowledged, schema.EventCleared} {
		c = channeltest.Add(c, kind)
		store(t, b, c)
		toldInSlack(t, b)
	}
	messages := s.Messages(slacktest.Ops)
	if len(messages) != 1 {
		t.Fatalf("%d messages, want one card", len(messages))
	}
	seen := map[string]bool{}
	for _, r := range messages[0].Replies {
		if key := string(r.Metadata); seen[key] {
			t.Errorf("posted twice: %s", key)
		} else {
			seen[key] = true
		}
	}
	if len(seen) == 0 {
		t.Error("no replies")
	}
}
