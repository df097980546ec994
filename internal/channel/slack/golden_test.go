package slack_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/slack"
	"github.com/bellbuoy/bellbuoy/internal/channel/slack/slacktest"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

var update = flag.Bool("update", false, "write the golden files anew; read the diff")

// delivered tells Slack of each state in turn, as the notifier does: until there is nothing more to post.
func delivered(t *testing.T, ch *slack.Channel, s story) []channel.Post {
	t.Helper()
	var posts []channel.Post
	told := channel.Told{}
	for _, c := range s.states {
		for range 4 {
			p, ok := ch.Next(c, told, s.terms)
			if !ok {
				break
			}
			told = tell(t, ch, told, c, p)
			posts = append(posts, p)
		}
	}
	return posts
}

// tell posts and gives what the notifier would write down.
func tell(t *testing.T, ch *slack.Channel, told channel.Told, c schema.Conversation, p channel.Post) channel.Told {
	t.Helper()
	ref, err := ch.Post(t.Context(), p)
	if err != nil {
		t.Fatalf("post %s: %v", p.Key, err)
	}
	if ref == "" {
		ref = p.Ref
	}
	return channel.Told{Revision: p.Revision, Lines: max(told.Lines, p.Lines), Episode: c.Episode, Ref: ref, At: c.UpdatedAt}
}

func TestCardsAndThreadsOfEveryState(t *testing.T) {
	for _, s := range stories() {
		t.Run(s.name, func(t *testing.T) {
			server := workspace(t)
			golden(t, s.name, wholeStory(t, server, open(t, server), s))
		})
	}
}

// Without a listener nothing on a card can be pressed; with one it has what can be done in its state.
func TestCardsHaveButtonsWhereSomebodyListens(t *testing.T) {
	resolved := event(9, schema.EventResolved, "Anna says it is resolved. Watching for 4 min.", func(c *schema.Conversation) { c.State = schema.StateWatching })
	all := append(stories(), story{"resolved", channel.Terms{}, through(checkout(), owned, resolved)})
	for _, s := range all {
		if !slices.Contains([]string{"opened", "owned", "silenced", "resolved", "closed", "folded"}, s.name) {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			server := workspace(t)
			text := wholeStory(t, server, listening(t, server), s)
			golden(t, "buttons-"+s.name, text)
			if strings.Contains(text, "approve") {
				t.Error("there is a button that runs something")
			}
		})
	}
}

// wholeStory is all that a story posts.
func wholeStory(t *testing.T, server *slacktest.Server, ch *slack.Channel, s story) string {
	t.Helper()
	posts := delivered(t, ch, s)
	calls := server.Calls()
	if len(posts) != len(calls) {
		t.Fatalf("%d calls for %d posts", len(calls), len(posts))
	}
	var b strings.Builder
	for i, p := range posts {
		_, rest, _ := strings.Cut(p.Key, "-")
		sound := []string{"quietly", "loud", "calling"}[p.Sound]
		fmt.Fprintf(&b, "%s %s, %s, %s", calls[i].Method, rest, p.Kind, sound)
		if calls[i].Args["reply_broadcast"] != "" {
			b.WriteString(", broadcast")
		}
		b.WriteString("\n" + rendered(t, calls[i].Args) + "\n")
	}
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
