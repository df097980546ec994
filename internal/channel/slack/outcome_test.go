package slack_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/slack"
	"github.com/bellbuoy/bellbuoy/internal/channel/slack/slacktest"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// opening is the card of a conversation, and what is posted of it next: a change of the card, then a line of the thread.
func opening(t *testing.T, ch *slack.Channel) (card, edit, line channel.Post) {
	t.Helper()
	terms := channel.Terms{Mention: onCall}
	c := checkout()
	card = next(t, ch, c, channel.Told{}, terms)
	told := tell(t, ch, channel.Told{}, c, card)
	c = diagnosed(c)
	edit = next(t, ch, c, told, terms)
	told.Revision = edit.Revision
	return card, edit, next(t, ch, c, told, terms)
}

func next(t *testing.T, ch *slack.Channel, c schema.Conversation, told channel.Told, terms channel.Terms) channel.Post {
	t.Helper()
	p, ok := ch.Next(c, told, terms)
	if !ok {
		t.Fatal("nothing to post")
	}
	return p
}

var verdicts = []error{channel.ErrAmbiguous, channel.ErrTooBig, channel.ErrLostRoot, channel.ErrSetup, channel.ErrRefused, channel.ErrGone}

// hasVerdict checks that an error is that verdict alone; nil stands for passing.
func hasVerdict(t *testing.T, err, want error) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, v := range verdicts {
		if is := errors.Is(err, v); is != errors.Is(want, v) {
			t.Errorf("verdict %q: %v; the error is %q", v, is, err)
		}
	}
}

func TestVerdicts(t *testing.T) {
	const card, edit, line = 0, 1, 2
	tests := []struct {
		name  string
		post  int
		fault slacktest.Fault
		want  error // nil: passing
		says  string
	}{
		{"no-answer-to-a-post", card, slacktest.ResetsAccepted(), channel.ErrAmbiguous, "chat.postMessage"},
		{"no-answer-to-a-reply", line, slacktest.Resets(), channel.ErrAmbiguous, "chat.postMessage"},
		{"no-answer-to-a-change", edit, slacktest.Resets(), nil, "chat.update"},
		{"status-500-for-a-post", card, slacktest.FailsAccepted(500), channel.ErrAmbiguous, "answered 500"},
		{"status-503-for-a-change", edit, slacktest.Fails(503), nil, "answered 503"},
		{"internal-error", card, slacktest.Refuses("internal_error"), channel.ErrAmbiguous, "internal_error"},
		{"internal-error-of-a-change", edit, slacktest.Refuses("fatal_error"), nil, "fatal_error"},
		{"unavailable", card, slacktest.Refuses("service_unavailable"), nil, "service_unavailable"},
		{"unheard-of", card, slacktest.Refuses("something_new"), nil, "something_new"},
		{"not-in-channel", card, slacktest.Refuses("not_in_channel"), channel.ErrSetup, "invite the bot into the channel: type /invite @Bellbuoy in C0OPS"},
		{"no-channel", card, slacktest.Refuses("channel_not_found"), channel.ErrSetup, "set SLACK_CHANNEL to a channel that there is"},
		{"archived", line, slacktest.Refuses("is_archived"), channel.ErrSetup, "C0OPS is archived"},
		{"not-allowed-there", card, slacktest.Refuses("restricted_action_read_only_channel"), channel.ErrSetup, "may post in C0OPS"},
		{"token-revoked", card, slacktest.Refuses("token_revoked"), channel.ErrSetup, "set SLACK_BOT_TOKEN"},
		{"card-gone", edit, slacktest.Refuses("message_not_found"), channel.ErrLostRoot, "message_not_found"},
		{"card-too-old", edit, slacktest.Refuses("edit_window_closed"), channel.ErrLostRoot, "edit_window_closed"},
		{"thread-locked", line, slacktest.Refuses("restricted_action_thread_locked"), channel.ErrLostRoot, "thread_locked"},
		{"bad-arguments", card, slacktest.Refuses("invalid_arguments"), channel.ErrRefused, "invalid_arguments"},
		{"form-even-as-plain-text", card, slacktest.Refuses("invalid_blocks"), channel.ErrRefused, "invalid_blocks"},
		{"too-long-even-as-plain-text", line, slacktest.Refuses("msg_blocks_too_long"), channel.ErrTooBig, "msg_blocks_too_long"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := workspace(t)
			ch := open(t, s)
			var posts [3]channel.Post
			posts[card], posts[edit], posts[line] = opening(t, ch)
			s.Fault("", -1, tt.fault)
			_, err := ch.Post(t.Context(), posts[tt.post])
			hasVerdict(t, err, tt.want)
			if !strings.Contains(fmt.Sprint(err), tt.says) {
				t.Errorf("%q does not say %q", err, tt.says)
			}
		})
	}
}

