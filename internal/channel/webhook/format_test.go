package webhook_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// post has the opening of a conversation posted in a format, and returns what arrived.
func post(t *testing.T, c webhook.Config) request {
	t.Helper()
	r := newReceiver(t)
	if c.URL != "" {
		c.URL = config.Secret(r.server.URL) + c.URL
	}
	ch := r.channel(t, c)
	p, ok := ch.Next(channeltest.Opened("checkout"), channel.Told{}, channel.Terms{})
	if !ok {
		t.Fatal("nothing to post")
	}
	if _, err := ch.Post(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	got := r.got()[0]
	if id := got.header.Get("webhook-id"); id != p.Key {
		t.Errorf("webhook-id %q, want the key %q", id, p.Key)
	}
	return got
}

func TestEveryFormatIsSignedAsItArrives(t *testing.T) {
	next := "whsec_" + "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	for _, sub := range subjects() {
		t.Run(sub.format, func(t *testing.T) {
			c := sub.config
			c.Format, c.Secret = sub.format, config.Secret(next+","+secret)
			got := post(t, c)
			for _, s := range []string{secret, next} {
				verifier, err := standardwebhooks.NewWebhook(s)
				if err != nil {
					t.Fatal(err)
				}
				if err := verifier.Verify(got.body, got.header); err != nil {
					t.Errorf("verify: %v", err)
				}
			}
			want := "application/json"
			if sub.format == webhook.FormatCloudEvents {
				want = "application/cloudevents+json"
			}
			if content := got.header.Get("Content-Type"); content != want || !json.Valid(got.body) {
				t.Errorf("content type %q, want %q, of JSON", content, want)
			}
		})
	}
}

