// Package slackdraw draws messages as Slack shows them on a phone, as a page of HTML, so that a person can look at what
// a channel posts. It knows what Bellbuoy posts and nothing else of Slack; what it does not know it shows in red.
package slackdraw

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"html/template"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Message is one message, with the thread below it.
type Message struct {
	At          time.Time
	Text        string
	Blocks      json.RawMessage
	Attachments json.RawMessage
	Of          string // what the thread is about that a reply shown in the channel belongs to; empty: it is none
	Replies     []Message
}

// Page draws messages, the oldest first, for a reader in the zone. Names are those of people and groups by their id.
func Page(messages []Message, zone *time.Location, names map[string]string) ([]byte, error) {
	d := drawer{zone: zone, names: names}
	var page bytes.Buffer
	err := layout.Execute(&page, struct {
		Messages []drawn
		Width    int
	}{d.all(messages), Width})
	if err != nil {
		return nil, fmt.Errorf("draw the page: %w", err)
	}
	return page.Bytes(), nil
}

// Width is a phone's, in pixels.
const Width = 390

type drawer struct {
	zone  *time.Location
	names map[string]string
}

type drawn struct {
	At, Of   string
	Body     []template.HTML
	Attached []attached
	Replies  []drawn
}

type attached struct {
	Color string
	Body  []template.HTML
}

func (d drawer) all(messages []Message) []drawn {
	var all []drawn
	for _, m := range messages {
		one := drawn{At: m.At.In(d.zone).Format("15:04"), Of: m.Of, Body: d.blocks(m.Blocks), Replies: d.all(m.Replies)}
		var attachments []struct {
			Color  string
			Blocks json.RawMessage
		}
		if len(m.Attachments) > 0 && json.Unmarshal(m.Attachments, &attachments) != nil {
			one.Body = append(one.Body, unknown("attachments"))
		}
		for _, a := range attachments {
			one.Attached = append(one.Attached, attached{a.Color, d.blocks(a.Blocks)})
		}
		if len(one.Body) == 0 {
			one.Body = []template.HTML{d.markup(m.Text)}
		}
		all = append(all, one)
	}
	return all
}

// node is anything in a message.
type node struct {
	Type      string          `json:"type"`
	Text      json.RawMessage `json:"text"` // a string, or a text object
	Elements  []node          `json:"elements"`
	Style     json.RawMessage `json:"style"`
	UserID    string          `json:"user_id"`
	Timestamp int64           `json:"timestamp"`
}

func (n node) text() string {
	var s string
	if json.Unmarshal(n.Text, &s) == nil {
		return s
	}
	var inner node
	if json.Unmarshal(n.Text, &inner) != nil {
		return ""
	}
	return inner.text()
}

func unknown(what string) template.HTML {
	return template.HTML(`<p class="unknown">` + html.EscapeString(what) + `</p>`) //nolint:gosec // escaped
}

func (d drawer) blocks(raw json.RawMessage) []template.HTML {
	if len(raw) == 0 {
		return nil
	}
	var blocks []node
	if err := json.Unmarshal(raw, &blocks); err != nil {
		return []template.HTML{unknown("blocks")}
	}
	var all []template.HTML
	for _, b := range blocks {
		switch b.Type {
		case "section":
			all = append(all, "<p>"+d.markup(b.text())+"</p>")
		case "context":
			for _, e := range b.Elements {
				all = append(all, `<p class="context">`+d.markup(e.text())+"</p>")
			}
		case "rich_text":
			for _, e := range b.Elements {
				all = append(all, d.rich(e))
			}
		default:
			all = append(all, unknown(b.Type))
		}
	}
	return all
}

func (d drawer) rich(e node) template.HTML {
	switch e.Type {
	case "rich_text_section":
		return "<div>" + d.inline(e.Elements) + "</div>"
	case "rich_text_preformatted":
		return "<pre>" + d.inline(e.Elements) + "</pre>"
	case "rich_text_list":
		list := template.HTML("<ul>")
		for _, item := range e.Elements {
			list += "<li>" + d.inline(item.Elements) + "</li>"
		}
		return list + "</ul>"
	}
	return unknown(e.Type)
}

func (d drawer) inline(elements []node) template.HTML {
	var b strings.Builder
	for _, e := range elements {
		switch e.Type {
		case "text":
			b.WriteString(styled(e))
		case "user":
			b.WriteString(d.mention(e.UserID))
		case "date":
			b.WriteString(d.clock(e.Timestamp))
		default:
			b.WriteString(string(unknown(e.Type)))
		}
	}
	return template.HTML(b.String()) //nolint:gosec // all parts are escaped
}

func styled(e node) string {
	var style struct{ Bold, Italic, Code bool }
	_ = json.Unmarshal(e.Style, &style) // nothing: no style
	text := html.EscapeString(e.text())
	for tag, on := range map[string]bool{"b": style.Bold, "i": style.Italic, "code": style.Code} {
		if on {
			text = "<" + tag + ">" + text + "</" + tag + ">"
		}
	}
	return text
}

func (d drawer) mention(id string) string {
	name := d.names[id]
	if name == "" {
		name = id
	}
	return `<span class="mention">@` + html.EscapeString(name) + "</span>"
}

func (d drawer) clock(unix int64) string { return time.Unix(unix, 0).In(d.zone).Format("15:04") }

var (
	angles  = regexp.MustCompile(`<([^<>]*)>`)
	strong  = regexp.MustCompile(`\*([^*\n]+)\*`)
	tick    = regexp.MustCompile("`([^`\n]+)`")
	dateTag = regexp.MustCompile(`^!date\^(\d+)\^`)
)

// markup draws mrkdwn, which is escaped as HTML is.
func (d drawer) markup(text string) template.HTML {
	var b strings.Builder
	last := 0
	for _, m := range angles.FindAllStringSubmatchIndex(text, -1) {
		b.WriteString(text[last:m[0]] + d.control(text[m[2]:m[3]]))
		last = m[1]
	}
	b.WriteString(text[last:])
	out := strong.ReplaceAllString(tick.ReplaceAllString(b.String(), "<code>$1</code>"), "<b>$1</b>")
	return template.HTML(out) //nolint:gosec // the text is escaped already, and what stands in angle brackets is drawn here
}

// control draws what stands in angle brackets.
func (d drawer) control(body string) string {
	if m := dateTag.FindStringSubmatch(body); m != nil {
		unix, err := strconv.ParseInt(m[1], 10, 64)
		if err == nil {
			return d.clock(unix)
		}
	}
	if id, ok := strings.CutPrefix(body, "!subteam^"); ok {
		return d.mention(id)
	}
	if id, ok := strings.CutPrefix(body, "@"); ok {
		return d.mention(id)
	}
	if _, title, ok := strings.Cut(body, "|"); ok {
		return `<a>` + html.EscapeString(html.UnescapeString(title)) + `</a>`
	}
	return string(unknown(body))
}
