package notifier_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/channel/slack"
	"github.com/bellbuoy/bellbuoy/internal/channel/slack/slacktest"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// talk is a bus and a Slack workspace with people in it.
type talk struct {
	t   *testing.T
	bus *bus.Bus
	*slacktest.Server
	cfg notifier.Config
}

func newTalk(t *testing.T, o slacktest.Options) talk {
	t.Helper()
	b := bustest.New(t)
	if err := b.Setup(t.Context(), bus.Setup{Channels: []string{slack.Name}}); err != nil {
		t.Fatal(err)
	}
	s, err := slacktest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	s.AddUser(slacktest.User{ID: slacktest.Anna, Name: "anna", Shown: "Anna Lee", Zone: "Europe/Berlin"})
	return talk{t, b, s, notifier.Config{Notify: notifier.NotifyOn, Slack: slack.Config{
		BotToken: slacktest.BotToken, AppToken: slacktest.AppToken, Channel: slacktest.Ops, APIURL: s.APIURL(),
	}}}
}

// start starts a notifier that listens.
func (k talk) start(reg prometheus.Registerer) (stop func()) {
	k.t.Helper()
	before := k.Connections()
	n, err := notifier.New(k.cfg, k.bus, bustest.Log(k.t), reg)
	if err != nil {
		k.t.Fatal(err)
	}
	n.SetPause(func(time.Duration) time.Duration { return time.Millisecond })
	stop = bustest.Start(k.t, n.Part().Run)
	k.until(func() bool { return k.Connections() >= before+2 })
	return stop
}

func (k talk) until(cond func() bool) {
	k.t.Helper()
	ctx, stop := context.WithTimeout(k.t.Context(), bustest.Within)
	defer stop()
	if err := k.Until(ctx, cond); err != nil {
		k.t.Fatal(err)
	}
}

// store stores a state, and waits until Slack has it.
func (k talk) store(c schema.Conversation) {
	k.t.Helper()
	store(k.t, k.bus, c)
	bustest.Settled(k.t, k.bus, bus.Hear, bus.Diagnose, bus.Answer, bus.WatchFindings, bus.Notify("webhook"))
}

// card is the newest card of ops.
func (k talk) card() slacktest.Message {
	k.t.Helper()
	all := k.Messages(slacktest.Ops)
	for _, m := range slices.Backward(all) {
		if m.User == slacktest.Bot {
			return m
		}
	}
	k.t.Fatalf("no card among %d messages", len(all))
	return slacktest.Message{}
}

func (k talk) acked(told ...*slacktest.Delivery) {
	k.t.Helper()
	ctx, stop := context.WithTimeout(k.t.Context(), bustest.Within)
	defer stop()
	for _, d := range told {
		if err := d.Acked(ctx); err != nil {
			k.t.Fatal(err)
		}
	}
}

func (k talk) says(user, text, thread string) string {
	k.t.Helper()
	ts, told, err := k.Say(user, slacktest.Ops, text, thread)
	if err != nil {
		k.t.Fatal(err)
	}
	k.acked(told...)
	return ts
}

func (k talk) did(d *slacktest.Delivery, err error) {
	k.t.Helper()
	if err != nil {
		k.t.Fatal(err)
	}
	k.acked(d)
}

// heard is what is stored for a conversation, in order.
func (k talk) heard(id string) []schema.Reply {
	k.t.Helper()
	var all []schema.Reply
	for seq := uint64(0); ; {
		page, err := k.bus.RepliesAfter(k.t.Context(), id, seq)
		if err != nil {
			k.t.Fatal(err)
		}
		if len(page) == 0 {
			return all
		}
		for _, m := range page {
			var r schema.Reply
			if err := json.Unmarshal(m.Data, &r); err != nil {
				k.t.Fatal(err)
			}
			all, seq = append(all, r), m.Seq
		}
	}
}

var anna = schema.Author{Name: "Anna Lee", ID: slacktest.Anna, Channel: slack.Name, Verified: true}

// by makes the newest message one that anna said, or that settles what she said.
func by(c schema.Conversation, change func(*schema.Message)) schema.Conversation {
	c.Messages = slices.Clone(c.Messages)
	change(&c.Messages[len(c.Messages)-1])
	return c
}

