package notifier_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/channel/slack/slacktest"
	"github.com/bellbuoy/bellbuoy/internal/need"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const (
	chaosSlack  = "slackapi"
	chaosWithin = 4 * time.Minute // bounds every wait; it decides no test that works
)

// chaos is notifiers that are killed while they tell receivers that fail of conversations.
type chaos struct {
	conversations, inSlack int // inSlack of them are told through Slack's Web API too
	notifiers              int
	killEvery              time.Duration // one notifier; 0: none is killed
	killFor                time.Duration // what a killed one had in hand comes again after a minute, when it is left alone
}

// With BELLBUOY_LONG=1 it is 10,000 events, and a notifier is killed every second.
func TestDeliveryInChaos(t *testing.T) {
	c := chaos{conversations: 60, inSlack: 10, notifiers: 2}
	if need.Long() {
		c = chaos{conversations: 2000, inSlack: 100, notifiers: 3, killEvery: time.Second, killFor: 30 * time.Second}
	}
	began := time.Now()
	workspace, err := slacktest.Start(slacktest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(workspace.Close)
	workspace.Random(5, 0.2, slacktest.Throttled(time.Second), slacktest.Fails(http.StatusInternalServerError),
		slacktest.FailsAccepted(http.StatusBadGateway), slacktest.Resets(), slacktest.ResetsAccepted())
	var ends []*end
	for i, format := range strings.Fields("native cloudevents alertmanager slack teams pagerduty ntfy") {
		ends = append(ends, newEnd(t, format, format, uint64(i)+1))
	}
	servers := bustest.StartProcesses(t, 1)
	b := servers.Connect(t)
	setup := bus.Setup{Channels: []string{chaosSlack}}
	for _, e := range ends {
		setup.Channels = append(setup.Channels, e.name)
	}
	if err := b.Setup(t.Context(), setup); err != nil {
		t.Fatal(err)
	}
	h := c.hunt(t, servers.URL(), c.file(t, ends, workspace.APIURL()))
	want := c.tell(t, b, ends)
	h.wait()
	c.settle(t, servers, b, ends)
	for _, e := range ends {
		e.check(t, want)
	}
	c.report(t, ends, h, time.Since(began))
	c.slack(t, workspace)
}

// file is what CHANNELS_FILE names.
func (c chaos) file(t *testing.T, ends []*end, api string) (path string) {
	t.Helper()
	var text, names strings.Builder
	text.WriteString("channels:\n")
	for i, e := range ends {
		fmt.Fprintf(&text, "  - {name: %s, kind: webhook, format: %s, url: %q", e.name, e.format, e.URL+"/topic")
		if e.format == "pagerduty" {
			text.WriteString(", key: integration")
		}
		text.WriteString("}\n")
		if i > 0 {
			names.WriteString(", ")
		}
		names.WriteString(e.name)
	}
	fmt.Fprintf(&text, "  - {name: %s, kind: slack, channel: %q, bot_token: %s, api_url: %q}\n", chaosSlack, slacktest.Ops, slacktest.BotToken, api)
	fmt.Fprintf(&text, "routes:\n  - {name: some, match: {service: \"chat-*\"}, to: [%s, %s]}\ndefault: [%s]\n", names.String(), chaosSlack, names.String())
	path = filepath.Join(t.TempDir(), "channels.yml")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// hunters kill notifiers, and start them again.
type hunters struct {
	stop   func() // at once
	wait   func() // until they have killed for long enough
	kills  int
	flying int // posts that were under way then
}

func (c chaos) hunt(t *testing.T, url, channels string) *hunters {
	t.Helper()
	h, began, dice := &hunters{}, time.Now(), rand.New(rand.NewPCG(3, 4))
	var alive []*victim
	for range c.notifiers {
		alive = append(alive, newVictim(t, url, channels, began))
	}
	ctx, cancel := context.WithCancel(t.Context())
	var hunting sync.WaitGroup
	if c.killEvery > 0 {
		hunting.Go(func() {
			tick, over := time.NewTicker(c.killEvery), time.NewTimer(c.killFor)
			defer tick.Stop()
			defer over.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-over.C:
					return
				case <-tick.C:
				}
				i := dice.IntN(len(alive))
				if alive[i].began.Load() == 0 {
					continue // it is still starting
				}
				h.flying += alive[i].kill()
				h.kills++
				alive[i] = newVictim(t, url, channels, began)
			}
		})
	}
	h.wait, h.stop = hunting.Wait, func() { cancel(); hunting.Wait() }
	t.Cleanup(func() {
		h.stop()
		for _, v := range alive {
			v.kill()
		}
	})
	return h
}