func TestNtfyIsPostedToItsRoot(t *testing.T) {
	tests := []struct {
		name             string
		url, topic, key  config.Secret
		path, wantsTopic string
		authorization    string
	}{
		{"topic-in-the-path", "/alerts", "", "", "/", "alerts", ""},
		{"server-below-a-path", "/ntfy/alerts/", "", "", "/ntfy/", "alerts", ""},
		{"topic-by-itself", "/", "night", "", "/", "night", ""},
		{"topic-by-itself-below-a-path", "/ntfy", "night", "tk_abcdef", "/ntfy", "night", "Bearer tk_abcdef"},
		{"escaped", "/caf%C3%A9%22", "", "", "/", `café"`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := post(t, webhook.Config{Format: webhook.FormatNtfy, URL: tt.url, Topic: tt.topic, Key: tt.key})
			var m pushSent
			fill(t, got.body, &m)
			want := []string{tt.path, tt.wantsTopic, tt.authorization}
			if diff := cmp.Diff(want, []string{got.path, m.Topic, got.header.Get("Authorization")}); diff != "" {
				t.Errorf("path, topic, authorization (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPagerDutyNeedsNoURL(t *testing.T) {
	c := webhook.Config{Format: webhook.FormatPagerDuty, Key: routingKey}
	if !c.Configured() || (webhook.Config{Format: webhook.FormatPagerDuty}).Configured() || (webhook.Config{}).Configured() {
		t.Error("with a key it is configured, and without anything it is not")
	}
	ch, err := webhook.New(c, "1")
	if err != nil {
		t.Fatal(err)
	}
	if got := ch.URL(); got != "https://events.pagerduty.com/v2/enqueue" {
		t.Errorf("posts go to %s", got)
	}
}

// Two posts tell of a new episode where the end of the one before was not told: each of its own incident.
func TestPagerDutyEndsAnEpisodeBeforeTheNext(t *testing.T) {
	ch := newReceiver(t).channel(t, webhook.Config{Format: webhook.FormatPagerDuty, Key: routingKey})
	c := channeltest.NewEpisode(channeltest.Opened("checkout"))
	told := known(1)
	var got []string
	for range 3 {
		p, ok := ch.Next(c, told, channel.Terms{})
		if !ok {
			break
		}
		var m pageSent
		fill(t, p.Body, &m)
		got = append(got, m.EventAction+" "+strings.TrimPrefix(m.DedupKey, c.ID)+" "+strings.TrimPrefix(p.Key, c.ID))
		told = channel.Told{Revision: p.Revision, Episode: c.Episode, At: c.UpdatedAt}
	}
	if diff := cmp.Diff([]string{"resolve -1 -2-end", "trigger -2 -3"}, got); diff != "" {
		t.Errorf("action, incident, key (-want +got):\n%s", diff)
	}
}

func TestPagerDutyDoesWhatAllThatIsNewLeadsTo(t *testing.T) {
	opened := channeltest.Opened("checkout")
	add := func(kinds ...string) schema.Conversation { return channeltest.Add(opened, kinds...) }
	owned := add(schema.EventAcknowledged)
	info := add(schema.EventWorsened)
	info.Severity = schema.SeverityInfo
	twice := add(schema.EventCleared, schema.EventReopened, schema.EventCleared, schema.EventReopened)
	well := add(schema.EventSilenced, schema.EventUnsilenced)
	well.Conditions = slices.Clone(well.Conditions)
	well.Conditions[0].Until = well.UpdatedAt
	tests := []struct {
		name string
		c    schema.Conversation
		told channel.Told
		want string // empty: nothing
	}{
		{"back", add(schema.EventCleared, schema.EventReopened), known(2), "trigger"},
		{"back-again", twice, known(4), ""},
		{"back-again-and-nobodys", channeltest.Add(twice, schema.EventEscalated), known(4), "trigger"},
		{"a-silence-ends-and-all-is-well", well, known(2), ""},
		{"acknowledged-before-it-was-told", owned, channel.Told{}, ""},
		{"given-back-before-it-was-told", channeltest.Add(owned, schema.EventUnacknowledged), channel.Told{}, "trigger"},
		{"acknowledged-before-it-was-told-and-worse", channeltest.Add(owned, schema.EventWorsened), channel.Told{}, "trigger"},
		{"acknowledged", owned, known(1), "acknowledge"},
		{"somebody-has-it-still", channeltest.Add(owned, schema.EventStillFiring), known(2), ""},
		{"nobody-has-it-still", add(schema.EventStillFiring), known(1), "trigger"},
		{"acknowledged-and-worse", add(schema.EventAcknowledged, schema.EventWorsened), known(1), "trigger"},
		{"worse-and-acknowledged", add(schema.EventWorsened, schema.EventAcknowledged), known(1), "acknowledge"},
		{"silenced-and-broken-through", add(schema.EventSilenced, schema.EventUnsilenced), known(1), "trigger"},
		{"worse-and-over", add(schema.EventWorsened, schema.EventCleared), known(1), "resolve"},
		{"said-while-silenced", add(schema.EventSilenced, schema.EventDiagnosed), known(2), ""},
		{"opened-silently", channeltest.Silently(opened), channel.Told{}, ""},
		{"a-diagnosis", add(schema.EventDiagnosed), known(1), ""},
		{"information-by-now", info, known(1), ""},
		{"called-resolved-and-watched", add(schema.EventResolved), known(1), ""},
	}
	ch := newReceiver(t).channel(t, webhook.Config{Format: webhook.FormatPagerDuty, Key: routingKey})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, ok := ch.Next(tt.c, tt.told, channel.Terms{})
			var m pageSent
			if ok {
				fill(t, p.Body, &m)
			}
			if m.EventAction != tt.want {
				t.Errorf("%q, want %q", m.EventAction, tt.want)
			}
			if p.Sound != channel.Quietly && tt.want != "trigger" {
				t.Errorf("%s sounds %d", tt.want, p.Sound)
			}
		})
	}
}

func TestGoneIsGoneInEveryFormat(t *testing.T) {
	for _, sub := range subjects() {
		s := sub.open(t)
		s.Receiver.Answer(channeltest.Gone)
		p, _ := s.Channel.Next(channeltest.Opened("checkout"), channel.Told{}, channel.Terms{})
		if _, err := s.Channel.Post(t.Context(), p); !errors.Is(err, channel.ErrGone) {
			t.Errorf("%s: %v", sub.format, err)
		}
	}
}

func TestPagerDutyGoesOnAfterAnEndThatWasGivenUp(t *testing.T) {
	ch := newReceiver(t).channel(t, webhook.Config{Format: webhook.FormatPagerDuty, Key: routingKey})
	c, told := channeltest.NewEpisode(channeltest.Opened("checkout")), known(1)
	told.GaveUp = 2
	if p, ok := ch.Next(c, told, channel.Terms{}); !ok || p.Key != c.ID+"-3" {
		t.Errorf("posts %v %s, want the trigger", ok, p.Key)
	}
}

// What chats link is what a person configured, whatever else is in the address.
func TestSlackLinksEndWhereTheyShould(t *testing.T) {
	c := channeltest.Opened("checkout")
	c.Labels = map[string]string{"runbook": "https://runbooks.example/x?a=1|2&b=<!channel>"}
	ch := newReceiver(t).channel(t, webhook.Config{Format: webhook.FormatSlack})
	p, _ := ch.Next(c, channel.Told{}, channel.Terms{})
	var m slackSent
	fill(t, p.Body, &m)
	if want := "<https://runbooks.example/x?a=1%7C2&amp;b=%3C!channel%3E|Runbook>"; !strings.HasSuffix(m.Attachments[0].Text, want) {
		t.Errorf("text %q, want it to end with %q", m.Attachments[0].Text, want)
	}
	mentions, links := callsOf(slackStrings, slackMarks)(channeltest.Got{Body: p.Body})
	if len(mentions) > 0 || !slices.ContainsFunc(links, func(l string) bool { return strings.HasPrefix(l, "<https://runbooks") }) {
		t.Errorf("mentions %q, links %q", mentions, links)
	}
}