func TestAnAlertIsAskedAboutAndAcknowledgedInSlack(t *testing.T) {
	k := newTalk(t, slacktest.Options{})
	k.start(nil)
	c := channeltest.Opened("checkout")
	k.store(c)
	root := k.card().TS

	ts := k.says(slacktest.Anna, "@alerts why did it fail &amp; <when>?", root)
	question := k.heard(c.ID)
	want := []schema.Reply{{
		Schema: schema.ReplyVersion, Conversation: c.ID, Text: "why did it fail &amp; <when>?", Author: anna, ID: "slack-" + slacktest.Ops + "-" + ts,
	}}
	if diff := cmp.Diff(want, question); diff != "" {
		t.Fatalf("a question with a mention, which comes twice (-want +got):\n%s", diff)
	}
	k.until(func() bool {
		replies := k.card().Replies
		return len(replies) == 1 && len(replies[0].Reactions) == 1 && replies[0].Reactions[0].Name == "eyes"
	})

	c = by(channeltest.Add(c, schema.EventAsked), func(m *schema.Message) { m.Author, m.Content = &anna, question[0].Text })
	asked := c.Messages[len(c.Messages)-1].ID
	c = by(channeltest.Add(c, schema.EventAnswered), func(m *schema.Message) { m.Settles, m.Sender = asked, schema.SenderAssistant })
	k.store(c)
	replies := k.card().Replies
	if len(replies) != 2 || !slices.Contains(replies[1].Pings(), "<@"+slacktest.Anna+">") {
		t.Fatalf("the answer does not reach her: %+v", replies)
	}
	k.did(k.React(slacktest.Anna, slacktest.Ops, replies[1].TS, "+1"))
	k.did(k.React(slacktest.Anna, slacktest.Ops, ts, "-1"))

	k.did(k.Press(slacktest.Anna, k.card(), "ack"))
	c = by(channeltest.Add(c, schema.EventAcknowledged), func(m *schema.Message) { m.Author = &anna })
	c.Owner = anna.Name
	k.store(c)
	if card := k.card(); !strings.Contains(card.Shown(), "Anna Lee has it") || !strings.Contains(string(card.Attachments), "#daa038") || !strings.Contains(string(card.Attachments), `"unack"`) {
		t.Errorf("the card shows\n%s", card.Shown())
	}
	k.did(k.Choose(slacktest.Anna, k.card(), "silence", "until tomorrow, 9:00"))

	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	got := k.heard(c.ID)[1:]
	if len(got) != 3 || got[1].Episode != 1 || got[2].Episode != 1 || got[0].Verb != "right" || got[1].Verb != "ack" || got[2].Verb != "silence" || got[2].Until.In(berlin).Hour() != 9 || !got[2].Until.After(time.Now()) {
		t.Errorf("heard %+v", got)
	}
	if p := k.Problems(); len(p) > 0 {
		t.Errorf("Slack finds %q", p)
	}
}

