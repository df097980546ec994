package notifier

import (
	"context"
	"fmt"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/pace"
)

// channels says how the channels are, from memory.
func (n *Notifier) channels(context.Context, []byte) (any, error) {
	response := client.ChannelsResponse{Channels: []client.Channel{}, Shadow: n.shadow}
	for _, l := range n.loops {
		now := l.now()
		c := client.Channel{Channel: l.name, Kind: l.kind, Waiting: l.waiting.count(now)}
		c.State, c.Text = l.condition(now)
		response.Channels = append(response.Channels, c)
	}
	return response, nil
}

// condition is the state of the channel, and what it means for people.
func (l *loop) condition(now time.Time) (state, text string) {
	state, text = conditionOf(l.target.state(), now)
	if state == client.ChannelOK && l.complained.Load() {
		return client.ChannelSetup, "its receiver refuses what it is set up with: nobody is told through it until that is put right"
	}
	return state, text
}

func conditionOf(s pace.State, now time.Time) (state, text string) {
	switch {
	case s.Gone():
		return client.ChannelGone, fmt.Sprintf("gone since %s: %s", s.GoneAt.UTC().Format(clock), s.Problem)
	case s.Open():
		until := "its probe is answered"
		if s.OpenUntil.After(now) {
			until = s.OpenUntil.UTC().Format(clock)
		}
		return client.ChannelBroken, fmt.Sprintf("breaker open until %s, after %d failures since %s: %s", until, s.Failures, s.Since.UTC().Format(clock), s.Problem)
	case s.NotBefore.After(now):
		return client.ChannelPausing, "pausing until " + s.NotBefore.UTC().Format(clock) + ", as its receiver asked"
	}
	return client.ChannelOK, client.ChannelOK
}

// shadowed tells whether nothing is sent through the channel.
func (l *loop) shadowed() bool {
	_, is := l.ch.(shadow)
	return is
}
