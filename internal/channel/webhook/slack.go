package webhook

import (
	"regexp"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/channel"
)

// maxSlack bounds a body of the slack format. Mattermost takes the least: 16,383 characters of text.
const maxSlack = 15 << 10

// slackMessage is what incoming webhooks of Slack take, and those of Mattermost and Rocket.Chat.
type slackMessage struct {
	Text        string            `json:"text"` // also what a notification shows
	Attachments []slackAttachment `json:"attachments"`
}

type slackAttachment struct {
	Color    string       `json:"color"` // of the state
	Fallback string       `json:"fallback"`
	Title    string       `json:"title"`
	Text     string       `json:"text,omitempty"`
	Fields   []slackField `json:"fields"`
}

type slackField struct {
	Title string `json:"title"`
	Value string `json:"value"`
	Short bool   `json:"short"`
}

func slack(s step, limit int) any {
	line := slackText(s.line())
	a := slackAttachment{Color: slackColour(toneOf(s.conv)), Fallback: line, Title: slackText(title(s.conv)), Fields: []slackField{}}
	var parts []string
	for _, p := range paragraphs(s, limit) {
		parts = append(parts, slackText(p))
	}
	if links := slackLinks(s); links != "" {
		parts = append(parts, links)
	}
	a.Text = strings.Join(parts, "\n\n")
	for _, f := range summary(s.conv) {
		a.Fields = append(a.Fields, slackField{Title: f.name, Value: slackText(f.value), Short: true})
	}
	if m := mention(s); m != "" {
		line = m + " " + line
	}
	return slackMessage{Text: line, Attachments: []slackAttachment{a}}
}

func slackColour(t tone) string {
	return map[tone]string{firing: "#a30200", owned: "#daa038", over: "#2eb886", hushed: "#dddddd"}[t]
}

// slackSpecial: what Slack says to escape, and what Mattermost makes code and links to channels of.
var slackSpecial = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "`", "'", "~", "∼")

func slackText(text string) string { return slackSpecial.Replace(text) }

// linkSpecial may not stand in the address of a link as Slack writes it.
var linkSpecial = strings.NewReplacer("<", "%3C", ">", "%3E", "|", "%7C", "`", "%60", " ", "%20", "&", "&amp;")

func slackLinks(s step) string {
	var all []string
	for _, l := range channel.Links(s.conv) {
		all = append(all, "<"+linkSpecial.Replace(l.URL)+"|"+strings.ReplaceAll(slackText(plain(l.Title, 80)), "|", "/")+">")
	}
	return strings.Join(all, " · ")
}

// calls are the mentions that Slack has: of people and groups by their id, and of all.
var calls = regexp.MustCompile(`^(<!(here|channel|everyone|subteam\^[A-Z0-9]+)(\|[^<>|]*)?>|<@[A-Z0-9]+>)( (<!(here|channel|everyone|subteam\^[A-Z0-9]+)(\|[^<>|]*)?>|<@[A-Z0-9]+>))*$`)

// ValidMention tells whether a text is nothing but mentions as Slack spells them, which the slack format posts as they are.
func ValidMention(text string) bool { return calls.MatchString(text) }

// mention is whom the post calls. What is not a mention is nobody: it would be text that nobody asked for.
func mention(s step) string {
	if s.sound != channel.Calling || !ValidMention(s.terms.Mention) {
		return ""
	}
	return s.terms.Mention
}

func slackDigest(d channel.Digest) any {
	line := slackText(digestLine(d))
	var lines []string
	for _, l := range digestLines(d) {
		lines = append(lines, "• "+slackText(l))
	}
	return slackMessage{Text: line, Attachments: []slackAttachment{{
		Color: slackColour(digestTone(d)), Fallback: line, Title: "What it was", Text: strings.Join(lines, "\n"), Fields: []slackField{},
	}}}
}
