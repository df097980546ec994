package webhook_test

import (
	"slices"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// silently makes the newest events of c, so many of them, silent.
func silently(c schema.Conversation, n int) schema.Conversation {
	c.Messages = slices.Clone(c.Messages)
	for i := len(c.Messages) - n; i < len(c.Messages); i++ {
		c.Messages[i].Silent = true
	}
	return c
}

func TestWhatIsFoldedIsToldToItsEndAndNeverBegun(t *testing.T) {
	opened := channeltest.Opened("checkout")
	folded := silently(channeltest.Add(opened, schema.EventFolded), 1)
	passed := channeltest.Add(folded, schema.EventAnswered)
	tests := []struct {
		name   string
		c      schema.Conversation
		told   channel.Told
		want   string // kind of the post; empty: none
		silent bool
	}{
		{"told-and-folded", folded, known(1), "folded", true},
		{"folded-and-told-so", folded, known(2), "", false},
		{"folded-before-it-was-told", folded, channel.Told{}, "", false},
		{"said-to-what-is-folded", passed, known(2), "answered", false},
		{"said-to-what-was-never-told", passed, channel.Told{}, "", false},
		{"on-its-own-again", silently(channeltest.Add(folded, schema.EventReopened), 1), known(2), "reopened", true},
		{"on-its-own-and-never-told", silently(channeltest.Add(folded, schema.EventReopened), 1), channel.Told{}, "reopened", true},
		{"folded-in-a-later-episode-that-was-never-told", silently(channeltest.Add(channeltest.NewEpisode(channeltest.Add(opened, schema.EventCleared)), schema.EventFolded), 1), known(2), "", false},
		{"folded-while-an-earlier-episode-is-thought-open", silently(channeltest.Add(channeltest.NewEpisode(channeltest.Add(opened, schema.EventCleared)), schema.EventFolded), 1), known(1), "opened", false},
		{"opened-silently", silently(opened, 1), channel.Told{}, "opened", true},
		{"grown", silently(channeltest.Add(opened, schema.EventGrown), 1), known(1), "grown", true},
		{"grown-before-it-was-told", silently(channeltest.Add(opened, schema.EventGrown), 1), channel.Told{}, "opened", false},
		{"nothing-but-silent-news-of-an-episode-that-was-never-told", silently(unopened(channeltest.Add(opened, schema.EventGrown)), 1), channel.Told{}, "", false},
	}
	ch := newReceiver(t).channel(t, webhook.Config{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, ok := ch.Next(tt.c, tt.told, channel.Terms{})
			if ok != (tt.want != "") || p.Kind != tt.want {
				t.Fatalf("posts %v %q, want %q", ok, p.Kind, tt.want)
			}
			if got := ok && decode(t, p.Body).Data.Event.Silent; got != tt.silent {
				t.Errorf("its event is silent: %v, want %v", got, tt.silent)
			}
		})
	}
}

// unopened is c whose opening has given way to newer messages.
func unopened(c schema.Conversation) schema.Conversation {
	c.Messages = c.Messages[1:]
	return c
}
