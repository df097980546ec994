package channeltest

import (
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
	}
}

func testHostile(t *testing.T, s Subject) {
	for name, text := range Hostile() {
		t.Run(name, func(t *testing.T) {
			p, ok := s.Channel.Next(everywhere(text), channel.Told{}, channel.Terms{})
			if !ok {
				t.Fatal("nothing to post")
			}
			before := len(s.Receiver.Got())
			tell(t, s, p, 1)
			got := s.Receiver.Got()
			if len(got) != before+1 {
				t.Fatalf("%d posts arrived, want one", len(got)-before)
			}
			check(t, got[before], s.MaxBody, p.Key)
		})
	}
}

func check(t *testing.T, g Got, maxBody int, key string) {
	t.Helper()
	if g.Size > maxBody {
		t.Errorf("body of %d bytes, want at most %d", g.Size, maxBody)
	}
	if g.Key != key || len(g.Events) == 0 || g.State != schema.StateDiagnosed {
		t.Errorf("arrived as %+v", g)
	}
	if g.Text == "" || !utf8.ValidString(g.Text) || strings.ContainsFunc(g.Text, unprintable) || len(g.Text) > 1024 {
		t.Errorf("text is empty, too long or not printable: %q", g.Text)
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
