package slacktest_test

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/channel/slack/slacktest"
)

type (
	o = map[string]any
	l = []any
)

func xs(n int) string { return strings.Repeat("x", n) }

func many(n int, each func(i int) any) l {
	var all l
	for i := range n {
		all = append(all, each(i))
	}
	return all
}

func plain(n int) o  { return o{"type": "plain_text", "text": xs(n)} }
func mrkdwn(n int) o { return o{"type": "mrkdwn", "text": xs(n)} }

func section(n int) o { return o{"type": "section", "text": mrkdwn(n)} }

func button(extra o) o {
	b := o{"type": "button", "text": plain(3)}
	maps.Copy(b, extra)
	return o{"type": "actions", "elements": l{b}}
}

func confirm(title, text, yes int) o {
	return button(o{"confirm": o{"title": plain(title), "text": plain(text), "confirm": plain(yes), "deny": plain(yes)}})
}

func rich(elements ...any) o { return o{"type": "rich_text", "elements": elements} }

func pre(elements ...any) o { return o{"type": "rich_text_preformatted", "elements": elements} }

func rows(n, m, size int) o {
	return o{"type": "table", "rows": many(n, func(int) any {
		return many(m, func(int) any { return o{"type": "raw_text", "text": xs(size)} })
	})}
}

// within gives as many characters as n in sections of 3000.
func within(n int) l {
	var all l
	for ; n > 3000; n -= 3000 {
		all = append(all, section(3000))
	}
	return append(all, section(n))
}

