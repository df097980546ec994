package webhook_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestSignatureIsThatOfTheStandardsOwnExample(t *testing.T) {
	r := newReceiver(t)
	ch := r.channel(t, webhook.Config{Secret: secret})
	ch.SetNow(func() time.Time { return time.Unix(1614265330, 0) })
	if _, err := ch.Post(t.Context(), channel.Post{Key: "msg_p5jXN8AQM9LWM0D4loKWxJek", Body: []byte(`{"test": 2432232314}`)}); err != nil {
		t.Fatal(err)
	}
	want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	if got := r.got()[0].header.Get("webhook-signature"); got != want {
		t.Errorf("signature %q, want %q", got, want)
	}
}

func TestReceiversThatKnowAnyOfTheSecretsCanVerify(t *testing.T) {
	next := "whsec_" + "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	r := newReceiver(t)
	ch := r.channel(t, webhook.Config{Secret: config.Secret(next + ", " + secret)})
	p, _ := ch.Next(channeltest.Opened("checkout"), channel.Told{}, channel.Terms{})
	if _, err := ch.Post(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	got := r.got()[0]
	for _, s := range []string{secret, next} {
		verifier, err := standardwebhooks.NewWebhook(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := verifier.Verify(got.body, got.header); err != nil {
			t.Errorf("verify: %v", err)
		}
	}
	want := map[string]string{"Content-Type": "application/json", "User-Agent": "bellbuoy/1.2.3", "Webhook-Id": p.Key}
	for name, value := range want {
		if got := got.header.Get(name); got != value {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
}

func TestWithoutASecretPostsAreNotSigned(t *testing.T) {
	r := newReceiver(t)
	ch := r.channel(t, webhook.Config{})
	p, _ := ch.Next(channeltest.Opened("checkout"), channel.Told{}, channel.Terms{})
	if _, err := ch.Post(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if got := r.got()[0].header.Values("webhook-signature"); len(got) > 0 {
		t.Errorf("signed: %q", got)
	}
}

func TestConfigMistakesAreNamedWithoutTheirSecrets(t *testing.T) {
	tests := []struct {
		name      string
		c         webhook.Config
		says      string // empty: no mistake
		neverSays string
	}{
		{"no-url-is-no-webhook", webhook.Config{Secret: "anything"}, "", ""},
		{"plain-url", webhook.Config{URL: "http://127.0.0.1:9/x"}, "", ""},
		{"url-with-secret", webhook.Config{URL: "https://host/x", Secret: secret, Format: "native"}, "", ""},
		{"not-a-url", webhook.Config{URL: "http://%zzSECRET"}, "WEBHOOK_URL is not a URL", "SECRET"},
		{"other-scheme", webhook.Config{URL: "ftp://host/SECRET"}, "WEBHOOK_URL is not an http or https URL", "/SECRET"},
		{"no-host", webhook.Config{URL: "http:///SECRET"}, "WEBHOOK_URL names no host", "/SECRET"},
		{"plain-secret", webhook.Config{URL: "http://host", Secret: "hunter2"}, "openssl rand -base64 32", "hunter2"},
		{"short-secret", webhook.Config{URL: "http://host", Secret: "whsec_aGVsbG8="}, "is of 5 bytes", "aGVsbG8"},
		{"long-secret", webhook.Config{URL: "http://host", Secret: config.Secret("whsec_" + strings.Repeat("QUJD", 22))}, "is of 66 bytes", "QUJDQUJD"},
		{"not-base64", webhook.Config{URL: "http://host", Secret: "whsec_!!!!"}, "is not base64", "!!!!"},
		{"second-secret-wrong", webhook.Config{URL: "http://host", Secret: secret + ",oops"}, "number 2", "oops"},
		{"pagerduty-needs-no-url", webhook.Config{Format: "pagerduty", Key: "SECRETKEY"}, "", ""},
		{"pagerduty-needs-a-key", webhook.Config{Format: "pagerduty"}, "WEBHOOK_KEY is missing", ""},
		{"key-for-no-use", webhook.Config{URL: "http://host", Key: "SECRETKEY"}, "WEBHOOK_KEY is for the formats pagerduty and ntfy", "SECRETKEY"},
		{"key-of-two-lines", webhook.Config{Format: "pagerduty", Key: "SECRET\nKEY"}, "has a line break", "SECRET"},
		{"topic-for-no-use", webhook.Config{URL: "http://host", Topic: "SECRETTOPIC"}, "WEBHOOK_TOPIC is for the format ntfy", "SECRETTOPIC"},
		{"ntfy-without-topic", webhook.Config{URL: "http://host/", Format: "ntfy"}, "names no topic", ""},
		{"ntfy-with-topic", webhook.Config{URL: "http://host/", Format: "ntfy", Topic: "alerts"}, "", ""},
		{"other-format", webhook.Config{URL: "http://host", Format: "carrier-pigeon"}, "set it to one of native, cloudevents, alertmanager, slack, teams, pagerduty, ntfy", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.c.Validate()
			if tt.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v, want one with %q", err, tt.says)
			}
			if tt.neverSays != "" && err != nil && strings.Contains(err.Error(), tt.neverSays) {
				t.Errorf("error %v shows %q", err, tt.neverSays)
			}
		})
	}
}

func TestTypeAndTextSayWhatMattersMost(t *testing.T) {
	opened := channeltest.Opened("checkout")
	needed := channeltest.Opened("checkout")
	for _, name := range []string{"gateway", "cart", "mail", "search"} {
		needed.Affected = append(needed.Affected, schema.Affected{Object: schema.Object{Kind: schema.KindService, Name: name}})
	}
	needed.AffectedCount = 250
	silent := channeltest.Opened("prod")
	silent.Object, silent.Condition, silent.Title = schema.Object{Kind: schema.KindCluster, Name: "prod"}, "cluster_silent", "prod: no snapshot comes any more"
	silent.Diagnosis = &schema.Diagnosis{Summary: "the collector on box7 has ended"}
	tests := []struct {
		name string
		c    schema.Conversation
		told channel.Told
		kind string
		text string
	}{
		{"opened", opened, channel.Told{}, "opened", "checkout down on prod: 0 of 3 running. Likely: db was stopped by hand 07:58"},
		{"opened-among-others", channeltest.Add(opened, schema.EventDiagnosed), channel.Told{}, "opened", "checkout down on prod: 0 of 3 running. Likely: db was stopped by hand 07:58"},
		{"over-already", channeltest.Add(opened, schema.EventCleared), channel.Told{}, "opened", "checkout down on prod: 0 of 3 running. Over by now: cleared after 1s. Likely: db was stopped by hand 07:58"},
		{"reopened", channeltest.Add(opened, schema.EventCleared, schema.EventReopened), known(1), "reopened", "checkout down again on prod: 0 of 3 running. Likely: db was stopped by hand 07:58"},
		{"closed-and-judged", channeltest.Add(opened, schema.EventCleared, schema.EventJudged), known(1), "cleared", "checkout cleared on prod after 1s (was: 0 of 3 running)"},
		{"newest", channeltest.Add(opened, schema.EventDiagnosed, schema.EventAcknowledged), known(1), "acknowledged", "checkout on prod, acknowledged: It is acknowledged."},
		{"worsened", channeltest.Add(opened, schema.EventWorsened), known(1), "worsened", "checkout down on prod: 0 of 3 running. Likely: db was stopped by hand 07:58"},
		{"escalated", channeltest.Add(opened, schema.EventEscalated), known(1), "escalated", "checkout still down on prod: 0 of 3 running. Nobody has it. Likely: db was stopped by hand 07:58"},
		{"needed-by-others", needed, channel.Told{}, "opened", "checkout down on prod: 0 of 3 running. Likely: db was stopped by hand 07:58. Needed by gateway, cart, mail (+247)"},
		{"whole-cluster", silent, channel.Told{}, "opened", "prod silent: no snapshot comes any more. Likely: the collector on box7 has ended"},
		{"node-under-fifty", channeltest.NodeDown(50), channel.Told{}, "opened", "n7 down on prod: reported down, last seen at 03:02:00 UTC. 50 services affected: web, api, db (+47)"},
		{"node-under-one", channeltest.NodeDown(1), channel.Told{}, "opened", "n7 down on prod: reported down, last seen at 03:02:00 UTC. 1 service affected: web"},
		{"node-is-back", channeltest.Add(channeltest.NodeDown(50), schema.EventCleared), known(1), "cleared", "n7 cleared on prod after 1s (was: node n7 is down)"},
		{"storm", channeltest.Storm(998), channel.Told{}, "opened", "prod: 998 objects failing, all of them down. Among them web, api, db (+995). Likely: all 998 depend on shop/db, which is not running (stopped by hand 03:02:00 UTC)"},
		{"storm-of-nothing-shared", unexplained(), channel.Told{}, "opened", "prod: 12 objects failing, all of them down. Among them web, api, db (+9). 12 services fail at once, and nothing that they share was found"},
		{"model-that-does-not-know", unsure(), channel.Told{}, "opened", "checkout down on prod: 0 of 3 running. not enough data: nothing says why"},
		{"storm-goes-on", channeltest.Add(channeltest.Storm(12), schema.EventEscalated), known(1), "escalated", "prod still failing: 12 objects failing, all of them down. Nobody has it. Among them web, api, db (+9). Likely: all 12 depend on shop/db, which is not running (stopped by hand 03:02:00 UTC)"},
		{"storm-is-over", channeltest.Add(channeltest.Storm(998), schema.EventCleared), known(1), "cleared", "prod cleared after 1s (was: 998 objects failing, all of them down)"},
		{"storm-is-explained", channeltest.Add(channeltest.Storm(998), schema.EventFolded), known(1), "folded", "what failed on prod is part of shop/db now"},
		{"explained", channeltest.Add(opened, schema.EventFolded), known(1), "folded", "checkout is part of shop/db on prod now"},
		{"explained-by-a-storm", saying(channeltest.Add(opened, schema.EventFolded), "Explained by prod (9f2c51d0): goes on there."), known(1), "folded", "checkout is part of the storm on prod now"},
		{"explained-by-what-is-not-said", saying(channeltest.Add(opened, schema.EventFolded), ""), known(1), "folded", "checkout is part of another incident on prod now"},
		{"grown", channeltest.Add(channeltest.NodeDown(50), schema.EventGrown), known(1), "grown", "n7 on prod: also affected: shop/mail, shop/search (+3)."},
		{"whole-cluster-is-back", channeltest.Add(silent, schema.EventCleared), known(1), "cleared", "prod cleared after 1s (was: no snapshot comes any more)"},
	}
	r := newReceiver(t)
	ch := r.channel(t, webhook.Config{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, ok := ch.Next(tt.c, tt.told, channel.Terms{})
			if !ok {
				t.Fatal("nothing to post")
			}
			got := decode(t, p.Body)
			if len(got.Data.Text) > 400 {
				t.Errorf("text of %d bytes, want at most 400", len(got.Data.Text))
			}
			want := []string{"conversation." + tt.kind, tt.kind, tt.text, tt.kind}
			if diff := cmp.Diff(want, []string{got.Type, got.Data.Event.Kind, got.Data.Text, p.Kind}); diff != "" {
				t.Errorf("type, event, text, kind (-want +got):\n%s", diff)
			}
		})
	}
}

// saying puts text into the newest message of c.
func saying(c schema.Conversation, text string) schema.Conversation {
	c.Messages[len(c.Messages)-1].Content = text
	return c
}

func unexplained() schema.Conversation {
	c := channeltest.Storm(12)
	c.Diagnosis = &schema.Diagnosis{Summary: "12 services fail at once, and nothing that they share was found", InsufficientData: true}
	return c
}

func unsure() schema.Conversation {
	c := channeltest.Opened("checkout")
	c.Diagnosis = &schema.Diagnosis{
		Summary: "not enough data: nothing says why", RootCause: schema.RootCause{Component: "shop/checkout", Statement: "it may be the database"},
		InsufficientData: true, Source: "a-model",
	}
	return c
}

func known(revision int) channel.Told {
	return channel.Told{Revision: revision, Episode: 1, Ref: "card-1", At: channeltest.At(revision)}
}

func TestAnEpisodeHasItsOwnCard(t *testing.T) {
	r := newReceiver(t)
	ch := r.channel(t, webhook.Config{})
	c := channeltest.Add(channeltest.Opened("checkout"), schema.EventDiagnosed)
	if p, _ := ch.Next(c, known(1), channel.Terms{}); p.Ref != "card-1" {
		t.Errorf("same episode: continues %q, want the card", p.Ref)
	}
	next := channeltest.NewEpisode(c)
	if p, ok := ch.Next(next, known(2), channel.Terms{}); !ok || p.Ref != "" {
		t.Errorf("new episode: posted %v, continues %q, want a new card", ok, p.Ref)
	}
	next.Severity = schema.SeverityInfo
	if _, ok := ch.Next(next, known(2), channel.Terms{}); !ok {
		t.Error("the receiver still believes the episode before open and is not told")
	}
	if _, ok := ch.Next(next, known(3), channel.Terms{}); ok {
		t.Error("information is told to a receiver that knows the episode before has ended")
	}
}

func TestBodiesShrinkInOrderAndSayWhatIsMissing(t *testing.T) {
	c := channeltest.Opened("checkout")
	for range 10 {
		c.Evidence = append(c.Evidence, schema.Evidence{ID: "E", Kind: "log", Text: strings.Repeat("e", 1600)})
	}
	for i := range 150 {
		c = channeltest.Add(c, schema.EventAnswered)
		c.Messages[len(c.Messages)-1].Content = fmt.Sprintf("%d %s", i, strings.Repeat("m", 400))
	}
	r := newReceiver(t)
	ch := r.channel(t, webhook.Config{})
	p, ok := ch.Next(c, known(c.Revision-1), channel.Terms{Logs: channel.LogsFull})
	if !ok || len(p.Body) > webhook.MaxBody {
		t.Fatalf("posted %v, %d bytes", ok, len(p.Body))
	}
	got := decode(t, p.Body)
	messages := got.Data.Conversation.Messages
	if diff := cmp.Diff(map[string]int{"evidence": 11, "messages": 51}, got.Data.Omitted); diff != "" {
		t.Errorf("omitted (-want +got):\n%s", diff)
	}
	first, last := messages[0]["id"], messages[len(messages)-1]["id"]
	if first != c.ID+"-1" || last != p.Key {
		t.Errorf("messages from %v to %v, want the opening and the newest", first, last)
	}
	if len(got.Data.Conversation.Evidence) > 0 {
		t.Error("evidence stays though messages had to go")
	}
}

func TestOnlyWebAddressesBecomeLinks(t *testing.T) {
	r := newReceiver(t)
	ch := r.channel(t, webhook.Config{})
	tests := []struct {
		name, runbook string
		want          []map[string]string
	}{
		{"https", "https://runbooks.example/x?y=1", []map[string]string{{"title": "Runbook", "url": "https://runbooks.example/x?y=1"}}},
		{"script", "javascript:alert(1)", []map[string]string{}},
		{"user", "https://trusted.example@evil.example/", []map[string]string{}},
		{"none", "", []map[string]string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := channeltest.Opened("checkout")
			c.Labels = map[string]string{"runbook": tt.runbook}
			p, _ := ch.Next(c, channel.Told{}, channel.Terms{})
			if diff := cmp.Diff(tt.want, decode(t, p.Body).Data.Links); diff != "" {
				t.Errorf("links (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLinksOfTheConversationGoBeforeItsLabel(t *testing.T) {
	r := newReceiver(t)
	c := channeltest.Opened("checkout")
	c.Links = []schema.Link{{Title: "Runbook", URL: "https://runbooks.example/x"}, {Title: "script", URL: "javascript:alert(1)"}, {Title: "Logs", URL: "https://logs.example/?q=checkout"}}
	p, _ := r.channel(t, webhook.Config{}).Next(c, channel.Told{}, channel.Terms{})
	want := []map[string]string{{"title": "Runbook", "url": "https://runbooks.example/x"}, {"title": "Logs", "url": "https://logs.example/?q=checkout"}}
	if diff := cmp.Diff(want, decode(t, p.Body).Data.Links); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
}

func FuzzVisibleKeepsDocumentsValid(f *testing.F) {
	for _, text := range channeltest.Hostile() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, escape := range []bool{true, false} {
			var b strings.Builder
			e := json.NewEncoder(&b)
			e.SetEscapeHTML(escape)
			if err := e.Encode(map[string]string{"a": text, "b": "end"}); err != nil {
				t.Fatal(err)
			}
			var got map[string]string
			if err := json.Unmarshal(webhook.Visible([]byte(b.String())), &got); err != nil || got["b"] != "end" {
				t.Fatalf("%q became invalid: %v", text, err)
			}
			if strings.ContainsAny(got["a"], "\x00\x1b\x7f\r\u202e\u2066\u200b") {
				t.Fatalf("%q keeps what is hidden: %q", text, got["a"])
			}
		}
	})
}

func TestWebhooksShareTheTargetThatTheyPostTo(t *testing.T) {
	target := func(c webhook.Config) string {
		t.Helper()
		ch, err := webhook.New(c, "1")
		if err != nil {
			t.Fatal(err)
		}
		return ch.Target().ID
	}
	plain := webhook.Config{URL: "https://hooks.example/s3cr3t-path"}
	pager := webhook.Config{Format: webhook.FormatPagerDuty, Key: "one"}
	if target(plain) != target(webhook.Config{URL: plain.URL, Format: webhook.FormatCloudEvents}) {
		t.Error("two webhooks to one URL have two targets")
	}
	moved, other := plain, pager
	moved.URL, other.Key = "https://hooks.example/another", "two"
	if target(plain) == target(moved) || target(pager) == target(other) {
		t.Error("another URL or another key is the same target, so that one that is gone could not be exchanged")
	}
	if id := target(plain); strings.Contains(id, "s3cr3t") || strings.ContainsAny(id, ". *>/") {
		t.Errorf("the target is called %q", id)
	}
}
