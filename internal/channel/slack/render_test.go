package slack_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// node is anything in a message.
type node struct {
	Type     string          `json:"type"`
	Text     json.RawMessage `json:"text"` // a string, or a text object
	Elements []node          `json:"elements"`
	Style    json.RawMessage `json:"style"`
	UserID   string          `json:"user_id"`

	Timestamp int64 `json:"timestamp"`

	ActionID    string          `json:"action_id"`
	Value       string          `json:"value"`
	Placeholder json.RawMessage `json:"placeholder"`
	Options     []node          `json:"options"`
}

func (n node) text(t *testing.T) string {
	t.Helper()
	if len(n.Text) == 0 {
		return ""
	}
	if n.Text[0] == '"' {
		var s string
		if err := json.Unmarshal(n.Text, &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	var inner node
	if err := json.Unmarshal(n.Text, &inner); err != nil {
		t.Fatal(err)
	}
	return inner.text(t)
}

// rendered is a message as a person could write it down: what a locked screen shows, then each block.
func rendered(t *testing.T, args map[string]string) string {
	t.Helper()
	lines := []string{args["text"]}
	var blocks []node
	unmarshal(t, args["blocks"], &blocks)
	lines = append(lines, drawn(t, blocks, "  ")...)
	var attachments []struct {
		Color  string
		Blocks []node
	}
	unmarshal(t, args["attachments"], &attachments)
	for _, a := range attachments {
		bar := map[string]string{"#a30200": "red", "#daa038": "amber", "#2eb886": "green", "#dddddd": "grey"}[a.Color]
		lines = append(lines, drawn(t, a.Blocks, fmt.Sprintf("%-5s ┃ ", bar))...)
	}
	return strings.Join(lines, "\n") + "\n"
}

func unmarshal(t *testing.T, text string, into any) {
	t.Helper()
	if text == "" {
		return
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("not JSON: %v: %s", err, text)
	}
}

func drawn(t *testing.T, blocks []node, margin string) []string {
	t.Helper()
	var lines []string
	add := func(text string) {
		for line := range strings.Lines(text) {
			lines = append(lines, strings.TrimRight(margin+line, "\n "))
		}
	}
	for _, b := range blocks {
		switch b.Type {
		case "section":
			add(b.text(t))
		case "context":
			for _, e := range b.Elements {
				add("(" + e.text(t) + ")")
			}
		case "rich_text":
			for _, e := range b.Elements {
				add(drawnRow(t, e))
			}
		case "actions":
			for _, e := range b.Elements {
				add("[" + e.text(t) + node{Text: e.Placeholder}.text(t) + "] " + e.ActionID + " " + e.Value)
				for _, o := range e.Options {
					add("    " + o.text(t) + ": " + o.Value)
				}
			}
		default:
			t.Errorf("a block of type %q", b.Type)
		}
	}
	return lines
}

func drawnRow(t *testing.T, e node) string {
	t.Helper()
	switch e.Type {
	case "rich_text_list":
		var items []string
		for _, item := range e.Elements {
			items = append(items, "• "+drawnRow(t, item))
		}
		return strings.Join(items, "\n")
	case "rich_text_preformatted":
		return "▏" + strings.ReplaceAll(drawnElements(t, e.Elements), "\n", "\n▏")
	case "rich_text_section":
		return drawnElements(t, e.Elements)
	}
	t.Errorf("rich text of type %q", e.Type)
	return ""
}

func drawnElements(t *testing.T, elements []node) string {
	t.Helper()
	var b strings.Builder
	for _, e := range elements {
		var style struct{ Bold, Italic, Code bool }
		unmarshal(t, string(e.Style), &style)
		mark := ""
		switch {
		case e.Type == "user":
			b.WriteString("<@" + e.UserID + ">")
		case e.Type == "date":
			b.WriteString(time.Unix(e.Timestamp, 0).UTC().Format("15:04 UTC"))
		case style.Bold:
			mark = "*"
		case style.Italic:
			mark = "_"
		case style.Code:
			mark = "`"
		}
		b.WriteString(mark + e.text(t) + mark)
	}
	return b.String()
}
