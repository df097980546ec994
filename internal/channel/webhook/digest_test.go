package webhook_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func entries(n int) []channel.Entry {
	var all []channel.Entry
	c := channeltest.Add(channeltest.Opened("checkout-0"), schema.EventCleared)
	line := channel.Headline(c, c.Messages[1])
	for i := range n {
		all = append(all, channel.Entry{
			ID: c.ID, Revision: c.Revision, Episode: 1, Cluster: "prod", Severity: c.Severity, ClosedAs: c.ClosedAs, At: c.UpdatedAt,
			Line: strings.Replace(line, "-0", fmt.Sprintf("-%d", i), 1),
		})
	}
	return all
}

// digests are what a channel may have to tell in one post.
func digests() map[string]channel.Digest {
	since := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	outage := channel.Digest{Key: "digest-1", Reason: channel.AfterOutage, Since: since, Until: since.Add(20 * time.Minute), Entries: entries(2)}
	route := channel.Digest{Key: "digest-2", Reason: channel.Collected, Since: since, Until: since.Add(30 * time.Hour), Entries: entries(1), More: 3}
	route.Entries[0].ClosedAs = ""
	many := outage
	many.Entries = entries(2000)
	all := many
	all.Reason = channel.Collected
	return map[string]channel.Digest{"outage": outage, "route": route, "many": many, "all": all}
}

func TestDigestsAreOneQuietPost(t *testing.T) {
	says := map[string]string{
		"outage": "2 conversations came and went while this channel could not be reached, from 08:00 to 08:20 UTC",
		"route":  "4 conversations from 23 Nov 08:00 to 14:00 UTC",
		"many":   "2000 conversations came and went while this channel could not be reached, from 08:00 to 08:20 UTC",
		"all":    "2000 conversations from 08:00 to 08:20 UTC",
	}
	for _, sub := range subjects() {
		told := sub.format != webhook.FormatPagerDuty && sub.format != webhook.FormatAlertmanager
		c := sub.config
		c.Format = sub.format
		r := newReceiver(t)
		ch := r.channel(t, c)
		for name, d := range digests() {
			t.Run(sub.format+"-"+name, func(t *testing.T) {
				told := told && (d.Reason == channel.Collected || sub.says.Family == channel.Chat)
				p, ok := ch.Digest(d)
				if ok != told {
					t.Fatalf("posts a digest: %v, want %v", ok, told)
				}
				if !ok {
					return
				}
				if p.Key != d.Key || p.Revision != 0 || p.Ref != "" || p.Sound != channel.Quietly || p.Kind != "digest" {
					t.Errorf("posts %+v", p)
				}
				if body := string(p.Body); !strings.Contains(body, says[name]) || !strings.Contains(body, "checkout-0 ") {
					t.Errorf("does not say %q and what it was: %.600s", says[name], body)
				}
				if len(p.Body) > sub.says.MaxBody {
					t.Errorf("body of %d bytes, want at most %d", len(p.Body), sub.says.MaxBody)
				}
				if _, err := ch.Post(t.Context(), p); err != nil {
					t.Errorf("it cannot be posted: %v", err)
				}
			})
		}
	}
}

func TestDigestsMakeNoMentionAndNoLink(t *testing.T) {
	for _, sub := range subjects() {
		c := sub.config
		c.Format = sub.format
		ch := newReceiver(t).channel(t, c)
		d := digests()["route"]
		for name, text := range channeltest.Hostile() {
			d.Entries = entries(1)
			d.Entries[0].Line, d.Entries[0].Severity = text, text
			p, ok := ch.Digest(d)
			if !ok || sub.format == webhook.FormatNative || sub.format == webhook.FormatCloudEvents { // which are for machines, but for one line
				continue
			}
			if mentions, links := sub.calls(channeltest.Got{Body: p.Body}); len(mentions)+len(links) > 0 {
				t.Errorf("%s-%s: mentions %q, links %q", sub.format, name, mentions, links)
			}
		}
	}
}

var _ channel.Digester = (*webhook.Channel)(nil)
