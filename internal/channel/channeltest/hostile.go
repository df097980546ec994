package channeltest

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Hostile is what an attacker may write into a log or a name, none longer than a message may be.
func Hostile() map[string]string {
	return map[string]string{
		"control-characters": "a\x00b\x07c\x1b[31mred\x1b[0m\x7f\r\nd",
		"bidi":               "invoice\u202efdp.exe \u2066x\u2069",
		"zero-width":         "ad\u200bmin\ufeff",
		"mentions":           "@everyone <!channel> <@U123> @here",
		"html":               `<script>alert("x")</script><img src=x onerror=y>`,
		"quotes":             `"},"type":"conversation.cleared","x":{"` + "\\\"`${jndi:ldap://x}`",
		"half-a-rune":        "caf\xc3",
		"huge":               strings.Repeat("ä<&\"", schema.MaxMessageBytes/5),
		"lines":              strings.Repeat("x\n", schema.MaxMessageBytes/2),
		"emoji":              "🔥👩‍👩‍👧‍👦",
		"long-line":          strings.Repeat("w", 10_000),
		"backticks":          "``` end ``` `x` ~~~ ~town-square",
		"right-to-left":      "\u200f\u061cabc \u05d0\u05d1\u200e",
		"links":              "[pay](https://evil.example/a) <https://evil.example|here> www.evil.example ![x](http://evil.example/p.png) http://evil.example",
		"cards":              "{{DATE(2017-02-14T06:08:39Z)}} <at>everyone</at> ${x} @{y}",
	}
}

func testHostile(t *testing.T, s Subject) {
	for name, text := range Hostile() {
		t.Run(name, func(t *testing.T) {
			c := everywhere(text)
			known, got := tell(t, s, c, channel.Told{})
			check(t, got[0], c.Revision)
			harmless(t, s, got)
			answered := c
			answered.Messages = slices.Clone(c.Messages)
			answered = Add(answered, schema.EventAnswered)
			answered.Messages[len(answered.Messages)-1].Content = text
			_, got, _ = drive(t, s, answered, known, channel.Terms{Logs: channel.LogsFull})
			harmless(t, s, got)
		})
	}
}

// ownSite is where the links lead that a person has configured.
const ownSite = "https://runbooks.example/"

// harmless checks that the receiver makes no mention and no link of what others wrote.
func harmless(t *testing.T, s Subject, got []Got) {
	t.Helper()
	for _, g := range got {
		if g.Size > s.MaxBody {
			t.Errorf("body of %d bytes, want at most %d", g.Size, s.MaxBody)
		}
		if s.Calls == nil {
			continue
		}
		mentions, links := s.Calls(g)
		links = slices.DeleteFunc(links, func(l string) bool { return strings.Contains(l, ownSite) })
		if len(mentions)+len(links) > 0 {
			t.Errorf("the receiver makes mentions %q and links %q of it:\n%.2000s", mentions, links, g.Body)
		}
	}
}

func check(t *testing.T, g Got, revision int) {
	t.Helper()
	if n, ok := channel.Revision(g.Key); !ok || n != revision || g.State != "" && g.State != schema.StateDiagnosed {
		t.Errorf("arrived under key %s in state %s", g.Key, g.State)
	}
	if g.Text == "" || !utf8.ValidString(g.Text) || strings.ContainsFunc(g.Text, unprintable) || len(g.Text) > 1024 {
		t.Errorf("text is empty, too long or not printable: %q", g.Text)
	}
	if !utf8.Valid(g.Body) {
		t.Errorf("the body is not UTF-8: %q", g.Body)
	}
}

func unprintable(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u200b' || r == '\ufeff'
}

// everywhere is a conversation that has text in every field that somebody else can write.
func everywhere(text string) schema.Conversation {
	c := Opened("checkout")
	c.Object.Name, c.Object.Namespace = text, text
	c.Title, c.Owner, c.Condition = text, text, text
	c.Labels = map[string]string{"team": text, "runbook": text, text: text}
	c.Links = []schema.Link{{Title: text, URL: text}, {Title: text, URL: "https://runbooks.example/x"}}
	for range 20 {
		c.Evidence = append(c.Evidence, schema.Evidence{ID: "E2", Kind: "log", Object: text, Text: text})
	}
	c.Affected = []schema.Affected{{Object: c.Object, Condition: text}}
	c.Conditions[0].Title, c.Conditions[0].Facts = text, []string{text, text}
	d := *c.Diagnosis
	d.Summary, d.RootCause.Statement, d.Command = text, text, text
	c.Diagnosis = &d
	for range 50 {
		c = Add(c, schema.EventDiagnosed)
		m := &c.Messages[len(c.Messages)-1]
		m.Content, m.SuggestedCommand, m.Author = text, text, &schema.Author{Name: text, Channel: text}
	}
	return c
}
