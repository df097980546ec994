package slack_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/channel/slack"
	"github.com/bellbuoy/bellbuoy/internal/channel/slack/slacktest"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// hostile is what an attacker may write into a log or a name to be heard in Slack.
func hostile() map[string]string {
	all := channeltest.Hostile()
	maps.Copy(all, map[string]string{
		"channel-mention":  "<!channel> <!here|here> <!subteam^S0> <@U0ANNA> @here @channel @everyone _@here_",
		"link":             "<https://evil.example|your bank> https://evil.example/x www.evil.example [x](https://evil.example) ![i](https://evil.example/i.png)",
		"escaped-twice":    "&lt;!channel&gt; &amp;lt;!channel&amp;gt;",
		"fence":            "``` <!channel> ``` `<!here>` *bold* _it_ ~no~",
		"ampersands":       strings.Repeat("&", schema.MaxMessageBytes),
		"angles":           strings.Repeat("<", schema.MaxMessageBytes),
		"one-long-word":    strings.Repeat("x", schema.MaxMessageBytes),
		"mentions-for-all": strings.Repeat("<!channel>", schema.MaxMessageBytes/10),
		"pipe":             "a|b<c|d>e",
	})
	return all
}

// kinds are all events that there are.
func kinds() []string {
	return []string{
		schema.EventDiagnosed, schema.EventWorsened, schema.EventEased, schema.EventGrown, schema.EventAsked, schema.EventAnswered,
		schema.EventAcknowledged, schema.EventUnacknowledged, schema.EventUnsilenced, schema.EventResolved, schema.EventEscalated,
		schema.EventStillFiring, schema.EventJudged, schema.EventRefused, schema.EventReopened,
	}
}

// maxField bounds what a test puts into a field: more than anything looks at, and less than takes long.
const maxField = 5000

// soiled has the text in every field that somebody else can write.
func soiled(text string) schema.Conversation {
	c := checkout()
	text = channel.Cut(text, maxField)
	c.Object.Namespace, c.Object.Name, c.Cluster, c.Title, c.Condition = text, text, text, text, text
	c.Labels = map[string]string{"runbook": text, "team": text}
	for i := range c.Evidence {
		c.Evidence[i].Text, c.Evidence[i].Object = text, text
	}
	c.Evidence = append(c.Evidence, schema.Evidence{ID: "E5", Kind: "change", Object: text, Text: text})
	c.Conditions[0].Title, c.Conditions[0].Facts, c.Conditions[0].Name = text, []string{text, text, text}, text
	c.Affected = []schema.Affected{{Object: c.Object, Condition: text, Since: at(4)}}
	c.Diagnosis = &schema.Diagnosis{
		Summary: text, RootCause: schema.RootCause{Component: text, Statement: text}, Confidence: text, ConfidenceWhy: text, Command: text, Source: text,
		Evidence:     []schema.Citation{{ID: "E1", Why: text}, {ID: "E3", Why: text}},
		Alternatives: []schema.Alternative{{Statement: text, Check: text}, {Statement: text, Check: text}},
	}
	return c
}

func TestHostileTextCallsNobodyAndLinksNowhere(t *testing.T) {
	for name, text := range hostile() {
		t.Run(name, func(t *testing.T) {
			s := workspace(t)
			ch := open(t, s)
			terms := channel.Terms{Mention: onCall, Logs: channel.LogsFull, StandsInFor: "pager"}
			c := soiled(text)
			told := until(t, ch, c, channel.Told{}, terms)
			for i, kind := range kinds() {
				content := channel.Cut(text, maxField)
				if kind == schema.EventAnswered {
					content = text
				}
				c = then(c, 5, schema.Message{
					Kind: kind, Sender: schema.SenderAssistant, Content: content, SuggestedCommand: content, Author: &schema.Author{Name: content, Channel: content},
				}, func(c *schema.Conversation) {
					if kind == schema.EventAcknowledged {
						c.State, c.Owner = schema.StateAcknowledged, content
					}
				})
				if i%4 == 3 { // some come alone, some together
					told = until(t, ch, c, told, terms)
				}
			}
			until(t, ch, cleared(c), told, terms)
			harmless(t, s)
			if n := ch.Degraded(); n > 0 {
				t.Errorf("%d arrived as plain text only", n)
			}
		})
	}
}

// until tells Slack all that is to be told of a state.
func until(t *testing.T, ch *slack.Channel, c schema.Conversation, told channel.Told, terms channel.Terms) channel.Told {
	t.Helper()
	for {
		p, ok := ch.Next(c, told, terms)
		if !ok {
			return told
		}
		told = tell(t, ch, told, c, p)
	}
}

