package slacktest

import (
	"unicode/utf8"
)

// richElement judges one part of a rich text. A cell of a table has the same parts.
func richElement(inList bool) rule {
	kinds := map[string]shape{"rich_text_section": {"elements": must(items(0, 1000, oneOf(inline())))}}
	if !inList {
		border := may(integer(0, 1))
		kinds["rich_text_preformatted"] = shape{"elements": must(items(1, 1000, oneOf(only(inline(), "text", "link")))), "border": border, "language": may(characters(1, 100))}
		kinds["rich_text_quote"] = shape{"elements": must(items(1, 1000, oneOf(inline()))), "border": border}
		kinds["rich_text_list"] = shape{
			"style": must(choice("bullet", "ordered")), "elements": must(items(1, 1000, richElement(true))),
			"indent": may(integer(0, 8)), "offset": may(integer(0, 1<<20)), "border": border,
		}
	}
	return oneOf(kinds)
}

func only(kinds map[string]shape, names ...string) map[string]shape {
	some := map[string]shape{}
	for _, name := range names {
		some[name] = kinds[name]
	}
	return some
}

// inline is what a line of rich text is made of.
func inline() map[string]shape {
	styles := shape{}
	for _, name := range []string{"bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink"} {
		styles[name] = may(boolean)
	}
	style := may(object(styles))
	id := characters(1, 30)
	return map[string]shape{
		"text":      {"text": must(richText), "style": style},
		"link":      {"url": must(link), "text": may(richText), "unsafe": may(boolean), "style": style},
		"emoji":     {"name": must(characters(1, 100)), "unicode": may(anything), "skin_tone": may(integer(1, 6)), "style": style},
		"user":      {"user_id": must(mention(id, "<@")), "style": style},
		"usergroup": {"usergroup_id": must(mention(id, "<!subteam^")), "style": style},
		"broadcast": {"range": must(mention(choice("here", "channel", "everyone"), "<!")), "style": style},
		"channel":   {"channel_id": must(id), "style": style},
		"date":      {"timestamp": must(anything), "format": must(characters(1, 1000)), "url": may(link), "fallback": may(richText), "style": style},
		"color":     {"value": must(characters(1, 30)), "style": style},
	}
}

func richText(v *inspector, at string, x any) {
	characters(1, maxText)(v, at, x)
	s, _ := x.(string)
	v.counted += escaped(s)
	v.parsed.text(s)
}

func mention(r rule, prefix string) rule {
	return func(v *inspector, at string, x any) {
		r(v, at, x)
		s, _ := x.(string)
		v.parsed.mention(prefix + s + ">")
	}
}

const maxTable = 10_000 // characters of a table's cells

func table(v *inspector, at string, x any) {
	before := v.counted
	cell := oneOf(map[string]shape{
		"raw_text":  {"text": must(richText)},
		"rich_text": {"elements": must(items(1, 100, richElement(false))), "block_id": may(anything)},
	})
	items(1, 100, items(1, 20, cell))(v, at, x)
	if v.counted-before > maxTable {
		v.bad(at, "must be less than %d characters", maxTable+1)
	}
}

// escaped counts the characters of plain text as Slack stores it: with & < > escaped.
func escaped(s string) int {
	n := utf8.RuneCountInString(s)
	for _, r := range s {
		switch r {
		case '&':
			n += 4
		case '<', '>':
			n += 3
		}
	}
	return n
}
