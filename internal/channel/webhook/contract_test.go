package webhook_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// spoken are the events that chats are told as they happen which cannot change what they were told.
var spoken = []string{
	schema.EventWorsened, schema.EventUnsilenced, schema.EventEscalated, schema.EventStillFiring, schema.EventAnswered,
	schema.EventCleared, schema.EventResolved, schema.EventDismissed, schema.EventFolded,
}

// subject is one format as the contract sees it.
type subject struct {
	format string
	config webhook.Config
	reads  func(t *testing.T, body []byte) channeltest.Got
	calls  func(g channeltest.Got) (mentions, links []string)
	says   channeltest.Subject
}

func chat(format string, limit int, reads func(*testing.T, []byte) channeltest.Got, calls func(channeltest.Got) ([]string, []string)) subject {
	return subject{format, webhook.Config{}, reads, calls, channeltest.Subject{
		Family: channel.Chat, MaxBody: limit, Tells: func(kind string) bool { return slices.Contains(spoken, kind) },
	}}
}

func subjects() []subject {
	slack := chat("slack", 15<<10, readSlack, callsOf(slackStrings, slackMarks))
	slack.says.Mention = "<!subteam^S123>"
	push := chat("ntfy", 4096, readNtfy, callsOf(ntfyStrings, nil))
	push.config = webhook.Config{Key: routingKey}
	return []subject{
		{"native", webhook.Config{}, readNative, callsOf(lineOnly, nil), channeltest.Subject{Family: channel.Pager, MaxBody: webhook.MaxBody}},
		{"cloudevents", webhook.Config{}, readCloudEvent, callsOf(lineOnly, nil), channeltest.Subject{Family: channel.Pager, MaxBody: webhook.MaxBody}},
		{"alertmanager", webhook.Config{}, readAlertmanager, callsOf(alertStrings, nil), channeltest.Subject{
			Family: channel.Pager, MaxBody: webhook.MaxBody, HidesLogs: true,
			Tells: func(kind string) bool {
				return kind != schema.EventAnswered && slices.Contains(append(spoken, schema.EventDiagnosed, schema.EventEased), kind)
			},
		}},
		slack,
		chat("teams", 28<<10, readTeams, callsOf(teamsStrings, teamsMarks)),
		{"pagerduty", webhook.Config{Key: routingKey}, readPagerDuty, callsOf(pageStrings, nil), channeltest.Subject{
			Family: channel.Pager, MaxBody: 512 << 10, SkipsOver: true, Ends: true, Wordless: true,
			Tells: func(kind string) bool {
				return kind != schema.EventAnswered && slices.Contains(append(spoken, schema.EventAcknowledged, schema.EventUnacknowledged), kind)
			},
		}},
		push,
	}
}

func TestEveryFormatKeepsTheContractOfChannels(t *testing.T) {
	for _, sub := range subjects() {
		t.Run(sub.format, func(t *testing.T) {
			channeltest.Run(t, func(t *testing.T) channeltest.Subject { return sub.open(t) })
		})
	}
}

func (sub subject) open(t *testing.T) channeltest.Subject {
	r := newReceiver(t)
	r.reads = sub.reads
	c := sub.config
	c.Format, c.Secret, c.URL = sub.format, secret, config.Secret(r.url())
	fresh := func() channel.Channel {
		ch := r.channel(t, c)
		ch.SetTimeout(time.Minute)
		return impatient{ch, r.hangs}
	}
	s := sub.says
	s.Channel, s.Reopen, s.Receiver, s.Calls = fresh(), fresh, r, sub.calls
	s.Secrets = []string{"T0PSECRETPATH", "QUERYSECRET", strings.TrimPrefix(secret, "whsec_"), routingKey}
	return s
}

// The receivers, each with the words of its own.

func fill(t *testing.T, body []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatalf("the body does not decode: %v\n%.400s", err, body)
	}
}

func readNative(t *testing.T, body []byte) channeltest.Got {
	return ofNative(decode(t, body))
}

func ofNative(s sent) channeltest.Got {
	g := channeltest.Got{State: s.Data.Conversation.State, Text: s.Data.Text, Over: s.Data.Conversation.ClosedAs != ""}
	for _, e := range s.Data.Events {
		g.Events = append(g.Events, e.ID)
	}
	return g
}

func readCloudEvent(t *testing.T, body []byte) channeltest.Got {
	var e struct {
		SpecVersion               string `json:"specversion"`
		ID, Source, Type, Subject string
		Time                      time.Time
		DataContentType           string `json:"datacontenttype"`
	}
	fill(t, body, &e)
	if e.SpecVersion != "1.0" || e.ID == "" || e.Source == "" || e.Type == "" || e.Subject == "" || e.Time.IsZero() || e.DataContentType != "application/json" {
		t.Errorf("an attribute is missing: %+v", e)
	}
	return ofNative(decode(t, body))
}

func readAlertmanager(t *testing.T, body []byte) channeltest.Got {
	n := strictly(t, body)
	return channeltest.Got{Text: n.Alerts[0].Annotations["summary"], Over: n.Status == "resolved"}
}

// slackSent and the others are what a receiver reads of a body.
type slackSent struct {
	Text        string `json:"text"`
	Attachments []struct {
		Color, Fallback, Title, Text string
		Fields                       []struct{ Title, Value string }
	} `json:"attachments"`
}

