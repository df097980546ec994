package webhook_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

var update = flag.Bool("update", false, "write the bodies in testdata and the JSON Schema of the native one anew")

// moment is a conversation at which a channel is asked what comes next.
type moment struct {
	name  string
	c     schema.Conversation
	told  channel.Told
	terms channel.Terms
}

// moments are one for each state that a receiver may have to be told of.
func moments() []moment {
	opened := channeltest.Opened("checkout")
	opened.Labels["team"] = "shop"
	add := func(kinds ...string) schema.Conversation { return channeltest.Add(opened, kinds...) }
	none := channel.Terms{}
	return []moment{
		{"opened", opened, channel.Told{}, channel.Terms{Mention: "<!subteam^S123>"}},
		{"opened-in-the-place-of-another-channel", opened, channel.Told{}, channel.Terms{StandsInFor: "night-pager"}},
		{"diagnosed", add(schema.EventDiagnosed), known(1), none},
		{"acknowledged", add(schema.EventAcknowledged), known(1), none},
		{"unacknowledged", add(schema.EventAcknowledged, schema.EventUnacknowledged), known(2), none},
		{"worsened", add(schema.EventWorsened), known(1), channel.Terms{Mention: "<!subteam^S123>"}},
		{"answered", add(schema.EventAsked, schema.EventAnswered), known(1), channel.Terms{Logs: channel.LogsOff}},
		{"silenced", add(schema.EventSilenced), known(1), none},
		{"broke-through", add(schema.EventSilenced, schema.EventUnsilenced), known(2), none},
		{"closed", add(schema.EventCleared), known(1), none},
		{"reopened", add(schema.EventCleared, schema.EventReopened), known(2), none},
		{"a-new-episode-whose-last-end-was-not-told", channeltest.NewEpisode(opened), known(1), none},
		{"folded", add(schema.EventFolded), known(1), none},
		{"over-before-it-was-told", add(schema.EventCleared), channel.Told{}, none},
	}
}

func TestBodiesAreThoseReviewed(t *testing.T) {
	for _, sub := range subjects() {
		t.Run(sub.format, func(t *testing.T) {
			c := sub.config
			c.Format = sub.format
			ch := newReceiver(t).channel(t, c)
			var got bytes.Buffer
			for _, m := range moments() {
				show(t, &got, ch, m)
			}
			path := filepath.Join("testdata", sub.format+".txt")
			if *update {
				if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatalf("%v; write it with: go test ./internal/channel/webhook -update", err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("bodies; look at what differs and write them with: go test ./internal/channel/webhook -update (-want +got):\n%s", diff)
			}
		})
	}
}

// show writes what is posted of a moment, and how loud it is.
func show(t *testing.T, into *bytes.Buffer, ch *webhook.Channel, m moment) {
	t.Helper()
	p, ok := ch.Next(m.c, m.told, m.terms)
	if !ok {
		fmt.Fprintf(into, "# %s: nothing\n\n", m.name)
		return
	}
	sound := map[channel.Sound]string{channel.Quietly: "quietly", channel.Loud: "loud", channel.Calling: "calling"}[p.Sound]
	fmt.Fprintf(into, "# %s: %s, %s, under %s\n", m.name, p.Kind, sound, p.Key)
	if err := json.Indent(into, p.Body, "", "  "); err != nil {
		t.Fatal(err)
	}
	into.WriteString("\n\n")
}