// tell stores the conversations, event by event: the next of all of them once a quarter has been heard of. It gives the ids
// of the events that each has in the end.
func (c chaos) tell(t *testing.T, b *bus.Bus, ends []*end) (want map[string][]string) {
	t.Helper()
	var all []schema.Conversation
	for i := range c.conversations {
		name := "service"
		if i < c.inSlack {
			name = "chat"
		}
		all = append(all, channeltest.Opened(fmt.Sprintf("%s-%d", name, i)))
	}
	kinds := []string{schema.EventDiagnosed, schema.EventAcknowledged, schema.EventUnacknowledged, schema.EventWorsened}
	c.append(t, b, all)
	for n, kind := range kinds {
		await(t, ends[0], n+1, c.conversations/4)
		for i := range all {
			all[i] = channeltest.Add(all[i], kind)
		}
		c.append(t, b, all)
	}
	want = map[string][]string{}
	for _, conv := range all {
		want[conv.ID] = ids(conv)
	}
	return want
}

func (c chaos) append(t *testing.T, b *bus.Bus, all []schema.Conversation) {
	t.Helper()
	var writes []bus.Write
	for _, conv := range all {
		w := bus.Write{Conversation: conv, Event: conv.Messages[len(conv.Messages)-1]}
		if conv.Revision > 1 {
			head, err := b.Head(t.Context(), conv.Cluster, conv.ID)
			if err != nil {
				t.Fatal(err)
			}
			w.Expect = head.Seq
		}
		writes = append(writes, w)
	}
	stored, err := b.AppendAll(t.Context(), writes)
	if err != nil {
		t.Fatal(err)
	}
	for i := range stored {
		if !stored[i] {
			t.Fatalf("somebody else wrote to %s", writes[i].Conversation.ID)
		}
	}
}

// await waits until so many conversations have been told up to the revision.
func await(t *testing.T, e *end, revision, conversations int) {
	t.Helper()
	limit := time.NewTimer(chaosWithin)
	defer limit.Stop()
	for {
		n, news := e.have(revision)
		if n >= conversations {
			return
		}
		select {
		case <-news:
		case <-limit.C:
			t.Fatalf("%s has heard of %d of %d conversations up to revision %d within %s", e.name, n, conversations, revision, chaosWithin)
		}
	}
}

// settle waits until every receiver has the end of every conversation, and the notifiers have nothing to do.
func (c chaos) settle(t *testing.T, servers *bustest.Processes, b *bus.Bus, ends []*end) {
	t.Helper()
	for _, e := range ends {
		await(t, e, 5, c.conversations)
	}
	servers.Settled(t, b, bus.Notify("webhook"), bus.Diagnose, bus.Answer, bus.WatchFindings)
}

func (c chaos) report(t *testing.T, ends []*end, h *hunters, took time.Duration) {
	t.Helper()
	posts, refused, ambiguous, others := 0, 0, 0, 0
	for _, e := range ends {
		again, rest := e.repeats()
		t.Logf("%-12s %d posts taken, %d failed, %d repeated after an answer that was lost, %d after a kill", e.name, e.posts, e.refused, again, rest)
		posts, refused, ambiguous, others = posts+e.posts, refused+e.refused, ambiguous+again, others+rest
	}
	if others > h.flying {
		t.Errorf("%d repeats beyond those of lost answers, and %d posts were under way at the kills", others, h.flying)
	}
	if c.killEvery > 0 && (h.kills == 0 || h.flying == 0) {
		t.Errorf("%d kills, with %d posts under way: nothing was tried", h.kills, h.flying)
	}
	t.Logf("%d events of %d conversations, %d notifiers, %d kills with %d posts under way: %d posts taken, %d failed; repeats: %d after lost answers, %d after kills; %s",
		5*c.conversations, c.conversations, c.notifiers, h.kills, h.flying, posts, refused, ambiguous, others, took.Round(time.Second))
}

// slack checks that each conversation has one card in its end state, and each line of its thread once.
func (c chaos) slack(t *testing.T, s *slacktest.Server) {
	t.Helper()
	cards, seen, replies := map[string]int{}, map[string]int{}, 0
	for _, m := range s.Messages(slacktest.Ops) {
		cards[payload(t, m).Conversation]++
		for _, r := range m.Replies {
			replies++
			seen[payload(t, r).Key]++
		}
		if got := payload(t, m); got.Key != got.Conversation+"-5" {
			t.Errorf("the card of %s is that of %s", got.Conversation, got.Key)
		}
	}
	twice := 0
	for _, counts := range []map[string]int{cards, seen} {
		for key, n := range counts {
			if n > 1 {
				twice++
				t.Errorf("Slack shows %s %d times", key, n)
			}
		}
	}
	if len(cards) < c.inSlack {
		t.Errorf("%d cards in Slack, want %d", len(cards), c.inSlack)
	}
	t.Logf("%-12s %d cards, %d replies, %d of them twice", chaosSlack, len(cards), replies, twice)
}

type slackPayload struct{ Key, Conversation string }

func payload(t *testing.T, m slacktest.Message) slackPayload {
	t.Helper()
	var meta struct {
		Payload slackPayload `json:"event_payload"`
	}
	if err := json.Unmarshal(m.Metadata, &meta); err != nil {
		t.Errorf("a message without a key: %v", err)
	}
	return meta.Payload
}
