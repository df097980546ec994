package slack

import (
	"strings"
	"unicode/utf8"

	api "github.com/slack-go/slack"

	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// maxPlain bounds plain text, in characters.
const maxPlain = 3000

// plainText is what blocks say, as escaped text. Mentions stay.
func plainText(blocks []api.Block) string {
	var lines []string
	for _, b := range blocks {
		switch b := b.(type) {
		case *api.SectionBlock:
			lines = append(lines, b.Text.Text)
		case *api.ContextBlock:
			for _, e := range b.ContextElements.Elements {
				if text, ok := e.(*api.TextBlockObject); ok {
					lines = append(lines, text.Text)
				}
			}
		case *api.RichTextBlock:
			for _, e := range b.Elements {
				lines = append(lines, plainRow(e))
			}
		}
	}
	return strings.Join(lines, "\n")
}

func plainRow(e api.RichTextElement) string {
	switch e := e.(type) {
	case *api.RichTextSection:
		return plainElements(e.Elements)
	case *api.RichTextPreformatted:
		return plainElements(e.Elements)
	case *api.RichTextList:
		var items []string
		for _, item := range e.Elements {
			items = append(items, "• "+plainRow(item))
		}
		return strings.Join(items, "\n")
	}
	return ""
}

func plainElements(elements []api.RichTextSectionElement) string {
	var b strings.Builder
	for _, e := range elements {
		switch e := e.(type) {
		case *api.RichTextSectionTextElement:
			b.WriteString(escaped.Replace(scrub.Inert(e.Text)))
		case *api.RichTextSectionUserElement:
			b.WriteString("<@" + e.UserID + ">")
		case *api.RichTextSectionDateElement:
			b.WriteString(date(e.Timestamp.Time(), e.Timestamp.Time()))
		}
	}
	return b.String()
}

// cutEscaped ends escaped text after at most limit characters, never within an entity or what stands in angle brackets.
func cutEscaped(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	end, n := 0, 0
	angle, entity := false, false
	for i, r := range text {
		if !angle && !entity {
			end = i
		}
		if n == limit-1 {
			break
		}
		switch r {
		case '<':
			angle = true
		case '>':
			angle = false
		case '&':
			entity = true
		case ';':
			entity = false
		}
		n++
	}
	return text[:end] + "…"
}
