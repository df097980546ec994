package slacktest_test

import (
	"slices"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/channel/slack/slacktest"
)

const (
	form = "application/x-www-form-urlencoded"
	body = "application/json; charset=utf-8"
)

func TestWhoMayCallWhat(t *testing.T) {
	s := start(t, slacktest.Options{})
	s.AddToken(slacktest.Token{Value: "xoxb-mute", Scopes: []string{"channels:read", "users:read"}, User: slacktest.Bot})
	s.AddToken(slacktest.Token{Value: "xoxb-old", Scopes: slacktest.BotScopes(), User: slacktest.Bot})
	s.Revoke("xoxb-old")
	tests := []struct {
		name, method, kind, token, body, error string
	}{
		{"form", "chat.postMessage", form, slacktest.BotToken, "channel=ops&text=x", ""},
		{"json", "chat.postMessage", body, slacktest.BotToken, `{"channel":"#ops","blocks":[{"type":"divider"}],"reply_broadcast":false}`, ""},
		{"json-of-text", "chat.postMessage", body, slacktest.BotToken, `{"channel":"#ops","blocks":"[{\"type\":\"divider\"}]"}`, ""},
		{"token-in-form", "chat.postMessage", form, "", "channel=ops&text=x&token=" + slacktest.BotToken, ""},
		{"token-in-json", "chat.postMessage", body, "", `{"channel":"ops","text":"x","token":"` + slacktest.BotToken + `"}`, "not_authed"},
		{"token-in-address", "chat.postMessage?token=" + slacktest.BotToken, form, "", "channel=ops&text=x", "not_authed"},
		{"no-token", "auth.test", form, "", "", "not_authed"},
		{"unknown-token", "auth.test", form, "xoxb-who", "", "invalid_auth"},
		{"revoked-token", "auth.test", form, "xoxb-old", "", "token_revoked"},
		{"app-token", "auth.test", form, slacktest.AppToken, "", "not_allowed_token_type"},
		{"bot-token", "apps.connections.open", form, slacktest.BotToken, "", "not_allowed_token_type"},
		{"missing-scope", "chat.postMessage", form, "xoxb-mute", "channel=ops&text=x", "missing_scope"},
		{"missing-scope-of-a-channel", "conversations.history", form, "xoxb-mute", "channel=" + slacktest.Ops, "missing_scope"},
		{"method", "chat.shout", form, slacktest.BotToken, "", "unknown_method"},
		{"argument", "chat.postMessage", form, slacktest.BotToken, "channel=ops&text=x&loud=1", "invalid_arguments"},
		{"parse", "chat.postMessage", form, slacktest.BotToken, "channel=ops&text=x&parse=some", "invalid_arguments"},
		{"as-user", "chat.postMessage", form, slacktest.BotToken, "channel=ops&text=x&as_user=true", "as_user_not_supported"},
		{"other-name", "chat.postMessage", form, slacktest.BotToken, "channel=ops&text=x&username=root", "missing_scope"},
		{"no-json", "chat.postMessage", body, slacktest.BotToken, "{", "invalid_json"},
		{"json-no-object", "chat.postMessage", body, slacktest.BotToken, "null", "json_not_object"},
		{"kind-of-body", "chat.postMessage", "text/plain", slacktest.BotToken, "channel=ops", "invalid_post_type"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := request(t.Context(), t, s, tt.method, tt.kind, tt.token, tt.body)
			if err != nil || got.Error != tt.error || got.OK != (tt.error == "") {
				t.Errorf("told %+v, %v, want %q", got, err, tt.error)
			}
			if tt.error == "missing_scope" && got.Needed == "" {
				t.Error("does not tell which scope it needs")
			}
		})
	}
	for _, c := range s.Calls() {
		if _, kept := c.Args["token"]; kept && c.Method == "chat.postMessage" && c.Error == "" {
			t.Errorf("the call %+v keeps its token", c)
		}
	}
}