func harmless(t *testing.T, s *slacktest.Server) {
	t.Helper()
	for _, m := range s.Messages(slacktest.Ops) {
		for _, m := range append(m.Replies, m) {
			for _, ping := range append(m.Pings(), m.Mentions...) {
				if ping != strings.ReplaceAll(onCall, "|", "") {
					t.Errorf("calls %s: %s", ping, m.Shown())
				}
			}
			if len(m.Links()) > 0 {
				t.Errorf("links to %v: %s", m.Links(), m.Shown())
			}
		}
	}
}

func TestPlainTextIsAsHarmless(t *testing.T) {
	for name, text := range hostile() {
		t.Run(name, func(t *testing.T) {
			s := workspace(t)
			ch := open(t, s)
			s.Fault("", 1, slacktest.Refuses("invalid_blocks"))
			c := soiled(text)
			told := tell(t, ch, channel.Told{}, c, next(t, ch, c, channel.Told{}, channel.Terms{Mention: onCall}))
			c = then(c, 5, schema.Message{Kind: schema.EventAnswered, Sender: schema.SenderAssistant, Content: text})
			told = tell(t, ch, told, c, next(t, ch, c, told, channel.Terms{}))
			s.Fault("", 1, slacktest.Refuses("invalid_blocks"))
			tell(t, ch, told, c, next(t, ch, c, told, channel.Terms{}))
			if n := ch.Degraded(); n != 2 {
				t.Errorf("%d arrived as plain text, want 2", n)
			}
			harmless(t, s)
		})
	}
}

func TestSecretsAreTakenOutEverywhere(t *testing.T) {
	const secret = "hunter2hunter2"
	s := workspace(t)
	ch := open(t, s)
	c := soiled("password=" + secret)
	c.Diagnosis.Command = "docker run -e DB_PASSWORD=" + secret + " db"
	told := until(t, ch, c, channel.Told{}, channel.Terms{Logs: channel.LogsFull})
	c = then(c, 5, schema.Message{Kind: schema.EventAnswered, Sender: schema.SenderAssistant, Content: "password=" + secret})
	until(t, ch, c, told, channel.Terms{Logs: channel.LogsFull})
	for _, call := range s.Calls() {
		for name, arg := range call.Args {
			if strings.Contains(arg, secret) {
				t.Errorf("%s of %s has it: %s", name, call.Method, arg)
			}
		}
	}
}

// A card has to fit a phone's screen, whatever it is about.
func TestACardIsSmall(t *testing.T) {
	for name, text := range hostile() {
		t.Run(name, func(t *testing.T) {
			s := workspace(t)
			p := next(t, open(t, s), soiled(text), channel.Told{}, channel.Terms{Mention: onCall, Logs: channel.LogsFull})
			blocks, characters := measured(t, p.Body)
			if blocks > 15 || characters > 8000 {
				t.Errorf("%d blocks of %d characters", blocks, characters)
			}
		})
	}
}

func TestTheLineOfALockedScreenIsShort(t *testing.T) {
	for _, s := range stories() {
		for _, p := range delivered(t, open(t, workspace(t)), s) {
			var body struct{ Text string }
			unmarshal(t, string(p.Body), &body)
			if n := utf8.RuneCountInString(body.Text); n == 0 || n > 110 {
				t.Errorf("%s: %s: %d characters: %s", s.name, p.Key, n, body.Text)
			}
		}
	}
}

// measured counts the blocks of a body, and their characters as Slack counts them.
func measured(t *testing.T, body []byte) (blocks, characters int) {
	t.Helper()
	var all struct {
		Blocks      []json.RawMessage
		Attachments []struct{ Blocks []json.RawMessage }
	}
	unmarshal(t, string(body), &all)
	for _, a := range all.Attachments {
		all.Blocks = append(all.Blocks, a.Blocks...)
	}
	for _, b := range all.Blocks {
		var x any
		unmarshal(t, string(b), &x)
		characters += textIn(x)
	}
	return len(all.Blocks), characters
}

// textIn counts the characters of every text in a block; those of mrkdwn are escaped already.
func textIn(x any) int {
	n := 0
	switch x := x.(type) {
	case []any:
		for _, one := range x {
			n += textIn(one)
		}
	case map[string]any:
		for name, one := range x {
			text, ok := one.(string)
			if name == "text" && ok && x["type"] == "text" {
				text = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
			}
			if name == "text" && ok {
				n += utf8.RuneCountInString(text)
				continue
			}
			n += textIn(one)
		}
	}
	return n
}

