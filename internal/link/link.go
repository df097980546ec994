// Package link makes the web addresses that go with a conversation: the runbook that its label names, and what the file
// of rules says, whose gaps are filled from the conversation.
//
// What fills a gap comes from the cluster and is not to be trusted. It is escaped so that it stays within its place in the
// address, and what could end a text there, or lead elsewhere, leaves the whole link out. So does what is not known.
package link

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
	"github.com/bellbuoy/bellbuoy/internal/silence"
)

// Template is one link of the file of rules.
type Template struct {
	Title string
	URL   string           // which Check takes
	Match *silence.Matcher // which conversations have it, by their worst condition; nil: all
}

// Templates are all there are, in the order of the file.
type Templates []Template

// The time that a link is about begins lead before the episode and ends lag after what it was made for.
const (
	lead = 15 * time.Minute
	lag  = time.Hour
)

// Of lists the links of c, whose object runs on nodes, the runbook first; at most schema.MaxLinks.
func (ts Templates) Of(c *schema.Conversation, nodes []string) []schema.Link {
	var list []schema.Link
	if l, ok := Runbook(c.Labels); ok {
		list = append(list, l)
	}
	target := silence.Target{Cluster: c.Cluster, Object: c.Object, Conditions: []string{c.Condition}, Labels: c.Labels, Nodes: nodes}
	for i := range ts {
		t := &ts[i]
		if len(list) == schema.MaxLinks {
			break
		}
		if t.Match != nil && !t.Match.Covers(target) {
			continue
		}
		if address, ok := fill(t.URL, values(c, nodes)); ok {
			list = append(list, schema.Link{Title: t.Title, URL: address})
		}
	}
	return list
}

// labelRunbook is the label that becomes a link.
const labelRunbook = "runbook"

// Runbook is the link that labels name. Whoever writes a container's definition controls it: web addresses only.
func Runbook(labels map[string]string) (schema.Link, bool) {
	address, ok := Web(labels[labelRunbook])
	return schema.Link{Title: "Runbook", URL: address}, ok
}

// Web gives the address as it is to be shown, if it is a whole one of the web: http or https, with a host, without a
// password, and without anything hidden or taken out.
func Web(address string) (string, bool) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil {
		return "", false
	}
	shown := u.String()
	if len(address) > schema.MaxLinkBytes || len(shown) > schema.MaxLinkBytes || strings.HasSuffix(address, cutMark) || strings.Contains(address, takenOut) {
		return "", false
	}
	return shown, scrub.Clean(shown) == shown
}

// A label that was too long to be kept whole ends with cutMark; one that held a secret has takenOut in its place.
const (
	cutMark  = "…"
	takenOut = "[REDACTED:"
)

// values are what fills the gaps, by their names. What is not known is empty.
func values(c *schema.Conversation, nodes []string) map[string]string {
	since, until := c.StartedAt.Add(-lead).UTC(), c.UpdatedAt.Add(lag).UTC()
	return map[string]string{
		"cluster": c.Cluster, "namespace": c.Object.Namespace, "name": c.Object.Name, "kind": c.Object.Kind,
		"condition": c.Condition, "severity": c.Severity, "id": c.ID, "node": node(c.Object, nodes), "team": c.Labels["team"],
		"since": since.Format(time.RFC3339), "until": until.Format(time.RFC3339),
		"since_ms": strconv.FormatInt(since.UnixMilli(), 10), "until_ms": strconv.FormatInt(until.UnixMilli(), 10),
	}
}

// Gaps are the names of all gaps that an address may have.
func Gaps() []string {
	return []string{
		"cluster", "namespace", "name", "kind", "condition", "severity", "id", "node", "team", "since", "until", "since_ms", "until_ms",
	}
}

// node is the one that the object is or runs on; empty where it runs on several.
func node(o schema.Object, nodes []string) string {
	if o.Kind == schema.KindNode {
		return o.Name
	}
	nodes = slices.Compact(slices.Sorted(slices.Values(nodes)))
	if len(nodes) != 1 {
		return ""
	}
	return nodes[0]
}
