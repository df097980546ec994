package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/client"
)

// shadowName begins the name of the finding that nothing is sent through a channel.
const shadowName = "shadow "

// delivering is how the channels are, as a notifier that runs says: whether each is reached, and whether anything is sent.
func (d *doctor) delivering(ctx context.Context, b *bus.Bus) []Finding {
	now, err := client.New(b).Channels(ctx)
	switch {
	case errors.Is(err, bus.ErrNobody): // told by the consumers that nobody reads
		return nil
	case err != nil:
		what, fix := apart(err, "look at the notifiers' logs and restart them")
		return []Finding{{AreaParts, "channels", Warn, "no notifier says how they are: " + what, fix}}
	}
	var all []Finding
	for _, c := range now.Channels {
		all = append(all, delivers(c))
		if now.Shadow {
			all = append(all, Finding{
				AreaParts, shadowName + c.Channel, Warn, "SHADOW: a notifier runs with BELLBUOY_NOTIFY=shadow, so nothing is sent to it",
				"unset BELLBUOY_NOTIFY and restart the notifiers, once people are to be told",
			})
		}
	}
	return all
}

func delivers(c client.Channel) Finding {
	f := Finding{AreaParts, "channel " + c.Channel, OK, c.Text, ""}
	if c.State == client.ChannelOK {
		f.What = "nothing is known to be wrong with it"
	}
	switch {
	case c.Waiting == 1:
		f.What += "; 1 conversation waits for it"
	case c.Waiting > 1:
		f.What += fmt.Sprintf("; %d conversations wait for it", c.Waiting)
	}
	switch c.State {
	case client.ChannelPausing:
		f.Level, f.Fix = Warn, "nothing, if it ends; else raise what its receiver allows"
	case client.ChannelBroken:
		f.Level, f.Fix = Fault, "bring its receiver back: it is looked for by itself, or at once by `bellbuoy test "+c.Channel+"`"
	case client.ChannelGone:
		f.Level, f.Fix = Fault, "give the channel another URL, or, if its receiver is back: `bellbuoy test "+c.Channel+"`"
	case client.ChannelSetup:
		f.Level, f.Fix = Fault, "correct the channel's settings; its notifier's log says what its receiver refuses"
	}
	return f
}

// Shadowed names the channels that nothing is sent to, if the notifiers that run send nothing.
func Shadowed(all []Finding) (channels []string, shadow bool) {
	for _, f := range all {
		if name, is := strings.CutPrefix(f.Name, shadowName); is && f.Area == AreaParts {
			channels = append(channels, name)
		}
	}
	return channels, len(channels) > 0
}