func TestWhatIsNotForBellbuoyIsNotStored(t *testing.T) {
	k := newTalk(t, slacktest.Options{})
	reg := prometheus.NewRegistry()
	const lee = "U0ANNALEE"
	k.AddUser(slacktest.User{ID: lee, Name: "lee"})
	k.cfg.ChannelsFile = file(t, fmt.Sprintf(`
channels:
  - {name: slack, kind: slack, channel: %s, bot_token: %s, app_token: %s, api_url: %s}
people:
  - {name: Anna, role: responder, slack: %s}
  - {name: Carl, role: responder}
`, slacktest.Ops, slacktest.BotToken, slacktest.AppToken, k.APIURL(), lee))
	k.cfg.Slack = slack.Config{}
	if err := k.cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	k.start(reg)
	c, other := channeltest.Opened("checkout"), channeltest.Opened("db")
	k.store(other)
	k.store(c)
	card := k.card()
	foreign := k.says(slacktest.Ben, "lunch?", "")
	k.says(lee, "ack", foreign)
	k.acked(k.Event(map[string]any{"type": "message", "channel": slacktest.Ops, "user": "U0OTHER", "bot_id": "B0OTHER", "text": "ack", "ts": "1.1", "thread_ts": card.TS}))
	k.acked(k.Event(map[string]any{"type": "message", "channel": slacktest.Ops, "user": slacktest.Bot, "text": "ack", "ts": "1.2", "thread_ts": card.TS}))
	k.acked(k.Event(map[string]any{"type": "message", "channel": slacktest.Ops, "user": lee, "subtype": "message_changed", "text": "ack", "ts": "1.3", "thread_ts": card.TS}))
	k.acked(k.Event(map[string]any{"type": "message", "channel": slacktest.Ops, "user": lee, "text": []int{1}, "ts": "1.4", "thread_ts": card.TS}))
	k.did(k.PressForged(lee, card, "ack", other.ID+"/1"))
	k.did(k.PressForged(lee, card, "ack", c.ID+"/7"))
	k.did(k.PressForged(lee, card, "approve", c.ID+"/1"))
	k.did(k.React(lee, slacktest.Ops, card.TS, "+1"))
	k.did(k.Press(slacktest.Ben, card, "ack"))
	k.says(slacktest.Ben, "silence 2h", card.TS)
	k.says(slacktest.Ben, "why?", card.TS)

	if got := k.heard(other.ID); len(got) > 0 {
		t.Errorf("stored for the other conversation: %+v", got)
	}
	got := k.heard(c.ID)
	if len(got) != 1 || got[0].Text != "why?" || got[0].Author.Name != "ben" {
		t.Errorf("stored: %+v; want ben's question alone", got)
	}
	var told []string
	k.until(func() bool {
		told = nil
		for _, call := range k.Calls() {
			if call.Method == "chat.postEphemeral" && call.Status != 0 {
				told = append(told, call.Args["user"]+" "+call.Args["thread_ts"]+" "+call.Args["text"])
			}
		}
		return len(told) == 2
	})
	slices.Sort(told)
	want := []string{
		slacktest.Ben + " " + card.TS + " Sorry, ben may ask here but not ack: Anna and Carl may.",
		slacktest.Ben + " " + card.TS + " Sorry, ben may ask here but not silence: Anna and Carl may.",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("told ben (-want +got):\n%s", diff)
	}
	counts := values(t, reg)
	for name, want := range map[string]float64{
		"bellbuoy_notifier_heard_total slack question":            1,
		"bellbuoy_notifier_replies_refused_total slack role":      2,
		"bellbuoy_notifier_replies_refused_total slack button":    3,
		"bellbuoy_notifier_replies_refused_total slack malformed": 1,
		"bellbuoy_notifier_ignored_total slack foreign":           1,
		"bellbuoy_notifier_ignored_total slack no_thread":         1,
		"bellbuoy_notifier_ignored_total slack subtype":           1,
		"bellbuoy_notifier_ignored_total slack emoji":             1,
		"bellbuoy_notifier_ignored_total slack bot":               4, // two are our own cards
	} {
		if counts[name] != want {
			t.Errorf("%s is %v, want %v", name, counts[name], want)
		}
	}
}

// Slack brings what is said to an app over any of its connections, whichever channel it was said in.
func TestChannelsOfOneAppShareItsConnections(t *testing.T) {
	k := newTalk(t, slacktest.Options{})
	const dev = "C0DEVELOP"
	k.AddChannel(slacktest.Channel{ID: dev, Name: "dev"})
	entry := fmt.Sprintf("kind: slack, bot_token: %s, app_token: %s, api_url: %s}", slacktest.BotToken, slacktest.AppToken, k.APIURL())
	k.cfg.ChannelsFile = file(t, fmt.Sprintf("channels:\n  - {name: slack, channel: %s, %s\n  - {name: dev, channel: %s, %s\n", slacktest.Ops, entry, dev, entry))
	k.cfg.Slack = slack.Config{}
	if err := k.cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	if err := k.bus.Setup(t.Context(), bus.Setup{Channels: []string{slack.Name, "dev"}}); err != nil {
		t.Fatal(err)
	}
	k.start(nil)
	c := channeltest.Opened("checkout")
	k.store(c)
	for channel, name := range map[string]string{slacktest.Ops: slack.Name, dev: "dev"} {
		_, told, err := k.Say(slacktest.Anna, channel, "in "+name+"?", k.Messages(channel)[0].TS)
		if err != nil {
			t.Fatal(err)
		}
		k.acked(told...)
	}
	for _, r := range k.heard(c.ID) {
		if r.Text != "in "+r.Author.Channel+"?" || !strings.HasPrefix(r.ID, r.Author.Channel+"-") {
			t.Errorf("heard %+v", r)
		}
	}
	if n := k.Connections(); n != 2 || len(k.heard(c.ID)) != 2 {
		t.Errorf("%d connections, %d replies", n, len(k.heard(c.ID)))
	}
}

