package slacktest

import "strings"

// Sounds counts what rings in a channel: each new message in the channel itself, each reply that is shown there as
// well, and each reply that mentions somebody.
type Sounds struct{ Roots, Broadcasts, Mentions int }

// All is how often it rang.
func (s Sounds) All() int { return s.Roots + s.Broadcasts + s.Mentions }

// Messages tells what people see in a channel, by ID or name: its messages with their threads, the oldest first.
func (s *Server) Messages(channel string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.find(channel)
	if c == nil {
		return nil
	}
	var all []Message
	for _, m := range c.messages {
		if m.reply() {
			continue
		}
		root := m.clone()
		for _, r := range c.messages {
			if r.reply() && r.ThreadTS == m.TS {
				root.Replies = append(root.Replies, r.clone())
			}
		}
		all = append(all, root)
	}
	return all
}

// Sounds counts what the app made ring in a channel since the beginning. What was deleted since rang all the same.
func (s *Server) Sounds(channel string) Sounds {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.find(channel); c != nil {
		return c.sounds
	}
	return Sounds{}
}

func (s *Sounds) hear(m *Message) {
	switch {
	case !m.reply():
		s.Roots++
	case m.Broadcast:
		s.Broadcasts++
	case len(m.Mentions) > 0:
		s.Mentions++
	}
}

// Shown is all that people can read of the message, each piece of text on a line of its own, without markup.
func (m Message) Shown() string { return strings.Join(m.parsed.texts, "\n") }

// Links are the addresses that the message, as it stands, makes clickable or loads: links, buttons and pictures.
func (m Message) Links() []string { return m.parsed.links }

// Pings are the mentions that the message shows as it stands; those that rang are in Mentions.
func (m Message) Pings() []string { return m.parsed.mentions }
