package slack_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel/slack/slackdraw"
	"github.com/bellbuoy/bellbuoy/internal/channel/slack/slacktest"
)

var pictures = flag.String("pictures", "", "write what Slack shows of the stories into this directory, as pages that a browser can draw")

// pictured are the stories that the documentation shows.
func pictured() []string {
	return []string{"opened", "diagnosed", "owned", "worsened", "closed", "silenced"}
}

func TestWhatSlackShowsCanBeDrawn(t *testing.T) {
	names := map[string]string{"S0123ABCD": "on-call"}
	for _, s := range stories() {
		t.Run(s.name, func(t *testing.T) {
			server := workspace(t)
			clock := map[string]time.Time{}
			for _, p := range delivered(t, open(t, server), s) {
				clock[p.Key] = s.when(p.Revision)
			}
			page, err := slackdraw.Page(views(t, server.Messages(slacktest.Ops), clock), time.UTC, names)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(page), `class="unknown"`) || !strings.Contains(string(page), "checkout") && s.name != "storm" && s.name != "disk" {
				t.Errorf("the page has what cannot be drawn:\n%s", page)
			}
			if *pictures != "" && slices.Contains(pictured(), s.name) {
				if err := os.WriteFile(filepath.Join(*pictures, "slack-"+s.name+".html"), page, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// when is when the event of a revision happened.
func (s story) when(revision int) time.Time {
	c := s.states[len(s.states)-1]
	return c.Messages[revision-1].At
}

// views are messages as slackdraw has them, with replies that show in the channel as well.
func views(t *testing.T, messages []slacktest.Message, clock map[string]time.Time) []slackdraw.Message {
	t.Helper()
	var all, broadcast []slackdraw.Message
	for _, m := range messages {
		one := view(t, m, clock)
		for _, r := range m.Replies {
			reply := view(t, r, clock)
			one.Replies = append(one.Replies, reply)
			if r.Broadcast {
				reply.Of, _, _ = strings.Cut(m.Text, " · ")
				broadcast = append(broadcast, reply)
			}
		}
		one.At = clock[firstKey(clock)]
		all = append(all, one)
	}
	return append(all, broadcast...)
}

// firstKey is the key of the first post.
func firstKey(clock map[string]time.Time) string {
	first := ""
	for key, at := range clock {
		if first == "" || at.Before(clock[first]) {
			first = key
		}
	}
	return first
}

func view(t *testing.T, m slacktest.Message, clock map[string]time.Time) slackdraw.Message {
	t.Helper()
	var meta struct {
		Payload struct{ Key string } `json:"event_payload"`
	}
	unmarshal(t, string(m.Metadata), &meta)
	return slackdraw.Message{At: clock[meta.Payload.Key], Text: m.Text, Blocks: m.Blocks, Attachments: m.Attachments}
}