func TestWhereTheBotMaySpeak(t *testing.T) {
	s := start(t, slacktest.Options{})
	s.AddChannel(slacktest.Channel{ID: "C0OUT", Name: "out", Outside: true})
	s.AddChannel(slacktest.Channel{ID: "C0OLD", Name: "old", Archived: true})
	s.AddChannel(slacktest.Channel{ID: "G0IN", Name: "in-secret", Private: true})
	s.AddChannel(slacktest.Channel{ID: "G0OUT", Name: "secret", Private: true, Outside: true})
	shy := slices.DeleteFunc(slacktest.BotScopes(), func(scope string) bool { return scope == "chat:write.public" })
	tests := []struct {
		channel string
		scopes  []string
		error   string
	}{
		{"ops", shy, ""},
		{"#ops", shy, ""},
		{slacktest.Ops, shy, ""},
		{slacktest.Anna, shy, ""},
		{"in-secret", shy, ""},
		{"out", slacktest.BotScopes(), ""},
		{"out", shy, "not_in_channel"},
		{"old", shy, "is_archived"},
		{"secret", slacktest.BotScopes(), "channel_not_found"},
		{"nowhere", slacktest.BotScopes(), "channel_not_found"},
		{"", slacktest.BotScopes(), "channel_not_found"},
	}
	for _, tt := range tests {
		t.Run("to-"+tt.channel, func(t *testing.T) {
			s.AddToken(slacktest.Token{Value: slacktest.BotToken, Scopes: tt.scopes, User: slacktest.Bot})
			if got := call(t, s, "chat.postMessage", "channel", tt.channel, "text", "x"); got.Error != tt.error {
				t.Errorf("told %q, want %q", got.Error, tt.error)
			}
		})
	}
	ts := post(t, s, "text", "x").TS
	if got := call(t, s, "chat.update", "channel", "#ops", "ts", ts, "text", "y"); got.Error != "channel_not_found" {
		t.Errorf("an update by the channel's name: %q, want channel_not_found", got.Error)
	}
	if got := call(t, s, "conversations.history", "channel", "C0OUT"); got.Error != "not_in_channel" {
		t.Errorf("reading from outside: %q, want not_in_channel", got.Error)
	}
}

func TestThreads(t *testing.T) {
	s := start(t, slacktest.Options{})
	root := post(t, s, "text", "root").TS
	reply := post(t, s, "text", "reply", "thread_ts", root)
	if reply.Message.ThreadTS != root {
		t.Errorf("the reply is told to be in %q, want %s", reply.Message.ThreadTS, root)
	}
	for name, ts := range map[string]string{"a-reply": reply.TS, "nothing": "1.000001"} {
		if got := post(t, s, "text", "lost", "thread_ts", ts).Message.ThreadTS; got != "" {
			t.Errorf("a reply to %s is told to be in %q, want in no thread", name, got)
		}
	}
	post(t, s, "text", "loud", "thread_ts", root, "reply_broadcast", "true")
	if got := call(t, s, "chat.postMessage", "channel", "ops", "text", "x", "thread_ts", "1234567890.12"); got.Error != "invalid_thread_ts" {
		t.Errorf("a thread_ts that is none: %q", got.Error)
	}
	seen := s.Messages("ops")
	if len(seen) != 3 || len(seen[0].Replies) != 2 || !seen[0].Replies[1].Broadcast || seen[0].ThreadTS != root {
		t.Errorf("people see %+v, want a root with two replies and two that lost their thread", seen)
	}
	if got, want := s.Sounds("ops"), (slacktest.Sounds{Roots: 3, Broadcasts: 1}); got != want {
		t.Errorf("sounds %+v, want %+v", got, want)
	}
	if got := call(t, s, "chat.delete", "channel", slacktest.Ops, "ts", root); !got.OK {
		t.Fatal(got.Error)
	}
	if got := call(t, s, "chat.postMessage", "channel", "ops", "text", "x", "thread_ts", root); got.Error != "cannot_reply_to_message" {
		t.Errorf("a reply to a deleted root: %q, want cannot_reply_to_message", got.Error)
	}
	if got := call(t, s, "conversations.replies", "channel", slacktest.Ops, "ts", "1.000001"); got.Error != "thread_not_found" {
		t.Errorf("the replies of nothing: %q", got.Error)
	}
}

func TestWhatAnUpdateKeepsAndWhatItTakesAway(t *testing.T) {
	s := start(t, slacktest.Options{})
	blocks, attached := mustJSON(t, l{section(1)}), mustJSON(t, l{o{"color": "#a30200", "text": "old"}})
	meta := mustJSON(t, o{"event_type": "e", "event_payload": o{"key": "c1"}})
	ts := post(t, s, "text", "x", "blocks", blocks, "attachments", attached, "metadata", meta).TS
	update := func(pairs ...string) told {
		return call(t, s, "chat.update", append([]string{"channel", slacktest.Ops, "ts", ts}, pairs...)...)
	}
	look := func() slacktest.Message { return s.Messages("ops")[0] }

	update("text", "y", "blocks", blocks)
	if m := look(); m.Marked || m.Blocks == nil || m.Attachments == nil || m.Metadata == nil || m.Edits != 1 {
		t.Errorf("an update with blocks leaves %+v, want all of it and no mark", m)
	}
	update("text", "z")
	if m := look(); !m.Marked || m.Blocks != nil || m.Attachments == nil || m.Metadata == nil {
		t.Errorf("an update with text alone leaves %+v, want no blocks, a mark, the attachments and the metadata", m)
	}
	if got := update(); got.Error != "no_text" {
		t.Errorf("an update of nothing: %q, want no_text", got.Error)
	}
	if got := update("text", "", "blocks", "[]", "attachments", "[]"); got.Error != "no_text" || look().Text != "z" {
		t.Errorf("an update to nothing: %q, leaves %q", got.Error, look().Text)
	}
}

