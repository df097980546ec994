package rules

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/bellbuoy/bellbuoy/internal/config/yamlfile"
	"github.com/bellbuoy/bellbuoy/internal/link"
)

const (
	maxLinks     = 100
	maxLinkTitle = 60 // bytes

	fixLink = `write a list: "- title: Logs", and below it url: "https://logs.example/?q={name}"`
)

func (d *decoder) allLinks(n *yaml.Node) {
	switch {
	case yamlfile.Empty(n):
		return
	case n.Kind != yaml.SequenceNode:
		d.Wrong(n.Line, fixLink, "links is no list")
		return
	case len(n.Content) > maxLinks:
		d.Wrong(n.Line, "put those together whose addresses differ in a gap only", "%d links are more than the %d that there may be", len(n.Content), maxLinks)
		return
	}
	for _, one := range n.Content {
		d.links = append(d.links, d.link(one))
	}
}

func (d *decoder) link(n *yaml.Node) (t link.Template) {
	before := len(d.Mistakes)
	var titled, addressed bool
	d.Pairs(n, "the link", []string{"title", "url", "match"}, func(key, value *yaml.Node) {
		switch key.Value {
		case "title":
			titled, t.Title = true, d.linkTitle(value)
		case "url":
			addressed, t.URL = true, d.address(value)
		case "match":
			t.Match = new(d.matcher(value))
		}
	})
	switch {
	case len(d.Mistakes) > before:
	case !titled:
		d.Wrong(n.Line, "give it a short one, such as title: Logs", "the link has no title")
	case !addressed:
		d.Wrong(n.Line, `say where it leads, such as url: "https://logs.example/?q={name}"`, "the link has no url")
	}
	return t
}

func (d *decoder) linkTitle(n *yaml.Node) string {
	title := strings.TrimSpace(n.Value)
	if n.Kind != yaml.ScalarNode || yamlfile.Empty(n) || title == "" || len(title) > maxLinkTitle || strings.ContainsAny(title, "\r\n") {
		d.Wrong(n.Line, fmt.Sprintf("write a line of at most %d bytes, such as title: Logs", maxLinkTitle), "title: %q cannot be the title of a link", n.Value)
	}
	return title
}

func (d *decoder) address(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode || yamlfile.Empty(n) {
		d.Wrong(n.Line, `write it in quotes, such as url: "https://logs.example/?q={name}"`, "url is no address")
		return ""
	}
	if problem, fix := link.Check(n.Value); problem != "" {
		d.Wrong(n.Line, fix, "url: %s", problem)
	}
	return n.Value
}