func TestBlocksAreTakenAtTheLimitAndRefusedBeyond(t *testing.T) {
	tests := []struct {
		name     string
		at, over l
		problem  string // at the end of what is told; empty if Slack tells none
		error    string // invalid_blocks if empty
	}{
		{"blocks", many(50, func(int) any { return section(1) }), many(51, func(int) any { return section(1) }), "no more than 50 items allowed [json-pointer:/blocks]", ""},
		{"section-text", l{section(3000)}, l{section(3001)}, "must be less than 3001 characters [json-pointer:/blocks/0/text/text]", ""},
		{"section-text-empty", l{section(1)}, l{section(0)}, "must be more than 0 characters [json-pointer:/blocks/0/text/text]", ""},
		{"section-fields", l{o{"type": "section", "fields": many(10, func(int) any { return mrkdwn(1) })}}, l{o{"type": "section", "fields": many(11, func(int) any { return mrkdwn(1) })}}, "no more than 10 items allowed [json-pointer:/blocks/0/fields]", ""},
		{"section-field-text", l{o{"type": "section", "fields": l{mrkdwn(2000)}}}, l{o{"type": "section", "fields": l{mrkdwn(2001)}}}, "must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]", ""},
		{"header", l{o{"type": "header", "text": plain(150)}}, l{o{"type": "header", "text": plain(151)}}, "must be less than 151 characters [json-pointer:/blocks/0/text/text]", ""},
		{"context", l{o{"type": "context", "elements": many(10, func(int) any { return mrkdwn(1) })}}, l{o{"type": "context", "elements": many(11, func(int) any { return mrkdwn(1) })}}, "no more than 10 items allowed [json-pointer:/blocks/0/elements]", ""},
		{"actions", l{o{"type": "actions", "elements": many(25, func(int) any { return o{"type": "button", "text": plain(1)} })}}, l{o{"type": "actions", "elements": many(26, func(int) any { return o{"type": "button", "text": plain(1)} })}}, "no more than 25 items allowed [json-pointer:/blocks/0/elements]", ""},
		{"button-text", l{button(o{"text": plain(75)})}, l{button(o{"text": plain(76)})}, "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]", ""},
		{"button-value", l{button(o{"value": xs(2000)})}, l{button(o{"value": xs(2001)})}, "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]", ""},
		{"button-url", l{button(o{"url": "https://a/" + xs(2990)})}, l{button(o{"url": "https://a/" + xs(2991)})}, "must be less than 3001 characters [json-pointer:/blocks/0/elements/0/url]", ""},
		{"action-id", l{button(o{"action_id": xs(255)})}, l{button(o{"action_id": xs(256)})}, "must be less than 256 characters [json-pointer:/blocks/0/elements/0/action_id]", ""},
		{"block-id", l{o{"type": "divider", "block_id": xs(255)}}, l{o{"type": "divider", "block_id": xs(256)}}, "must be less than 256 characters [json-pointer:/blocks/0/block_id]", ""},
		{"confirm-title", l{confirm(100, 1, 1)}, l{confirm(101, 1, 1)}, "must be less than 101 characters [json-pointer:/blocks/0/elements/0/confirm/title/text]", ""},
		{"confirm-text", l{confirm(1, 300, 1)}, l{confirm(1, 301, 1)}, "must be less than 301 characters [json-pointer:/blocks/0/elements/0/confirm/text/text]", ""},
		{"confirm-button", l{confirm(1, 1, 30)}, l{confirm(1, 1, 31)}, "must be less than 31 characters [json-pointer:/blocks/0/elements/0/confirm/confirm/text]", ""},
		{"markdown", l{o{"type": "markdown", "text": xs(12_000)}}, l{o{"type": "markdown", "text": xs(12_001)}}, "must be less than 12001 characters [json-pointer:/blocks/0/text]", ""},
		{"markdown-of-all-blocks", l{o{"type": "markdown", "text": xs(6000)}, o{"type": "markdown", "text": xs(6000)}}, l{o{"type": "markdown", "text": xs(6000)}, o{"type": "markdown", "text": xs(6001)}}, "", "msg_blocks_too_long"},
		{"markdown-becomes-blocks", l{o{"type": "markdown", "text": strings.Repeat("# a\nb\n", 25)}}, l{o{"type": "markdown", "text": strings.Repeat("# a\nb\n", 25) + "# c"}}, "no more than 50 items allowed [json-pointer:/blocks]", ""},
		{"text-of-all-blocks", within(13_200), within(13_201), "", "msg_blocks_too_long"},
		{"text-of-all-blocks-escaped", append(within(13_195), section(1), o{"type": "section", "text": o{"type": "plain_text", "text": "<"}}), append(within(13_195), section(1), o{"type": "section", "text": o{"type": "plain_text", "text": "&"}}), "", "msg_blocks_too_long"},
		{"text-of-headers", append(within(13_099), o{"type": "header", "text": plain(1)}), append(within(13_100), o{"type": "header", "text": plain(1)}), "", "msg_blocks_too_long"},
		{"table-rows", l{rows(100, 1, 1)}, l{rows(101, 1, 1)}, "no more than 100 items allowed [json-pointer:/blocks/0/rows]", ""},
		{"table-cells", l{rows(1, 20, 1)}, l{rows(1, 21, 1)}, "no more than 20 items allowed [json-pointer:/blocks/0/rows/0]", ""},
		{"table-text", l{rows(10, 10, 100)}, l{rows(1, 1, 10_001)}, "must be less than 10001 characters [json-pointer:/blocks/0/rows]", ""},
		{"container", l{o{"type": "container", "title": plain(150), "child_blocks": many(10, func(int) any { return section(1) })}}, l{o{"type": "container", "title": plain(150), "child_blocks": many(11, func(int) any { return section(1) })}}, "no more than 10 items allowed [json-pointer:/blocks/0/child_blocks]", ""},
		{"image", l{o{"type": "image", "image_url": "https://a/b.png", "alt_text": xs(2000)}}, l{o{"type": "image", "image_url": "https://a/b.png", "alt_text": xs(2001)}}, "must be less than 2001 characters [json-pointer:/blocks/0/alt_text]", ""},
	}
	s := start(t, slacktest.Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			post(t, s, "blocks", mustJSON(t, tt.at))
			got := call(t, s, "chat.postMessage", "channel", slacktest.Ops, "blocks", mustJSON(t, tt.over))
			want := tt.error
			if want == "" {
				want = "invalid_blocks"
			}
			if got.OK || got.Error != want {
				t.Fatalf("one over: %+v, want %s", got, want)
			}
			if tt.problem != "" && (!slices.Contains(got.Errors, tt.problem) || !slices.Contains(got.Metadata.Messages, "[ERROR] "+tt.problem)) {
				t.Errorf("told %q, want %s", got.Errors, tt.problem)
			}
		})
	}
}

