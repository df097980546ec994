package slacktest

import (
	"slices"
	"strings"
)

// User is a person of the workspace, or its bot.
type User struct {
	ID, Name, Email string
	Shown           string // the name that others see; Name if empty
	Zone            string // of time, such as Europe/Berlin
	Bot             bool
}

// Channel is a conversation that all or some may see.
type Channel struct {
	ID, Name string
	Private  bool
	Archived bool
	Outside  bool // the bot is not a member
}

// Token is what an app calls with.
type Token struct {
	Value  string
	Scopes []string
	User   string // whom it speaks for; empty for an app's own token, xapp-
}

type token struct {
	Token
	revoked bool
}

func (t *token) may(scope string) bool { return scope == "" || slices.Contains(t.Scopes, scope) }

func (t *token) app() bool { return strings.HasPrefix(t.Value, "xapp-") }

type conversation struct {
	Channel
	direct   string // with whom, of a direct conversation
	messages []*Message
	last     int64 // of the newest ts, in microseconds
	sounds   Sounds
}

// BotScopes is what the manifest asks for.
func BotScopes() []string {
	return strings.Fields("chat:write chat:write.public channels:history groups:history im:history app_mentions:read commands users:read " +
		"users:read.email reactions:read reactions:write files:write channels:read groups:read")
}

func (s *Server) furnish() {
	s.AddUser(User{ID: Bot, Name: "alerts", Bot: true})
	s.AddUser(User{ID: Anna, Name: "anna", Email: "anna@example.com"})
	s.AddUser(User{ID: Ben, Name: "ben", Email: "ben@example.com"})
	s.AddChannel(Channel{ID: Ops, Name: "ops"})
	s.AddToken(Token{Value: BotToken, Scopes: BotScopes(), User: Bot})
	s.AddToken(Token{Value: AppToken, Scopes: []string{"connections:write"}})
}

// AddUser adds a person, or replaces the one with that ID.
func (s *Server) AddUser(u User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users[u.ID] = u
	s.change()
}

// AddChannel adds a channel, or changes the one with that ID, which keeps its messages.
func (s *Server) AddChannel(c Channel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.channels[c.ID]; old != nil {
		old.Channel = c
	} else {
		s.channels[c.ID] = &conversation{Channel: c}
	}
	s.change()
}

// AddToken lets an app call with the token, or changes what it may.
func (s *Server) AddToken(t Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[t.Value] = &token{Token: t}
	s.change()
}

// Revoke takes a token back.
func (s *Server) Revoke(value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tokens[value]; t != nil {
		t.revoked = true
	}
	s.change()
}

// byID finds a channel by its ID alone, as all methods but chat.postMessage and chat.postEphemeral do.
func (s *Server) byID(id string) *conversation { return s.channels[id] }

// find finds a channel by ID or name, with or without its #, or the direct conversation with a person.
func (s *Server) find(name string) *conversation {
	if c := s.channels[name]; c != nil {
		return c
	}
	if u, ok := s.users[name]; ok && !u.Bot {
		return s.direct(u.ID)
	}
	for _, c := range s.channels {
		if c.Name != "" && c.Name == strings.TrimPrefix(name, "#") {
			return c
		}
	}
	return nil
}

func (s *Server) direct(user string) *conversation {
	id := "D" + user
	if s.channels[id] == nil {
		s.channels[id] = &conversation{Channel: Channel{ID: id}, direct: user}
	}
	return s.channels[id]
}

// visible tells whether the bot sees the channel at all: one that is private and without it is not there for it.
func (c *conversation) visible() bool { return c != nil && (!c.Private || !c.Outside) }

// history names the scope that reading the channel needs, and read the one for what it is.
func (c *conversation) history() string { return c.scope("history") }
func (c *conversation) read() string    { return c.scope("read") }

func (c *conversation) scope(what string) string {
	switch {
	case c.direct != "":
		return "im:" + what
	case c.Private:
		return "groups:" + what
	default:
		return "channels:" + what
	}
}
