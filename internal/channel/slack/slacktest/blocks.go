package slacktest

import (
	"maps"
	"net/url"
	"strings"
	"unicode/utf8"
)

// block judges one block of a message. Layout blocks may hold others, one deep here.
func block(depth int) rule {
	one := oneOf(blockKinds(depth))
	return func(v *inspector, at string, x any) {
		v.actions = map[string]bool{}
		o, _ := x.(map[string]any)
		if o["type"] != "markdown" {
			v.blocks++
		}
		if o["type"] == "section" && o["text"] == nil && o["fields"] == nil {
			v.bad(at, "must define either `text` or `fields`")
		}
		one(v, at, x)
	}
}

func blockKinds(depth int) map[string]shape {
	kinds := map[string]shape{
		"divider":   {},
		"header":    {"text": must(header)},
		"section":   {"text": may(anyText(3000)), "fields": may(items(1, 10, anyText(2000))), "accessory": may(accessory), "expand": may(boolean)},
		"context":   {"elements": must(items(1, 10, contextElement))},
		"actions":   {"elements": must(items(1, 25, oneOf(controls())))},
		"image":     imageShape(),
		"markdown":  {"text": must(markdown)},
		"rich_text": {"elements": must(items(1, maxBlocks*10, richElement(false)))},
		"table":     {"rows": must(table), "column_settings": may(items(0, 20, object(shape{"align": may(choice("left", "center", "right")), "is_wrapped": may(boolean)})))},
	}
	if depth == 0 {
		kinds["container"] = shape{
			"title": must(plainText(150)), "subtitle": may(anyText(150)), "icon": may(oneOf(map[string]shape{"image": picture()})),
			"width": may(choice("narrow", "standard", "wide", "full")), "is_collapsible": may(boolean), "default_collapsed": may(boolean),
			"has_header_divider": may(boolean), "child_blocks": must(items(1, 10, block(1))),
		}
	}
	for _, s := range kinds {
		s["block_id"] = may(blockID)
	}
	return kinds
}

func blockID(v *inspector, at string, x any) {
	characters(1, 255)(v, at, x)
	id, _ := x.(string)
	if v.ids[id] {
		v.bad(at, "block_id already exists: %s", id)
	}
	v.ids[id] = true
}

func actionID(v *inspector, at string, x any) {
	characters(1, 255)(v, at, x)
	id, _ := x.(string)
	if v.actions[id] {
		v.bad(at, "action_id already exists: %s", id)
	}
	v.actions[id] = true
}

// text judges a text object of one of the kinds, which is never empty.
func text(most int, kinds ...string) rule {
	shapes := map[string]shape{}
	for _, k := range kinds {
		shapes[k] = shape{"text": must(characters(1, most))}
	}
	if s := shapes["plain_text"]; s != nil {
		s["emoji"] = may(boolean)
	}
	if s := shapes["mrkdwn"]; s != nil {
		s["verbatim"] = may(boolean)
	}
	one := oneOf(shapes)
	return func(v *inspector, at string, x any) {
		before := len(v.problems)
		one(v, at, x)
		if len(v.problems) > before {
			v.problems = append(v.problems[:before:before], append([]string{"failed to match all allowed schemas [json-pointer:" + at + "]"}, v.problems[before:]...)...)
			return
		}
		v.read(x.(map[string]any))
	}
}

func plainText(most int) rule { return text(most, "plain_text") }
func anyText(most int) rule   { return text(most, "plain_text", "mrkdwn") }

// read counts and parses a text object that is in order.
func (v *inspector) read(o map[string]any) {
	s := o["text"].(string)
	if o["type"] == "mrkdwn" {
		v.counted += escapedMarkup(s)
		v.parsed.add(parseMarkup(s, o["verbatim"] != true))
		return
	}
	v.counted += escaped(s)
	v.parsed.text(s)
}

func header(v *inspector, at string, x any) {
	plainText(150)(v, at, x)
	v.counted += headerOverhead
}

func markdown(v *inspector, at string, x any) {
	characters(1, maxMarkdown)(v, at, x)
	s, _ := x.(string)
	v.counted += escaped(s)
	v.markdown += utf8.RuneCountInString(s)
	v.blocks += rendered(s)
	v.parsed.add(parseMarkdown(s))
}

func address(most int) rule {
	return func(v *inspector, at string, x any) {
		characters(1, most)(v, at, x)
		s, _ := x.(string)
		u, err := url.Parse(s)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			v.bad(at, "must be a valid URL")
		}
	}
}

func link(v *inspector, at string, x any) {
	address(3000)(v, at, x)
	s, _ := x.(string)
	v.parsed.link(s)
}

func picture() shape {
	return shape{"image_url": must(link), "alt_text": must(characters(1, 2000))}
}

func imageShape() shape {
	s := picture()
	s["title"] = may(plainText(2000))
	return s
}

func contextElement(v *inspector, at string, x any) {
	if o, ok := x.(map[string]any); ok && o["type"] == "image" {
		oneOf(map[string]shape{"image": picture()})(v, at, x)
		return
	}
	anyText(3000)(v, at, x)
}

func accessory(v *inspector, at string, x any) {
	kinds := controls()
	kinds["image"] = picture()
	oneOf(kinds)(v, at, x)
}

// controls are what people press.
func controls() map[string]shape {
	confirm := object(shape{
		"title": must(plainText(100)), "text": must(anyText(300)), "confirm": must(plainText(30)), "deny": must(plainText(30)),
		"style": may(choice("primary", "danger")),
	})
	option := shape{"text": must(anyText(75)), "value": must(characters(1, 150)), "description": may(anyText(75))}
	withURL := maps.Clone(option)
	withURL["url"] = may(link)
	common := func(s shape) shape {
		s["action_id"], s["confirm"] = may(actionID), may(confirm)
		return s
	}
	return map[string]shape{
		"button": common(shape{
			"text": must(plainText(75)), "url": may(link), "value": may(characters(1, 2000)), "style": may(choice("primary", "danger")),
			"accessibility_label": may(characters(1, 75)),
		}),
		"overflow": common(shape{"options": must(items(1, 5, object(withURL)))}),
		"static_select": common(shape{
			"placeholder": may(plainText(150)), "options": must(items(1, 100, object(option))), "initial_option": may(object(option)),
			"focus_on_load": may(boolean),
		}),
	}
}

// rendered tells how many blocks markdown becomes: one for each header, fence, table and run of anything else.
func rendered(s string) int {
	blocks, fence, run := 0, false, ""
	for line := range strings.SplitSeq(s, "\n") {
		line = strings.TrimSpace(line)
		kind := "text"
		switch {
		case strings.HasPrefix(line, "```"):
			if fence = !fence; fence {
				blocks++
			}
			run = ""
			continue
		case fence:
			continue
		case strings.HasPrefix(line, "#"):
			blocks++
			run = ""
			continue
		case strings.HasPrefix(line, "|"):
			kind = "table"
		case line == "":
			if run == "table" {
				run = ""
			}
			continue
		}
		if run != kind {
			blocks++
			run = kind
		}
	}
	return max(blocks, 1)
}
