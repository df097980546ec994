package slacktest

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// parsed is what people get of a message's texts.
type parsed struct {
	mentions []string // as mrkdwn spells them
	links    []string
	texts    []string
}

func (p *parsed) add(o parsed) {
	p.texts = append(p.texts, o.texts...)
	for _, m := range o.mentions {
		p.mention(m)
	}
	for _, l := range o.links {
		p.link(l)
	}
}

func (p *parsed) mention(m string) {
	if !slices.Contains(p.mentions, m) {
		p.mentions = append(p.mentions, m)
	}
}

func (p *parsed) link(l string) {
	if !slices.Contains(p.links, l) {
		p.links = append(p.links, l)
	}
}

func (p *parsed) text(s string) { p.texts = append(p.texts, s) }

var (
	control = regexp.MustCompile(`<([@#!]?)([^<>\n]+)>`)
	loud    = regexp.MustCompile(`^(channel|here|everyone|group|subteam\^\w+)$`)
	bareURL = regexp.MustCompile(`(?i)\b(https?|ftp)://[^\s<>|]+`)
	code    = regexp.MustCompile("(?s)```.*?```|`[^`\n]+`")
	bareAt  = regexp.MustCompile(`@(here|channel|everyone|group)`)
	scheme  = regexp.MustCompile(`(?i)^[a-z][a-z0-9+.-]*:\S`)
	mdImage = regexp.MustCompile(`!?\[[^\]]*\]\(\s*<?([^)\s>]+)`)
	entity  = regexp.MustCompile(`&(amp|lt|gt);`)
)

// parseMarkup reads mrkdwn. Mentions count wherever they stand, in code as well.
func parseMarkup(s string, auto bool) parsed {
	var p parsed
	for _, m := range control.FindAllStringSubmatch(s, -1) {
		body, _, _ := strings.Cut(m[2], "|")
		switch m[1] {
		case "@":
			p.mention("<@" + body + ">")
		case "!":
			if loud.MatchString(body) {
				p.mention("<!" + body + ">")
			}
		case "":
			if scheme.MatchString(body) {
				p.link(unescape(body))
			}
		}
	}
	rest := control.ReplaceAllString(s, " ")
	if auto {
		for _, l := range bareURL.FindAllString(code.ReplaceAllString(rest, " "), -1) {
			p.link(unescape(l))
		}
	}
	p.text(unescape(control.ReplaceAllStringFunc(s, label)))
	return p
}

// label is what people see of a control sequence.
func label(sequence string) string {
	body, shown, named := strings.Cut(strings.Trim(sequence, "<>"), "|")
	if named {
		return shown
	}
	return body
}

func unescape(s string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(s)
}

// shouts finds @here and its like, which no letter or digit follows.
func (p *parsed) shouts(s string) {
	for _, at := range bareAt.FindAllStringIndex(s, -1) {
		if next, _ := utf8.DecodeRuneInString(s[at[1]:]); !unicode.IsLetter(next) && !unicode.IsDigit(next) {
			p.mention("<!" + s[at[0]+1:at[1]] + ">")
		}
	}
}

// parseMarkdown reads a markdown block. A bare @here is a mention here, also in code.
func parseMarkdown(s string) parsed {
	p := parseMarkup(s, false)
	p.shouts(s)
	for _, m := range mdImage.FindAllStringSubmatch(s, -1) {
		p.link(m[1])
	}
	for _, l := range bareURL.FindAllString(code.ReplaceAllString(s, " "), -1) {
		p.link(strings.TrimRight(l, ").,;"))
	}
	p.texts = []string{s}
	return p
}

// parseTop reads a message's own text, for which the call says what is parsed.
func parseTop(s string, a args) parsed {
	if s == "" {
		return parsed{}
	}
	p := parseMarkup(s, a["parse"] != "none")
	if a["mrkdwn"] == "false" && a["parse"] == "none" {
		p.links = nil
	}
	if a["parse"] == "full" || a.flag("link_names") {
		p.shouts(s)
	}
	return p
}

// reparse reads a message anew as it stands.
func reparse(m Message, a args) parsed {
	v := newInspector(func() int { return 0 })
	_, _ = v.blocksArg(args{"blocks": string(m.Blocks)})
	_, _ = v.attachmentsArg(args{"attachments": string(m.Attachments)})
	v.parsed.add(parseTop(m.Text, a))
	return v.parsed
}

// escapedMarkup counts the characters of mrkdwn as Slack stores it: what is escaped already and what is markup counts
// as it stands.
func escapedMarkup(s string) int {
	n := utf8.RuneCountInString(s)
	return n + 4*(strings.Count(s, "&")-len(entity.FindAllString(s, -1)))
}