func TestNobodyIsHeardInShadow(t *testing.T) {
	k := newTalk(t, slacktest.Options{})
	k.cfg.Notify = notifier.NotifyShadow
	n, err := notifier.New(k.cfg, k.bus, bustest.Log(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	bustest.Start(t, n.Part().Run)
	k.store(channeltest.Opened("checkout"))
	if calls := k.Calls(); len(calls) > 0 {
		t.Errorf("Slack was called: %+v", calls)
	}
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "channels.yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Connections break 200 times, notifiers come and go, and Slack tells things twice and out of order: whatever somebody
// said is stored once, and what one of them said stands in the order in which it was said.
func TestNothingSaidIsLostWhereConnectionsBreak(t *testing.T) {
	const drops, people = 200, 6
	k := newTalk(t, slacktest.Options{AckWithin: time.Minute, Retries: []time.Duration{0, time.Millisecond, time.Millisecond}})
	for i := range people {
		k.AddUser(slacktest.User{ID: fmt.Sprintf("U0PERSON%d", i), Name: fmt.Sprintf("person%d", i)})
	}
	stops := []func(){k.start(nil), k.start(nil)}
	c := channeltest.Opened("checkout")
	k.store(c)
	root := k.card().TS
	k.Disorder(7, slacktest.Disorder{Duplicates: 0.3, Reorders: 0.2})

	over := make(chan struct{})
	said := make([][]string, people)
	var heard atomic.Int64
	var talking sync.WaitGroup
	for i := range people {
		talking.Go(func() { said[i] = k.talks(i, root, over, &heard) })
	}
	dice := rand.New(rand.NewPCG(7, 7))
	for i := range drops {
		enough := heard.Load() + 2*people // Slack tells a thing four times at most: no four breaks in a row may hit it
		k.Drop()
		k.until(func() bool { return k.Connections() >= 2 && heard.Load() >= enough })
		if i%40 == 39 {
			n := dice.IntN(len(stops))
			stops[n]()
			k.until(func() bool { return k.Connections() <= 2 })
			stops[n] = k.start(nil)
		}
	}
	close(over)
	talking.Wait()

	got := map[string][]string{}
	for _, r := range k.heard(c.ID) {
		got[r.Author.Name] = append(got[r.Author.Name], r.Text)
	}
	for i := range people {
		if diff := cmp.Diff(said[i], got[fmt.Sprintf("person%d", i)]); diff != "" {
			t.Errorf("person %d (-said +stored):\n%s", i, diff)
		}
	}
	t.Logf("%v said", lengths(said))
}

func lengths(all [][]string) (n []int) {
	for _, x := range all {
		n = append(n, len(x))
	}
	return n
}

// talks says one thing after another, each once it is seen that the one before was heard.
func (k talk) talks(person int, root string, over <-chan struct{}, heard *atomic.Int64) (said []string) {
	for n := 0; ; n++ {
		select {
		case <-over:
			return said
		default:
		}
		text := fmt.Sprintf("question %d?", n)
		shown := text
		if n%3 == 0 {
			text = "@alerts " + text
		}
		_, told, err := k.Say(fmt.Sprintf("U0PERSON%d", person), slacktest.Ops, text, root)
		if err != nil {
			k.t.Error(err)
			return said
		}
		for range 20 { // what Slack holds back comes behind the next thing
			if !slices.ContainsFunc(told, func(d *slacktest.Delivery) bool { return d.Sent() == 0 }) {
				break
			}
			k.Event(map[string]any{"type": "pin_added"})
		}
		said = append(said, shown)
		if err := heardAll(told); err != nil {
			k.t.Errorf("%s of person %d: %v", text, person, err)
			return said
		}
		heard.Add(1)
	}
}

func heardAll(told []*slacktest.Delivery) error {
	ctx, stop := context.WithTimeout(context.Background(), bustest.Within)
	defer stop()
	for _, d := range told {
		if err := d.Acked(ctx); err != nil {
			return err
		}
	}
	return nil
}
