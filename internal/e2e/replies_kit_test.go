package e2e_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/channel/slack"
	"github.com/bellbuoy/bellbuoy/internal/channel/slack/slacktest"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/gateway"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
)

// Colours of a card's bar.
const (
	red   = "#a30200"
	amber = "#daa038"
	green = "#2eb886"
	grey  = "#dddddd"
)

// slackTalk is a Slack workspace on the bus, with a notifier that tells it and hears what is said there.
type slackTalk struct {
	t testing.TB
	*slacktest.Server
	nats *bustest.NATS
	bus  *bus.Bus
	url  string // where replies are posted to
	reg  *prometheus.Registry
}

// inSlack configures one channel of a workspace.
func inSlack(w *slacktest.Server) slack.Config {
	return slack.Config{BotToken: slacktest.BotToken, AppToken: slacktest.AppToken, Channel: slacktest.Ops, APIURL: w.APIURL()}
}

// workspace is a Slack workspace with Anna in it.
func workspace(t testing.TB, o slacktest.Options) *slacktest.Server {
	t.Helper()
	w, err := slacktest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	w.AddUser(slacktest.User{ID: slacktest.Anna, Name: "anna", Shown: "Anna Lee", Zone: "Europe/Berlin"})
	return w
}

// startTalk runs a notifier until the test ends, and waits until it hears Slack.
func startTalk(t testing.TB, w *slacktest.Server, cfg notifier.Config) slackTalk {
	t.Helper()
	k := slackTalk{t: t, Server: w, nats: bustest.Server(t), reg: prometheus.NewRegistry()}
	k.bus = k.nats.Connect(t)
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	if err := k.bus.Setup(t.Context(), bus.Setup{Channels: notifier.Channels(cfg)}); err != nil {
		t.Fatal(err)
	}
	cfg.Notify = notifier.NotifyOn
	n, err := notifier.New(cfg, k.nats.ConnectWith(t, bus.Options{Log: e2e.Quiet()}), e2e.Quiet(), k.reg)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	n.Part().Handle(mux)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	k.url = server.URL + gateway.Path
	e2e.Start(t, n.Part())
	k.until("connections", func() bool { return k.Connections() >= 2 })
	return k
}

// until waits until Slack is so.
func (k slackTalk) until(what string, cond func() bool) {
	k.t.Helper()
	ctx, stop := context.WithTimeout(k.t.Context(), bustest.Within)
	defer stop()
	if err := k.Until(ctx, cond); err != nil {
		k.t.Fatalf("waited in vain for %s in Slack: %v; it shows %s", what, err, k.shown())
	}
}

// shown is all that stands in ops, for a test's complaint.
func (k slackTalk) shown() string {
	var s strings.Builder
	for _, m := range k.Messages(slacktest.Ops) {
		s.WriteString("\n" + colour(m) + " " + m.Shown())
		for _, r := range m.Replies {
			s.WriteString("\n  > " + r.Shown())
		}
	}
	return s.String()
}

// card is the one card of ops; the zero message while there is none.
func (k slackTalk) card() slacktest.Message {
	if all := k.Messages(slacktest.Ops); len(all) > 0 {
		return all[0]
	}
	return slacktest.Message{}
}

// turns waits until the card has a colour and says something.
func (k slackTalk) turns(to, says string) {
	k.t.Helper()
	k.until("a card that turns "+to+" and says "+says, func() bool {
		card := k.card()
		return colour(card) == to && strings.Contains(card.Shown(), says)
	})
}

// thread is what stands below the card.
func (k slackTalk) thread() string {
	var all []string
	for _, r := range k.card().Replies {
		all = append(all, r.Shown())
	}
	return strings.Join(all, "\n")
}

// colour is that of a card's bar.
func colour(m slacktest.Message) string {
	var bars []struct {
		Color string `json:"color"`
	}
	if json.Unmarshal(m.Attachments, &bars) != nil || len(bars) != 1 {
		return ""
	}
	return bars[0].Color
}

// acked waits until the notifier has taken what Slack told it.
func (k slackTalk) acked(told ...*slacktest.Delivery) {
	k.t.Helper()
	ctx, stop := context.WithTimeout(k.t.Context(), bustest.Within)
	defer stop()
	for _, d := range told {
		if err := d.Acked(ctx); err != nil {
			k.t.Fatal(err)
		}
	}
}

// says says something below the card.
func (k slackTalk) says(user, text string) {
	k.t.Helper()
	_, told, err := k.Say(user, slacktest.Ops, text, k.card().TS)
	if err != nil {
		k.t.Fatal(err)
	}
	k.acked(told...)
}

// requests sends words to the subject of a conversation's replies as `nats req` does, by the command line itself where it
// is, and gives what it is answered with.
func (k slackTalk) requests(id, words string) string {
	k.t.Helper()
	subject := k.bus.Subjects().Replies(id)
	cli, err := exec.LookPath("nats")
	if err != nil {
		m, err := k.bus.Conn().Request(subject, []byte(words), bustest.Within)
		if err != nil {
			k.t.Fatalf("request %s: %v", subject, err)
		}
		return string(m.Data)
	}
	out, err := exec.CommandContext(k.t.Context(), cli, "--server", k.nats.URL(), "req", "--raw", subject, words).CombinedOutput()
	if err != nil {
		k.t.Fatalf("nats req %s: %v\n%s", subject, err, out)
	}
	return string(out)
}

// down makes checkout of prod fail, and waits for its card.
func (k slackTalk) down() (id string) {
	k.t.Helper()
	for n := range 2 {
		e2e.Publish(k.t, k.bus, e2e.Snapshot("prod", n, 0))
		bustest.Settled(k.t, k.bus)
	}
	k.turns(red, "checkout is down")
	return e2e.CheckoutID("prod")
}

// stored lists the kinds of the events of a conversation as ALERTS has them.
func (k slackTalk) stored(id string) (kinds []string) {
	k.t.Helper()
	for _, m := range bustest.Events(k.t, k.bus, id) {
		kinds = append(kinds, m.Kind)
	}
	return kinds
}

// marks lists what each line of the thread is about, and what people wrote there. What comes soon after something else may
// stand in one post with it.
func (k slackTalk) marks() (all []string) {
	for _, r := range k.card().Replies {
		if r.User != slacktest.Bot {
			all = append(all, r.Shown())
			continue
		}
		for line := range strings.Lines(r.Shown()) {
			if line = strings.TrimSpace(line); slices.Contains([]string{"💬", "🙋", "🔇", "🏁", "✅", "✋"}, line) {
				all = append(all, line)
			}
		}
	}
	return all
}

// told counts what Slack showed to one person alone.
func (k slackTalk) told(user string) (n int) {
	for _, c := range k.Calls() {
		if c.Method == "chat.postEphemeral" && c.Args["user"] == user && c.Status != 0 && c.Error == "" {
			n++
		}
	}
	return n
}

// refusals counts the replies that were refused, by channel and reason.
func (k slackTalk) refusals() map[string]float64 {
	k.t.Helper()
	families, err := k.reg.Gather()
	if err != nil {
		k.t.Fatal(err)
	}
	counts := map[string]float64{}
	for _, f := range families {
		if !strings.HasSuffix(f.GetName(), "replies_refused_total") {
			continue
		}
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			counts[strings.Join(labels, " ")] += m.GetCounter().GetValue()
		}
	}
	return counts
}
