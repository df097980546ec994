package webhook

import (
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/channel"
)

// maxTeams bounds a body of the teams format, in bytes: Teams takes 28 kB.
const maxTeams = 27 << 10

// teamsMessage is what the workflow "post to a channel when a webhook request is received" takes.
type teamsMessage struct {
	Type        string            `json:"type"`
	Attachments []teamsAttachment `json:"attachments"`
}

type teamsAttachment struct {
	ContentType string       `json:"contentType"`
	ContentURL  *string      `json:"contentUrl"`
	Content     adaptiveCard `json:"content"`
}

type adaptiveCard struct {
	Schema  string            `json:"$schema"`
	Type    string            `json:"type"`
	Version string            `json:"version"`
	Body    []cardElement     `json:"body"`
	Actions []cardAction      `json:"actions,omitempty"`
	Teams   map[string]string `json:"msteams"`
}

// cardElement is a TextBlock or a FactSet.
type cardElement struct {
	Type   string     `json:"type"`
	Text   string     `json:"text,omitempty"`
	Weight string     `json:"weight,omitempty"`
	Size   string     `json:"size,omitempty"`
	Color  string     `json:"color,omitempty"`
	Wrap   bool       `json:"wrap,omitempty"`
	Facts  []cardFact `json:"facts,omitempty"`
}

type cardFact struct {
	Title string `json:"title"`
	Value string `json:"value"`
}

type cardAction struct {
	Type  string `json:"type"`
	Title string `json:"title"`
	URL   string `json:"url"`
}

func teams(s step, limit int) any {
	body := []cardElement{headline(s.line(), toneOf(s.conv))}
	for _, p := range paragraphs(s, limit) {
		body = append(body, cardElement{Type: "TextBlock", Text: markdown(p), Wrap: true})
	}
	set := cardElement{Type: "FactSet", Facts: []cardFact{{"Object", markdown(title(s.conv))}}}
	for _, f := range summary(s.conv) {
		set.Facts = append(set.Facts, cardFact{f.name, markdown(f.value)})
	}
	m := teamsCard(append(body, set))
	for _, l := range channel.Links(s.conv) {
		card := &m.Attachments[0].Content
		card.Actions = append(card.Actions, cardAction{Type: "Action.OpenUrl", Title: plain(l.Title, 80), URL: l.URL})
	}
	return m
}

func headline(line string, t tone) cardElement {
	colour := map[tone]string{firing: "Attention", owned: "Warning", over: "Good", hushed: "Default"}[t]
	return cardElement{Type: "TextBlock", Text: markdown(line), Weight: "Bolder", Size: "Medium", Color: colour, Wrap: true}
}

func teamsCard(body []cardElement) teamsMessage {
	return teamsMessage{Type: "message", Attachments: []teamsAttachment{{
		ContentType: "application/vnd.microsoft.card.adaptive",
		Content: adaptiveCard{
			Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.2", Body: body,
			Teams: map[string]string{"width": "Full"},
		},
	}}}
}

func teamsDigest(d channel.Digest) any {
	body := []cardElement{headline(digestLine(d), digestTone(d))}
	for _, l := range digestLines(d) {
		body = append(body, cardElement{Type: "TextBlock", Text: markdown(l), Wrap: true})
	}
	return teamsCard(body)
}

// cardSpecial: a card's text is Markdown, in which one newline is none, and two braces call a function.
var cardSpecial = strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "`", "'", "{{", "{ {", "\n", "\n\n")

func markdown(text string) string { return cardSpecial.Replace(text) }