func readSlack(t *testing.T, body []byte) channeltest.Got {
	var m slackSent
	fill(t, body, &m)
	return channeltest.Got{Text: m.Text, Over: m.Attachments[0].Color == "#2eb886"}
}

type teamsSent struct {
	Attachments []struct {
		Content struct {
			Version string
			Body    []struct {
				Text, Color string
				Facts       []struct{ Title, Value string }
			}
			Actions []struct{ Title, URL string }
		}
	}
}

func readTeams(t *testing.T, body []byte) channeltest.Got {
	var m teamsSent
	fill(t, body, &m)
	first := m.Attachments[0].Content.Body[0]
	return channeltest.Got{Text: strings.ReplaceAll(first.Text, `\`, ""), Over: first.Color == "Good"}
}

type pageSent struct {
	RoutingKey  string `json:"routing_key"`
	EventAction string `json:"event_action"`
	DedupKey    string `json:"dedup_key"`
	Payload     *struct {
		Summary, Source, Severity, Component, Class string
		CustomDetails                               map[string]any `json:"custom_details"`
	}
}

func readPagerDuty(t *testing.T, body []byte) channeltest.Got {
	var m pageSent
	fill(t, body, &m)
	g := channeltest.Got{Over: m.EventAction == "resolve"}
	if m.RoutingKey != routingKey || m.DedupKey == "" || (m.Payload != nil) != (m.EventAction == "trigger") {
		t.Errorf("PagerDuty refuses this: %.400s", body)
	}
	if m.Payload != nil {
		g.Text = m.Payload.Summary
	}
	return g
}

type pushSent struct {
	Topic, Title, Message, Click string
	Priority                     int
	Tags                         []string
}

func readNtfy(t *testing.T, body []byte) channeltest.Got {
	var m pushSent
	fill(t, body, &m)
	if m.Topic != "andmore" || m.Priority < 1 || m.Priority > 5 {
		t.Errorf("ntfy refuses this: %.400s", body)
	}
	line, _, _ := strings.Cut(m.Message, "\n")
	return channeltest.Got{Text: line, Over: slices.Contains(m.Tags, "white_check_mark")}
}

// What a person reads of a body, and a program may make a mention or a link of.

func lineOnly(g channeltest.Got) []string { return []string{g.Text} }

func alertStrings(g channeltest.Got) []string {
	var n notificationSent
	_ = json.Unmarshal(g.Body, &n)
	var all []string
	for _, from := range []map[string]string{n.Alerts[0].Labels, n.Alerts[0].Annotations} {
		for _, text := range from {
			all = append(all, text)
		}
	}
	return all
}

func slackStrings(g channeltest.Got) []string {
	var m slackSent
	_ = json.Unmarshal(g.Body, &m)
	a := m.Attachments[0]
	all := []string{m.Text, a.Fallback, a.Title, a.Text}
	for _, f := range a.Fields {
		all = append(all, f.Title, f.Value)
	}
	return all
}

func teamsStrings(g channeltest.Got) []string {
	var m teamsSent
	_ = json.Unmarshal(g.Body, &m)
	var all []string
	for _, e := range m.Attachments[0].Content.Body {
		all = append(all, e.Text)
		for _, f := range e.Facts {
			all = append(all, f.Value)
		}
	}
	for _, a := range m.Attachments[0].Content.Actions {
		all = append(all, a.URL) // the title of a button is no Markdown
	}
	return all
}

func pageStrings(g channeltest.Got) []string {
	var m pageSent
	_ = json.Unmarshal(g.Body, &m)
	if m.Payload == nil {
		return nil
	}
	all := []string{m.Payload.Summary, m.Payload.Source, m.Payload.Component, m.Payload.Class}
	for _, value := range m.Payload.CustomDetails {
		if text, ok := value.(string); ok {
			all = append(all, text)
		}
	}
	return all
}

func ntfyStrings(g channeltest.Got) []string {
	var m pushSent
	_ = json.Unmarshal(g.Body, &m)
	return append([]string{m.Title, m.Message, m.Click}, m.Tags...)
}

// marks are what one receiver makes mentions and links of, beyond what they all do.
type marks struct{ mention, link *regexp.Regexp }

var (
	slackMarks = &marks{ // and Mattermost's
		mention: regexp.MustCompile(`<[!@#][^>]*>`),
		link:    regexp.MustCompile("<[^!@#>][^>]*>|\\[[^\\]]*\\]\\([^)]+\\)|(^|\\s)~[a-z]|```"),
	}
	teamsMarks = &marks{
		mention: regexp.MustCompile(`<at>`),
		link:    regexp.MustCompile(`(^|[^\\])\[[^\]]*[^\\]\]\s*\(|\{\{`),
	}
	everybodysCalls = regexp.MustCompile(`(?i)(^|[^a-z0-9_.])@[a-z]+`)
	everybodysLinks = regexp.MustCompile(`(?i)\b(https?|ftp)://\S+|\bwww\.\S+|\bmailto:\S+`)
)

func callsOf(texts func(channeltest.Got) []string, own *marks) func(channeltest.Got) (mentions, links []string) {
	return func(g channeltest.Got) (mentions, links []string) {
		for _, text := range texts(g) {
			mentions = append(mentions, everybodysCalls.FindAllString(text, -1)...)
			links = append(links, everybodysLinks.FindAllString(text, -1)...)
			if own != nil {
				mentions = append(mentions, own.mention.FindAllString(text, -1)...)
				links = append(links, own.link.FindAllString(text, -1)...)
			}
		}
		return mentions, links
	}
}
