package slack_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/slack"
	"github.com/bellbuoy/bellbuoy/internal/channel/slack/slacktest"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const within = 20 * time.Second

// store is what hears in place of the notifier.
type store struct {
	mu     sync.Mutex
	stored []schema.Reply
	fails  error
}

func (s *store) hear(_ context.Context, r schema.Reply) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails != nil {
		return s.fails
	}
	s.stored = append(s.stored, r)
	return nil
}

func (s *store) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails = err
}

func (s *store) ids() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.stored {
		all = append(all, r.ID)
	}
	return all
}

func (s *store) texts() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.stored {
		all = append(all, r.Verb+r.Text)
	}
	return all
}

// listen listens until the test is over, or stop is called.
func hears(t *testing.T, s *slacktest.Server, ch *slack.Channel, hear channel.Hear) (stop func()) {
	t.Helper()
	before := s.Connections()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- ch.Listen(ctx, hear) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("listen: %v", err)
		}
	})
	t.Cleanup(stop)
	sees(t, s, func() bool { return s.Connections() >= before+2 })
	return stop
}

func sees(t *testing.T, s *slacktest.Server, cond func() bool) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), within)
	defer stop()
	if err := s.Until(ctx, cond); err != nil {
		t.Fatal(err)
	}
}

// carded is a workspace with the card of a conversation.
func carded(t *testing.T, o slacktest.Options) (*slacktest.Server, *slack.Channel, slacktest.Message) {
	t.Helper()
	s, err := slacktest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	ch := listening(t, s)
	ch.Hurry(time.Minute)
	delivered(t, ch, story{"", channel.Terms{}, []schema.Conversation{checkout()}})
	return s, ch, s.Messages(slacktest.Ops)[0]
}

func say(t *testing.T, s *slacktest.Server, text, thread string) *slacktest.Delivery {
	t.Helper()
	_, told, err := s.Say(slacktest.Anna, slacktest.Ops, text, thread)
	if err != nil {
		t.Fatal(err)
	}
	return told[0]
}

func acked(t *testing.T, d *slacktest.Delivery) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), within)
	defer stop()
	if err := d.Acked(ctx); err != nil {
		t.Fatal(err)
	}
}

// It is stored, and then the notifier ends: the next one hears it again, under the same id.
func TestWhatWasStoredAndNotAcknowledgedComesAgainUnderTheSameID(t *testing.T) {
	s, ch, card := carded(t, slacktest.Options{AckWithin: time.Hour})
	first, second := &store{}, &store{}
	stored, ended := make(chan struct{}), make(chan struct{})
	stop := hears(t, s, ch, func(ctx context.Context, r schema.Reply) error {
		_ = first.hear(ctx, r)
		close(stored)
		<-ctx.Done()
		_ = s.Until(t.Context(), func() bool { return s.Connections() == 0 }) // too late to acknowledge it
		close(ended)
		return nil
	})
	d := say(t, s, "why?", card.TS)
	<-stored
	stop()
	<-ended
	hears(t, s, ch, second.hear)
	s.Expire()
	acked(t, d)
	once, again := first.ids(), second.ids() // a connection may bring it, and the expiry once more
	if len(once) != 1 || len(again) == 0 || d.Sent() < 2 || !slices.Equal(once, slices.Compact(again)) {
		t.Errorf("sent %d times, stored %q and %q", d.Sent(), once, again)
	}
}

func TestWhatCannotBeStoredIsNotAcknowledged(t *testing.T) {
	s, ch, card := carded(t, slacktest.Options{AckWithin: time.Hour})
	heard := &store{}
	hears(t, s, ch, heard.hear)
	heard.fail(errors.New("no server"))
	d := say(t, s, "why?", card.TS)
	pressed, err := s.Press(slacktest.Anna, card, "ack")
	if err != nil {
		t.Fatal(err)
	}
	var told string
	sees(t, s, func() bool {
		for _, c := range s.Calls() {
			if c.Method == "chat.postEphemeral" && c.Status == 200 {
				told = c.Args["user"] + " " + c.Args["text"]
			}
		}
		return told != ""
	})
	if want := slacktest.Anna + " That was not stored"; !strings.HasPrefix(told, want) {
		t.Errorf("told %q", told)
	}
	heard.fail(nil)
	s.Expire()
	acked(t, d)
	if got := heard.texts(); !slices.Equal(got, []string{"why?"}) || !pressed.Lost() {
		t.Errorf("heard %q; the button is lost: %t", got, pressed.Lost())
	}
}

