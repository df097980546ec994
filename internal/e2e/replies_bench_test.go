package e2e_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/channel/slack/slacktest"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// What BenchmarkReplies says, and into how many Slack channels: with a rest before each reply, a channel has its turn
// every 3 s, in which Slack takes the two posts that a reply leads to.
const (
	benchReplies  = 200
	benchChannels = 20
)

// BenchmarkReplies measures the way of a reply, one at a time and after a rest, on a server that syncs every write to disk:
// from its publishing to a tap of the alerts that sees the event, and to Slack's showing the card in another colour.
// Slack takes a post a second into each channel, three at once, as the real one does; its limit of 50 changes a minute for
// each app is left out, as it would be all there is to measure.
func BenchmarkReplies(b *testing.B) {
	for b.Loop() {
		w := workspace(b, slacktest.Options{Rates: slacktest.Rates{Post: slacktest.SlackRates().Post}})
		k := startTalk(b, w, manyChannels(b, w))
		e2e.StartAnalyzer(b, k.nats, llm.Config{})
		for i := range 2 {
			for n := range benchChannels {
				e2e.Publish(b, k.bus, e2e.Snapshot(fmt.Sprintf("c%d", n), i, 0))
			}
			bustest.Settled(b, k.bus, bus.Notify("webhook"))
		}
		k.until("the cards", func() bool {
			for n := range benchChannels {
				if colour(cardIn(k, n)) != red {
					return false
				}
			}
			return true
		})
		tapped, seen := measureReplies(b, k)
		report(b, "1-event-tapped", tapped)
		report(b, "2-card-changed", seen)
	}
}

// manyChannels configures Slack channels that are told of one cluster each.
func manyChannels(t testing.TB, w *slacktest.Server) notifier.Config {
	t.Helper()
	var channels, routes strings.Builder
	for n := range benchChannels {
		id := fmt.Sprintf("C0BENCH%d", n)
		w.AddChannel(slacktest.Channel{ID: id, Name: fmt.Sprintf("bench%d", n)})
		fmt.Fprintf(&channels, "  - {name: s%d, kind: slack, channel: %s, bot_token: %s, app_token: %s, api_url: %q}\n", n, id, slacktest.BotToken, slacktest.AppToken, w.APIURL())
		fmt.Fprintf(&routes, "  - {match: {cluster: c%d}, to: [s%d]}\n", n, n)
	}
	file := filepath.Join(t.TempDir(), "channels.yml")
	if err := os.WriteFile(file, []byte("channels:\n"+channels.String()+"routes:\n"+routes.String()+"default: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return notifier.Config{ChannelsFile: file}
}

// cardIn is the card in one of the channels; the zero message while there is none.
func cardIn(k slackTalk, n int) (card slacktest.Message) {
	if all := k.Messages(fmt.Sprintf("C0BENCH%d", n)); len(all) > 0 {
		card = all[0]
	}
	return card
}

// tappedEvent is one that a tap sees.
type tappedEvent struct {
	id, kind string
	at       time.Time
}

// tapEvents sees every event from now on.
func tapEvents(b *testing.B, k slackTalk) <-chan tappedEvent {
	b.Helper()
	tap, ready, events := k.nats.Connect(b), make(chan struct{}), make(chan tappedEvent, 2*benchReplies)
	bustest.Start(b, func(ctx context.Context) error {
		return tap.Follow(ctx, tap.Subjects().Alerts(), func() { close(ready) }, func(h bus.Head) error {
			events <- tappedEvent{h.Conversation.ID, h.Event.Kind, time.Now()}
			return nil
		})
	})
	<-ready
	return events
}

// measureReplies says ack and unack by turns.
func measureReplies(b *testing.B, k slackTalk) (tapped, seen []time.Duration) {
	b.Helper()
	events := tapEvents(b, k)
	for i := range benchReplies {
		n, said, kind, turns := i%benchChannels, "ack", schema.EventAcknowledged, amber
		if i/benchChannels%2 == 1 {
			said, kind, turns = "unack", schema.EventUnacknowledged, red
		}
		id := e2e.CheckoutID(fmt.Sprintf("c%d", n))
		rest()
		at := time.Now()
		e2e.Say(b, k.bus, id, said)
		k.until("another colour", func() bool { return colour(cardIn(k, n)) == turns })
		seen = append(seen, time.Since(at))
		for e := range events {
			if e.id == id && e.kind == kind {
				tapped = append(tapped, e.at.Sub(at))
				break
			}
		}
	}
	return tapped, seen
}
