package link

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// MaxTemplate bounds an address with gaps, in bytes: what fills them needs room.
const MaxTemplate = schema.MaxLinkBytes / 2

// maxGap is how much of a name that is none is shown, in bytes.
const maxGap = 40

// part of an address: a text, or a gap by its name.
type part struct {
	text string
	gap  bool
}

// parts takes an address apart. Its error says which brace is none of a gap's.
func parts(address string) ([]part, error) {
	var all []part
	for address != "" {
		i := strings.IndexAny(address, "{}")
		if i < 0 {
			return append(all, part{text: address}), nil
		}
		name, rest, closed := strings.Cut(address[i+1:], "}")
		if address[i] == '}' || !closed || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") != "" {
			return nil, fmt.Errorf("the %c at its byte %d belongs to no gap", address[i], i+1)
		}
		if i > 0 {
			all = append(all, part{text: address[:i]})
		}
		all, address = append(all, part{text: name, gap: true}), rest
	}
	return all, nil
}

// fill gives the address with its gaps filled; false if one of them cannot be.
func fill(address string, values map[string]string) (string, bool) {
	all, err := parts(address)
	if err != nil {
		return "", false
	}
	var b strings.Builder
	for _, p := range all {
		if !p.gap {
			b.WriteString(p.text)
			continue
		}
		value := values[p.text]
		if value == "" || !harmless(value) {
			return "", false
		}
		b.WriteString(escape(value))
	}
	filled, ok := Web(b.String())
	return filled, ok && !climbs(filled)
}

// escape leaves letters, digits and -_.~ as they are: all else may mean something in a path, a query or a fragment.
func escape(value string) string { return strings.ReplaceAll(url.QueryEscape(value), "+", "%20") }

// harmless tells whether the value, once whoever is at the address has decoded it, cannot end the text that it stands in:
// queries for metrics and logs have texts in quotes.
func harmless(value string) bool {
	return !strings.ContainsAny(value, "\"'`\\!${}") && scrub.Clean(value) == value && !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' })
}

// climbs tells whether the address's path leads upwards, which a browser would follow.
func climbs(address string) bool {
	u, err := url.Parse(address)
	return err != nil || slices.ContainsFunc(strings.Split(u.Path, "/"), func(s string) bool { return s == "." || s == ".." })
}

// Check tells what is wrong with an address with gaps, and how to put it right; an empty problem if nothing is.
func Check(address string) (problem, fix string) {
	all, err := parts(address)
	if err != nil {
		return err.Error(), "write %7B for { and %7D for } where they are not around the name of a gap"
	}
	var b strings.Builder
	for _, p := range all {
		if p.gap && !slices.Contains(Gaps(), p.text) {
			return "there is no " + scrub.Line("{"+p.text+"}", maxGap), "take one of: " + strings.Join(Gaps(), ", ")
		}
		if !p.gap {
			b.WriteString(p.text)
		} else {
			b.WriteString("gap")
		}
	}
	return checkFilled(address, b.String())
}

func checkFilled(address, filled string) (problem, fix string) {
	scheme, rest, _ := strings.Cut(address, "://")
	host := rest[:min(len(rest), indexAny(rest, "/?#"))]
	u, err := url.Parse(filled)
	switch {
	case strings.Contains(scheme, "{"), strings.Contains(host, "{"):
		return "what is before its path has a gap, so that a name in a cluster could say where it leads", "write the scheme and the host out, and one link for each host"
	case err != nil, u.Scheme != "https" && u.Scheme != "http", u.Hostname() == "":
		return "it is no address of the web", "begin it with https:// or http:// and a host"
	case u.User != nil:
		return "it has a user or a password, which everybody who is told would read", "take them out: who opens it signs in there"
	case len(address) > MaxTemplate:
		return fmt.Sprintf("it has %d bytes, and may have %d", len(address), MaxTemplate), "link to a shorter address, such as a saved view"
	case climbs(filled):
		return "its path leads upwards", "take . and .. out of its path"
	}
	if _, ok := Web(filled); !ok {
		return "it holds what looks like a secret, or what cannot be seen", "take it out: everybody who is told would read it"
	}
	return "", ""
}

// indexAny is strings.IndexAny, with the end of s where there is none.
func indexAny(s, chars string) int {
	if i := strings.IndexAny(s, chars); i >= 0 {
		return i
	}
	return len(s)
}
