package channeltest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// board is a receiver in memory and its channel: a card for each episode, changed in place, a thread below it, and posts
// that can be looked for. It is the least that keeps the contract in several posts a step.
type board struct {
	mu     sync.Mutex
	answer channeltest.Answer
	got    []channeltest.Got
	refs   map[string]string // by key
}

// note is the body of a post.
type note struct {
	Key, State, Text string
	Over             bool
}

func (b *board) Next(c schema.Conversation, told channel.Told, terms channel.Terms) (channel.Post, bool) {
	events := channel.After(c, told.Revision)
	if len(events) == 0 || channel.Quiet(c, told, events) {
		return b.thread(c, told)
	}
	c = channel.Shown(c, terms.Logs)
	lead := channel.Lead(c, channel.After(c, told.Revision))
	p := channel.Post{Key: channel.Key(c.ID, c.Revision, ""), Revision: c.Revision, Kind: lead.Kind, Sound: channel.Loudest(channel.Chat, c, events)}
	if told.Episode == c.Episode {
		p.Ref = told.Ref
	}
	if p.Ref == "" {
		p.Lines = c.Revision // the card itself tells the opening
	}
	text := channel.Headline(c, lead) + " " + channel.InPlaceOf(terms)
	for _, e := range c.Evidence {
		if e.Kind == "log" && len(text) < 600 {
			text += " " + channel.Line(scrub.Inert(e.Text), 100)
		}
	}
	p.Body = noted(note{p.Key, c.State, text, c.Closed()})
	return p, true
}

// thread tells below the card what it has been changed by.
func (b *board) thread(c schema.Conversation, told channel.Told) (channel.Post, bool) {
	if told.Ref == "" || told.Revision != c.Revision || told.Lines >= c.Revision {
		return channel.Post{}, false
	}
	p := channel.Post{Key: channel.Key(c.ID, c.Revision, "thread"), Revision: c.Revision, Lines: c.Revision, Ref: told.Ref, Kind: "thread"}
	for _, m := range channel.After(c, told.Lines) {
		p.Sound = max(p.Sound, channel.SoundOf(channel.Chat, c, m))
	}
	p.Body = noted(note{p.Key, c.State, "thread of " + channel.Line(scrub.Inert(c.Object.Name), 100), c.Closed()})
	return p, true
}

func noted(n note) []byte {
	body, err := json.Marshal(n)
	if err != nil {
		panic(err)
	}
	return body
}

func (b *board) Post(_ context.Context, p channel.Post) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch b.answer {
	case channeltest.Fails, channeltest.Unreachable:
		return "", fmt.Errorf("the board says %s", http.StatusText(http.StatusInternalServerError))
	case channeltest.Throttles:
		return "", channel.Throttled{Until: time.Now().Add(channeltest.Pause)}
	case channeltest.Forbids:
		return "", channel.ErrSetup
	case channeltest.Takes, channeltest.Hangs, channeltest.Resets, channeltest.Refuses, channeltest.TooBig, channeltest.Gone:
	}
	var n note
	if err := json.Unmarshal(p.Body, &n); err != nil {
		return "", err
	}
	b.got = append(b.got, channeltest.Got{Key: n.Key, State: n.State, Over: n.Over, Text: n.Text, Size: len(p.Body), Body: p.Body})
	if b.refs[p.Key] == "" {
		b.refs[p.Key] = "card-" + p.Key
		if p.Ref != "" {
			b.refs[p.Key] = p.Ref
		}
	}
	return b.refs[p.Key], nil
}

func (b *board) Find(_ context.Context, p channel.Post) (ref string, found bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ref, found = b.refs[p.Key]
	return ref, found, nil
}

func (b *board) Answer(a channeltest.Answer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer = a
}

func (b *board) Got() []channeltest.Got {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]channeltest.Got(nil), b.got...)
}

// A channel with cards, threads and a look for posts passes: the suite asks nothing of it that only a webhook can do.
func TestTheContractCanBeKeptInSeveralPosts(t *testing.T) {
	channeltest.Run(t, func(*testing.T) channeltest.Subject {
		b := &board{refs: map[string]string{}}
		return channeltest.Subject{
			Channel: b, Receiver: b, Reopen: func() channel.Channel { return b }, MaxBody: 4096, Family: channel.Chat, Parts: 2,
			Never: []channeltest.Answer{channeltest.Hangs, channeltest.Resets, channeltest.Refuses, channeltest.TooBig, channeltest.Gone},
		}
	})
}
