package slack

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	api "github.com/slack-go/slack"

	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// Text of others goes into rich text wherever it can: that is structure, in which nothing is read as markup, as a
// mention or as a link. Where it has to go into mrkdwn it is escaped, and marked as verbatim.

// escaped replaces the three characters that mrkdwn can escape, once.
var escaped = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// lookalikes take the place of the marks that mrkdwn cannot escape.
var lookalikes = strings.NewReplacer("*", "∗", "`", "ˋ", "~", "∼")

// mrkdwn is text of others for a mrkdwn object, of at most limit characters once it is escaped.
func mrkdwn(text string, limit int) string {
	return escaped.Replace(lookalikes.Replace(short(text, limit)))
}

// short is one clean line of at most limit characters that no program takes for a link, a mention or markup.
func short(text string, limit int) string {
	return cut(strings.Join(strings.Fields(scrub.Inert(bounded(text, maxLooked))), " "), limit)
}

// prose is short for text of several lines.
func prose(text string, limit int) string {
	return cut(strings.TrimSpace(scrub.Inert(bounded(text, maxProse))), limit)
}

// shown is a log line or a command, as it is but for secrets and what deceives a reader. It may go into rich text only.
func shown(text string, limit int) string {
	return cut(strings.TrimSpace(scrub.Clean(bounded(text, maxLooked))), limit)
}

// How much of a text is looked at, in bytes: well behind the end of what is shown, so that no half of a secret stays.
const (
	maxLooked = 4 << 10
	maxProse  = 48 << 10
)

func bounded(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "")
}

// cut ends a text after at most limit characters as Slack counts them, with an ellipsis.
func cut(text string, limit int) string {
	if len(text)*len("&amp;") <= limit || counted(text) <= limit {
		return text
	}
	n, end := 0, 0
	for i, r := range text {
		if n += cost(r); n > limit-1 {
			break
		}
		end = i + utf8.RuneLen(r)
	}
	return text[:end] + "…"
}

// counted is how many characters of a text Slack counts: those of its escaped form.
func counted(text string) int {
	n := 0
	for _, r := range text {
		n += cost(r)
	}
	return n
}

func cost(r rune) int {
	switch r {
	case '&':
		return len("&amp;")
	case '<', '>':
		return len("&lt;")
	}
	return 1
}

// date is a moment in the reader's own time zone, for mrkdwn. What lies long before now has its day.
func date(at, now time.Time) string {
	format := "{time}"
	if now.Sub(at).Abs() > 12*time.Hour {
		format = "{date_short_pretty}, {time}"
	}
	return fmt.Sprintf("<!date^%d^%s|%s>", at.Unix(), format, at.UTC().Format("2 Jan 15:04 UTC"))
}

// moment is a time of day in the reader's own time zone, for rich text.
func moment(at time.Time) api.RichTextSectionElement {
	fallback := at.UTC().Format("2 Jan 15:04 UTC")
	return api.NewRichTextSectionDateElement(at.Unix(), "{time}", nil, &fallback)
}

// span is a duration in words, of its two largest units.
func span(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 24*time.Hour:
		return twoUnits(d, time.Hour, "h", time.Minute, "min")
	}
	return twoUnits(d, 24*time.Hour, "d", time.Hour, "h")
}

func twoUnits(d, large time.Duration, one string, small time.Duration, two string) string {
	text := fmt.Sprintf("%d %s", d/large, one)
	if rest := d % large / small; rest > 0 {
		text += fmt.Sprintf(" %d %s", rest, two)
	}
	return text
}

// link is one in mrkdwn. What could end it early is escaped as URLs have it.
func link(title, address string) string {
	address = strings.NewReplacer("|", "%7C", "<", "%3C", ">", "%3E", " ", "%20").Replace(address)
	if u, err := url.Parse(address); err != nil || u.Host == "" {
		return mrkdwn(title, 40)
	}
	return "<" + strings.ReplaceAll(address, "&", "&amp;") + "|" + strings.ReplaceAll(mrkdwn(title, 40), "|", "∣") + ">"
}

// userID is how Slack names a person.
var userID = regexp.MustCompile(`^[UW][A-Z0-9]{4,20}$`)

// maxObject bounds a text object, in characters.
const maxObject = 2900

func object(text string) *api.TextBlockObject {
	return &api.TextBlockObject{Type: api.MarkdownType, Text: cutEscaped(text, maxObject), Verbatim: true}
}

func section(text string) api.Block { return api.NewSectionBlock(object(text), nil, nil) }

func contextOf(text string) api.Block { return api.NewContextBlock("", object(text)) }

func bold(text string) api.RichTextSectionElement {
	return api.NewRichTextSectionTextElement(text, &api.RichTextSectionTextStyle{Bold: true})
}

func plain(text string) api.RichTextSectionElement {
	return api.NewRichTextSectionTextElement(text, nil)
}

func italic(text string) api.RichTextSectionElement {
	return api.NewRichTextSectionTextElement(text, &api.RichTextSectionTextStyle{Italic: true})
}

func code(text string) api.RichTextSectionElement {
	return api.NewRichTextSectionTextElement(text, &api.RichTextSectionTextStyle{Code: true})
}

func row(elements ...api.RichTextSectionElement) api.RichTextElement {
	return api.NewRichTextSection(elements...)
}

func preformatted(text string) api.RichTextElement {
	return &api.RichTextPreformatted{Type: api.RTEPreformatted, Elements: []api.RichTextSectionElement{plain(text)}}
}