func TestBlocksThatSlackDoesNotKnowAreRefused(t *testing.T) {
	divider := o{"type": "divider", "block_id": "twice"}
	twice := o{"type": "button", "text": plain(1), "action_id": "twice"}
	tests := []struct {
		name    string
		blocks  any
		problem string
	}{
		{"type", l{o{"type": "fancy"}}, "unsupported type: fancy [json-pointer:/blocks/0/type]"},
		{"no-type", l{o{}}, "missing required field: type [json-pointer:/blocks/0]"},
		{"no-object", l{"text"}, "must provide an object [json-pointer:/blocks/0]"},
		{"property", l{o{"type": "divider", "colour": "red"}}, "invalid additional property: colour [json-pointer:/blocks/0]"},
		{"section-of-nothing", l{o{"type": "section"}}, "must define either `text` or `fields` [json-pointer:/blocks/0]"},
		{"no-text", l{o{"type": "header"}}, "missing required field: text [json-pointer:/blocks/0]"},
		{"markup-in-a-header", l{o{"type": "header", "text": mrkdwn(1)}}, "unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]"},
		{"markup-on-a-button", l{button(o{"text": mrkdwn(1)})}, "unsupported type: mrkdwn [json-pointer:/blocks/0/elements/0/text/type]"},
		{"emoji-of-markup", l{o{"type": "section", "text": o{"type": "mrkdwn", "text": "x", "emoji": true}}}, "invalid additional property: emoji [json-pointer:/blocks/0/text]"},
		{"verbatim-plain", l{o{"type": "section", "text": o{"type": "plain_text", "text": "x", "verbatim": true}}}, "invalid additional property: verbatim [json-pointer:/blocks/0/text]"},
		{"number-for-text", l{o{"type": "section", "text": o{"type": "mrkdwn", "text": 1}}}, "must provide a string [json-pointer:/blocks/0/text/text]"},
		{"block-id-twice", l{divider, divider}, "block_id already exists: twice [json-pointer:/blocks/1/block_id]"},
		{"action-id-twice", l{o{"type": "actions", "elements": l{twice, twice}}}, "action_id already exists: twice [json-pointer:/blocks/0/elements/1/action_id]"},
		{"button-style", l{button(o{"style": "loud"})}, `must be one of: ["primary" "danger"] [json-pointer:/blocks/0/elements/0/style]`},
		{"button-url", l{button(o{"url": "javascript:alert(1)"})}, "must be a valid URL [json-pointer:/blocks/0/elements/0/url]"},
		{"button-in-context", l{o{"type": "context", "elements": l{o{"type": "button", "text": plain(1)}}}}, "unsupported type: button [json-pointer:/blocks/0/elements/0/type]"},
		{"no-elements", l{o{"type": "actions", "elements": l{}}}, "no fewer than 1 items allowed [json-pointer:/blocks/0/elements]"},
		{"elements-no-list", l{o{"type": "actions", "elements": o{}}}, "must provide an array [json-pointer:/blocks/0/elements]"},
		{"rich-empty-text", l{rich(pre(o{"type": "text", "text": ""}))}, "must be more than 0 characters [json-pointer:/blocks/0/elements/0/elements/0/text]"},
		{"rich-user-in-preformatted", l{rich(pre(o{"type": "user", "user_id": "U1"}))}, "unsupported type: user [json-pointer:/blocks/0/elements/0/elements/0/type]"},
		{"rich-text-bare", l{rich(o{"type": "text", "text": "x"})}, "unsupported type: text [json-pointer:/blocks/0/elements/0/type]"},
		{"rich-style", l{rich(o{"type": "rich_text_section", "elements": l{o{"type": "text", "text": "x", "style": o{"big": true}}}})}, "invalid additional property: big [json-pointer:/blocks/0/elements/0/elements/0/style]"},
		{"rich-list-style", l{rich(o{"type": "rich_text_list", "elements": l{o{"type": "rich_text_section", "elements": l{}}}})}, "missing required field: style [json-pointer:/blocks/0/elements/0]"},
		{"rich-border", l{rich(o{"type": "rich_text_preformatted", "border": 2, "elements": l{o{"type": "text", "text": "x"}}})}, "must be an integer from 0 to 1 [json-pointer:/blocks/0/elements/0/border]"},
		{"container-in-container", l{o{"type": "container", "title": plain(1), "child_blocks": l{o{"type": "container"}}}}, "unsupported type: container [json-pointer:/blocks/0/child_blocks/0/type]"},
		{"boolean", l{o{"type": "container", "title": plain(1), "is_collapsible": "yes", "child_blocks": l{section(1)}}}, "must provide a boolean [json-pointer:/blocks/0/is_collapsible]"},
	}
	s := start(t, slacktest.Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := call(t, s, "chat.postMessage", "channel", slacktest.Ops, "text", "x", "blocks", mustJSON(t, tt.blocks))
			if got.Error != "invalid_blocks" || !slices.Contains(got.Errors, tt.problem) {
				t.Errorf("told %s %q, want %s", got.Error, got.Errors, tt.problem)
			}
		})
	}
	if n := len(s.Messages("ops")); n != 0 {
		t.Errorf("%d messages were posted nevertheless", n)
	}
}