func TestALongAnswerIsCutIntoBlocksAndThenCut(t *testing.T) {
	words := strings.TrimSpace(strings.Repeat("word ", 3000))
	tests := []struct {
		name, text string
		ends       string
	}{
		{"words", words, "…"},
		{"one-word", strings.Repeat("x", 15_000), "…"},
		{"lines", strings.Repeat("line\n", 2000), "line"},
		{"marks", strings.Repeat("a & b ", 2000), "…"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := workspace(t)
			ch := open(t, s)
			c := checkout()
			told := until(t, ch, c, channel.Told{}, channel.Terms{})
			c = then(c, 5, schema.Message{Kind: schema.EventAnswered, Sender: schema.SenderAssistant, Content: tt.text})
			until(t, ch, c, told, channel.Terms{})
			replies := s.Messages(slacktest.Ops)[0].Replies
			if len(replies) != 1 || ch.Degraded() > 0 {
				t.Fatalf("%d replies, %d as plain text; want one in blocks", len(replies), ch.Degraded())
			}
			if shown := replies[0].Shown(); !strings.HasSuffix(shown, tt.ends) || !strings.Contains(strings.ReplaceAll(shown, "\n", " "), strings.ReplaceAll(tt.text[:2500], "\n", " ")) {
				t.Errorf("shown as %s … %s", shown[:100], shown[len(shown)-100:])
			}
		})
	}
}

func TestABacklogIsOneCardAndOneReply(t *testing.T) {
	s := workspace(t)
	ch := open(t, s)
	c := checkout()
	told := until(t, ch, c, channel.Told{}, channel.Terms{})
	for range 100 {
		c = then(c, 5, schema.Message{Kind: schema.EventJudged, Content: strings.Repeat("Anna says that it is right. ", 10)})
	}
	told = until(t, ch, c, told, channel.Terms{})
	if told.Lines != c.Revision || told.Revision != c.Revision {
		t.Errorf("told %+v, want all of %d", told, c.Revision)
	}
	messages := s.Messages(slacktest.Ops)
	if len(messages) != 1 || messages[0].Edits != 1 || len(messages[0].Replies) != 1 || ch.Degraded() > 0 {
		t.Fatalf("%d messages, the first with %d edits and %d replies", len(messages), messages[0].Edits, len(messages[0].Replies))
	}
	if shown := messages[0].Replies[0].Shown(); !strings.Contains(shown, "more events") || !strings.Contains(shown, "bellbuoy show 1437dd42") {
		t.Errorf("what is left out is not said: %s", shown)
	}
}

func TestADigestIsOneMessage(t *testing.T) {
	s := workspace(t)
	ch := open(t, s)
	d := channel.Digest{Key: "digest-1", Reason: channel.AfterOutage, Since: at(0), Until: at(50), More: 3}
	for i := range 40 {
		e := channel.Entry{ID: "1437dd42d6f04d46", Severity: schema.SeverityCritical, Line: "checkout cleared on prod <!channel> https://evil.example", At: at(i)}
		if i%2 == 0 {
			e.ClosedAs = schema.StateCleared
		}
		d.Entries = append(d.Entries, e)
	}
	p, ok := ch.Digest(d)
	if !ok || p.Key != d.Key || p.Revision != 0 || p.Ref != "" || p.Sound != channel.Loud {
		t.Fatalf("the digest is %+v", p)
	}
	ref, err := ch.Post(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if got, found := find(t, ch, p); !found || got != ref {
		t.Errorf("found %v as %q, want %q", found, got, ref)
	}
	harmless(t, s)
	shown := s.Messages(slacktest.Ops)[0].Shown()
	for _, want := range []string{"43 conversations came and went while Slack could not be reached", "24 Nov 03:00 to 24 Nov 03:50 UTC", "and 18 more"} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q does not say %q", shown, want)
		}
	}
	if _, ok := ch.Digest(channel.Digest{Key: "digest-2"}); ok {
		t.Error("a digest of nothing is posted")
	}
}

func TestTheTargetIsTheSameForWhoeverPostsThereAndTellsNothing(t *testing.T) {
	of := func(token, to string) channel.Target {
		return openAs(t, slack.Config{BotToken: config.Secret("xoxb-" + token), Channel: to}).Target()
	}
	one := of("1", "#ops")
	if diff := cmp.Diff(one, of("1", "#ops")); diff != "" {
		t.Errorf("the same bot and channel (-first +second):\n%s", diff)
	}
	if one == of("2", "#ops") || one == of("1", "#dev") {
		t.Error("another bot or channel has the same target")
	}
	if strings.Trim(one.ID, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || one.Every.Seconds() != 1 || one.Burst != 3 {
		t.Errorf("target %+v", one)
	}
}
