package channel

import (
	"net/url"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Link is a web address that goes with a conversation.
type Link struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

// maxLink bounds a web address, in bytes.
const maxLink = 2048

// Links are those of a conversation. They come from labels, which whoever writes a container's definition controls: web
// addresses only.
func Links(c schema.Conversation) []Link {
	list := []Link{}
	runbook := c.Labels["runbook"]
	u, err := url.Parse(runbook)
	if err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && len(runbook) <= maxLink {
		list = append(list, Link{Title: "Runbook", URL: u.String()})
	}
	return list
}
