package channel

import (
	"github.com/bellbuoy/bellbuoy/internal/link"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Link is a web address that goes with a conversation.
type Link = schema.Link

// Links are those of a conversation, the runbook first. One that was stored before conversations had links has its
// runbook's. They are looked at again, for what comes from the store may be anybody's: web addresses only.
func Links(c schema.Conversation) []Link {
	list := []Link{}
	for _, l := range c.Links[:min(len(c.Links), schema.MaxLinks)] {
		if address, ok := link.Web(l.URL); ok {
			list = append(list, Link{Title: Line(l.Title, maxTitle), URL: address})
		}
	}
	if l, ok := link.Runbook(c.Labels); ok && len(c.Links) == 0 {
		list = append(list, l)
	}
	return list
}

// maxTitle bounds a link's title, in bytes.
const maxTitle = 100