// Whoever may not is told so once, though a mention comes twice, and Slack does not ask again.
func TestWhoMayNotIsToldSoAlone(t *testing.T) {
	s, ch, card := carded(t, slacktest.Options{})
	hears(t, s, ch, func(context.Context, schema.Reply) error { return channel.Denied{Text: "Ben & <Carl> may."} })
	acked(t, say(t, s, "@alerts ack", card.TS))
	if err := s.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	var told []string
	sees(t, s, func() bool {
		told = nil
		for _, c := range s.Calls() {
			if c.Method == "chat.postEphemeral" && c.Status == 200 {
				told = append(told, c.Args["user"]+" "+c.Args["thread_ts"]+" "+c.Args["text"])
			}
			if c.Method == "reactions.add" {
				t.Error("it is marked as heard")
			}
		}
		return len(told) > 0
	})
	if diff := cmp.Diff([]string{slacktest.Anna + " " + card.TS + " Ben &amp; ‹Carl› may."}, told); diff != "" {
		t.Errorf("(-want +told):\n%s", diff)
	}
}

// The name of whoever replies is good to have, and not needed.
func TestAReplyIsHeardThoughSlackDoesNotSayWhoItIs(t *testing.T) {
	s, ch, card := carded(t, slacktest.Options{})
	heard := &store{}
	hears(t, s, ch, heard.hear)
	s.Fault("users.info", -1, slacktest.Refuses("missing_scope"))
	s.Fault("reactions.add", -1, slacktest.Refuses("missing_scope"))
	acked(t, say(t, s, "why?", card.TS))
	if len(heard.stored) != 1 || heard.stored[0].Author.Name != slacktest.Anna || heard.stored[0].Author.ID != slacktest.Anna {
		t.Errorf("heard %+v", heard.stored)
	}
}

func TestAThreadThatCannotBeLookedUpIsAskedForAgain(t *testing.T) {
	s, ch, card := carded(t, slacktest.Options{})
	heard := &store{}
	hears(t, s, ch, heard.hear)
	s.Fault("conversations.replies", 1, slacktest.Fails(503))
	d := say(t, s, "why?", card.TS)
	sees(t, s, func() bool {
		return slices.ContainsFunc(s.Calls(), func(c slacktest.Call) bool { return c.Status == 503 })
	})
	s.Expire()
	acked(t, d)
	if got := heard.texts(); !slices.Contains(got, "why?") {
		t.Errorf("heard %q", got)
	}
}

func TestListeningThatIsSetUpWronglyEnds(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(*slacktest.Server)
		says  string
	}{
		{"app-token-taken-back", func(s *slacktest.Server) { s.Revoke(slacktest.AppToken) }, "set SLACK_APP_TOKEN"},
		{"app-token-without-scope", func(s *slacktest.Server) { s.AddToken(slacktest.Token{Value: slacktest.AppToken}) }, "connections:write"},
		{"bot-token-taken-back", func(s *slacktest.Server) { s.Revoke(slacktest.BotToken) }, "set SLACK_BOT_TOKEN"},
		{"socket-mode-off", func(s *slacktest.Server) { s.Disable() }, "turn Socket Mode on"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := workspace(t)
			tt.spoil(s)
			err := listening(t, s).Listen(t.Context(), (&store{}).hear)
			if !errors.Is(err, channel.ErrSetup) || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "xapp-bellbuoy") {
				t.Errorf("ends with %v", err)
			}
		})
	}
}

func TestWithoutAnAppTokenNobodyListens(t *testing.T) {
	s := workspace(t)
	if err := open(t, s).Listen(t.Context(), (&store{}).hear); err != nil || len(s.Calls()) > 0 {
		t.Errorf("%v; called %+v", err, s.Calls())
	}
}
