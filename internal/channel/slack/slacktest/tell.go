package slacktest

import (
	"maps"
	"slices"
)

// tellPosted tells the app of a new message in a channel that its bot is in. The app is told of its own as well.
func (s *Server) tellPosted(c *conversation, m *Message) []*Delivery {
	e := s.wire(c, m, true)
	e["channel"], e["event_ts"], e["channel_type"] = c.ID, m.TS, c.kind()
	var told []*Delivery
	if !c.Outside {
		told = append(told, s.deliver(events, s.event(e)))
		if slices.Contains(m.Mentions, "<@"+Bot+">") {
			mention := maps.Clone(e)
			mention["type"] = "app_mention"
			delete(mention, "channel_type")
			told = append(told, s.deliver(events, s.event(mention)))
		}
	}
	return told
}

func (c *conversation) kind() string {
	switch {
	case c.direct != "":
		return "im"
	case c.Private:
		return "group"
	default:
		return "channel"
	}
}

// tellChanged tells the app that a message was changed, or deleted if after is nil.
func (s *Server) tellChanged(c *conversation, before, after *Message, at string) {
	if c.Outside {
		return
	}
	e := map[string]any{
		"type": "message", "hidden": true, "channel": c.ID, "channel_type": c.kind(), "ts": at, "event_ts": at,
		"previous_message": s.wire(c, before, true),
	}
	if after != nil {
		e["subtype"], e["message"] = "message_changed", s.wire(c, after, true)
	} else {
		e["subtype"], e["deleted_ts"] = "message_deleted", before.TS
	}
	s.deliver(events, s.event(e))
}
