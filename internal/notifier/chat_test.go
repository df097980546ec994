package notifier_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// chat is the far end of channels with cards and threads. Like a real one it forgets nothing and knows no keys.
type chat struct {
	script func(p channel.Post, nth int) error // answers the nth post, counted from 1; nil: takes everything

	mu      sync.Mutex
	said    []said
	posts   int
	lost    map[string]bool // cards that were deleted
	arrived chan said
}

// said is what the chat took.
type said struct {
	Key    string
	Ref    string // the card, or the card that the line is below
	How    string // card, edit, line, digest
	Conv   string
	Events []string
	Text   string
	For    string // the channel that it stands in for
}

func newChat(script func(p channel.Post, nth int) error) *chat {
	return &chat{script: script, lost: map[string]bool{}, arrived: make(chan said, 10_000)}
}

func (c *chat) take(p channel.Post) (ref string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.posts++
	if c.lost[p.Ref] {
		return "", fmt.Errorf("no such card: %w", channel.ErrLostRoot)
	}
	if c.script != nil {
		if err := c.script(p, c.posts); err != nil {
			return "", err
		}
	}
	var s said
	if err := json.Unmarshal(p.Body, &s); err != nil {
		return "", err
	}
	own := fmt.Sprintf("ref-%d", c.posts)
	if s.Key, s.Ref = p.Key, p.Ref; p.Ref == "" {
		s.Ref = own
	}
	if s.How == "edit" {
		own = p.Ref // a line has a reference of its own, which is nobody's card
	}
	c.said = append(c.said, s)
	c.arrived <- s
	return own, nil
}

func (c *chat) all() []said {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.said)
}

// how lists what was said, in few words.
func (c *chat) how() []string {
	var all []string
	for _, s := range c.all() {
		all = append(all, strings.Join(append([]string{s.How}, s.Events...), " "))
	}
	return all
}

func (c *chat) next(t *testing.T) said {
	t.Helper()
	late := time.NewTimer(bustest.Within)
	defer late.Stop()
	select {
	case s := <-c.arrived:
		return s
	case <-late.C:
		t.Fatalf("nothing was said within %s; before that: %q", bustest.Within, c.how())
		return said{}
	}
}

// threaded is a channel to a chat.
type threaded struct {
	to     *chat
	target channel.Target
}

func (c threaded) Target() channel.Target { return c.target }

func (c threaded) Next(conv schema.Conversation, told channel.Told, terms channel.Terms) (channel.Post, bool) {
	events := channel.After(conv, told.Revision)
	lost := told.Revision == conv.Revision && told.Episode == conv.Episode && told.Ref == ""
	if len(events) > 0 && !channel.Quiet(conv, told, events) || lost {
		return c.card(conv, told, terms, lost), true
	}
	if told.Revision != conv.Revision || told.Ref == "" {
		return channel.Post{}, false
	}
	return c.line(conv, told)
}

func (c threaded) card(conv schema.Conversation, told channel.Told, terms channel.Terms, lost bool) channel.Post {
	s := said{How: "edit", Conv: conv.ID, Events: []string{suffix(conv.Revision)}, For: terms.StandsInFor}
	p := channel.Post{Key: channel.Key(conv.ID, conv.Revision, ""), Revision: conv.Revision, Kind: "card", Ref: told.Ref, Sound: channel.Loudest(channel.Chat, conv, channel.After(conv, told.Revision))}
	switch {
	case lost:
		s.How, p.Key = "card", channel.Key(conv.ID, conv.Revision, "anew")
	case told.Episode != conv.Episode:
		s.How, p.Ref, p.Lines = "card", "", conv.Revision
	case told.Ref == "":
		s.How = "card"
	}
	p.Body, _ = json.Marshal(s)
	return p
}

func (c threaded) line(conv schema.Conversation, told channel.Told) (channel.Post, bool) {
	s := said{How: "line", Conv: conv.ID}
	for _, e := range channel.After(conv, told.Lines) {
		if !channel.Opens(e) {
			n, _ := channel.Revision(e.ID)
			s.Events = append(s.Events, suffix(n))
		}
	}
	if len(s.Events) == 0 {
		return channel.Post{}, false
	}
	body, _ := json.Marshal(s)
	return channel.Post{Key: channel.Key(conv.ID, conv.Revision, "thread"), Revision: conv.Revision, Lines: conv.Revision, Kind: "thread", Ref: told.Ref, Body: body}, true
}

func suffix(revision int) string { return fmt.Sprint(revision) }

func (c threaded) Post(_ context.Context, p channel.Post) (string, error) { return c.to.take(p) }

func (c threaded) Digest(d channel.Digest) (channel.Post, bool) {
	s := said{How: "digest"}
	for _, e := range d.Entries {
		s.Events, s.Text = append(s.Events, e.ID), s.Text+e.Line+"\n"
	}
	body, _ := json.Marshal(s)
	return channel.Post{Key: d.Key, Kind: "digest", Body: body}, true
}

// withChat is a notifier with a channel to a chat, besides the one to r if that is not nil.
func withChat(t *testing.T, b *bus.Bus, r *receiver, c *chat) *notifier.Notifier {
	t.Helper()
	if err := b.Setup(t.Context(), bus.Setup{Channels: []string{"webhook", "chat"}}); err != nil {
		t.Fatal(err)
	}
	var n *notifier.Notifier
	if r != nil {
		n = open(t, b, r, notifier.NotifyOn, slog.New(slog.DiscardHandler))
	} else {
		var err error
		if n, err = notifier.New(notifier.Config{Notify: notifier.NotifyOn}, b, slog.New(slog.DiscardHandler), nil); err != nil {
			t.Fatal(err)
		}
	}
	n.Add("chat", threaded{c, channel.Target{ID: "chat"}})
	n.SetPause(func(time.Duration) time.Duration { return time.Millisecond })
	return n
}
