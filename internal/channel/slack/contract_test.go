package slack_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/channel/slack"
	"github.com/bellbuoy/bellbuoy/internal/channel/slack/slacktest"
	"github.com/bellbuoy/bellbuoy/internal/config"
)

func workspace(t *testing.T) *slacktest.Server {
	t.Helper()
	s, err := slacktest.Start(slacktest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// open is a channel that posts to the workspace's channel ops.
func open(t *testing.T, s *slacktest.Server) *slack.Channel {
	t.Helper()
	return openAs(t, slack.Config{BotToken: slacktest.BotToken, Channel: slacktest.Ops, APIURL: s.APIURL()})
}

// listening is open with a token that replies are heard by.
func listening(t *testing.T, s *slacktest.Server) *slack.Channel {
	t.Helper()
	return openAs(t, slack.Config{BotToken: slacktest.BotToken, AppToken: slacktest.AppToken, Channel: slacktest.Ops, APIURL: s.APIURL()})
}

func openAs(t *testing.T, c slack.Config) *slack.Channel {
	t.Helper()
	ch, err := slack.New(slack.Name, c)
	if err != nil {
		t.Fatal(err)
	}
	ch.SetTimeout(time.Minute)
	t.Cleanup(func() { _ = ch.Close() })
	return ch
}

// receiver is a workspace under the contract suite's control.
type receiver struct {
	*slacktest.Server
	t *testing.T
}

func (r receiver) Answer(a channeltest.Answer) {
	r.Heal()
	switch a {
	case channeltest.Takes:
	case channeltest.Fails:
		r.Fault("", -1, slacktest.Refuses("service_unavailable"))
	case channeltest.Throttles:
		r.Fault("", -1, slacktest.Throttled(channeltest.Pause))
	case channeltest.Refuses:
		r.Fault("", -1, slacktest.Refuses("invalid_arguments"))
	case channeltest.TooBig:
		r.Fault("", -1, slacktest.Refuses("msg_too_long"))
	case channeltest.Forbids:
		r.Fault("", -1, slacktest.Refuses("invalid_auth"))
	case channeltest.Hangs:
		r.Fault("", -1, slacktest.HangsAccepted())
	case channeltest.Resets:
		r.Fault("", -1, slacktest.ResetsAccepted())
	case channeltest.Gone: // which Slack never says
	case channeltest.Unreachable:
		r.Close()
	}
}

// Got reads the calls back. A message of Slack's shows a state; the events that it tells are those up to its revision of
// which no earlier one of its card did.
func (r receiver) Got() []channeltest.Got {
	var all []channeltest.Got
	told := map[string]int{}
	for _, call := range r.Calls() {
		if call.Args["metadata"] == "" {
			continue // it looks for a post
		}
		var meta struct {
			Payload struct{ Key, Conversation, State string } `json:"event_payload"`
		}
		if err := json.Unmarshal([]byte(call.Args["metadata"]), &meta); err != nil {
			r.t.Errorf("metadata is not JSON: %v", err)
		}
		size := 0
		for _, arg := range call.Args {
			size += len(arg)
		}
		p := meta.Payload
		g := channeltest.Got{Key: p.Key, State: p.State, Size: size, Text: channel.Cut(strings.ReplaceAll(rendered(r.t, call.Args), "\n", " "), 1024)}
		if call.Method == "chat.postMessage" && call.Args["thread_ts"] == "" {
			told[p.Conversation] = 0 // a new card tells all of it
		}
		revision, _ := channel.Revision(p.Key)
		for n := told[p.Conversation] + 1; n <= revision; n++ {
			g.Events = append(g.Events, channel.Key(p.Conversation, n, ""))
		}
		told[p.Conversation] = max(told[p.Conversation], revision)
		all = append(all, g)
	}
	return all
}

// impatient gives a post up once Slack has it and does not answer.
type impatient struct {
	*slack.Channel
	server *slacktest.Server
}

func (c impatient) Post(ctx context.Context, p channel.Post) (string, error) {
	if err := c.server.Until(ctx, func() bool { return c.server.Hanging() == 0 }); err != nil && ctx.Err() != nil { // of the post before
		return "", err
	}
	ctx, giveUp := context.WithCancel(ctx)
	var waits sync.WaitGroup
	defer waits.Wait()
	defer giveUp()
	waits.Go(func() {
		if c.server.Until(ctx, func() bool { return c.server.Hanging() > 0 }) == nil {
			giveUp()
		}
	})
	return c.Channel.Post(ctx, p)
}

func TestSlackKeepsTheContractOfChannels(t *testing.T) {
	const token = "xoxb-TOPSECRETTOKEN"
	channeltest.Run(t, func(t *testing.T) channeltest.Subject {
		s := workspace(t)
		s.AddToken(slacktest.Token{Value: token, Scopes: slacktest.BotScopes(), User: slacktest.Bot})
		ch := openAs(t, slack.Config{BotToken: config.Secret(token), Channel: slacktest.Ops, APIURL: s.APIURL()})
		return channeltest.Subject{
			Channel: impatient{ch, s}, Receiver: receiver{s, t}, MaxBody: 64 << 10, Family: channel.Chat, Parts: 2, Edits: true,
			Never: []channeltest.Answer{channeltest.Gone}, Secrets: []string{"TOPSECRETTOKEN"},
		}
	})
}