func TestWhatCannotBeUpdatedOrDeleted(t *testing.T) {
	s := start(t, slacktest.Options{})
	s.AddToken(slacktest.Token{Value: "xoxp-anna", Scopes: slacktest.BotScopes(), User: slacktest.Anna})
	hers, err := request(t.Context(), t, s, "chat.postMessage", form, "xoxp-anna", "channel=ops&text=mine")
	if err != nil {
		t.Fatal(err)
	}
	if got := call(t, s, "chat.postEphemeral", "channel", "ops", "text", "psst", "user", slacktest.Anna); !got.OK {
		t.Fatal(got.Error)
	}
	psst := s.Messages("ops")[1]
	if psst.Only != slacktest.Anna {
		t.Errorf("people see %+v, want it for anna only", psst)
	}
	for _, tt := range []struct{ method, ts, error string }{
		{"chat.update", hers.TS, "cant_update_message"},
		{"chat.delete", hers.TS, "cant_delete_message"},
		{"chat.update", psst.TS, "message_not_found"},
		{"chat.update", "1.000001", "message_not_found"},
		{"chat.delete", "1.000001", "message_not_found"},
	} {
		pairs := []string{"channel", slacktest.Ops, "ts", tt.ts}
		if tt.method == "chat.update" {
			pairs = append(pairs, "text", "y")
		}
		if got := call(t, s, tt.method, pairs...); got.Error != tt.error {
			t.Errorf("%s of %s: %q, want %s", tt.method, tt.ts, got.Error, tt.error)
		}
	}
	if got := call(t, s, "chat.postEphemeral", "channel", "ops", "text", "psst", "user", "U0NOBODY"); got.Error != "user_not_in_channel" {
		t.Errorf("for nobody: %q", got.Error)
	}
	s.AddChannel(slacktest.Channel{ID: slacktest.Ops, Name: "ops", Archived: true})
	if got := call(t, s, "chat.update", "channel", slacktest.Ops, "ts", hers.TS, "text", "y"); got.Error != "is_archived" {
		t.Errorf("in an archived channel: %q", got.Error)
	}
}

func TestHistoryInPagesAndWithinBounds(t *testing.T) {
	s := start(t, slacktest.Options{})
	meta := mustJSON(t, o{"event_type": "e", "event_payload": o{"key": "c1"}})
	var stamps []string
	for range 5 {
		stamps = append(stamps, post(t, s, "text", "x", "metadata", meta).TS)
	}
	post(t, s, "text", "reply", "thread_ts", stamps[0])
	if got := slices.Compact(slices.Clone(stamps)); len(got) != 5 {
		t.Errorf("stamps %q are not unique", stamps)
	}
	read := func(pairs ...string) (all []string, last told) {
		last = call(t, s, "conversations.history", append([]string{"channel", slacktest.Ops}, pairs...)...)
		for _, m := range last.Messages {
			all = append(all, m.TS)
		}
		return all, last
	}
	newest := slices.Clone(stamps)
	slices.Reverse(newest)
	var got []string
	for cursor := ""; ; {
		page, told := read("limit", "2", "cursor", cursor)
		got = append(got, page...)
		if cursor = told.Metadata.Next; cursor == "" {
			break
		}
	}
	if !slices.Equal(got, newest) {
		t.Errorf("in pages %q, want %q", got, newest)
	}
	if got, _ := read("oldest", stamps[1], "latest", stamps[3]); !slices.Equal(got, stamps[2:3]) {
		t.Errorf("between the second and the fourth %q, want the third", got)
	}
	if got, _ := read("oldest", stamps[1], "latest", stamps[3], "inclusive", "true"); len(got) != 3 {
		t.Errorf("inclusive %q, want three", got)
	}
	if _, plain := read(); plain.Messages[0].Metadata != nil {
		t.Errorf("metadata that nobody asked for: %s", plain.Messages[0].Metadata)
	}
	if _, full := read("include_all_metadata", "1"); string(full.Messages[0].Metadata) != meta {
		t.Errorf("metadata %s, want %s", full.Messages[0].Metadata, meta)
	}
	for _, pair := range [][2]string{{"cursor", "x"}, {"oldest", "yesterday"}, {"latest", "-1"}} {
		if _, bad := read(pair[0], pair[1]); bad.OK {
			t.Errorf("%s %s is taken", pair[0], pair[1])
		}
	}
}