func TestAMissingScopeIsNamed(t *testing.T) {
	s := workspace(t)
	s.AddToken(slacktest.Token{Value: slacktest.BotToken, Scopes: []string{"users:read"}, User: slacktest.Bot})
	ch := open(t, s)
	_, err := ch.Post(t.Context(), next(t, ch, checkout(), channel.Told{}, channel.Terms{}))
	hasVerdict(t, err, channel.ErrSetup)
	if !strings.Contains(err.Error(), "add the scope chat:write") {
		t.Errorf("%v does not name the scope", err)
	}
}

func TestThePauseThatSlackAsksForIsKept(t *testing.T) {
	tests := []struct {
		name   string
		status int
		header string
		body   string
		want   time.Duration
	}{
		{"in-seconds", http.StatusTooManyRequests, "7", "", 7 * time.Second},
		{"without-a-time", http.StatusTooManyRequests, "", "", 30 * time.Second},
		{"too-long", http.StatusTooManyRequests, "86400", "", 15 * time.Minute},
		{"in-words", http.StatusOK, "", `{"ok":false,"error":"ratelimited"}`, 30 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ch := answering(t, func(w http.ResponseWriter) {
				if tt.header != "" {
					w.Header().Set("Retry-After", tt.header)
				}
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.body))
			})
			before := time.Now()
			_, err := ch.Post(t.Context(), next(t, ch, checkout(), channel.Told{}, channel.Terms{}))
			throttled, ok := errors.AsType[channel.Throttled](err)
			if !ok {
				t.Fatalf("%v, want Throttled", err)
			}
			if wait := throttled.Until.Sub(before); wait < tt.want || wait > tt.want+10*time.Second {
				t.Errorf("a pause of %s, want %s", wait, tt.want)
			}
		})
	}
}

// answering is a channel to a server that answers everything that way.
func answering(t *testing.T, answer func(w http.ResponseWriter)) *slack.Channel {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w) }))
	t.Cleanup(s.Close)
	return openAs(t, slack.Config{BotToken: "xoxb-SECRET-SECRET", Channel: "C0123456789", APIURL: s.URL})
}

func TestAnswersThatAreNoneOfSlacks(t *testing.T) {
	tests := []struct {
		name   string
		answer func(w http.ResponseWriter)
		want   error
	}{
		{"neither-yes-nor-no", func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{}`)) }, channel.ErrAmbiguous},
		{"no-without-a-reason", func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{"ok":false}`)) }, channel.ErrAmbiguous},
		{"a-page", func(w http.ResponseWriter) { _, _ = w.Write([]byte(`<html>xoxb-SECRET-SECRET</html>`)) }, channel.ErrAmbiguous},
		{"half-an-answer", func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{"ok":true,"channel":"C`)) }, channel.ErrAmbiguous},
		{"the-token-repeated", func(w http.ResponseWriter) {
			_, _ = w.Write([]byte(`{"ok":false,"error":"bad xoxb-SECRET-SECRET","response_metadata":{"messages":["xoxb-SECRET-SECRET"]}}`))
		}, nil},
		{"a-pause-that-is-no-number", func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "soon")
			w.WriteHeader(http.StatusTooManyRequests)
		}, channel.ErrAmbiguous},
		{"not-found", func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) }, channel.ErrSetup},
		{"elsewhere", func(w http.ResponseWriter) {
			w.Header().Set("Location", "https://example.com")
			w.WriteHeader(http.StatusFound)
		}, channel.ErrSetup},
		{"too-large", func(w http.ResponseWriter) { w.WriteHeader(http.StatusRequestEntityTooLarge) }, channel.ErrTooBig},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ch := answering(t, tt.answer)
			_, err := ch.Post(t.Context(), next(t, ch, checkout(), channel.Told{}, channel.Terms{}))
			hasVerdict(t, err, tt.want)
			if strings.Contains(err.Error(), "SECRET") {
				t.Errorf("the error has the token: %v", err)
			}
		})
	}
}