func TestAttachmentsAndMetadataAreJudged(t *testing.T) {
	attached := func(n int) string {
		return mustJSON(t, many(n, func(int) any { return o{"color": "#a30200", "text": "x"} }))
	}
	held := func(blocks l) string { return mustJSON(t, l{o{"color": "#a30200", "blocks": blocks}}) }
	meta := func(payload any) string { return mustJSON(t, o{"event_type": "bellbuoy", "event_payload": payload}) }
	tests := []struct {
		name, arg, ok, bad, error, problem string
	}{
		{"attachments", "attachments", attached(100), attached(101), "too_many_attachments", ""},
		{"attachment-key", "attachments", held(l{section(1)}), `[{"colour":"red"}]`, "invalid_attachments", "invalid_keys"},
		{"attachment-colour", "attachments", `[{"color":"good","text":"x"}]`, `[{"color":"red","text":"x"}]`, "invalid_attachments", "invalid_color [json-pointer:/attachments/0/color]"},
		{"attachment-block-text", "attachments", held(l{section(3000)}), held(l{section(3001)}), "invalid_attachments", "must be less than 3001 characters [json-pointer:/attachments/0/blocks/0/text/text]"},
		{"attachment-blocks", "attachments", held(many(50, func(int) any { return section(1) })), held(many(51, func(int) any { return section(1) })), "invalid_attachments", "no more than 50 items allowed [json-pointer:/attachments/0/blocks]"},
		{"attachment-sum", "attachments", held(within(13_200)), held(within(13_201)), "msg_blocks_too_long", ""},
		{"attachments-no-list", "attachments", attached(1), `{"text":"x"}`, "invalid_attachments", ""},
		{"blocks-no-list", "blocks", mustJSON(t, l{section(1)}), mustJSON(t, section(1)), "invalid_blocks_format", ""},
		{"blocks-no-json", "blocks", "[]", `[{"type":`, "invalid_blocks_format", ""},
		{"metadata-no-json", "metadata", meta(o{"key": "c1", "n": 1, "b": true}), "{", "invalid_metadata_format", ""},
		{"metadata-nested", "metadata", meta(o{"key": "c1"}), meta(o{"key": o{"deep": 1}}), "invalid_metadata_schema", ""},
		{"metadata-no-type", "metadata", meta(o{}), `{"event_payload":{}}`, "invalid_metadata_format", ""},
		{"metadata-odd-type", "metadata", meta(o{}), `{"event_type":"a b","event_payload":{}}`, "invalid_metadata_schema", ""},
		{"metadata-size", "metadata", meta(o{"key": xs(16_000)}), meta(o{"key": xs(17_000)}), "metadata_too_large", ""},
	}
	s := start(t, slacktest.Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			post(t, s, "text", "x", tt.arg, tt.ok)
			got := call(t, s, "chat.postMessage", "channel", slacktest.Ops, "text", "x", tt.arg, tt.bad)
			if got.Error != tt.error || tt.problem != "" && !slices.Contains(got.Errors, tt.problem) {
				t.Errorf("told %s %q, want %s %s", got.Error, got.Errors, tt.error, tt.problem)
			}
		})
	}
}

func TestTextIsCutWhenPostedAndRefusedWhenChanged(t *testing.T) {
	s := start(t, slacktest.Options{})
	if got := post(t, s, "text", xs(40_000)+"y"); got.Message.Text != xs(40_000) {
		t.Errorf("%d characters kept, want 40000", len(got.Message.Text))
	}
	ts := post(t, s, "text", "short").TS
	if got := call(t, s, "chat.update", "channel", slacktest.Ops, "ts", ts, "text", strings.Repeat("é", 4000)); !got.OK {
		t.Errorf("at the limit: %s", got.Error)
	}
	if got := call(t, s, "chat.update", "channel", slacktest.Ops, "ts", ts, "text", strings.Repeat("é", 4001)); got.Error != "msg_too_long" {
		t.Errorf("one over: %q, want msg_too_long", got.Error)
	}
	if got := call(t, s, "chat.postMessage", "channel", slacktest.Ops, "markdown_text", xs(12_001)); got.Error != "msg_too_long" {
		t.Errorf("markdown_text one over: %q, want msg_too_long", got.Error)
	}
	if got := call(t, s, "chat.postMessage", "channel", slacktest.Ops, "markdown_text", xs(1), "text", "x"); got.Error != "markdown_text_conflict" {
		t.Errorf("markdown_text beside text: %q", got.Error)
	}
	for i, n := range []string{"0", "1000", "many"} {
		if got := call(t, s, "conversations.history", "channel", slacktest.Ops, "limit", n); got.Error != "invalid_limit" {
			t.Errorf("%s: limit %s gives %q", strconv.Itoa(i), n, got.Error)
		}
	}
}
