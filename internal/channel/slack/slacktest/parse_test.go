package slacktest_test

import (
	"slices"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/channel/slack/slacktest"
)

func TestWhatMentionsAndLinksAMessageMakes(t *testing.T) {
	markup := func(s string, verbatim bool) string {
		return mustJSON(t, l{o{"type": "section", "text": o{"type": "mrkdwn", "text": s, "verbatim": verbatim}}})
	}
	tests := []struct {
		name  string
		pairs []string
		pings []string
		links []string
	}{
		{"text", []string{"text", "<!here> <@U0ANNA|anna> <!subteam^S1> <#C0OPS> <!date^1^{date}|x>"}, []string{"<!here>", "<@U0ANNA>", "<!subteam^S1>"}, nil},
		{"escaped", []string{"text", "&lt;!here&gt; @here &lt;https&gt;"}, nil, nil},
		{"bare-at", []string{"text", "@here"}, nil, nil},
		{"bare-at-with-link-names", []string{"text", "@here", "link_names", "true"}, []string{"<!here>"}, nil},
		{"bare-at-parsed-in-full", []string{"text", "@channel", "parse", "full"}, []string{"<!channel>"}, nil},
		{"bare-address", []string{"text", "see https://a.example/x?a&amp;b"}, nil, []string{"https://a.example/x?a&b"}},
		{"bare-address-not-parsed", []string{"text", "see https://a.example", "parse", "none"}, nil, nil},
		{"section", []string{"blocks", markup("<https://a.example|b> https://c.example <!everyone>", false)}, []string{"<!everyone>"}, []string{"https://a.example", "https://c.example"}},
		{"section-verbatim", []string{"blocks", markup("https://c.example `<!everyone>`", true)}, []string{"<!everyone>"}, nil},
		{"address-in-code", []string{"blocks", markup("`https://c.example`", false)}, nil, nil},
		{"plain", []string{"blocks", mustJSON(t, l{o{"type": "header", "text": o{"type": "plain_text", "text": "<!here> https://a.example"}}})}, nil, nil},
		{"button", []string{"blocks", mustJSON(t, l{button(o{"url": "https://a.example"})})}, nil, []string{"https://a.example"}},
		{"preformatted", []string{"blocks", mustJSON(t, l{rich(pre(o{"type": "text", "text": "<!here> @here https://a.example"}))})}, nil, nil},
		{"rich", []string{"blocks", mustJSON(t, l{rich(o{"type": "rich_text_section", "elements": l{
			o{"type": "broadcast", "range": "channel"}, o{"type": "user", "user_id": "U0BEN"}, o{"type": "usergroup", "usergroup_id": "S1"}, o{"type": "link", "url": "https://a.example"},
		}})})}, []string{"<!channel>", "<@U0BEN>", "<!subteam^S1>"}, []string{"https://a.example"}},
		{"markdown", []string{"markdown_text", "hello _@here_ [a](https://a.example) ![b](https://b.example/p.png)"}, []string{"<!here>"}, []string{"https://a.example", "https://b.example/p.png"}},
		{"markdown-defused", []string{"markdown_text", "hello @\u2060here <\u2060!here>"}, nil, nil},
		{"attachment", []string{"attachments", mustJSON(t, l{o{"text": "<!here>", "title": "t", "title_link": "https://a.example"}})}, []string{"<!here>"}, []string{"https://a.example"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, slacktest.Options{})
			post(t, s, tt.pairs...)
			m := s.Messages("ops")[0]
			if !slices.Equal(m.Pings(), tt.pings) || !slices.Equal(m.Mentions, tt.pings) {
				t.Errorf("pings %q, mentions %q, want %q", m.Pings(), m.Mentions, tt.pings)
			}
			if !slices.Equal(m.Links(), tt.links) {
				t.Errorf("links %q, want %q", m.Links(), tt.links)
			}
		})
	}
}

func TestAMentionRingsInAThreadWhenItIsPostedOnly(t *testing.T) {
	s := start(t, slacktest.Options{})
	root := post(t, s, "text", "root <!here>").TS
	quiet := post(t, s, "text", "quiet", "thread_ts", root).TS
	post(t, s, "text", "<!here>", "thread_ts", root)
	call(t, s, "chat.update", "channel", slacktest.Ops, "ts", quiet, "text", "<!here>")
	if got, want := s.Sounds("ops"), (slacktest.Sounds{Roots: 1, Mentions: 1}); got != want || got.All() != 2 {
		t.Errorf("sounds %+v, want %+v", got, want)
	}
	reply := s.Messages("ops")[0].Replies[0]
	if reply.Mentions != nil || !slices.Equal(reply.Pings(), []string{"<!here>"}) || reply.Shown() != "!here" {
		t.Errorf("the changed reply %+v shows %q", reply, reply.Shown())
	}
}
