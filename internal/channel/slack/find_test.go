package slack_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	api "github.com/slack-go/slack"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/slack"
	"github.com/bellbuoy/bellbuoy/internal/channel/slack/slacktest"
)

// nightly is a workspace whose clock stands in the night of the story, with the rights that the manifest asks for.
func nightly(t *testing.T) *slacktest.Server {
	t.Helper()
	s, err := slacktest.Start(slacktest.Options{Now: func() time.Time { return at(10) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	s.AddToken(slacktest.Token{Value: slacktest.BotToken, Scopes: manifest(t).OAuthConfig.Scopes.Bot, User: slacktest.Bot})
	return s
}

func find(t *testing.T, ch *slack.Channel, p channel.Post) (ref string, found bool) {
	t.Helper()
	ref, found, err := ch.Find(t.Context(), p)
	if err != nil {
		t.Fatalf("find %s: %v", p.Key, err)
	}
	return ref, found
}

func TestWhatArrivedWithoutAnAnswerIsFound(t *testing.T) {
	s := nightly(t)
	ch := open(t, s)
	c := checkout()
	card := next(t, ch, c, channel.Told{}, channel.Terms{})
	if ref, found := find(t, ch, card); found {
		t.Errorf("found as %s before it was posted", ref)
	}
	s.Fault("", 1, slacktest.ResetsAccepted())
	if _, err := ch.Post(t.Context(), card); !errors.Is(err, channel.ErrAmbiguous) {
		t.Fatalf("%v, want ambiguous", err)
	}
	ref, found := find(t, ch, card)
	if want := slacktest.Ops + ":" + s.Messages(slacktest.Ops)[0].TS; !found || ref != want {
		t.Fatalf("found %v as %q, want %q", found, ref, want)
	}
	told := channel.Told{Revision: card.Revision, Lines: card.Lines, Episode: 1, Ref: ref, At: c.UpdatedAt}
	c = diagnosed(c)
	told = tell(t, ch, told, c, next(t, ch, c, told, channel.Terms{}))
	line := next(t, ch, c, told, channel.Terms{})
	if _, found := find(t, ch, line); found {
		t.Error("a line is found before it was posted")
	}
	s.Fault("", 1, slacktest.FailsAccepted(502))
	if _, err := ch.Post(t.Context(), line); !errors.Is(err, channel.ErrAmbiguous) {
		t.Fatalf("%v, want ambiguous", err)
	}
	if got, found := find(t, ch, line); !found || got != ref {
		t.Errorf("found %v, the reference is %q and that of its card %q", found, got, ref)
	}
	if n := len(s.Messages(slacktest.Ops)[0].Replies); n != 1 {
		t.Errorf("%d replies, want one", n)
	}
}

func TestFindLooksBackPageByPage(t *testing.T) {
	s := nightly(t)
	ch := open(t, s)
	card := next(t, ch, checkout(), channel.Told{}, channel.Terms{})
	ref, err := ch.Post(t.Context(), card)
	if err != nil {
		t.Fatal(err)
	}
	other := api.New(slacktest.BotToken, api.OptionAPIURL(s.APIURL()))
	for i := range 450 {
		if _, _, err := other.PostMessage(slacktest.Ops, api.MsgOptionText(fmt.Sprintf("talk %d", i), false)); err != nil {
			t.Fatal(err)
		}
	}
	if got, found := find(t, ch, card); !found || got != ref {
		t.Errorf("found %v as %q, want %q", found, got, ref)
	}
}

// To change a card twice does no harm, so nobody looks whether it was.
func TestFindDoesNotLookForAChange(t *testing.T) {
	s := nightly(t)
	ch := open(t, s)
	_, edit, _ := opening(t, ch)
	before := len(s.Calls())
	if _, found := find(t, ch, edit); found || len(s.Calls()) != before {
		t.Errorf("found %v, after %d calls", found, len(s.Calls())-before)
	}
}

func TestABotThatMayNotReadFindsNothing(t *testing.T) {
	s := nightly(t)
	s.AddToken(slacktest.Token{Value: slacktest.BotToken, Scopes: []string{"chat:write"}, User: slacktest.Bot})
	ch := open(t, s)
	card, _, line := opening(t, ch)
	for _, p := range []channel.Post{card, line} {
		if _, found := find(t, ch, p); found {
			t.Errorf("%s is found", p.Key)
		}
	}
}

func TestFindSaysWhyItCouldNotLook(t *testing.T) {
	s := nightly(t)
	ch := open(t, s)
	card, _, line := opening(t, ch)
	s.Fault("conversations.history", 1, slacktest.Throttled(7*time.Second))
	if _, _, err := ch.Find(t.Context(), card); !errors.As(err, new(channel.Throttled)) {
		t.Errorf("%v, want Throttled", err)
	}
	line.Ref = slacktest.Ops + ":1700000000.000001"
	if _, _, err := ch.Find(t.Context(), line); !errors.Is(err, channel.ErrLostRoot) {
		t.Errorf("%v, want a lost card", err)
	}
}

func TestAChannelMayBeNamed(t *testing.T) {
	s := nightly(t)
	ch := openAs(t, slack.Config{BotToken: slacktest.BotToken, Channel: "#ops", APIURL: s.APIURL()})
	card := next(t, ch, checkout(), channel.Told{}, channel.Terms{})
	ref, err := ch.Post(t.Context(), card)
	if err != nil || !strings.HasPrefix(ref, slacktest.Ops+":") {
		t.Fatalf("posted as %q, %v", ref, err)
	}
	if got, found := find(t, ch, card); !found || got != ref {
		t.Errorf("found %v as %q, want %q", found, got, ref)
	}
}

func TestNoMessageOfOthersIsTakenForOurs(t *testing.T) {
	s := nightly(t)
	ch := open(t, s)
	card := next(t, ch, checkout(), channel.Told{}, channel.Terms{})
	other := api.New(slacktest.BotToken, api.OptionAPIURL(s.APIURL()))
	_, _, err := other.PostMessage(slacktest.Ops, api.MsgOptionText("x", false), api.MsgOptionMetadata(api.SlackMetadata{
		EventType: "something_else", EventPayload: map[string]any{"key": card.Key},
	}))
	if err != nil {
		t.Fatal(err)
	}
	if _, found := find(t, ch, card); found {
		t.Error("found")
	}
}
