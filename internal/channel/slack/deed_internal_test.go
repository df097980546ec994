package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/channel/slack/socket"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

var us = self{user: "U0BELLBUOY", bot: "B0BELLBUOY"}

func TestWhatIsHeardAndWhatIsIgnored(t *testing.T) {
	const message = `"type":"message","channel":"C0OPS","user":"U0ANNA","ts":"2.2","text":"why?"`
	heard := deed{kind: deedMessage, user: "U0ANNA", channel: "C0OPS", on: "1.1", thread: "1.1", ts: "2.2", text: "why?", id: "C0OPS-2.2"}
	shared := heard
	shared.text = "why?"
	liked := deed{kind: deedReaction, user: "U0ANNA", channel: "C0OPS", on: "2.2", text: "+1", id: "C0OPS-2.2-U0ANNA-+1-3.3"}
	pressedAck := deed{kind: deedButton, user: "U0ANNA", channel: "C0OPS", on: "1.1", text: "ack", value: "v", id: "C0OPS-1.1-U0ANNA-ack-5.5"}
	chosen := pressedAck
	chosen.text, chosen.value, chosen.id = "silence", "w", "C0OPS-1.1-U0ANNA-silence-5.5"
	const press = `"type":"block_actions","user":{"id":"U0ANNA"},"container":{"channel_id":"C0OPS","message_ts":"1.1"}`
	for _, tt := range []struct {
		name, kind, body string
		want             deed
		ignored          string
		malformed        bool
	}{
		{"reply-in-a-thread", "events_api", `{` + message + `,"thread_ts":"1.1"}`, heard, "", false},
		{"shown-in-the-channel-too", "events_api", `{` + message + `,"thread_ts":"1.1","subtype":"thread_broadcast"}`, heard, "", false},
		{"with-a-file", "events_api", `{` + message + `,"thread_ts":"1.1","subtype":"file_share"}`, shared, "", false},
		{"mention-is-the-same-deed", "events_api", `{"type":"app_mention","channel":"C0OPS","user":"U0ANNA","ts":"2.2","text":"why?","thread_ts":"1.1"}`, heard, "", false},
		{"not-in-a-thread", "events_api", `{` + message + `}`, deed{}, ignoredNoThread, false},
		{"root", "events_api", `{` + message + `,"thread_ts":"2.2"}`, deed{}, ignoredNoThread, false},
		{"changed", "events_api", `{` + message + `,"thread_ts":"1.1","subtype":"message_changed"}`, deed{}, ignoredSubtype, false},
		{"deleted", "events_api", `{` + message + `,"thread_ts":"1.1","subtype":"message_deleted"}`, deed{}, ignoredSubtype, false},
		{"joined", "events_api", `{` + message + `,"subtype":"channel_join"}`, deed{}, ignoredSubtype, false},
		{"another-bot", "events_api", `{` + message + `,"thread_ts":"1.1","bot_id":"B0OTHER"}`, deed{}, ignoredBot, false},
		{"another-app", "events_api", `{` + message + `,"thread_ts":"1.1","app_id":"A0OTHER"}`, deed{}, ignoredBot, false},
		{"ourselves", "events_api", `{"type":"message","channel":"C0OPS","user":"U0BELLBUOY","ts":"2.2","thread_ts":"1.1","text":"x"}`, deed{}, ignoredBot, false},
		{"nobody", "events_api", `{"type":"message","channel":"C0OPS","ts":"2.2","thread_ts":"1.1","text":"x"}`, deed{}, "", true},
		{"text-that-is-none", "events_api", `{"type":"message","channel":"C0OPS","user":"U0ANNA","ts":"2.2","thread_ts":"1.1","text":[1]}`, deed{}, "", true},
		{"thumb-up", "events_api", `{"type":"reaction_added","user":"U0ANNA","reaction":"+1","item":{"type":"message","channel":"C0OPS","ts":"2.2"},"event_ts":"3.3"}`, liked, "", false},
		{"another-emoji", "events_api", `{"type":"reaction_added","user":"U0ANNA","reaction":"eyes","item":{"type":"message","channel":"C0OPS","ts":"2.2"}}`, deed{}, ignoredEmoji, false},
		{"thumb-taken-away", "events_api", `{"type":"reaction_removed","user":"U0ANNA","reaction":"+1"}`, deed{}, ignoredKind, false},
		{"our-own-thumb", "events_api", `{"type":"reaction_added","user":"U0BELLBUOY","reaction":"+1","item":{"type":"message","channel":"C0OPS","ts":"2.2"}}`, deed{}, ignoredBot, false},
		{"button", "interactive", `{` + press + `,"actions":[{"action_id":"ack","value":"v","action_ts":"5.5"}]}`, pressedAck, "", false},
		{"menu", "interactive", `{` + press + `,"actions":[{"action_id":"silence","selected_option":{"value":"w"},"action_ts":"5.5"}]}`, chosen, "", false},
		{"no-button", "interactive", `{` + press + `,"actions":[]}`, deed{}, "", true},
		{"dialogue", "interactive", `{"type":"view_submission"}`, deed{}, ignoredKind, false},
		{"command", "slash_commands", `{}`, deed{}, ignoredKind, false},
		{"not-an-object", "events_api", `7`, deed{}, "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := tt.body
			if tt.kind == "events_api" {
				body = `{"type":"event_callback","event":` + body + `}`
			}
			got, ignored, err := read(socket.Envelope{ID: "1", Type: tt.kind, Payload: json.RawMessage(body)}, us)
			if ignored != tt.ignored || errors.Is(err, errMalformed) != tt.malformed {
				t.Errorf("ignored %q, want %q; %v", ignored, tt.ignored, err)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(deed{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatPeopleTyped(t *testing.T) {
	name := func(user string) string { return map[string]string{"U0ANNA": "Anna <&>", "U0BEN": "@Ben"}[user] }
	for in, want := range map[string]string{
		"why?":                               "why?",
		"<@U0BELLBUOY> ack":                  "ack",
		"<@U0BELLBUOY>":                      "",
		"ask <@U0ANNA> or <@U0BEN|ben>":      "ask @Anna <&> or @Ben",
		"a &lt;b&gt; &amp;amp; c":            "a <b> &amp; c",
		"see <https://a.example/?x=1&amp;y>": "see https://a.example/?x=1&y",
		"see <https://a.example|the page>":   "see the page (https://a.example)",
		"see <http://a.example|a.example>":   "see http://a.example",
		"<mailto:a@b.example|a@b.example>":   "a@b.example",
		"in <#C0OPS|ops> and <#C1>":          "in #ops and #C1",
		"<!here> <!subteam^S1|@oncall>":      "@here @oncall",
		"at <!date^1^{time}|10:00 UTC>":      "at 10:00 UTC",
		"  silence 2h\n":                     "silence 2h",
	} {
		if got := typed(in, us, name); got != want {
			t.Errorf("%q is read as %q, want %q", in, got, want)
		}
	}
}

func TestWhatAButtonAsks(t *testing.T) {
	const id = "0123456789abcdef"
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 28, 23, 30, 0, 0, time.UTC) // Sunday already in Berlin; the clocks change there that night
	for _, tt := range []struct {
		verb, value string
		want        schema.Reply
		ok          bool
	}{
		{"ack", id + "/3", schema.Reply{Verb: "ack"}, true},
		{"unack", id + "/3", schema.Reply{Verb: "unack"}, true},
		{"silence", id + "/3/1h", schema.Reply{Verb: "silence 1h"}, true},
		{"silence", id + "/3/4h", schema.Reply{Verb: "silence 4h"}, true},
		{"silence", id + "/3/tomorrow", schema.Reply{Verb: "silence", Until: time.Date(2026, 3, 30, 7, 0, 0, 0, time.UTC)}, true},
		{"silence", id + "/3/10000h", schema.Reply{}, false},
		{"silence", id + "/3", schema.Reply{}, false},
		{"approve", id + "/3", schema.Reply{}, false},
		{"ack because of you", id + "/3", schema.Reply{}, false},
		{"ack", id + "/3/1h", schema.Reply{}, false},
	} {
		p, ok := readPressed(tt.value)
		if !ok || p.conversation != id || p.episode != 3 || p.String() != tt.value {
			t.Errorf("%s is read as %+v, %t", tt.value, p, ok)
		}
		got, ok := p.asks(tt.verb, now, berlin)
		if diff := cmp.Diff(tt.want, got); diff != "" || ok != tt.ok {
			t.Errorf("%s %s: %t (-want +got):\n%s", tt.verb, tt.value, ok, diff)
		}
	}
	for _, value := range []string{"", "x", id, id + "/", id + "/0", id + "/x", "0123/1", id + "/1/1h/2", "../" + id + "/1"} {
		if p, ok := readPressed(value); ok {
			t.Errorf("%q is read as %+v", value, p)
		}
	}
}

func TestThumbs(t *testing.T) {
	for emoji, want := range map[string]string{"+1": verbRight, "thumbsup": verbRight, "+1::skin-tone-3": verbRight, "-1": verbWrong, "thumbsdown": verbWrong, "eyes": "", "": ""} {
		if got := verdict(emoji); got != want {
			t.Errorf("%s means %q, want %q", emoji, got, want)
		}
	}
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	r := newRecent[int](3)
	for i := range 5 {
		if !r.put(fmt.Sprint(i), i) {
			t.Errorf("%d is not new", i)
		}
		r.get("2")
	}
	if r.put("4", 44) {
		t.Error("4 is new again")
	}
	for key, want := range map[string]bool{"0": false, "1": false, "2": true, "3": true, "4": true} {
		if _, ok := r.get(key); ok != want {
			t.Errorf("%s is remembered: %t", key, ok)
		}
	}
	if v, _ := r.get("4"); v != 44 {
		t.Errorf("4 is %d", v)
	}
}