func TestWhatSlackDoesNotTakeForItsFormArrivesAsPlainText(t *testing.T) {
	for _, name := range []string{"msg_blocks_too_long", "invalid_blocks", "invalid_attachments", "invalid_blocks_format"} {
		t.Run(name, func(t *testing.T) {
			s := workspace(t)
			ch := open(t, s)
			card, edit, line := opening(t, ch)
			for i, p := range []channel.Post{card, edit, line} {
				s.Fault("", 1, slacktest.Refuses(name))
				if _, err := ch.Post(t.Context(), p); err != nil {
					t.Fatalf("post %s: %v", p.Key, err)
				}
				if got := ch.Degraded(); got != uint64(i+1) {
					t.Errorf("%d are counted, want %d", got, i+1)
				}
			}
			messages := s.Messages(slacktest.Ops)
			edited, posted := messages[0], messages[1]
			for what, m := range map[string]slacktest.Message{"change": edited, "card": posted, "line": edited.Replies[0]} {
				if len(m.Blocks) > 2 || len(m.Attachments) > 2 || !strings.Contains(m.Text, "db") || len(m.Text) > 3000 {
					t.Errorf("the %s arrived as %q with blocks %s and attachments %s", what, m.Text, m.Blocks, m.Attachments)
				}
			}
			if !strings.Contains(posted.Text, "<"+onCall[1:]) || !strings.Contains(posted.Text, "docker start shop-db-1") {
				t.Errorf("the card as text lacks whom it calls or the next step: %s", posted.Text)
			}
		})
	}
}

func TestAReplyThatStandsOutsideItsThreadIsNoticed(t *testing.T) {
	s := workspace(t)
	ch := open(t, s)
	_, _, line := opening(t, ch)
	line.Ref = slacktest.Ops + ":1700000000.000001" // of a card that somebody deleted
	_, err := ch.Post(t.Context(), line)
	hasVerdict(t, err, channel.ErrLostRoot)
}

func TestACardThatIsLostIsPostedAnewAndItsThreadGoesOn(t *testing.T) {
	s := workspace(t)
	ch := open(t, s)
	c := checkout()
	terms := channel.Terms{Mention: onCall}
	told := tell(t, ch, channel.Told{}, c, next(t, ch, c, channel.Told{}, terms))
	c = diagnosed(c)
	told.Ref = "" // as the notifier does when a card is lost
	card := next(t, ch, c, told, terms)
	if card.Ref != "" || card.Lines != 0 || card.Sound != channel.Quietly {
		t.Errorf("the new card is %+v", card)
	}
	told = tell(t, ch, told, c, card)
	line := next(t, ch, c, told, terms)
	told = tell(t, ch, told, c, line)
	if p, more := ch.Next(c, told, terms); more {
		t.Errorf("%s is posted on top of it", p.Key)
	}
	messages := s.Messages(slacktest.Ops)
	if len(messages) != 2 || len(messages[1].Replies) != 1 {
		t.Errorf("%d messages, want a second card with a reply", len(messages))
	}
}
